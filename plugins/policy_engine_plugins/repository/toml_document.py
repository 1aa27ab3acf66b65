"""TOML: values from the standard library's reader, places from the headers and keys of its lines."""

from __future__ import annotations

import re
import sys
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine_plugins.repository.places import decode, line_span, on_line

_HEADER = re.compile(r"\s*(\[\[?)\s*((?:[^\]\"'#]|\"[^\"]*\"|'[^']*')+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")
_STRING = re.compile(r"\"\"\"|'''|\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")
_ERROR = re.compile(r"\(at line (\d+), column (\d+)\)")


class TomlDocument:
    """`value` as plain values, and where its keys stand."""

    def __init__(self, value: dict[str, Any], text: str) -> None:
        self.value = value
        self._text = text
        self._places: dict[AttributePath, Span] | None = None

    def at(self, path: AttributePath) -> Span:
        """The place of a key, or of the nearest above it that stands anywhere; the first line at last."""
        if self._places is None:
            self._places = key_places(self._text)
        for length in range(len(path), 0, -1):
            found = self._places.get(path[:length])
            if found is not None:
                return found
        return Span(1, 1, 1, 2)


def parse_toml(data: bytes, path: str) -> tuple[TomlDocument | None, list[Problem]]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = decode(data)
    try:
        return TomlDocument(tomllib.loads(text.replace("\r\n", "\n")), text), []
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _ERROR.search(str(error))
        span = Span(int(found[1]), int(found[2]), int(found[1]), int(found[2]) + 1) if found else None
        message = str(error)[: found.start()].strip() if found else "nested too deeply"
        return None, [Problem(path, f"not valid TOML: {message}", span)]


def key_places(text: str) -> dict[AttributePath, Span]:
    """Where each key of a line's beginning stands, by its path; items of an array of tables are numbered."""
    places: dict[AttributePath, Span] = {}
    table: AttributePath = ()
    counts: dict[AttributePath, int] = {}
    depth, quote = 0, ""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if not depth and not quote:
            header = _HEADER.match(line)
            if header is not None:
                names = _names(header[2])
                if header[1] == "[[":
                    base = _numbered(names[:-1], counts) + names[-1:]
                    counts[base] = counts.get(base, -1) + 1
                    table = (*base, counts[base])
                else:
                    table = _numbered(names, counts)
                places.setdefault(table, line_span(number, line))
                continue
            key = _KEY.match(line)
            if key is not None:
                path = table + _names(key[1])
                start = len(line) - len(line.lstrip())
                places.setdefault(path, on_line(number, start, len(line.rstrip())))
        depth, quote = _state(line, depth, quote)
    return places


def _names(text: str) -> AttributePath:
    return tuple(match[1] or match[2] or match[3] or "" for match in _PART.finditer(text))


def _numbered(names: AttributePath, counts: dict[AttributePath, int]) -> AttributePath:
    """A path with the number of the array item that it speaks of."""
    path: AttributePath = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path


def _state(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Whether the next line still belongs to a value: open brackets, or a text of several lines."""
    position = 0
    while position < len(line):
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return depth, quote
            position, quote = end + 3, ""
            continue
        found = _STRING.search(line, position)
        plain = line[position : found.start() if found else len(line)]
        depth = max(0, depth + sum(plain.count(each) for each in "[{") - sum(plain.count(each) for each in "]}"))
        if found is None or found[0].startswith("#"):
            break
        position = found.end()
        if found[0] in ('"""', "'''"):
            quote = found[0]
    return depth, quote
