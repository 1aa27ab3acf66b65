"""Terraform's values as plain Python ones, and how they convert into each other.

A tuple is a `list`, an object a `dict`; where Terraform has made a list, a set or a map of one type out of them, the
subclasses below say so, as equality and iteration differ. Sets are kept sorted and without duplicates. Whole numbers
are `int`, others `float`. What is not known is an `Unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.partial import PartialDict, PartialList
from policy_engine.unknown import Embedded, Unknown

MAX_TEXT = 4_000_000
MAX_ELEMENTS = 200_000
MAX_LEVELS = 150

Value = Any


class ListValue(list):  # type: ignore[type-arg]
    """A list whose elements have one type."""

    __slots__ = ()


class SetValue(list):  # type: ignore[type-arg]
    """A set: sorted, no element twice."""

    __slots__ = ()


class MapValue(dict):  # type: ignore[type-arg]
    """A map whose elements have one type."""

    __slots__ = ()


class UnknownDocument(Unknown):
    """Text that encodes a document parts of which are not known: as text unknown, yet the document is at hand."""

    __slots__ = ("document",)
    document: Embedded

    def __init__(self, unknown: Unknown, document: Embedded) -> None:
        super().__init__(unknown.reason, unknown.origin, unknown.refers_to, ())
        object.__setattr__(self, "document", document)


class UnknownList(Unknown):
    """A list, tuple or set of which some elements are known: each Unknown among `items` stands for any number of
    elements, none perhaps. Whoever knows nothing of it takes it for unknown as a whole."""

    __slots__ = ("items",)
    items: list[Value]

    def __init__(self, unknown: Unknown, items: list[Value]) -> None:
        super().__init__(unknown.reason, unknown.origin, unknown.refers_to, ())
        object.__setattr__(self, "items", items)


class UnknownMap(Unknown):
    """A map or an object of which some entries are known; what the others are is unknown, even their keys."""

    __slots__ = ("entries",)
    entries: dict[str, Value]

    def __init__(self, unknown: Unknown, entries: dict[str, Value]) -> None:
        super().__init__(unknown.reason, unknown.origin, unknown.refers_to, ())
        object.__setattr__(self, "entries", entries)

    @property
    def rest(self) -> Unknown:
        return combine((self,))


class EvaluationError(Exception):
    """Terraform would refuse the expression; `try` and `can` see it, elsewhere the value becomes unknown."""


class NotKnown(Exception):
    """Raised where a function needs a value that is not known."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def is_list(value: Value) -> bool:
    return isinstance(value, list)


def combine(unknowns: Iterable[Unknown]) -> Unknown:
    """What derives from unknowns: the first one's reason, and all resources behind them. What is known of the text of
    one of them, or that it is there at all, does not hold for what derives from it."""
    found = list(unknowns)
    first = found[0]
    if len(found) == 1 and not first.fragments and not first.present and type(first) is Unknown:
        return first
    refers_to = dict.fromkeys(address for unknown in found for address in unknown.refers_to)
    return Unknown(first.reason, first.origin, tuple(refers_to))


def unknown_list(items: list[Value], unknowns: Iterable[Unknown]) -> Unknown:
    """A list of which `items` are known, Unknowns standing for further ones; a plain Unknown where none is known."""
    unknown = combine(unknowns)
    if all(isinstance(item, Unknown) for item in items):
        return combine([unknown, *items])
    measure(items)
    return UnknownList(unknown, items)


def unknown_map(entries: dict[str, Value], unknowns: Iterable[Unknown]) -> Unknown:
    """A map of which `entries` are known and others may be there; a plain Unknown where none is known."""
    unknown = combine(unknowns)
    if not entries:
        return unknown
    measure(entries)
    return UnknownMap(unknown, entries)


def measure(value: Value) -> None:
    """Raises EvaluationError for a value of too many elements. Values share parts, so that a few lines can make one
    that is larger than any memory once something walks all of it: this comes before every such walk."""
    if isinstance(value, (list, dict)):
        all_unknown_in(value)


def all_unknown_in(value: Value, spend: Callable[[int], None] | None = None) -> list[Unknown]:
    """Every Unknown inside a value. Raises EvaluationError for a value of too many elements or too many levels, and
    what `spend` raises, which is told the work."""
    if spend is not None:
        spend(0)  # nothing is left: then this is not begun
    found = []
    level = [value]
    seen = depth = 0
    while level:
        depth += 1
        below: list[Value] = []
        for item in level:
            if isinstance(item, Unknown):
                found.append(item)
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, dict):
                below.extend(item.values())
                if type(item) is PartialDict:
                    found.append(item.rest)
            if seen + len(below) > MAX_ELEMENTS:
                raise EvaluationError(f"the value has more than {MAX_ELEMENTS} elements")
        seen += len(below)
        if depth > MAX_LEVELS:
            raise EvaluationError(f"the value has more than {MAX_LEVELS} levels")
        level = below
    if spend is not None:
        spend(seen // 8)
    return found


def plain(value: Value) -> Any:
    """The value without our own types, for those who know nothing of Terraform."""
    if isinstance(value, dict):
        entries = {key: plain(item) for key, item in value.items()}
        return PartialDict(entries, value.rest) if type(value) is PartialDict else entries
    if isinstance(value, list):
        items = [plain(item) for item in value]
        return PartialList(items) if type(value) is PartialList else items
    if isinstance(value, UnknownList):
        return PartialList(plain(item) for item in value.items)
    if isinstance(value, UnknownMap):
        return PartialDict({key: plain(item) for key, item in value.entries.items()}, value.rest)
    if isinstance(value, Unknown) and type(value) is not Unknown:
        return value.document if isinstance(value, UnknownDocument) else combine((value,))
    return value


def from_plain(value: Any) -> Value:
    """What `plain` gave, as a value again."""
    if type(value) is PartialDict:
        return unknown_map({key: from_plain(item) for key, item in value.items()}, (value.rest,))
    if type(value) is PartialList:
        items = [from_plain(item) for item in value]
        return unknown_list(items, [item for item in items if isinstance(item, Unknown)])
    if isinstance(value, dict):
        return {key: from_plain(item) for key, item in value.items()}
    return [from_plain(item) for item in value] if isinstance(value, list) else value


def type_name(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, SetValue):
        return "set"
    if isinstance(value, ListValue):
        return "list"
    if isinstance(value, list):
        return "tuple"
    if isinstance(value, MapValue):
        return "map"
    return "object"


# -- conversions


def to_text(value: Value) -> str:
    """As Terraform turns a primitive value into a string."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return number_text(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Unknown):
        raise NotKnown(value)
    raise EvaluationError(f"a string is needed, not {type_name(value)}")


def number_text(value: int | float) -> str:
    if isinstance(value, int):
        # Python refuses to write out longer ones.
        return format(Decimal(value), "f") if value.bit_length() > 13_000 else str(value)
    return format(Decimal(repr(value)), "f")


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")


def to_number(value: Value) -> int | float:
    if isinstance(value, bool):
        raise EvaluationError("a number is needed, not bool")
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        if len(value) <= 600 and _NUMBER.fullmatch(value):
            return whole(Decimal(value))
        raise EvaluationError("a number is needed, not this string")
    if isinstance(value, Unknown):
        raise NotKnown(value)
    raise EvaluationError(f"a number is needed, not {type_name(value)}")


def whole(number: Decimal) -> int | float:
    """An int where the number is one (and small enough to write out), else a float."""
    if not number.is_finite():
        raise EvaluationError("the number is out of range")
    if number.adjusted() > 600:
        raise EvaluationError("the number is too large")
    if number == number.to_integral_value():
        return int(number)
    return float(number)


def decimal_of(number: int | float) -> Decimal:
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def to_bool(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("true", "1"):
            return True
        if value in ("false", "0"):
            return False
        raise EvaluationError("a bool is needed, not this string")
    if isinstance(value, Unknown):
        raise NotKnown(value)
    raise EvaluationError(f"a bool is needed, not {type_name(value)}")


def make_set(items: Iterable[Value]) -> SetValue:
    """A set of known values; the caller has made sure that none is unknown."""
    unique: dict[object, Value] = {}
    for item in items:
        unique.setdefault(identity(item), item)
    if all(isinstance(item, str) for item in unique.values()):
        return SetValue(sorted(unique.values()))
    return SetValue(value for _, value in sorted(unique.items(), key=lambda pair: _order(pair[0])))


def _order(key: Any) -> tuple[str, Any]:
    kind, value = key
    return ("~null" if kind == "null" else kind, value if kind == "number" else repr(value))


def identity(value: Value) -> object:
    """Equal exactly for values that Terraform finds equal; hashable."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, float)):
        return ("number", value)
    if isinstance(value, str):
        return ("string", str(value))
    if value is None:
        return ("null", None)
    measure(value)
    if isinstance(value, dict):
        return ("object", tuple((key, identity(value[key])) for key in sorted(value)))
    if isinstance(value, list):
        return ("list", tuple(identity(item) for item in value))
    raise NotKnown(value)


# -- equality


def equal(left: Value, right: Value) -> bool | Unknown:
    """Terraform's `==`: no conversion, and values of different types are unequal."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if _cannot_be(left, right) or _cannot_be(right, left):
            return False
        return combine(item for item in (left, right) if isinstance(item, Unknown))
    if left is None or right is None:
        return left is right
    measure(left)
    measure(right)
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return _apart(left, right, False)
        return _all_equal(zip(left, right, strict=True), left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return _apart(left, right, False)
        return _all_equal(((left[key], right[key]) for key in left), left, right)
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _cannot_be(unknown: Value, value: Value) -> bool:
    """Whether what is known of an unknown rules the value out: text put together is not null, an id not empty."""
    if not isinstance(unknown, Unknown) or isinstance(value, Unknown):
        return False
    if value is None or value == "":
        if unknown.present or any(unknown.fragments):
            return True
        return value is None and (bool(unknown.fragments) or type(unknown) in (UnknownList, UnknownMap))
    return isinstance(value, str) and bool(unknown.fragments) and not _has_pieces(value, unknown.fragments)


def _has_pieces(text: str, fragments: Sequence[str | None]) -> bool:
    """Whether a text can be the one that these are the known pieces of."""
    first, last = fragments[0] or "", fragments[-1] or ""
    if len(fragments) == 1 and fragments[0] is not None:
        return text == first
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in fragments[1:-1]:
        if piece:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
    return True


def _all_equal(pairs: Iterable[tuple[Value, Value]], left: Value, right: Value) -> bool | Unknown:
    unknowns: list[Unknown] = []
    for one, other in pairs:
        result = equal(one, other)
        if result is False:
            return False
        if isinstance(result, Unknown):
            unknowns.append(result)
    if unknowns:
        return combine(unknowns)
    return _apart(left, right, True)


def _apart(left: Value, right: Value, alike: bool) -> bool | Unknown:
    """Whether two collections are equal once their elements were compared. Elements alike in collections of different
    types are unequal to Terraform, but the exact types are not always known here."""
    if alike and type(left) is not type(right):
        return Unknown(
            f"comparing a {type_name(left)} with a {type_name(right)} depends on the types of their elements"
        )
    return alike
