"""YAML as plain values that remember where they stand: one reader for rules, settings and every YAML input format.

Scalars follow the YAML 1.2 core schema: only `true` and `false` are booleans (`on:` stays text), timestamps stay text.
The text is untrusted: nesting, alias expansion and the number of told problems are bounded, and a broken document is a
`Problem` that does not hide the documents around it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from policy_engine.resource import AttributePath
from policy_engine.source_text import source_lines
from policy_engine.span import Span, span_of
from policy_engine.unit import Comment, Problem

# The parser is imported by the functions that parse: many runs import this module and meet no YAML.

Mark = tuple[int, int, int, int]
"""Start line, start column, end line and end column, counted as in `Span`; a plain tuple, as every value has one."""


class YamlMapping(dict[str, Any]):
    """A mapping in source order. Keys that are not text (`80:`, `true:`) are the text they are written with.

    marks  for each key, the marks of the key and of its value; a merged key (`<<`) points at where it is written
    mark   the whole of it
    tag    its tag where that is not a core one (`!Sub`), else None
    """

    __slots__ = ("mark", "marks", "tag")
    mark: Mark
    marks: dict[str, tuple[Mark, Mark]]
    tag: str | None


class YamlSequence(list[Any]):
    """A sequence; `marks` holds the mark of each item."""

    __slots__ = ("mark", "marks", "tag")
    mark: Mark
    marks: list[Mark]
    tag: str | None


class TaggedScalar(str):
    """A scalar with a tag outside the core schema (`!Ref bucket`); its text, with the tag beside it."""

    __slots__ = ("tag",)
    tag: str

    def __new__(cls, text: str, tag: str) -> TaggedScalar:
        self = super().__new__(cls, text)
        self.tag = tag
        return self

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """So that a value that holds one can be copied."""
        return str(self), self.tag


class YamlDocument(Struct, frozen=True):
    """One document. An alias shares the object it stands for, so values must not be changed in place."""

    path: str
    value: Any
    mark: Mark
    _source: YamlSource
    _told: dict[AttributePath, Span] = field(default_factory=dict)

    def at(self, path: AttributePath) -> Span:
        """The place of an attribute: the smallest stretch that shows it to a person.

        `privileged: true` for a value that ends on its key's line; the key alone where the value is a block; key and
        `|` for a block scalar. A list item is its scalar, or its first `key: value`. Where the path does not exist, the
        innermost ancestor that does. Never raises.
        """
        span = self._told.get(path)
        if span is None:
            # Several rules and resources tell the same places.
            span = self._told[path] = self._header(*self._find(path))
        return span

    def extent(self, path: AttributePath) -> Span:
        """From the start of the key (or item) to the end of the value; of the innermost ancestor that exists."""
        _, key_mark, mark = self._find(path)
        if key_mark is None or key_mark[:2] > mark[2:]:
            return Span(*mark)
        return Span(key_mark[0], key_mark[1], mark[2], mark[3])

    def _find(self, path: AttributePath) -> tuple[Any, Mark | None, Mark]:
        value, key_mark, mark = self.value, None, self.mark
        for step in path:
            if type(value) is YamlMapping and isinstance(step, str) and step in value.marks:
                key_mark, mark = value.marks[step]
            elif type(value) is YamlSequence and type(step) is int and 0 <= step < len(value):
                key_mark, mark = None, value.marks[step]
            else:
                break
            value = value[step]
        return value, key_mark, mark

    def _header(self, value: Any, key_mark: Mark | None, mark: Mark) -> Span:
        one_line = mark[0] == mark[2]
        if key_mark is not None:
            if one_line and key_mark[0] == mark[0]:
                return span_of((key_mark[0], key_mark[1], mark[2], mark[3]))
            if isinstance(value, str) and key_mark[0] == mark[0]:
                indicator = self._source.block_indicator_end(mark)
                if indicator is not None:
                    return Span(key_mark[0], key_mark[1], mark[0], indicator)
            return span_of(key_mark)
        if type(value) is YamlMapping:
            # An alias (`- *base`) has its keys elsewhere; it is shown as it stands.
            for key, (own_key, own_value) in value.marks.items():
                if mark[:2] <= own_key[:2] and own_key[2:] <= mark[2:]:
                    return self._header(value[key], own_key, own_value)
        if one_line:
            return span_of(mark)
        if type(value) is YamlSequence and value and mark[:2] <= value.marks[0][:2]:
            return self._header(value[0], None, value.marks[0])
        end = self._source.block_indicator_end(mark) if isinstance(value, str) else None
        return Span(mark[0], mark[1], mark[0], end or self._source.line_end(mark[0]))


class YamlFile(Struct, frozen=True):
    """The documents of a file that could be understood, in order, and what was wrong with the others."""

    documents: tuple[YamlDocument, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_yaml(data: bytes, path: str, *, first_line: int = 1, yaml_1_1: bool = False) -> YamlFile:
    """Every document of `data`. Never raises for what it holds.

    first_line  the line number of the first line, for YAML inside another file
    yaml_1_1    resolve plain scalars as the YAML 1.1 readers do that Kubernetes and its tools are built on: `yes`, `on`
                and `y` are booleans too, `0644` is octal and `1_000` a number
    """
    from policy_engine.yaml_builder import Builder
    from policy_engine.yaml_text import MAX_TAG_DIRECTIVES, chunks, count_breaks, decode

    text, clean = decode(data)
    builder = Builder(path, YamlSource(text, first_line), yaml_1_1)
    start = 0
    if clean and text.count("\n%TAG") <= MAX_TAG_DIRECTIVES:
        # Nearly always the whole file is well-formed, and one pass is all.
        start = builder.read(text, 0, first_line)
        if start < 0:
            return builder.result()
    line = first_line + count_breaks(text, 0, start)
    for begin, end in chunks(text, start):
        line += count_breaks(text, start, begin)
        start = begin
        builder.read_alone(text[begin:end], begin, line)
        if builder.gave_up:
            break
    return builder.result()


def comments(data: bytes, path: str) -> list[Comment]:
    """The comments of a file, taken from the gaps between the scanner's tokens; a `#` inside a scalar is none."""
    from policy_engine.yaml_comments import scan_comments
    from policy_engine.yaml_text import chunks, count_breaks, decode

    text, clean = decode(data)
    found: list[Comment] = []
    if "#" not in text:
        return found
    start = scan_comments(text, path, 1, found) if clean else 0
    if start >= 0:
        line = 1 + count_breaks(text, 0, start)
        found = [comment for comment in found if comment.location.span.start_line < line]
        for begin, end in chunks(text, start):
            line += count_breaks(text, start, begin)
            start = begin
            scan_comments(text[begin:end], path, line, found)
    return found


class YamlSource:
    """The text of a file, cut into lines only once somebody asks for one."""

    __slots__ = ("_first_line", "_lines", "text")

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self._first_line = first_line
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        if self._lines is None:
            self._lines = source_lines(self.text)
        return self._lines[number - self._first_line]

    def line_end(self, number: int) -> int:
        return len(self.line(number)) + 1

    def block_indicator_end(self, mark: Mark) -> int | None:
        """The column after `|`, `>-` and the like; None where the scalar that starts at `mark` is of another style."""
        from policy_engine.yaml_text import BLOCK_INDICATOR

        match = BLOCK_INDICATOR.match(self.line(mark[0]), mark[1] - 1)
        return match.end() + 1 if match else None
