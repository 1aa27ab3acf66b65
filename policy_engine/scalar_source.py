"""Where a stretch of a scalar's value stands in its file."""

from __future__ import annotations

import re

from policy_engine.source_text import source_lines
from policy_engine.yaml_document import Mark

_BLOCK_HEADER = re.compile(r"\|[+-]?[1-9]?[+-]?[ \t]*(?:#.*)?")


class ScalarSource:
    """The text of a file by line, cut when the first place is asked for. `filled_in` begins what the format fills in
    before anybody reads the value."""

    def __init__(self, data: bytes, filled_in: str = "") -> None:
        self._data = data
        self._filled_in = filled_in
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        if self._lines is None:
            self._lines = source_lines(self._data.decode("utf-8-sig", "replace"))
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def stretch(self, mark: Mark, value: str, start: int, end: int) -> Mark | None:
        """The place of `value[start:end]` of the scalar at `mark`; None where it is not written as it reads (folded,
        escaped, filled in). What goes over several lines is told up to the end of its first one."""
        first_break = value.find("\n", start, end)
        if first_break > start:
            end = first_break
        if _BLOCK_HEADER.fullmatch(self.line(mark[0])[mark[1] - 1 :]):
            return self._in_block(mark, value, start, end)
        if mark[0] != mark[2]:
            return None
        written = self.line(mark[0])[mark[1] - 1 : mark[3] - 1]
        quoted = 1 if written[:1] in ("'", '"') else 0
        if written[quoted : quoted + end] != value[:end]:
            return None
        column = mark[1] + quoted + start
        return (mark[0], column, mark[0], column + end - start)

    def _in_block(self, mark: Mark, value: str, start: int, end: int) -> Mark | None:
        line = mark[0] + 1 + value.count("\n", 0, start)
        line_start = value.rfind("\n", 0, start) + 1
        line_end = value.find("\n", start)
        content = value[line_start : line_end if line_end >= 0 else len(value)]
        written = self.line(line)
        indent = len(written) - len(content)
        lines = mark[2] - mark[0]
        if self._filled_in and self._filled_in in written and value.count("\n") in (lines, lines - 1):
            # Filled in, so no column is sure, but as many lines as are written: the whole line is told.
            text = written.rstrip()
            return (line, len(text) - len(text.lstrip()) + 1, line, len(text) + 1)
        if indent < 0 or written[indent:] != content or written[:indent].strip(" "):
            return None
        column = indent + 1 + start - line_start
        return (line, column, line, column + end - start)
