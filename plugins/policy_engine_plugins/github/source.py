"""Where a stretch of a scalar's value stands in the file."""

from __future__ import annotations

import re

from policy_engine.span import Span
from policy_engine.yaml_document import Mark

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[\s,}\]]*\s#(.*)")
_BLOCK_HEADER = re.compile(r"\|[+-]?[1-9]?[+-]?[ \t]*(?:#.*)?")


class Source:
    """The file's text by line, made when the first place is asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        if self._lines is None:
            self._lines = _LINE_BREAK.split(self._data.decode("utf-8-sig", "replace"))
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def comment_after(self, mark: Mark) -> str:
        """The comment that ends the line on which a scalar ends, without its sign; empty where there is none."""
        rest = self.line(mark[2])[mark[3] - 1 :]
        found = _COMMENT.match(rest)
        return found.group(1).strip() if found else ""

    def comment_above(self, number: int) -> str:
        """The comment that has the line above line `number` for itself; empty where there is none."""
        found = _COMMENT.match(" " + self.line(number - 1))
        return found.group(1).strip() if found else ""

    def stretch(self, mark: Mark, value: str, start: int, end: int) -> Span | None:
        """The place of `value[start:end]` of the scalar at `mark`; None where its characters do not stand in the file
        as they are (escapes, folding), so that only the whole scalar can be shown."""
        first = self.line(mark[0])[mark[1] - 1 :]
        if _BLOCK_HEADER.fullmatch(first):
            return self._in_block(mark, value, start, end)
        if mark[0] != mark[2] or "\n" in value[start:end]:
            return None
        written = self.line(mark[0])[mark[1] - 1 : mark[3] - 1]
        quoted = 1 if written[:1] in ("'", '"') else 0
        if (
            written[quoted + start : quoted + end] != value[start:end]
            or written[quoted : quoted + start] != value[:start]
        ):
            return None
        column = mark[1] + quoted + start
        return Span(mark[0], column, mark[0], column + end - start)

    def _in_block(self, mark: Mark, value: str, start: int, end: int) -> Span | None:
        number = value.count("\n", 0, start)
        line_start = value.rfind("\n", 0, start) + 1
        line_end = value.find("\n", start)
        content = value[line_start : line_end if line_end >= 0 else len(value)]
        written = self.line(mark[0] + 1 + number)
        indent = len(written) - len(content)
        if indent < 0 or written[indent:] != content or written[:indent].strip(" "):
            return None
        column = indent + 1 + start - line_start
        last = value.count("\n", start, end)
        if last:
            return None
        return Span(mark[0] + 1 + number, column, mark[0] + 1 + number, column + end - start)
