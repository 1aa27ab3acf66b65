"""Type conversion functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions.signature import Function, a_list, a_map, function, never
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    ListValue,
    MapValue,
    NotKnown,
    SetValue,
    UnknownList,
    UnknownMap,
    Value,
    all_unknown_in,
    combine,
    make_set,
    measure,
    to_bool,
    to_number,
    to_text,
    unknown_list,
)

_PRIMITIVE = (str, bool, int, float)


def unify(items: Sequence[Value]) -> list[Value]:
    """The items brought to one type: numbers and bools beside strings become strings, in nested lists and objects too.
    Raises EvaluationError where there is no common type."""
    kinds = {_kind(item) for item in items}
    kinds.discard("")
    if not kinds.isdisjoint(("list", "object")):
        measure(list(items))
    if len(kinds) < 2:
        only = next(iter(kinds), "")
        if only == "list" and not any(isinstance(item, Unknown) for item in items):
            return _unify_lists(items)
        if only == "object":
            return _unify_objects(items)
        return list(items)
    if "string" in kinds and not kinds & {"list", "object"}:
        return [to_text(item) if isinstance(item, _PRIMITIVE) else item for item in items]
    raise EvaluationError("the elements have no common type")


def _kind(value: Value) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, dict) else ""


def _unify_lists(items: Sequence[Value]) -> list[Value]:
    """Lists whose elements, all together, share one type; where they do not, tuples as they are."""
    elements = [element for item in items if item is not None for element in item]
    if len({_kind(element) for element in elements} - {""}) < 2:
        return list(items)
    try:
        unified = iter(unify(elements))
    except EvaluationError:
        return list(items)
    return [None if item is None else type(item)(next(unified) for _ in item) for item in items]


def _unify_objects(items: Sequence[Value]) -> list[Value]:
    objects = [item for item in items if isinstance(item, dict)]
    result = [dict(item) if type(item) is dict else item for item in items]
    for name in objects[0]:
        if all(name in item for item in objects) and len({_kind(item[name]) for item in objects} - {""}) > 1:
            try:
                unified = iter(unify([item[name] for item in objects]))
            except EvaluationError:
                continue
            for item in result:
                if isinstance(item, dict):
                    item[name] = next(unified)
    return result


def _of_partial(convert: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """Passes on what is partly known as it is: it has no type yet."""

    def call(value: Value) -> Value:
        if isinstance(value, (UnknownList, UnknownMap)):
            return value
        if isinstance(value, Unknown):
            raise NotKnown(combine((value,)))
        return convert(value)

    return call


def _to_list(value: Value) -> Value:
    return value if value is None or isinstance(value, ListValue) else ListValue(unify(a_list(value)))


def _to_set(value: Value) -> Value:
    if value is None or isinstance(value, SetValue):
        return value
    items = unify(a_list(value))
    missing = all_unknown_in(items)
    # Which elements a set has depends on all of them: two that are not known may be one.
    return unknown_list(items, missing) if missing else make_set(items)


def _to_map(value: Value) -> Value:
    if value is None or isinstance(value, MapValue):
        return value
    mapping = a_map(value)
    return MapValue(zip(mapping, unify(list(mapping.values())), strict=True))


FUNCTIONS: dict[str, Function] = {
    "tobool": function(1, 1, lambda value: None if value is None else to_bool(value), nulls=True),
    "tolist": function(1, 1, _of_partial(_to_list), nulls=True, unknowns=True),
    "tomap": function(1, 1, _of_partial(_to_map), nulls=True, unknowns=True),
    "tonumber": function(1, 1, lambda value: None if value is None else to_number(value), nulls=True),
    "toset": function(1, 1, _of_partial(_to_set), nulls=True, unknowns=True),
    "tostring": function(1, 1, lambda value: None if value is None else to_text(value), nulls=True),
    # What is sensitive is found out where a value would be shown (sensitive.py); these pass values on.
    "sensitive": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "nonsensitive": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "ephemeralasnull": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "issensitive": never("whether a value is sensitive is not followed"),
    "type": never("types are told on Terraform's console only"),
}
