"""Terraform's functions. The rarer areas are imported when a configuration first calls one of theirs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from msgspec import Struct

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions import collection, conversion, number, text
from policy_engine_plugins.terraform.functions.signature import Function
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Call, Expression, Reference
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    NotKnown,
    Value,
    all_unknown_in,
    combine,
)

Evaluate = Callable[[Expression, Scope], Value]

_FUNCTIONS: dict[str, Function] = {
    **collection.FUNCTIONS,
    **conversion.FUNCTIONS,
    **number.FUNCTIONS,
    **text.FUNCTIONS,
}

_AREAS = {
    "encoding": "base64decode base64encode base64gzip base64gunzip csvdecode jsondecode jsonencode textdecodebase64 "
    "textencodebase64 urldecode urlencode yamldecode yamlencode",
    "digest": "base64sha256 base64sha512 bcrypt md5 rsadecrypt sha1 sha256 sha512 uuid uuidv5",
    "network": "cidrcontains cidrhost cidrnetmask cidrsubnet cidrsubnets",
    "date": "formatdate plantimestamp timeadd timecmp timestamp",
    "file": "abspath basename dirname file filebase64 filebase64sha256 filebase64sha512 fileexists filemd5 fileset "
    "filesha1 filesha256 filesha512 pathexpand templatefile templatestring",
}
_AREA_OF = {name: area for area, names in _AREAS.items() for name in names.split()}


def find(name: str) -> Function:
    """The function of that name; `core::` is Terraform's prefix for its own ones."""
    short = name.removeprefix("core::")
    function = _FUNCTIONS.get(short)
    if function is not None:
        return function
    area = _AREA_OF.get(short)
    if area is not None:
        module = import_module(f"{__name__}.{area}")
        _FUNCTIONS.update(module.FUNCTIONS)
        return _FUNCTIONS[short]
    if "::" in name:
        return _from_provider(name)
    raise EvaluationError(f"there is no function '{name}'")


def _from_provider(name: str) -> Function:
    def call(arguments: list[Value], scope: Scope) -> Value:
        return combine([*all_unknown_in(arguments), Unknown(f"the function {name} belongs to a provider")])

    return call


def unknown_result(name: str, arguments: list[Value], missing: Unknown) -> Unknown:
    """What a call gives that needed a value it could not have: unknown, deriving from all unknowns in its arguments."""
    return combine(all_unknown_in(arguments) or [missing])


def _try(node: Call, scope: Scope, evaluate: Evaluate) -> Value:
    """The first argument that Terraform would not refuse. One that is unknown might still be refused."""
    if not node.arguments:
        raise EvaluationError("try needs at least one argument")
    last: EvaluationError | None = None
    for argument in node.arguments:
        try:
            value = evaluate(argument, scope)
        except EvaluationError as error:
            last = error
            continue
        if argument is node.arguments[-1]:
            return value
        doubts = [value] if isinstance(value, Unknown) else _doubts(argument, scope, evaluate)
        return combine(doubts) if doubts else value
    raise EvaluationError(f"no argument of try could be evaluated: {last}")


def _can(node: Call, scope: Scope, evaluate: Evaluate) -> Value:
    if len(node.arguments) != 1:
        raise EvaluationError("can needs one argument")
    try:
        value = evaluate(node.arguments[0], scope)
    except EvaluationError:
        return False
    doubts = [value] if isinstance(value, Unknown) else _doubts(node.arguments[0], scope, evaluate)
    return combine(doubts) if doubts else True


def _doubts(node: Expression, scope: Scope, evaluate: Evaluate) -> list[Unknown]:
    """Unknowns behind an expression that has a value all the same: with other values for them Terraform might refuse
    it (`coalesce(1, var.x)` with a list)."""
    found: list[Unknown] = []
    stack: list[object] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Reference):
            with suppress(EvaluationError, NotKnown):  # loop variables mean nothing out here
                found.extend(all_unknown_in(evaluate(part, scope), scope.module.budget.spend))
        elif isinstance(part, tuple):
            stack.extend(part)
        elif isinstance(part, Struct):
            stack.extend(getattr(part, name) for name in part.__struct_fields__)
    return found


SPECIAL: dict[str, Callable[[Call, Scope, Evaluate], Value]] = {
    "try": _try,
    "can": _can,
    "core::try": _try,
    "core::can": _can,
}
