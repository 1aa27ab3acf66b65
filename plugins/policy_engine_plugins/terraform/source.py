"""One source file: its text, and the way from an offset in it to a line and column."""

from __future__ import annotations

import re
from bisect import bisect_right

from policy_engine.span import Location, Span

_LINE_END = re.compile(r"\r\n?|\n")


class Source:
    """A file's text. Nodes hold offsets into it (code points); lines are counted only when somebody asks."""

    __slots__ = ("_lines", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines: list[int] | None = None

    def span(self, start: int, end: int) -> Span:
        lines = self._lines
        if lines is None:
            lines = self._lines = [0, *(found.end() for found in _LINE_END.finditer(self.text))]
        first = bisect_right(lines, start) - 1
        last = first if end <= start else bisect_right(lines, end) - 1
        return Span(first + 1, start - lines[first] + 1, last + 1, max(start, end) - lines[last] + 1)

    def location(self, start: int, end: int) -> Location:
        return Location(self.path, self.span(start, end))


def decode(path: str, data: bytes) -> tuple[Source, tuple[int, str] | None]:
    """The text of a file, and where it is not UTF-8 with what is wrong there. A byte order mark is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        return Source(path, data.decode("utf-8-sig", "replace")), (len(before), f"not UTF-8 text: {error.reason}")
    return Source(path, text), None
