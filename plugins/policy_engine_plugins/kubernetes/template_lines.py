"""Lines of a Go template: which of them write something, and a copy of it that says of each where it stood.

The copy has a mark behind what a line writes, a comment of YAML, which comes through `helm template` with it. It serves
to find places alone: what is judged is what the template gives as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from policy_engine.resource import AttributePath

_ACTION = re.compile(
    r"\{\{-?\s*/\*(?:[^*]|\*(?!/))*\*/\s*-?\}\}"
    r'|\{\{(?:[^"`\'}]|\}(?!\})|"(?:\\.|[^"\\\n])*"|`[^`]*`|\'(?:\\.|[^\'\\\n])*\')*\}\}'
)
_WORD = re.compile(r"\{\{-?\s*(?:/\*|(\w+)?)")
_ASSIGNED = re.compile(r"\{\{-?\s*\$\w*(?:\s*,\s*\$\w+)?\s*:?=")
_OPENING = frozenset({"if", "range", "with", "define", "block"})
_SILENT = frozenset({"if", "else", "end", "range", "with", "define", "break", "continue"})
_KEY = re.compile(r"""\s*(?:- +)*(?:-\s*$|["']?[A-Za-z0-9_./-]+["']?\s*:(?:\s|$)|- )""")
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?$")
_BLOCK_FILTER = re.compile(r"\b(?:toYaml|n?indent)\b")
_SPREADING = re.compile(r"\b(?:toYaml|n?indent|tpl|include|template|Files)\b")
_VALUES = re.compile(r"(?<![\w)])\$?\.Values((?:\.[A-Za-z_]\w*)+)")
_DOT = re.compile(r"(?<![\w).$\"])\.((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*)?(?![\w\"])")
_ROOTS = frozenset({"Values", "Release", "Chart", "Files", "Capabilities", "Template", "Subcharts"})
_SCOPED = re.compile(
    r"\{\{-?\s*(with|range)\s+(?:\$\w*\s*(?:,\s*\$\w+\s*)?:=\s*)?\$?\.Values((?:\.[A-Za-z_]\w*)+)\s*-?\}\}"
)


class Scope(Struct, frozen=True):
    """What `.` stands for between `with .Values.a` or `range .Values.a` and its end."""

    path: AttributePath
    each: bool


class TemplateLine(Struct, frozen=True):
    """A line that writes something; one with an action that goes over several lines is told by its first.

    spreads  whether there may be more lines of it once it is rendered
    """

    number: int
    spreads: bool
    actions: tuple[str, ...]
    scope: Scope | None

    def values(self) -> list[tuple[AttributePath, bool]]:
        """The values it names, as paths into the chart's values; True where it is any item of one."""
        found: list[tuple[AttributePath, bool]] = []
        for action in self.actions:
            for match in _VALUES.finditer(action):
                found.append((tuple(match.group(1)[1:].split(".")), False))
            if self.scope is not None:
                for match in _DOT.finditer(action):
                    names = tuple(match.group(1).split(".")) if match.group(1) else ()
                    if not names or names[0] not in _ROOTS:
                        found.append(((*self.scope.path, *names), self.scope.each))
        return list(dict.fromkeys(found))


class TemplateText(Struct, frozen=True):
    """A template, cut into the lines that write. `marked` is None where it is not understood well enough to be."""

    lines: dict[int, TemplateLine]
    marked: str | None


class _Block:
    __slots__ = ("scope", "word")

    def __init__(self, word: str, scope: Scope | None) -> None:
        self.word = word
        self.scope = scope


def mark(nonce: str, file: int, line: int) -> str:
    return f" #~{nonce}:{file}:{line}~"


def read_template(text: str, nonce: str, file: int) -> TemplateText:
    """Cuts a template into lines and marks those that can bear it."""
    pieces = _pieces(text)
    if pieces is None:
        return TemplateText({}, None)
    cut = _Cut(text, nonce, file)
    for start, end, is_action in pieces:
        if is_action:
            cut.action(start, end)
        else:
            cut.text(start, end)
    cut.close(len(text))
    return TemplateText(cut.lines, cut.marked())


def _pieces(text: str) -> list[tuple[int, int, bool]] | None:
    pieces = []
    at = 0
    while True:
        start = text.find("{{", at)
        if start < 0:
            break
        match = _ACTION.match(text, start)
        if match is None:
            return None  # an action without its end: helm says so
        if start > at:
            pieces.append((at, start, False))
        pieces.append((start, match.end(), True))
        at = match.end()
    if at < len(text):
        pieces.append((at, len(text), False))
    return pieces


class _Cut:
    """One walk over the pieces of a template."""

    def __init__(self, source: str, nonce: str, file: int) -> None:
        self.source = source
        self.nonce = nonce
        self.file = file
        self.lines: dict[int, TemplateLine] = {}
        self.insertions: list[tuple[int, str, int]] = []  # where, what, and how many characters before it go
        self.number = 1
        self.blocks: list[_Block] = []
        self._begin(0)

    def _begin(self, position: int) -> None:
        self.start = position
        self.first = self.number
        self.actions: list[str] = []
        self.writes = False
        self.has_text = False
        self.text_first = ""
        self.last_action_end = -1
        self.in_define = any(block.word in ("define", "block") for block in self.blocks)

    def action(self, start: int, end: int) -> None:
        text = self.source[start:end]
        match = _WORD.match(text)
        word = (match.group(1) if match else None) or ""
        comment = match is not None and match.group().endswith("/*")
        if not comment:
            if word in _OPENING:
                scoped = _SCOPED.match(text)
                scope = self.blocks[-1].scope if self.blocks and word == "if" else None
                if scoped is not None:
                    path = tuple(scoped.group(2)[1:].split("."))
                    scope = Scope(path, scoped.group(1) == "range")
                self.blocks.append(_Block(word, scope))
            elif word == "end" and self.blocks:
                self.blocks.pop()
            if word not in _SILENT and not _ASSIGNED.match(text):
                self.writes = True
            self.actions.append(text)
        self.number += text.count("\n")
        self.last_action_end = end

    def text(self, start: int, end: int) -> None:
        position = start
        while True:
            newline = self.source.find("\n", position, end)
            stop = end if newline < 0 else newline
            piece = self.source[position:stop]
            if piece.strip():
                self.has_text = True
                self.last_action_end = -1
            if not self.actions:
                self.text_first += piece
            if newline < 0:
                return
            self.close(newline)
            self.number += 1
            position = newline + 1
            self._begin(position)

    def close(self, end: int) -> None:
        """The end of a line: what it writes is known, and a mark goes behind it where that does no harm."""
        if not self.has_text and not self.writes:
            return
        scope = self.blocks[-1].scope if self.blocks else None
        spreads = any(_SPREADING.search(action) for action in self.actions)
        self.lines[self.first] = TemplateLine(self.first, spreads, tuple(self.actions), scope)
        plain = self.text_first.strip()
        keyed = _KEY.match(self.text_first) is not None
        if plain.startswith(("---", "#", "%")) or (plain and not keyed and not self.writes):
            return
        block = any(_BLOCK_FILTER.search(action) for action in self.actions)
        if self.in_define and not (keyed and plain) and not (block and not self.has_text):
            return  # it may be part of a line: a name, or what a condition compares
        if not self.actions and not _BLOCK_SCALAR.search(plain) and not plain.endswith(":") and self._goes_on(end):
            return
        content = self.source[:end].rstrip("\r") if self.source[end - 1 : end] == "\r" else None
        at = len(content) if content is not None else end
        text = mark(self.nonce, self.file, self.first)
        if self.last_action_end > 0 and self.source[self.last_action_end - 3 : self.last_action_end] == "-}}":
            if self.writes:
                # What stands behind such an action is taken away up to the next text: an empty action bears the mark.
                self.insertions.append((self.last_action_end, "}}" + text + '{{- "" -}}', 3))
            return
        self.insertions.append((at, text, 0))

    def _goes_on(self, end: int) -> bool:
        """Whether the next line may be more of a plain scalar: a comment would end it."""
        line = self.source[end + 1 : end + 400].partition("\n")[0]
        word = line.strip()
        return bool(word) and not word.startswith(("#", "{", "}", "[", "]", '"', "'", "-")) and not _KEY.match(line)

    def marked(self) -> str:
        parts = []
        done = 0
        for at, text, dropped in self.insertions:
            parts.append(self.source[done : at - dropped])
            parts.append(text)
            done = at
        parts.append(self.source[done:])
        return "".join(parts)


class Mark(Struct, frozen=True):
    """The template file (by its number) and line that something came from."""

    file: int
    line: int


def marks_of(
    marked: Sequence[str], plain: Sequence[str], nonce: str
) -> tuple[list[tuple[Mark, ...]], dict[int, str]] | None:
    """The marks of each line of a document, the innermost first, and the lines (counted from one) that are another text
    than before; None where the marks changed what is rendered."""
    pattern = re.compile(rf" ?#~{nonce}:(\d+):(\d+)~")
    found: list[tuple[Mark, ...]] = []
    texts: list[str] = []
    for line in marked:
        marks = () if "#~" not in line else tuple(Mark(int(a), int(b)) for a, b in pattern.findall(line))
        text = pattern.sub("", line) if marks else line
        # A mark alone stands where the plain document has a blank line or, at its ends, nothing.
        texts.append(text)
        found.append(marks)
    while texts and not texts[-1].strip():
        last = found.pop()
        texts.pop()
        if last and found and not found[-1]:
            found[-1] = last
    skipped = 0
    while skipped < len(texts) and not texts[skipped].strip():
        skipped += 1
    if len(texts) - skipped != len(plain):
        return None
    found = found[skipped:]
    changed: dict[int, str] = {}
    for index, (text, wanted) in enumerate(zip(texts[skipped:], plain, strict=True)):
        # A checksum of another template differs with its marks; its own line is where it is all the same.
        if text.rstrip() != wanted.rstrip():
            changed[index + 1] = text
            if text.partition(":")[0] != wanted.partition(":")[0]:
                found[index] = ()
    return found, changed


def sources_of(
    found: Sequence[tuple[Mark, ...]],
    plain: Sequence[str],
    templates: Sequence[TemplateText],
    texts: Sequence[list[str]],
) -> list[tuple[Mark, ...]]:
    """The marks of each line where lines without one take that of the line that wrote them: an action that writes
    several lines has its mark behind the last."""
    result: list[tuple[Mark, ...]] = list(found)
    following: tuple[Mark, ...] = ()
    for index in range(len(found) - 1, -1, -1):
        if found[index]:
            following = _spreading(found[index], templates)
        elif following:
            result[index] = following
    before: Mark | None = None
    for index, marks in enumerate(result):
        if found[index]:
            before = found[index][0]
            continue
        literal = _literal(plain[index], before, texts)
        if literal is not None:
            result[index] = (literal,)
            before = literal
        elif not marks and before is not None:
            result[index] = (before,)
    return [tuple(mark for mark in marks if _valid(mark, templates) is not None) for marks in result]


def _spreading(marks: tuple[Mark, ...], templates: Sequence[TemplateText]) -> tuple[Mark, ...]:
    """Of the marks of a line those from the first on that may have written the lines before it, too."""
    for number, mark in enumerate(marks):
        if _valid(mark, templates) is not None and templates[mark.file].lines[mark.line].spreads:
            return marks[number:]
    return ()


def _valid(mark: Mark, templates: Sequence[TemplateText]) -> Mark | None:
    """A stranger may write marks of their own."""
    return mark if mark.file < len(templates) and mark.line in templates[mark.file].lines else None


def _literal(line: str, before: Mark | None, texts: Sequence[list[str]]) -> Mark | None:
    """The very next line of the template, where it stands there as it is."""
    if before is None or before.file >= len(texts) or not line.strip():
        return None
    lines = texts[before.file]
    wanted = line.strip()
    for number in range(before.line + 1, min(before.line + 4, len(lines) + 1)):
        if lines[number - 1].strip() == wanted:
            return Mark(before.file, number)
    return None
