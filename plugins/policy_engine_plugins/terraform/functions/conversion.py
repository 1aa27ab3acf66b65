"""Type conversion functions."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine_plugins.terraform.functions.signature import Function, a_list, a_map, function, known, never
from policy_engine_plugins.terraform.values import (
    ListValue,
    MapValue,
    SetValue,
    Value,
    make_set,
    to_bool,
    to_number,
    to_text,
)

_PRIMITIVE = (str, bool, int, float)


def unify(items: Sequence[Value]) -> list[Value]:
    """The items brought to one type: where strings, numbers and bools meet, all become strings."""
    kinds = set()
    for item in items:
        if isinstance(item, str):
            kinds.add("string")
        elif isinstance(item, bool):
            kinds.add("bool")
        elif isinstance(item, (int, float)):
            kinds.add("number")
    if len(kinds) < 2:
        return list(items)
    return [to_text(item) if isinstance(item, _PRIMITIVE) else item for item in items]


def _to_list(value: Value) -> Value:
    return value if value is None or isinstance(value, ListValue) else ListValue(unify(a_list(value)))


def _to_set(value: Value) -> Value:
    if value is None or isinstance(value, SetValue):
        return value
    return make_set(unify(known(a_list(value))))


def _to_map(value: Value) -> Value:
    if value is None or isinstance(value, MapValue):
        return value
    mapping = a_map(value)
    return MapValue(zip(mapping, unify(list(mapping.values())), strict=True))


FUNCTIONS: dict[str, Function] = {
    "tobool": function(1, 1, lambda value: None if value is None else to_bool(value), nulls=True),
    "tolist": function(1, 1, _to_list, nulls=True),
    "tomap": function(1, 1, _to_map, nulls=True),
    "tonumber": function(1, 1, lambda value: None if value is None else to_number(value), nulls=True),
    "toset": function(1, 1, _to_set, nulls=True),
    "tostring": function(1, 1, lambda value: None if value is None else to_text(value), nulls=True),
    # Sensitive values are not marked yet: these pass them on.
    "sensitive": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "nonsensitive": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "ephemeralasnull": function(1, 1, lambda value: value, nulls=True, unknowns=True),
    "issensitive": never("whether a value is sensitive is not followed"),
    "type": never("types are told on Terraform's console only"),
}
