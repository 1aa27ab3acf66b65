"""Where the values of a JSON text stand, found when somebody asks.

The values come from the standard reader, which is fast and keeps no positions. A place is found by walking from the
root along a path; the reader is used again to skip over what lies beside it, and each level that was walked is kept.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from policy_engine.resource import AttributePath
from policy_engine.span import Span

_BLANK = re.compile(r"[ \t\n\r]*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_MAX_NUMBER_LENGTH = 400


class _Found(NamedTuple):
    """A value's offsets; those of its key are -1 for a list item."""

    key_start: int
    key_end: int
    start: int
    end: int


def _number(text: str) -> Any:
    return int(text) if len(text) <= _MAX_NUMBER_LENGTH else text


class JsonPlaces:
    """A JSON text with its value. Raises json.JSONDecodeError for what is none, RecursionError where it nests too deep.

    repeated  whether an object has a key twice; the last one counts
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.repeated = False
        self._scan = json.JSONDecoder(strict=False, parse_int=_number).scan_once  # type: ignore[attr-defined]
        self._lines: list[int] | None = None
        self._levels: dict[int, dict[str | int, _Found]] = {}
        decoder = json.JSONDecoder(strict=False, parse_int=_number, object_pairs_hook=self._object)
        self.start = _skip(text, 0)
        self.value, self.end = decoder.raw_decode(text, self.start)
        rest = _skip(text, self.end)
        if rest < len(text):
            raise json.JSONDecodeError("something follows the end of the document", text, rest)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.repeated = True
        return made

    def at(self, path: AttributePath) -> Span:
        """The place of an attribute, by the rule that YAML documents follow: `"key": value` where both are on one line,
        else the key alone; the first pair of a list's object."""
        found, _ = self._find(path)
        return self._header(found, 0)

    def extent(self, path: AttributePath) -> Span:
        found, _ = self._find(path)
        return self._span(found.start if found.key_start < 0 else found.key_start, found.end)

    def _find(self, path: AttributePath) -> tuple[_Found, int]:
        found = _Found(-1, -1, self.start, self.end)
        for depth, step in enumerate(path):
            inner = self._level(found.start).get(step)
            if inner is None:
                return found, depth
            found = inner
        return found, len(path)

    def _header(self, found: _Found, depth: int) -> Span:
        one_line = self._line(found.start) == self._line(max(found.end - 1, found.start))
        if found.key_start >= 0:
            if one_line and self._line(found.key_start) == self._line(found.start):
                return self._span(found.key_start, found.end)
            return self._span(found.key_start, found.key_end)
        if not one_line or self.text[found.start : found.start + 1] == "{":
            level = self._level(found.start)
            if level and depth < 50:
                return self._header(next(iter(level.values())), depth + 1)
        if one_line:
            return self._span(found.start, found.end)
        return self._span(found.start, found.start + 1)

    def _level(self, start: int) -> dict[str | int, _Found]:
        level = self._levels.get(start)
        if level is None:
            try:
                level = dict(self._walk(start))
            except (ValueError, RecursionError, StopIteration):
                level = {}  # a place is never worth a failure; the ancestor is told
            self._levels[start] = level
        return level

    def _walk(self, start: int) -> Iterator[tuple[str | int, _Found]]:
        text, sign = self.text, self.text[start : start + 1]
        if sign not in ("{", "["):
            return
        position = _skip(text, start + 1)
        if text[position] in "}]":
            return
        index = 0
        while True:
            key: str | int = index
            key_start = key_end = -1
            if sign == "{":
                key_start = position
                key, key_end = scanstring(text, position + 1, False)
                position = _skip(text, _skip(text, key_end) + 1)
            end = self._scan(text, position)[1]
            yield key, _Found(key_start, key_end, position, end)
            index += 1
            position = _skip(text, end)
            if text[position] != ",":
                return
            position = _skip(text, position + 1)

    def repeated_keys(self) -> Iterator[tuple[str, Span]]:
        """Every key that its object has had before."""
        stack: list[set[str] | None] = []
        previous = ""
        for token in _TOKEN.finditer(self.text):
            sign = token.group()
            if sign in ("{", "["):
                stack.append(set() if sign == "{" else None)
            elif sign in ("}", "]"):
                stack.pop()
            elif sign[0] == '"' and previous in ("{", ",") and stack and stack[-1] is not None:
                key = scanstring(self.text, token.start() + 1, False)[0]
                if key in stack[-1]:
                    yield key, self._span(token.start(), token.end())
                stack[-1].add(key)
            previous = sign

    def point(self, offset: int) -> Span:
        return self._span(min(offset, len(self.text)), min(offset + 1, len(self.text)))

    def _starts(self) -> list[int]:
        if self._lines is None:
            self._lines = line_starts(self.text)
        return self._lines

    def _line(self, offset: int) -> int:
        return bisect_right(self._starts(), offset)

    def _span(self, start: int, end: int) -> Span:
        first, last = self._line(start), self._line(max(end, start))
        starts = self._starts()
        return Span(first, start - starts[first - 1] + 1, last, end - starts[last - 1] + 1)


def line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_BREAK.finditer(text))]


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    assert found is not None
    return found.end()
