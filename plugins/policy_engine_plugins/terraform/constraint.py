"""Type constraints of variables, and the conversion of values to them (with the defaults of `optional()`)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions.conversion import unify
from policy_engine_plugins.terraform.lexical import SyntaxFault
from policy_engine_plugins.terraform.syntax import (
    Call,
    Expression,
    ListExpression,
    Literal,
    ObjectExpression,
    Reference,
)
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    ListValue,
    MapValue,
    NotKnown,
    SetValue,
    Value,
    all_unknown_in,
    combine,
    make_set,
    to_bool,
    to_number,
    to_text,
    type_name,
)


class Constraint(Struct, frozen=True):
    """`kind` is any, string, number, bool, list, set, map, object or tuple. `fields` of an object pair each constraint
    with whether it is optional and with its default's expression."""

    kind: str
    element: Constraint | None = None
    items: tuple[Constraint, ...] = ()
    fields: tuple[tuple[str, Constraint, bool, Expression | None], ...] = ()


ANY = Constraint("any")
_SIMPLE = {name: Constraint(name) for name in ("any", "string", "number", "bool")}


def constraint_of(node: Expression) -> Constraint:
    """The constraint that a `type` attribute writes. Raises EvaluationError where it writes none."""
    if isinstance(node, Literal) and isinstance(node.value, str):
        return _from_text(node.value)
    if isinstance(node, Reference) and len(node.steps) == 1:
        name = str(node.steps[0])
        if name in _SIMPLE:
            return _SIMPLE[name]
        if name in ("list", "set", "map"):
            return Constraint(name, ANY)
    if isinstance(node, Call) and len(node.arguments) == 1:
        argument = node.arguments[0]
        if node.name in ("list", "set", "map"):
            return Constraint(node.name, constraint_of(argument))
        if node.name == "tuple" and isinstance(argument, ListExpression):
            return Constraint("tuple", items=tuple(constraint_of(item) for item in argument.items))
        if node.name == "object" and isinstance(argument, ObjectExpression):
            return Constraint("object", fields=tuple(_fields(argument)))
    raise EvaluationError("the type constraint is not understood")


def _fields(node: ObjectExpression) -> list[tuple[str, Constraint, bool, Expression | None]]:
    fields = []
    for item in node.items:
        if not isinstance(item.key, Literal):
            raise EvaluationError("the type constraint is not understood")
        name, value = str(item.key.value), item.value
        if isinstance(value, Call) and value.name == "optional" and value.arguments:
            default = value.arguments[1] if len(value.arguments) > 1 else None
            fields.append((name, constraint_of(value.arguments[0]), True, default))
        else:
            fields.append((name, constraint_of(value), False, None))
    return fields


def _from_text(text: str) -> Constraint:
    """Older configurations and the JSON syntax write the constraint in quotes."""
    from policy_engine_plugins.terraform.parser import parse_expression
    from policy_engine_plugins.terraform.source import Source

    try:
        node = parse_expression(Source("", text))
    except SyntaxFault:
        raise EvaluationError("the type constraint is not understood") from None
    if isinstance(node, Literal):
        raise EvaluationError("the type constraint is not understood")
    return constraint_of(node)


def convert(value: Value, constraint: Constraint, evaluate: Callable[[Expression], Value]) -> Value:
    """The value as a variable of that type holds it. Unknowns inside stay; raises EvaluationError where Terraform
    would refuse the value. `evaluate` is for the defaults of optional attributes."""
    kind = constraint.kind
    if value is None or isinstance(value, Unknown) or kind == "any":
        return value
    if kind == "string":
        return to_text(value)
    if kind == "number":
        return to_number(value)
    if kind == "bool":
        return to_bool(value)
    if kind in ("list", "set"):
        if not isinstance(value, list):
            raise EvaluationError(f"a {kind} is needed, not {type_name(value)}")
        assert constraint.element is not None
        items = unify([convert(item, constraint.element, evaluate) for item in value])
        if kind == "list":
            return ListValue(items)
        missing = all_unknown_in(items)
        if missing:
            return combine(missing)
        return make_set(items)
    if kind == "tuple":
        if not isinstance(value, list) or isinstance(value, SetValue) or len(value) != len(constraint.items):
            raise EvaluationError(f"a tuple of {len(constraint.items)} is needed")
        return [convert(item, type_, evaluate) for item, type_ in zip(value, constraint.items, strict=True)]
    if not isinstance(value, dict):
        raise EvaluationError(f"a {'map' if kind == 'map' else 'object'} is needed, not {type_name(value)}")
    if kind == "map":
        assert constraint.element is not None
        converted = unify([convert(item, constraint.element, evaluate) for item in value.values()])
        return MapValue(zip(value, converted, strict=True))
    return _object(value, constraint, evaluate)


def _object(value: dict[str, Value], constraint: Constraint, evaluate: Callable[[Expression], Value]) -> Value:
    result: dict[str, Value] = {}
    for name, type_, optional, default in constraint.fields:
        item = value.get(name)
        if name not in value and not optional:
            raise EvaluationError(f"the attribute '{name}' is missing")
        if item is None and default is not None:
            item = evaluate(default)
        try:
            result[name] = convert(item, type_, evaluate)
        except NotKnown as missing:
            result[name] = missing.unknown
    return result
