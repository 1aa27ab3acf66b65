"""Functions over lists, sets and maps.

Elements may be unknown: a function gives a known result as long as no value of theirs could change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions.conversion import unify
from policy_engine_plugins.terraform.functions.signature import (
    MANY,
    Function,
    a_list,
    a_map,
    a_whole,
    function,
    known,
)
from policy_engine_plugins.terraform.functions.text import characters
from policy_engine_plugins.terraform.operators import arithmetic
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
    equal,
    identity,
    make_set,
    to_bool,
    to_number,
    to_text,
    type_name,
    unknown_list,
    unknown_map,
)

# Terraform refuses longer ranges too.
MAX_RANGE = 1024
MAX_ITEMS = 100_000


def _bounded(items: list[Value]) -> list[Value]:
    if len(items) > MAX_ITEMS:
        raise EvaluationError(f"the list grows beyond {MAX_ITEMS} elements")
    return items


def _any_true(items: Value) -> bool | Unknown:
    return _decided(items, True)


def _all_true(items: Value) -> bool | Unknown:
    return _decided(items, False)


def _decided(items: Value, by: bool) -> bool | Unknown:
    unknowns = []
    for item in a_list(items):
        if isinstance(item, Unknown):
            unknowns.append(item)
        elif (item is not None and to_bool(item)) is by:
            return by
    return combine(unknowns) if unknowns else not by


def _chunks(items: Value, size: Value) -> Value:
    elements, length = a_list(items), a_whole(size)
    if length < 0:
        raise EvaluationError("the size of a chunk is negative")
    if length == 0:
        return ListValue([elements] if elements else [])
    return ListValue(ListValue(elements[at : at + length]) for at in range(0, len(elements), length))


def _coalesce(*values: Value) -> Value:
    for value in values:
        if isinstance(value, Unknown):
            raise NotKnown(value)
        if value is None or value == "":
            continue
        return unify([value, *(other for other in values if other is not None)])[0]
    raise EvaluationError("all arguments of coalesce are null or empty")


def _coalesce_list(*lists: Value) -> Value:
    for value in lists:
        if isinstance(value, UnknownList):
            return value  # it has an element at least
        if isinstance(value, Unknown):
            raise NotKnown(value)
        if value is not None and a_list(value):
            return value
    raise EvaluationError("all arguments of coalescelist are empty")


def _compact(items: Value) -> Value:
    elements = [item for item in _items(items) if isinstance(item, Unknown) or (item is not None and item != "")]
    missing = [item for item in elements if isinstance(item, Unknown)]
    if missing:
        return unknown_list(elements, missing)
    return ListValue(to_text(item) for item in elements)


def _concat(*lists: Value) -> Value:
    unknowns = [part for part in lists if isinstance(part, Unknown)]
    if unknowns:
        pieces = [_items(part) for part in lists]
        _bounded_size(pieces)
        return unknown_list([item for piece in pieces for item in piece], unknowns)
    parts = [a_list(value) for value in lists]
    _bounded_size(parts)
    joined = [item for part in parts for item in part]
    return ListValue(joined) if all(isinstance(part, (ListValue, SetValue)) for part in parts) else joined


def _bounded_size(parts: Iterable[list[Value]]) -> None:
    if sum(len(part) for part in parts) > MAX_ITEMS:
        raise EvaluationError(f"the list grows beyond {MAX_ITEMS} elements")


def _items(value: Value) -> list[Value]:
    """The elements of a list, an Unknown standing for those that are not known."""
    if isinstance(value, UnknownList):
        return value.items
    return [combine((value,))] if isinstance(value, Unknown) else a_list(value)


def _contains(items: Value, wanted: Value) -> bool | Unknown:
    unknowns = []
    for item in _items(items):
        result = equal(item, wanted)
        if result is True:
            return True
        if isinstance(result, Unknown):
            unknowns.append(result)
    return combine(unknowns) if unknowns else False


def _distinct(items: Value) -> Value:
    elements = unify(_items(items))
    missing = all_unknown_in(elements)
    if missing:
        return unknown_list(elements, missing)
    unique: dict[object, Value] = {}
    for item in elements:
        unique.setdefault(identity(item), item)
    return ListValue(unique.values())


def _element(items: Value, index: Value) -> Value:
    elements, at = a_list(items), a_whole(index)
    if isinstance(elements, SetValue) or at < 0:
        raise EvaluationError("element needs a list and an index that is not negative")
    if not elements:
        raise EvaluationError("element of an empty list")
    return elements[at % len(elements)]


def _flatten(items: Value) -> Value:
    flat: list[Value] = []
    unknowns = [items] if isinstance(items, Unknown) else []
    stack = list(reversed(_items(items)))
    while stack:
        item = stack.pop()
        if isinstance(item, Unknown):
            unknowns.append(item)
        if isinstance(item, UnknownList):
            stack.extend(reversed(item.items))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        else:
            flat.append(item)
        if len(flat) + len(stack) > MAX_ITEMS:
            raise EvaluationError(f"the list grows beyond {MAX_ITEMS} elements")
    # One that is not known may be a list itself: any number of elements.
    return unknown_list(flat, unknowns) if unknowns else flat


def _index(items: Value, wanted: Value) -> int:
    for at, item in enumerate(a_list(items)):
        result = equal(item, wanted)
        if isinstance(result, Unknown):
            raise NotKnown(result)
        if result:
            return at
    raise EvaluationError("the list does not have that element")


def _length(value: Value) -> int:
    if isinstance(value, (list, dict)):
        return len(value)
    if isinstance(value, str):
        return len(characters(value))
    raise EvaluationError(f"a value of type {type_name(value)} has no length")


def _lookup(mapping: Value, key: Value, *default: Value) -> Value:
    if isinstance(mapping, UnknownMap) and not isinstance(key, Unknown) and to_text(key) in mapping.entries:
        return mapping.entries[to_text(key)]
    if isinstance(mapping, Unknown):
        raise NotKnown(mapping)
    found = a_map(mapping)
    name = to_text(key)
    if name in found:
        return found[name]
    if default:
        return default[0]
    raise EvaluationError("the map does not have that key")


def _match_keys(values: Value, keys: Value, wanted: Value) -> Value:
    elements, names = a_list(values), known(a_list(keys))
    if len(elements) != len(names):
        raise EvaluationError("the two lists differ in length")
    unified = unify([*names, *known(a_list(wanted))])
    names, accepted = unified[: len(names)], {identity(item) for item in unified[len(names) :]}
    return ListValue(value for value, key in zip(elements, names, strict=True) if identity(key) in accepted)


def _merge(*mappings: Value) -> Value:
    missing = [mapping for mapping in mappings if isinstance(mapping, Unknown)]
    if missing:
        return _merge_partly(mappings, missing)
    merged: dict[str, Value] = {}
    parts = [a_map(mapping) for mapping in mappings if mapping is not None]
    for part in parts:
        merged.update(part)
    return MapValue(merged) if parts and all(isinstance(part, MapValue) for part in parts) else merged


def _merge_partly(mappings: Iterable[Value], unknowns: list[Unknown]) -> Value:
    """What comes before a mapping that is not known may be overridden by it: of that, the keys alone are known."""
    merged: dict[str, Value] = {}
    for mapping in mappings:
        if mapping is None:
            continue
        if isinstance(mapping, Unknown):
            doubt = combine((mapping,))
            merged = dict.fromkeys(merged, doubt)
            if isinstance(mapping, UnknownMap):
                merged.update(mapping.entries)
        else:
            merged.update(a_map(mapping))
    return unknown_map(merged, unknowns)


def _one(items: Value) -> Value:
    elements = a_list(items)
    if len(elements) > 1:
        raise EvaluationError("one needs a list of at most one element")
    return elements[0] if elements else None


def _range(*limits: Value) -> Value:
    numbers = [to_number(limit) for limit in limits]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else (1 if start <= limit else -1)
    if step == 0 or ((step > 0) != (start <= limit) and start != limit):
        raise EvaluationError("the step does not lead to the limit")
    items: list[Value] = []
    at = start
    while at < limit if step > 0 else at > limit:
        items.append(at)
        if len(items) > MAX_RANGE:
            raise EvaluationError(f"a range of more than {MAX_RANGE} numbers")
        at = arithmetic("+", at, step)
    return ListValue(items)


def _reverse(items: Value) -> Value:
    elements = a_list(items)
    turned = list(reversed(elements))
    return ListValue(turned) if isinstance(elements, (ListValue, SetValue)) else turned


def _sets(values: Iterable[Value]) -> list[dict[object, Value]]:
    """The elements of each, all brought to one type."""
    lists = [known(a_list(value)) for value in values]
    unified = iter(unify([item for items in lists for item in items]))
    return [{identity(item): item for item in (next(unified) for _ in items)} for items in lists]


def _union(*values: Value) -> Value:
    elements = [item for value in values for item in _items(value)]
    missing = all_unknown_in(elements)
    if missing:
        return unknown_list(elements, missing)
    return make_set(unify([item for found in _sets(values) for item in found.values()]))


def _intersection(*values: Value) -> Value:
    first, *others = _sets(values)
    return make_set(item for key, item in first.items() if all(key in other for other in others))


def _subtract(left: Value, right: Value) -> Value:
    first, second = _sets((left, right))
    return make_set(item for key, item in first.items() if key not in second)


def _product(*values: Value) -> Value:
    lists = [a_list(value) for value in values]
    size = 1
    for part in lists:
        size *= len(part)
    if size * len(lists) > MAX_ITEMS:
        raise EvaluationError(f"the product grows beyond {MAX_ITEMS} elements")
    made = [list(combination) for combination in product(*lists)]
    if any(isinstance(part, SetValue) for part in lists):
        return make_set(known(made))
    return ListValue(made)


def _slice(items: Value, start: Value, end: Value) -> Value:
    elements, first, last = a_list(items), a_whole(start), a_whole(end)
    if isinstance(elements, SetValue):
        raise EvaluationError("a set cannot be sliced")
    if not 0 <= first <= last <= len(elements):
        raise EvaluationError("the slice lies outside of the list")
    part = elements[first:last]
    return ListValue(part) if isinstance(elements, ListValue) else part


def _sort(items: Value) -> Value:
    return ListValue(sorted(to_text(item) for item in known(a_list(items))))


def _sum(items: Value) -> int | float:
    elements = known(a_list(items))
    if not elements:
        raise EvaluationError("sum of an empty list")
    total: int | float = 0
    for item in elements:
        total = arithmetic("+", total, to_number(item))
    return total


def _transpose(mapping: Value) -> Value:
    turned: dict[str, list[str]] = {}
    found = known(a_map(mapping))
    for key in sorted(found):
        for item in a_list(found[key]):
            turned.setdefault(to_text(item), []).append(key)
    return MapValue((key, ListValue(sorted(turned[key]))) for key in sorted(turned))


def _values(mapping: Value) -> Value:
    if isinstance(mapping, UnknownMap):
        return unknown_list([*mapping.entries.values(), mapping.rest], (mapping,))
    found = a_map(mapping)
    items = [found[key] for key in sorted(found)]
    return ListValue(items) if isinstance(found, MapValue) else items


def _zip_map(keys: Value, values: Value) -> Value:
    names, elements = known(a_list(keys)), a_list(values)
    if len(names) != len(elements):
        raise EvaluationError("the two lists differ in length")
    return {to_text(name): element for name, element in zip(names, elements, strict=True)}


def _keys(mapping: Value) -> Value:
    if isinstance(mapping, UnknownMap):
        return unknown_list([*sorted(mapping.entries), mapping.rest], (mapping,))
    found = a_map(mapping)
    return ListValue(sorted(found)) if isinstance(found, MapValue) else sorted(found)


_TABLE: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "alltrue": (1, 1, _all_true),
    "anytrue": (1, 1, _any_true),
    "chunklist": (2, 2, _chunks),
    "element": (2, 2, _element),
    "length": (1, 1, _length),
    "matchkeys": (3, 3, _match_keys),
    "one": (1, 1, _one),
    "range": (1, 3, _range),
    "reverse": (1, 1, _reverse),
    "setintersection": (1, MANY, _intersection),
    "setproduct": (2, MANY, _product),
    "setsubtract": (2, 2, _subtract),
    "slice": (3, 3, _slice),
    "sort": (1, 1, _sort),
    "sum": (1, 1, _sum),
    "transpose": (1, 1, _transpose),
    "zipmap": (2, 2, _zip_map),
}

FUNCTIONS: dict[str, Function] = {
    **{name: function(*row) for name, row in _TABLE.items()},
    "coalesce": function(1, MANY, _coalesce, nulls=True, unknowns=True),
    "coalescelist": function(1, MANY, _coalesce_list, nulls=True, unknowns=True),
    "compact": function(1, 1, _compact, unknowns=True),
    "concat": function(1, MANY, _concat, unknowns=True),
    "contains": function(2, 2, _contains, unknowns=True, weight=5),
    "distinct": function(1, 1, _distinct, unknowns=True),
    "flatten": function(1, 1, _flatten, unknowns=True, weight=10),
    "index": function(2, 2, _index, nulls=True, weight=5),
    "keys": function(1, 1, _keys, unknowns=True),
    "lookup": function(2, 3, _lookup, nulls=True, unknowns=True),
    "merge": function(0, MANY, _merge, nulls=True, unknowns=True),
    "setunion": function(1, MANY, _union, unknowns=True),
    "values": function(1, 1, _values, unknowns=True),
}
