"""CloudFormation's values: how they become text, how texts are joined, and what either of two values comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final

from policy_engine.partial import PartialDict, PartialList
from policy_engine.unknown import Unknown

MAX_TEXT = 1_000_000
MAX_PIECES = 200

_BOOLEANS = {"true": True, "false": False}


class Nothing(Enum):
    NO_VALUE = "AWS::NoValue"


NO_VALUE: Final = Nothing.NO_VALUE
"""What `AWS::NoValue` is: the property that has it is as if it were not written."""


def converted(text: str) -> Any:
    """A property's text as CloudFormation passes it on: one that says a boolean, in any case, is one."""
    return _BOOLEANS.get(text.lower(), text) if 4 <= len(text) <= 5 else text


def text_of(value: Any) -> str | None:
    """A scalar as text; None for anything else."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return None


def unknown_text(reason: str, **more: Any) -> Unknown:
    """Text that is known to be given, and not which."""
    return Unknown(reason, fragments=(None,), **more)


def combined(unknowns: Sequence[Unknown]) -> Unknown:
    """What derives from unknowns: the first one's reason, and all resources behind them."""
    first = unknowns[0]
    if len(unknowns) == 1:
        return first.member()
    refers_to = dict.fromkeys(address for each in unknowns for address in each.refers_to)
    return Unknown(first.reason, first.origin, tuple(refers_to))


def joined(pieces: Iterable[Any]) -> Any:
    """The text that scalars and Unknowns make in a row."""
    known: list[str | None] = []
    unknowns: list[Unknown] = []
    size = 0
    for piece in pieces:
        if type(piece) is Unknown:
            unknowns.append(piece)
            parts: tuple[str | None, ...] = piece.fragments or (None,)
        else:
            text = text_of(piece)
            if text is None:
                return Unknown("a list or a mapping stands where text is wanted")
            parts = (text,)
        for part in parts:
            if part is None:
                if not known or known[-1] is not None:
                    known.append(None)
            elif part:
                size += len(part)
                if known and known[-1] is not None:
                    known[-1] += part
                else:
                    known.append(part)
        if size > MAX_TEXT:
            return Unknown(f"the text is longer than {MAX_TEXT} characters")
    if not unknowns:
        return "".join(part or "" for part in known)
    if len(known) > MAX_PIECES:
        known = [known[0], None, known[-1]] if known[0] and known[-1] else [None]
    derived = combined(unknowns)
    present = any(known) or any(each.present for each in unknowns)
    return Unknown(derived.reason, derived.origin, derived.refers_to, tuple(known) or (None,), present)


def equal(first: Any, second: Any) -> bool | Unknown:
    """Whether `Fn::Equals` holds: texts are compared, letter by letter."""
    for one, other in ((first, second), (second, first)):
        if type(one) is Unknown:
            text = text_of(other)
            if text is not None and one.fragments and not _may_be(one.fragments, text):
                return False
            if text == "" and one.present:
                return False
            return one.member()
    if isinstance(first, list) and isinstance(second, list):
        if type(first) is PartialList or type(second) is PartialList:
            return Unknown("a list of which a part is not known is compared")
        if len(first) != len(second):
            return False
        answers = [equal(one, other) for one, other in zip(first, second, strict=True)]
        return False if False in answers else next((each for each in answers if each is not True), True)
    if isinstance(first, dict) or isinstance(second, dict):
        return first == second if isinstance(first, dict) and isinstance(second, dict) else False
    return text_of(first) == text_of(second) and isinstance(first, list) is isinstance(second, list)


def _may_be(fragments: Sequence[str | None], text: str) -> bool:
    first, last = fragments[0], fragments[-1]
    if first is not None and not text.startswith(first):
        return False
    if last is not None and not text.endswith(last):
        return False
    return all(part in text for part in fragments if part)


def either(first: Any, second: Any, doubt: Unknown) -> Any:
    """What is known of a value that is one of two: what both have in common. `doubt` says why it is not known which.

    A mapping keeps the keys that both have; what another key has is unknown. NO_VALUE among the two leaves nothing
    known but what both refer to.
    """
    if first is second:
        return first
    if type(first) is not Unknown and type(second) is not Unknown:
        if isinstance(first, dict) and isinstance(second, dict):
            shared = {key: either(first[key], second[key], doubt) for key in first if key in second}
            whole = type(first) is not PartialDict and type(second) is not PartialDict
            if whole and len(shared) == len(first) == len(second):
                return shared
            return PartialDict(shared, doubt)
        if isinstance(first, list) and isinstance(second, list):
            whole = type(first) is not PartialList and type(second) is not PartialList
            if whole and len(first) == len(second):
                return [either(one, other, doubt) for one, other in zip(first, second, strict=True)]
        elif type(first) is type(second) and first == second:
            return first
    behind = [value for value in (first, second) if type(value) is Unknown]
    refers_to = dict.fromkeys(address for each in (doubt, *behind) for address in each.refers_to)
    fragments = (None,) if _is_text(first) and _is_text(second) else ()
    present = _is_something(first) and _is_something(second)
    return Unknown(doubt.reason, doubt.origin, tuple(refers_to), fragments, present)


def _is_text(value: Any) -> bool:
    return bool(value.fragments) if type(value) is Unknown else text_of(value) is not None


def _is_something(value: Any) -> bool:
    if type(value) is Unknown:
        return value.present
    return value is not NO_VALUE and value is not None and value != "" and value != [] and value != {}
