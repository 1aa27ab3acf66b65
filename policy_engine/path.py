"""Attribute paths as rules write them: `versioning.enabled`, `labels."app.kubernetes.io/name"`, `ingress[].ports[]`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from policy_engine.partial import PartialDict, PartialList
from policy_engine.resource import AttributePath
from policy_engine.unknown import Embedded, Unknown


class Wild(Enum):
    """Steps that fan out. Only quantifiers take them."""

    ITEMS = "[]"
    VALUES = "*"


class Missing(Enum):
    ABSENT = "absent"


ABSENT: Final = Missing.ABSENT
"""What stands at a path that leads nowhere; null is None and is not absent."""

Steps = tuple["str | int | Wild", ...]


class Several(list[Any]):
    """Values found at one path because it crossed a list of several items; a type of its own, unlike a list."""


class PathError(ValueError):
    """A path that cannot be read."""


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Steps:
    """Steps of a path; `.` alone is the value itself and gives none. Raises PathError."""
    if text == ".":
        return ()
    steps: list[str | int | Wild] = []
    position, end = 0, len(text)
    while position < end:
        char = text[position]
        if char == "[":
            close = text.find("]", position)
            inner = text[position + 1 : close]
            if close < 0 or not (inner == "" or inner.isdecimal()):
                raise PathError(f"in path '{text}': '[' wants a number or nothing, and a ']'")
            steps.append(int(inner) if inner else Wild.ITEMS)
            position = close + 1
        else:
            if steps:
                if char != ".":
                    raise PathError(f"in path '{text}': a '.' or '[' is wanted at character {position + 1}")
                position += 1
            if position < end and text[position] == '"':
                close = text.find('"', position + 1)
                if close < 0:
                    raise PathError(f"in path '{text}': the quote at character {position + 1} is not closed")
                steps.append(text[position + 1 : close])
                position = close + 1
            else:
                start = position
                while position < end and text[position] not in '.["':
                    position += 1
                name = text[start:position]
                if not name:
                    raise PathError(f"in path '{text}': a name is missing at character {start + 1}")
                steps.append(Wild.VALUES if name == "*" else name)
    if not steps:
        raise PathError("an empty path; write '.' for the value itself")
    return tuple(steps)


def lookup(value: Any, steps: Steps, start: int = 0) -> Any:
    """The value at a path without wild steps: a plain value, None, ABSENT, an Unknown, or Several.

    A name asked of a list is asked of each of its items, as blocks are lists; a name asked of text that holds a JSON
    document is asked of the document.
    """
    for index in range(start, len(steps)):
        step = steps[index]
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
            if value is ABSENT:
                return value
            continue
        if isinstance(value, list):
            if type(step) is int:
                if type(value) is PartialList:
                    value = value.at(step)
                else:
                    value = value[step] if step < len(value) else ABSENT
                continue
            if len(value) != 1:
                return _spread(value, steps, index)
            value = value[0]
            if isinstance(value, list):
                return lookup(value, steps, index)
        if isinstance(value, dict):  # the only item of a list
            value = value.get(step, ABSENT)
        elif type(value) is Unknown:
            return value.member()
        elif isinstance(value, str):
            document = structured(value)
            return document if document is ABSENT or type(document) is Unknown else lookup(document, steps, index)
        else:
            return ABSENT
    return value


def _spread(items: list[Any], steps: Steps, index: int) -> Any:
    found = Several()
    for item in items:
        value = lookup(item, steps, index)
        if isinstance(value, Several):
            found.extend(value)
        else:
            found.append(value)
    return found if found else ABSENT


def structured(text: str) -> Any:
    """The document that a text holds; ABSENT where it is plain text, an Unknown where it looks like JSON but is not."""
    if isinstance(text, Embedded):
        return text.value
    if text.lstrip()[:1] not in ("{", "["):
        return ABSENT
    return _parse_json(text)


@lru_cache(maxsize=256)
def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Unknown("the text looks like a JSON document but is not a valid one")


def places(value: Any, steps: Steps, prefix: AttributePath = ()) -> Iterator[tuple[AttributePath, Any]]:
    """Every (path, value) that a path leads to, with or without wild steps. Slower than `lookup`.

    An absent attribute is given once with ABSENT, for it has a place too: where it is missing. A wild step over nothing
    gives nothing; over a single value that is no list, it takes that value as the only item (an IAM policy's `Action`).
    """
    plain = 0
    for step in steps:  # nearly always names that lead from mapping to mapping
        if type(step) is not str or not isinstance(value, dict) or step not in value:
            break
        value = value[step]
        plain += 1
    if plain:
        prefix, steps = prefix + _plain(steps[:plain]), steps[plain:]
    if not steps:
        yield prefix, value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, str) and not isinstance(step, Wild):
        document = structured(value)
        if document is ABSENT or type(document) is Unknown:
            yield prefix, document
        else:
            yield from places(document, steps, prefix)
    elif type(value) is Unknown:
        yield prefix, item_of(value) if step is Wild.ITEMS and not rest else value.member()
    elif step is Wild.ITEMS:
        if isinstance(value, str):
            document = structured(value)
            value = document if isinstance(document, list) else value
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from places(item, rest, (*prefix, index))
        elif value is not None and value is not ABSENT:
            yield from places(value, rest, prefix)
    elif step is Wild.VALUES:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from places(item, steps, (*prefix, index))
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from places(item, rest, (*prefix, key))
            if type(value) is PartialDict:
                yield prefix, value.rest
    elif isinstance(value, list) and isinstance(step, str):
        found = False
        for index, item in enumerate(value):
            found = True
            yield from places(item, steps, (*prefix, index))
        if not found and not any(isinstance(later, Wild) for later in steps):
            yield prefix + _plain(steps), ABSENT
    elif type(value) is PartialList and isinstance(step, int):
        yield from places(value.at(step), rest, (*prefix, step))
    elif isinstance(value, list) and isinstance(step, int) and step < len(value):
        yield from places(value[step], rest, (*prefix, step))
    elif type(value) is PartialDict:
        yield (*prefix, *_plain((step,))), value.rest
    elif not any(isinstance(later, Wild) for later in rest):
        yield prefix + _plain(steps), ABSENT


def names_only(steps: Steps) -> tuple[str, ...] | None:
    """The steps of a path that is made of names alone; else None."""
    names = tuple([step for step in steps if isinstance(step, str)])
    return names if len(names) == len(steps) else None


def only_place(value: Any, names: tuple[str, ...]) -> tuple[AttributePath, Any] | None:
    """The one place that `places` gives for names, where all is as plain as it nearly always is; else None."""
    for number, name in enumerate(names):
        if isinstance(value, dict) and type(value) is not PartialDict:
            if name not in value:
                return names, ABSENT
            value = value[name]
        elif type(value) is Unknown:
            return names[:number], value.member()
        else:
            return None
    return names, value


def item_of(value: Unknown) -> Unknown:
    """What `[]` gives of it. Where it is text, and no document, however it goes on, it is no list, but the only item
    itself."""
    start = value.fragments[0] if value.fragments else None
    return value if start and start.lstrip()[:1] not in ("", "{", "[") else value.member()


def _plain(steps: Steps) -> AttributePath:
    return tuple(step for step in steps if not isinstance(step, Wild))


def show_path(path: AttributePath) -> str:
    """A path as a rule would write it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = step and not any(char in '."[]* ' for char in step)
            text += ("." if text else "") + (step if plain else f'"{step}"')
    return text or "."


IDENTITY_KEYS = ("name", "id", "key", "sid", "Sid", "Id", "Key", "Name")


def stable_path(value: Any, path: AttributePath) -> str:
    """A path for a fingerprint: list positions are replaced by what names the item, or by `*`, so that adding an item
    before it changes nothing."""
    parts: list[str] = []
    for step in path:
        if isinstance(value, str):
            value = structured(value)
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else ABSENT
            parts.append(_item_name(value))
        else:
            value = value.get(step, ABSENT) if isinstance(value, dict) else ABSENT
            parts.append(step)
    return "\0".join(parts)


def _item_name(item: Any) -> str:
    if isinstance(item, Mapping):
        for key in IDENTITY_KEYS:
            name = item.get(key)
            if isinstance(name, (str, int)):
                return f"*{name}"
        return "*"
    return f"*{item}" if isinstance(item, (str, int, float)) else "*"
