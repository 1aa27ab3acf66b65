"""The comparisons of the rule language: what each takes, and says of a value, an absent one and a half-known text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from policy_engine.partial import PartialDict, PartialList
from policy_engine.pattern import search_for
from policy_engine.unknown import Unknown

Truth = "bool | Unknown"
SIMPLE_TYPES = frozenset({str, bool, int, float})


class Operator(Struct, frozen=True):
    """One comparison.

    test        (value, operand) -> True, False or an Unknown; value is neither absent, null nor an Unknown
    absent      the answer for an absent or null value
    partial     (fragments, operand) -> True or False where a half-known text decides already, else None
    pinpoint    (value, operand) -> indexes of the items that decide, for a list
    schema      JSON Schema of the operand
    negation    the operator is the opposite of the one of this name, and shares everything else with it
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    test: Callable[[Any, Any], bool | Unknown] | None = None
    absent: bool = False
    partial: Callable[[Sequence[str | None], Any], bool | None] | None = None
    pinpoint: Callable[[Any, Any], Sequence[int]] | None = None
    negation: str | None = None


def same(value: Any, operand: Any) -> bool | Unknown:
    """Equality as configuration languages see it: "true" is true and "443" is 443; deep for lists and mappings."""
    if type(value) is Unknown:
        return value
    if type(value) is PartialList or type(value) is PartialDict:
        return _partly_same(value, operand)
    if isinstance(value, list) and isinstance(operand, list) and len(value) == len(operand):
        return _both(same(ours, theirs) for ours, theirs in zip(value, operand, strict=True))
    if isinstance(value, dict) and isinstance(operand, dict) and value.keys() == operand.keys():
        return _both(same(value[key], operand[key]) for key in value)
    if isinstance(value, (list, dict)) or isinstance(operand, (list, dict)):
        return False
    return bool(scalar(value) == scalar(operand))


def _partly_same(value: PartialList | PartialDict, operand: Any) -> bool | Unknown:
    if isinstance(value, PartialList):
        if not isinstance(operand, list) or value.least > len(operand):
            return False
        return next(item for item in value if type(item) is Unknown)
    if not isinstance(operand, dict) or any(
        key not in operand or same(item, operand[key]) is False for key, item in value.items()
    ):
        return False
    return value.rest


def _both(answers: Iterable[bool | Unknown]) -> bool | Unknown:
    doubt: bool | Unknown = True
    for answer in answers:
        if answer is False:
            return False
        if answer is not True:
            doubt = answer
    return doubt


def scalar(value: Any) -> Any:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else repr(value)
    return value


def find_unknown(value: Any) -> Unknown | None:
    """An Unknown anywhere inside, or None."""
    if type(value) is Unknown:
        return value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        found = find_unknown(child)
        if found is not None:
            return found
    return value.rest if type(value) is PartialDict else None


def listed(operand: Any) -> Sequence[Any]:
    return operand if isinstance(operand, list) else (operand,)


def _any(answers: Sequence[bool | Unknown]) -> bool | Unknown:
    doubt: bool | Unknown = False
    for answer in answers:
        if answer is True:
            return True
        if answer is not False:
            doubt = answer
    return doubt


def _is_in(value: Any, operand: Any) -> bool | Unknown:
    return _any([same(value, each) for each in operand])


def _contains_one(value: Any, wanted: Any) -> bool | Unknown:
    if isinstance(value, list):
        return _any([item if type(item) is Unknown else same(item, wanted) for item in value])
    if isinstance(value, dict):
        return wanted in value or (value.rest if type(value) is PartialDict else False)
    return isinstance(value, str) and str(wanted) in value


def _contains(value: Any, operand: Any) -> bool | Unknown:
    return _any([_contains_one(value, wanted) for wanted in listed(operand)])


def _where_contained(value: Any, operand: Any) -> Sequence[int]:
    if not isinstance(value, list):
        return ()
    wanted = {scalar(each) for each in listed(operand) if not isinstance(each, (list, dict))}
    return [i for i, item in enumerate(value) if not isinstance(item, (list, dict)) and scalar(item) in wanted]


MAX_MATCHED_TEXT = 20_000
"""Characters of a scanned value that a pattern is tried on; longer text is unknown rather than slow."""


def _matches(value: Any, operand: Any) -> bool | Unknown:
    text = scalar(value)
    if not isinstance(text, str):
        return False
    if len(text) > MAX_MATCHED_TEXT:
        return Unknown(f"the text is longer than the {MAX_MATCHED_TEXT} characters that patterns are tried on")
    return search_for(listed(operand))(text)


def _starts(value: Any, operand: Any) -> bool:
    return isinstance(value, str) and value.startswith(tuple(listed(operand)))


def _ends(value: Any, operand: Any) -> bool:
    return isinstance(value, str) and value.endswith(tuple(listed(operand)))


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _compare(decide: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, operand: Any) -> bool:
        known = number(value)
        return known is not None and decide(known, operand)

    return test


def _length(decide: Callable[[int, int], bool]) -> Callable[[Any, Any], bool | Unknown]:
    def test(value: Any, operand: Any) -> bool | Unknown:
        if not isinstance(value, (str, list, dict)):
            return False
        if type(value) is PartialList or type(value) is PartialDict:
            least = decide(value.least if isinstance(value, PartialList) else len(value), operand)
            if least is decide(sys.maxsize, operand):
                return least  # however many more there are
            doubt = find_unknown(value)
            assert doubt is not None
            return doubt
        return decide(len(value), operand)

    return test


@lru_cache(maxsize=4096)
def _network(text: str) -> Any:
    import ipaddress

    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _cidr(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | Unknown]:
    def one(value: Any, operand: Any) -> bool | Unknown:
        if type(value) is Unknown:
            return value
        network = _network(value) if isinstance(value, str) else None
        if network is None:
            return False
        others = (_network(other) for other in listed(operand))
        return any(
            other is not None and network.version == other.version and decide(network, other) for other in others
        )

    def test(value: Any, operand: Any) -> bool | Unknown:
        return _any([one(item, operand) for item in value]) if isinstance(value, list) else one(value, operand)

    return test


def _which(test: Callable[[Any, Any], bool | Unknown]) -> Callable[[Any, Any], Sequence[int]]:
    def pinpoint(value: Any, operand: Any) -> Sequence[int]:
        return [i for i, item in enumerate(value) if test(item, operand) is True] if isinstance(value, list) else ()

    return pinpoint


_covers = _cidr(lambda ours, theirs: theirs.subnet_of(ours))
_overlaps = _cidr(lambda ours, theirs: ours.overlaps(theirs))


def _within(value: Any, operand: Any) -> bool | Unknown:
    """All of a list must lie within; of one value, it must."""
    inside = _cidr(lambda ours, theirs: ours.subnet_of(theirs))
    if not isinstance(value, list):
        return inside(value, operand)
    answers = [inside(item, operand) for item in value]
    return False if False in answers else next((each for each in answers if each is not True), True)


def _covers_port(value: Any, operand: Any) -> bool | Unknown:
    """Of a port (22), a range ("20-25", "20:25") or a list of them; `*` and "any" cover all."""
    if isinstance(value, list):
        return _any([item if type(item) is Unknown else _covers_port(item, operand) for item in value])
    text = str(scalar(value)).strip().lower()
    if text in ("*", "any", "all"):
        return True
    low, dash, high = text.replace(":", "-").partition("-")
    if not low.strip().isdecimal() or (dash and not high.strip().isdecimal()):
        return False
    first, last = int(low), int(high) if dash else int(low)
    return any(first <= port <= last for port in listed(operand))


def _version(text: Any) -> tuple[int, ...] | None:
    parts = str(text).strip().lstrip("vV").split(".")
    numbers = []
    for part in parts:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if len(digits) != len(part):
            break
    return tuple(numbers) or None


def _version_at_least(value: Any, operand: Any) -> bool | Unknown:
    known, wanted = _version(value), _version(operand)
    if known is None or wanted is None:
        return Unknown(f"'{value}' is not a version number")
    width = max(len(known), len(wanted))
    # A version given less exactly than asked ("15" for 15.4) may be any of that line.
    if len(known) < len(wanted) and known == wanted[: len(known)]:
        return Unknown(f"'{value}' names a line of versions, not one")
    return known + (0,) * (width - len(known)) >= wanted + (0,) * (width - len(wanted))


TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "mapping": (dict,),
}


def _is_type(value: Any, operand: Any) -> bool:
    return isinstance(value, TYPES[operand]) and not (operand == "number" and isinstance(value, bool))


def _partial_equals(fragments: Sequence[str | None], operand: Any) -> bool | None:
    wanted = scalar(operand)
    if not isinstance(wanted, str):
        return False
    first, last = fragments[0], fragments[-1]
    if first is not None and not wanted.startswith(first):
        return False
    if last is not None and not wanted.endswith(last):
        return False
    position = 0
    for fragment in fragments:
        if fragment is not None:
            position = wanted.find(fragment, position)
            if position < 0:
                return False
            position += len(fragment)
    return None


def _partial_in(fragments: Sequence[str | None], operand: Any) -> bool | None:
    return False if all(_partial_equals(fragments, each) is False for each in operand) else None


def _partial_starts(fragments: Sequence[str | None], operand: Any) -> bool | None:
    first = fragments[0]
    if first is None:
        return None
    wanted = listed(operand)
    if first.startswith(tuple(wanted)):
        return True
    return None if any(each.startswith(first) for each in wanted) else False


def _partial_ends(fragments: Sequence[str | None], operand: Any) -> bool | None:
    last = fragments[-1]
    if last is None:
        return None
    wanted = listed(operand)
    if last.endswith(tuple(wanted)):
        return True
    return None if any(each.endswith(last) for each in wanted) else False


def _partial_contains(fragments: Sequence[str | None], operand: Any) -> bool | None:
    known = [fragment for fragment in fragments if fragment]
    return True if any(str(wanted) in fragment for wanted in listed(operand) for fragment in known) else None


_ANY: Mapping[str, Any] = {}
_LIST: Mapping[str, Any] = {"type": "array", "minItems": 1}
_TEXTS: Mapping[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}
_PATTERNS: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string", "format": "regex"},
        {"type": "array", "items": {"type": "string", "format": "regex"}, "minItems": 1},
    ]
}
_NUMBER: Mapping[str, Any] = {"type": "number"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_PORTS: Mapping[str, Any] = {
    "anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]
}

_ALL = (
    Operator(
        "equals", 'the value is this one; "true" counts as true and "443" as 443', _ANY, same, partial=_partial_equals
    ),
    Operator("not_equals", "the value is not this one; an absent value is not", _ANY, negation="equals"),
    Operator("in", "the value is one of these", _LIST, _is_in, partial=_partial_in),
    Operator("not_in", "the value is none of these; an absent value is none", _LIST, negation="in"),
    Operator("matches", "a regular expression (or one of several) is found in the text", _PATTERNS, _matches),
    Operator("not_matches", "no such regular expression is found in the text", _PATTERNS, negation="matches"),
    Operator("starts_with", "the text starts with this (or one of these)", _TEXTS, _starts, partial=_partial_starts),
    Operator("ends_with", "the text ends with this (or one of these)", _TEXTS, _ends, partial=_partial_ends),
    Operator(
        "contains",
        "the list has this item (or one of these), the text has this part, the mapping has this key",
        _ANY,
        _contains,
        partial=_partial_contains,
        pinpoint=_where_contained,
    ),
    Operator("not_contains", "the opposite of `contains`; an absent value contains nothing", _ANY, negation="contains"),
    Operator("at_least", "the number is this or more", _NUMBER, _compare(lambda a, b: a >= b)),
    Operator("at_most", "the number is this or less", _NUMBER, _compare(lambda a, b: a <= b)),
    Operator("more_than", "the number is more than this", _NUMBER, _compare(lambda a, b: a > b)),
    Operator("less_than", "the number is less than this", _NUMBER, _compare(lambda a, b: a < b)),
    Operator(
        "length_at_least", "the list, mapping or text has at least so many items", _COUNT, _length(lambda a, b: a >= b)
    ),
    Operator(
        "length_at_most", "the list, mapping or text has at most so many items", _COUNT, _length(lambda a, b: a <= b)
    ),
    Operator(
        "version_at_least", "the dotted version is this one or later", {"type": ["string", "number"]}, _version_at_least
    ),
    Operator("within_cidr", "the network (or every one of a list) lies inside one of these", _TEXTS, _within),
    Operator(
        "overlaps_cidr",
        "the network (or one of a list) shares addresses with one of these",
        _TEXTS,
        _overlaps,
        pinpoint=_which(_overlaps),
    ),
    Operator(
        "covers_cidr",
        "the network (or one of a list) holds all addresses of one of these; 0.0.0.0/0 finds what is open to all",
        _TEXTS,
        _covers,
        pinpoint=_which(_covers),
    ),
    Operator(
        "covers_port",
        'the port, range ("20-25") or list of them takes in one of these ports',
        _PORTS,
        _covers_port,
        pinpoint=_which(_covers_port),
    ),
    Operator("is", "the value is of this type", {"enum": list(TYPES)}, _is_type),
)

OPERATORS: Mapping[str, Operator] = {operator.name: operator for operator in _ALL}
