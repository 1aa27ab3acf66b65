"""Writes JSON that a person can read line by line, and quickly: outer levels laid out, inner ones on one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec

_ITEMS_AT_ONCE = 64
"""Encoded with one call; more of them would be more memory that is new to the process, which costs more than calls."""


class Lines:
    """A list whose items stand on one line each, however deep its surroundings are laid out. Where `items` makes them
    one by one, they are never all there at the same time."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = items


def to_json(value: Any, depth: int, *, ascii_only: bool = False) -> str:
    """`value` as JSON text that ends in a newline; mappings and lists are laid out down to `depth` levels.

    `json.dumps` with an indent runs in Python and takes ten times as long as its compact form, which runs in C.
    """
    parts: list[str] = []
    _lay_out(value, depth, "\n", json.JSONEncoder().encode if ascii_only else _compact, parts)
    parts.append("\n")
    return "".join(parts)


def _compact(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair, which only `json` writes
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))


def _compact_items(items: list[Any], between: str) -> str:
    try:
        # A line break inside of an item is written as an escape, so that each one here ends an item.
        return msgspec.json.Encoder().encode_lines(items).decode().rstrip("\n").replace("\n", between)
    except UnicodeEncodeError:
        return between.join(map(_compact, items))


def _lay_out(value: Any, depth: int, newline: str, encode: Callable[[Any], str], parts: list[str]) -> None:
    """Adds the text of `value` to `parts`; `newline` is a line break and the indent of the line `value` begins in."""
    inner = newline + "  "
    start, between = inner, "," + inner
    if isinstance(value, Lines):
        items = iter(value.items)
        parts.append("[")
        while some := list(islice(items, _ITEMS_AT_ONCE)):
            parts.append(start)
            parts.append(_compact_items(some, between) if encode is _compact else between.join(map(encode, some)))
            start = between
        parts.append("]" if start is inner else newline + "]")
        return
    if depth == 0 or not value or not isinstance(value, (dict, list)):
        parts.append(encode(value))
        return
    if isinstance(value, dict):
        parts.append("{")
        for key, item in value.items():
            parts.append(f"{start}{encode(key)}: ")
            _lay_out(item, depth - 1, inner, encode, parts)
            start = between
        parts.append(newline + "}")
        return
    parts.append("[")
    for item in value:
        parts.append(start)
        _lay_out(item, depth - 1, inner, encode, parts)
        start = between
    parts.append(newline + "]")
