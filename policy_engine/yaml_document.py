"""YAML as plain values that remember where they stand: one reader for rules, settings and every YAML input format.

Scalars follow the YAML 1.2 core schema: only `true` and `false` are booleans (`on:` stays text), timestamps stay text.
The text is untrusted: nesting, alias expansion and the number of told problems are bounded, and a broken document is a
`Problem` that does not hide the documents around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Span
from policy_engine.unit import Comment, Problem, ProblemKind

MAX_DEPTH = 200
MAX_ALIAS_NODES = 1_000_000
"""How many nodes aliases may stand for in one file, counted as if each were written out."""
MAX_SYNTAX_PROBLEMS = 100
MAX_TAG_DIRECTIVES = 100

Mark = tuple[int, int, int, int]
"""start line, start column, end line, end column; counted as in `Span`. Plain tuples, as there is one for each value."""


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


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document. An alias shares the object it stands for, so values must not be changed in place."""

    path: str
    value: Any
    mark: Mark
    _source: _Source = field(repr=False, compare=False)

    def at(self, path: AttributePath) -> Span:
        """The place of an attribute: the smallest stretch that shows it to a person.

        `privileged: true` for a value that ends on its key's line; the key alone where the value is a block; key and
        `|` for a block scalar. A list item is its scalar, or its first `key: value`. Where the path does not exist, the
        innermost ancestor that does. Never raises.
        """
        return self._header(*self._find(path))

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
                return Span(key_mark[0], key_mark[1], mark[2], mark[3])
            if isinstance(value, str) and key_mark[0] == mark[0]:
                indicator = self._source.block_indicator_end(mark)
                if indicator is not None:
                    return Span(key_mark[0], key_mark[1], mark[0], indicator)
            return Span(*key_mark)
        if type(value) is YamlMapping:
            # An alias (`- *base`) has its keys elsewhere; it is shown as it stands.
            for key, (own_key, own_value) in value.marks.items():
                if mark[:2] <= own_key[:2] and own_key[2:] <= mark[2:]:
                    return self._header(value[key], own_key, own_value)
        if one_line:
            return Span(*mark)
        if type(value) is YamlSequence and value and mark[:2] <= value.marks[0][:2]:
            return self._header(value[0], None, value.marks[0])
        end = self._source.block_indicator_end(mark) if isinstance(value, str) else None
        return Span(mark[0], mark[1], mark[0], end or self._source.line_end(mark[0]))


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The documents of a file that could be understood, in order, and what was wrong with the others."""

    documents: tuple[YamlDocument, ...] = ()
    problems: tuple[Problem, ...] = ()


def parse_yaml(data: bytes, path: str, *, first_line: int = 1, yaml_1_1: bool = False) -> YamlFile:
    """Every document of `data`. Never raises for what it holds.

    first_line  the line number of the first line, for YAML inside another file
    yaml_1_1    resolve plain scalars as the YAML 1.1 readers do that Kubernetes and its tools are built on: `yes`, `on`
                and `y` are booleans too, `0644` is octal and `1_000` a number
    """
    text, clean = _decode(data)
    builder = _Builder(path, _Source(text, first_line), yaml_1_1)
    start = 0
    if clean and text.count("\n%TAG") <= MAX_TAG_DIRECTIVES:
        # Nearly always the whole file is well-formed, and one pass is all.
        start = builder.read(text, 0, first_line)
        if start < 0:
            return builder.result()
    line = first_line + _count_breaks(text, 0, start)
    for begin, end in _chunks(text, start):
        line += _count_breaks(text, start, begin)
        start = begin
        builder.read_alone(text[begin:end], begin, line)
    return builder.result()


def comments(data: bytes, path: str) -> list[Comment]:
    """The comments of a file, taken from the gaps between the scanner's tokens; a `#` inside a scalar is none."""
    text, clean = _decode(data)
    found: list[Comment] = []
    if "#" not in text:
        return found
    start = _scan_comments(text, path, 1, found) if clean else 0
    if start >= 0:
        line = 1 + _count_breaks(text, 0, start)
        found = [comment for comment in found if comment.location.span.start_line < line]
        for begin, end in _chunks(text, start):
            line += _count_breaks(text, start, begin)
            start = begin
            _scan_comments(text[begin:end], path, line, found)
    return found


class _Refused(Exception):
    """The document breaks a limit or refers to nothing; `mark` is where."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


# ---- text -----------------------------------------------------------------------------------------------------------

# What YAML lets stand in a stream. The C parser would stop for others too, but without telling their line.
_ILLEGAL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# YAML 1.1 ends lines here, YAML 1.2 and every editor do not. They are swapped for private characters while parsing.
_OLD_BREAKS = "\x85\u2028\u2029"
_DOCUMENT_MARKER = re.compile(r"(?:\A|(?<=[\r\n]))(?:---|\.\.\.)(?=[ \t\r\n]|\Z)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BLOCK_INDICATOR = re.compile(r"(?:[&!]\S*[ \t]+)*[|>][-+0-9]*")


def _decode(data: bytes) -> tuple[str, bool]:
    """The text without its byte order mark, and whether it may be given to the parser as a whole."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
        return text, "\ufffd" not in text and _ILLEGAL.search(text) is None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff"), False
    text = text.removeprefix("\ufeff")
    return text, _ILLEGAL.search(text) is None


def _count_breaks(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def _chunks(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Stretches of one document each. `---` at the start of a line ends a document whatever it stands in."""
    begin = start
    for marker in _DOCUMENT_MARKER.finditer(text, start):
        if marker.group() == "---":
            end = marker.start()
        else:
            line_break = _LINE_BREAK.search(text, marker.end())
            end = line_break.end() if line_break else len(text)
        if end > begin and not _is_prologue(text[begin:end]):
            yield begin, end
            begin = end
    if not _is_prologue(text[begin:]):
        yield begin, len(text)


def _is_prologue(chunk: str) -> bool:
    """Whether it holds nothing but directives and comments, which belong to the document after it."""
    return all(not line.strip() or line.startswith("%") or line.lstrip().startswith("#") for line in _lines(chunk))


def _lines(text: str) -> Iterator[str]:
    start = 0
    for line_break in _LINE_BREAK.finditer(text):
        yield text[start : line_break.start()]
        start = line_break.end()
    yield text[start:]


class _Source:
    """The text of a file, cut into lines only once somebody asks for one."""

    __slots__ = ("_first_line", "_starts", "text")

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self._first_line = first_line
        self._starts: list[int] | None = None

    def line(self, number: int) -> str:
        if self._starts is None:
            self._starts = [0, *(line_break.end() for line_break in _LINE_BREAK.finditer(self.text))]
        index = number - self._first_line
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[index] : end].rstrip("\r\n")

    def line_end(self, number: int) -> int:
        return len(self.line(number)) + 1

    def block_indicator_end(self, mark: Mark) -> int | None:
        """The column after `|`, `>-` and the like; None where the scalar that starts at `mark` is of another style."""
        match = _BLOCK_INDICATOR.match(self.line(mark[0]), mark[1] - 1)
        return match.end() + 1 if match else None


# ---- scalars --------------------------------------------------------------------------------------------------------

_NULLS = ("", "~", "null", "Null", "NULL")
_CORE_WORDS: dict[str, Any] = {
    **dict.fromkeys(_NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_OLD_WORDS: dict[str, Any] = {
    **_CORE_WORDS,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
# First characters of plain scalars that may be something else than text.
_CORE_STARTS = frozenset(["", *"~nNtTfF.+-0123456789"])
_OLD_STARTS = _CORE_STARTS | frozenset("yYoO")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CORE_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_OLD_INT = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)")
# A longer run of digits is no number that any consumer holds, and Python refuses to convert it.
_MAX_NUMBER_LENGTH = 400


def _resolve_core(text: str) -> Any:
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if len(text) <= _MAX_NUMBER_LENGTH:
        if _CORE_INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _resolve_old(text: str) -> Any:
    if text in _OLD_WORDS:
        return _OLD_WORDS[text]
    if len(text) <= _MAX_NUMBER_LENGTH:
        digits = text.replace("_", "")
        if _OLD_INT.fullmatch(digits):
            unsigned = digits.lstrip("+-")
            if len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1].isdigit():
                return int(digits, 8)
            return int(digits, 0)
        if _FLOAT.fullmatch(digits):
            return float(digits)
    return text


_TAG_PREFIX = "tag:yaml.org,2002:"
_CORE_TAGS = {_TAG_PREFIX + name: name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def _resolve_tagged(text: str, tag: str, resolve: Callable[[str], Any]) -> Any:
    name = _CORE_TAGS.get(tag)
    if name is None:
        return TaggedScalar(text, tag)
    if name == "str":
        return text
    value = resolve(text)
    return float(value) if name == "float" and type(value) is int else value


# ---- documents ------------------------------------------------------------------------------------------------------

_MERGE = "<<"
_COMPLEX_KEY = "a mapping or list as a key is not understood"


def _new_parser(text: str) -> Any:
    """PyYAML's event parser, the one written in C where it is there."""
    import yaml

    try:
        from yaml.cyaml import CParser
    except ImportError:
        return yaml.SafeLoader(text)
    return CParser(text)


def _disguise(text: str) -> tuple[str, dict[int, str] | None]:
    """The text without characters that only YAML 1.1 takes for line ends, and how to get them back."""
    present = [char for char in _OLD_BREAKS if char in text]
    if not present:
        return text, None
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    swaps = {char: next(free) for char in present}
    return text.translate(str.maketrans(swaps)), {ord(swap): char for char, swap in swaps.items()}


def _error_message(error: Any) -> str:
    problem = str(error.problem or error.context)
    if error.problem and error.context:
        problem = f"{problem} {error.context}"
    return f"not valid YAML: {problem}"


# The key of a sequence's items.
_ITEM: Any = object()
# The entry of an anchor whose value is not complete yet.
_OPEN: Any = object()


class _Opening:
    """How a collection under construction began."""

    __slots__ = ("anchor", "column", "flow", "line", "merges")

    def __init__(self, line: int, column: int, flow: bool, anchor: str | None) -> None:
        self.line = line
        self.column = column
        self.flow = flow
        self.anchor = anchor
        self.merges = False


class _Builder:
    """Turns parser events into documents. One for each file, as the alias budget is the file's."""

    def __init__(self, path: str, source: _Source, yaml_1_1: bool) -> None:
        self.path = path
        self.source = source
        self.resolve = _resolve_old if yaml_1_1 else _resolve_core
        self.starts = _OLD_STARTS if yaml_1_1 else _CORE_STARTS
        self.keys: dict[str, str] = {}  # one text object for each key, however often it is written
        self.documents: list[YamlDocument] = []
        self.problems: list[Problem] = []
        self.alias_nodes = 0
        self.syntax_problems = 0

    def result(self) -> YamlFile:
        more = self.syntax_problems - MAX_SYNTAX_PROBLEMS
        if more > 0:
            self.problems.append(Problem(self.path, f"{more} more documents are not valid YAML"))
        return YamlFile(tuple(self.documents), tuple(self.problems))

    def note(self, message: str, mark: Mark, kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD) -> None:
        self.problems.append(Problem(self.path, message, Span(*mark), kind))

    def read(self, text: str, offset: int, first_line: int) -> int:
        """All documents of a text; -1, or the index behind the last good document where one is broken."""
        from yaml import YAMLError

        plain, restore = _disguise(text)
        parser = _new_parser(plain)
        done = 0
        problems, alias_nodes = len(self.problems), self.alias_nodes
        try:
            while True:
                document, end = self._document(parser.get_event, restore, offset, first_line)
                if document is None:
                    return -1
                self.documents.append(document)
                done = end
                problems, alias_nodes = len(self.problems), self.alias_nodes
        except (YAMLError, _Refused):
            # Told by `read_alone`, for the broken document alone; what was noted of it so far would be told twice.
            del self.problems[problems:]
            self.alias_nodes = alias_nodes
            return done

    def read_alone(self, text: str, offset: int, first_line: int) -> None:
        """The documents of a stretch that holds one, telling why where there is none."""
        from yaml import MarkedYAMLError, YAMLError

        illegal = _ILLEGAL.search(text)
        if illegal:
            code = ord(illegal.group())
            what = f"byte 0x{code - 0xDC00:02x} is not UTF-8" if 0xDC80 <= code <= 0xDCFF else None
            message = f"not valid YAML: {what or f'character U+{code:04X} is not allowed'}"
            return self._syntax_problem(message, text, illegal.start(), first_line)
        if text.count("\n%TAG") > MAX_TAG_DIRECTIVES:
            return self._syntax_problem(f"more than {MAX_TAG_DIRECTIVES} %TAG directives", text, 0, first_line)
        plain, restore = _disguise(text)
        problems = len(self.problems)
        try:
            parser = _new_parser(plain)
            while True:
                document, _ = self._document(parser.get_event, restore, offset, first_line)
                if document is None:
                    return None
                self.documents.append(document)
        except _Refused as refused:
            del self.problems[problems:]
            self.syntax_problems += 1
            if self.syntax_problems <= MAX_SYNTAX_PROBLEMS:
                self.note(str(refused), refused.mark)
        except MarkedYAMLError as error:
            del self.problems[problems:]
            mark = error.problem_mark or error.context_mark
            self._syntax_problem(_error_message(error), text, mark.index if mark else 0, first_line)
        except YAMLError as error:
            del self.problems[problems:]
            self._syntax_problem(f"not valid YAML: {error}", text, 0, first_line)

    def _syntax_problem(self, message: str, text: str, index: int, first_line: int) -> None:
        self.syntax_problems += 1
        if self.syntax_problems > MAX_SYNTAX_PROBLEMS:
            return
        index = min(index, len(text))
        if index and not text[index:].strip():
            # The parser noticed at the end of the text; the last thing that is written there says more.
            index = len(text.rstrip()) or index
        line = first_line + _count_breaks(text, 0, index)
        column = index - max(text.rfind("\n", 0, index), text.rfind("\r", 0, index))  # once a chunk, so not quadratic
        width = 1 if index < len(text) and text[index] not in "\r\n" else 0
        self.note(message, (line, column, line, column + width))

    def _document(
        self, get_event: Callable[[], Any], restore: dict[int, str] | None, offset: int, first: int
    ) -> tuple[YamlDocument | None, int]:
        """The next document and the index of its end; None at the end of the stream.

        One loop over local names, without recursion: it sees every value of every YAML file. `key` is None where a
        mapping waits for a key, and `_ITEM` inside a sequence.
        """
        from yaml import events

        scalar_event, alias_event = events.ScalarEvent, events.AliasEvent
        mapping_start, sequence_start = events.MappingStartEvent, events.SequenceStartEvent
        mapping_end, sequence_end = events.MappingEndEvent, events.SequenceEndEvent
        resolve, starts, keys = self.resolve, self.starts, self.keys
        stack: list[tuple[Any, Any, Any, Mark, _Opening]] = []
        anchors: dict[str, Any] = {}
        container: Any = None
        marks: Any = None
        key: Any = _ITEM
        key_mark: Mark = (first, 1, first, 1)
        opening = _Opening(0, 0, False, None)
        root: Any = None
        root_mark = key_mark
        last_line = last_column = 0
        while True:
            event = get_event()
            kind = type(event)
            if kind is scalar_event:
                value = event.value
                style = event.style
                mark = event.start_mark
                end = event.end_mark
                line = mark.line
                last_column = end.column + 1
                last_line = end.line
                if last_line == line:
                    # One number object for both: there are millions of them.
                    last_line = line = line + first
                else:
                    line += first
                    last_line += first
                    if style and style in "|>":
                        last_line, last_column = self._block_end(mark, end, offset, first)
                mark = (line, mark.column + 1, last_line, last_column)
                if restore:
                    value = value.translate(restore)
                tag = event.tag
                if key is None:
                    key = keys.setdefault(value, value)
                    key_mark = mark
                    if key == _MERGE and not style and tag is None:
                        opening.merges = True
                    if event.anchor is not None:
                        anchors[event.anchor] = (value, (1, 0))
                    continue
                if tag is None:
                    if not style and value[:1] in starts:
                        value = resolve(value)
                elif tag != "!":
                    value = _resolve_tagged(value, tag, resolve)
                if event.anchor is not None:
                    anchors[event.anchor] = (value, (1, 0))
            elif kind is mapping_start or kind is sequence_start:
                mark = event.start_mark
                if len(stack) >= MAX_DEPTH:
                    raise _Refused(f"nested deeper than {MAX_DEPTH} levels", _point(mark, first))
                if key is None:
                    raise _Refused(f"{_COMPLEX_KEY}; if this is a template, render it first", _point(mark, first))
                stack.append((container, marks, key, key_mark, opening))
                anchor = event.anchor
                if anchor is not None:
                    anchors[anchor] = _OPEN
                opening = _Opening(mark.line + first, mark.column + 1, event.flow_style, anchor)
                if kind is mapping_start:
                    container = YamlMapping()
                    container.marks = marks = {}
                    key = None
                else:
                    container = YamlSequence()
                    container.marks = marks = []
                    key = _ITEM
                tag = event.tag
                container.tag = None if tag is None or tag == "!" or tag in _CORE_TAGS else tag
                continue
            elif kind is mapping_end or kind is sequence_end:
                if opening.flow:
                    end = event.end_mark
                    last_line = end.line + first
                    last_column = end.column + 1
                # A block's end mark is where the next token stands, behind blank lines and comments.
                value = container
                value.mark = mark = (opening.line, opening.column, last_line, last_column)
                if opening.merges:
                    self._merge(value)
                if opening.anchor is not None:
                    anchors[opening.anchor] = (value, None)
                container, marks, key, key_mark, opening = stack.pop()
            elif kind is alias_event:
                mark = event.start_mark
                end = event.end_mark
                last_line = end.line + first
                last_column = end.column + 1
                mark = (mark.line + first, mark.column + 1, last_line, last_column)
                value = self._alias(anchors, event.anchor, len(stack), mark)
                if key is None:
                    if isinstance(value, (dict, list)):
                        raise _Refused(_COMPLEX_KEY, mark)
                    key, key_mark = str(value), mark
                    continue
            elif kind is events.DocumentEndEvent:
                return YamlDocument(self.path, root, root_mark, self.source), event.end_mark.index
            elif event is None or kind is events.StreamEndEvent:
                return None, 0
            else:
                continue

            if key is not _ITEM:
                if key in marks:
                    message = f"key {_short(key)} is given twice; the last one counts"
                    self.note(message, key_mark, ProblemKind.LIMITED)
                container[key] = value
                marks[key] = (key_mark, mark)
                key = None
            elif marks is not None:
                container.append(value)
                marks.append(mark)
            else:
                root = value
                root_mark = mark

    def _block_end(self, start: Any, end: Any, offset: int, first: int) -> tuple[int, int]:
        """Where a block scalar's last written line ends; the parser's mark is behind the blank lines after it."""
        text = self.source.text
        begin, index = offset + start.index, offset + end.index
        stop = begin + len(text[begin:index].rstrip(" \t\r\n"))
        line = end.line - _count_breaks(text, stop, index)
        # Blanks at the end of the last line belong to the scalar.
        while stop < index and text[stop] in " \t":
            stop += 1
        line_start = max(text.rfind("\n", begin, stop), text.rfind("\r", begin, stop)) + 1
        column = stop - line_start if line_start else start.column + stop - begin
        return line + first, column + 1

    def _alias(self, anchors: dict[str, Any], name: str, depth: int, mark: Mark) -> Any:
        entry = anchors.get(name)
        if entry is None:
            raise _Refused(f"alias *{name[:60]} has no anchor before it", mark)
        if entry is _OPEN:
            raise _Refused(f"alias *{name[:60]} stands inside the value that it repeats", mark)
        value, extent = entry
        if extent is None:
            extent = _measure(value)
            anchors[name] = (value, extent)
        size, height = extent
        self.alias_nodes += size
        if self.alias_nodes > MAX_ALIAS_NODES:
            raise _Refused(f"aliases stand for more than {MAX_ALIAS_NODES:,} values", mark)
        if depth + height > MAX_DEPTH:
            # Aliases of aliases nest deeper than anything that is written, and readers recurse over values.
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels through aliases", mark)
        return value

    def _merge(self, mapping: YamlMapping) -> None:
        """Resolves `<<`: own keys win over merged ones, earlier merged mappings over later ones."""
        merged = mapping.pop(_MERGE)
        key_mark, _ = mapping.marks.pop(_MERGE)
        sources = merged if type(merged) is YamlSequence else [merged]
        if not all(type(source) is YamlMapping for source in sources):
            self.note("'<<' merges mappings, and this is none", key_mark)
            return
        for source in sources:
            for key, value in source.items():
                if key not in mapping:
                    mapping[key] = value
                    mapping.marks[key] = source.marks[key]


def _measure(value: Any) -> tuple[int, int]:
    """How many values it holds with every alias written out, and in how many levels.

    Never more than was written and charged for aliases before, and never deeper than `MAX_DEPTH`.
    """
    if not isinstance(value, (dict, list)):
        return 1, 0
    size, height = 1, 0
    for item in value.values() if isinstance(value, dict) else value:
        item_size, item_height = _measure(item)
        size += item_size
        height = max(height, item_height)
    return size, height + 1


def _point(mark: Any, first: int) -> Mark:
    return (mark.line + first, mark.column + 1, mark.line + first, mark.column + 2)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


# ---- comments -------------------------------------------------------------------------------------------------------


def _scan_comments(text: str, path: str, first_line: int, found: list[Comment]) -> int:
    """Appends the comments; -1, or the index of the last document start where the text is broken behind it."""
    from yaml import YAMLError, tokens

    opening = (
        tokens.BlockMappingStartToken,
        tokens.BlockSequenceStartToken,
        tokens.FlowMappingStartToken,
        tokens.FlowSequenceStartToken,
    )
    closing = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)
    if _ILLEGAL.search(text) or text.count("\n%TAG") > MAX_TAG_DIRECTIVES:
        return 0
    plain, _ = _disguise(text)
    depth = document = position = 0
    gaps: list[tuple[int, int, int, int]] = []  # begin, end, line and column of the begin; only they can hold comments
    line = column = 0
    broken = False
    try:
        parser = _new_parser(plain)
        for token in iter(parser.get_token, None):
            start, end = token.start_mark, token.end_mark
            if start.index > position:
                gaps.append((position, start.index, line, column))
            if end.index > position:
                position, line, column = end.index, end.line, end.column
            if isinstance(token, opening):
                depth += 1
                if depth > MAX_DEPTH:
                    broken = True
                    break
            elif isinstance(token, closing):
                depth -= 1
            elif isinstance(token, tokens.DocumentStartToken):
                document = start.index
            elif isinstance(token, tokens.ScalarToken) and token.style and token.style in "|>":
                # `key: |  # comment`: the comment stands between the indicator and the first line of the text.
                header = _LINE_BREAK.search(text, start.index, end.index)
                gaps.append((start.index, header.start() if header else end.index, start.line, start.column))
    except YAMLError:
        broken = True
    for begin, end, line, column in gaps:
        line_start, counted, alone = begin - column, begin, column == 0
        at = text.find("#", begin, end)
        while at >= 0:
            breaks = _count_breaks(text, counted, at)
            if breaks:
                line, alone = line + breaks, True
                line_start = max(text.rfind("\n", counted, at), text.rfind("\r", counted, at)) + 1
            counted = at
            line_break = _LINE_BREAK.search(text, at)
            stop = line_break.start() if line_break else len(text)
            number = first_line + line
            span = Span(number, at - line_start + 1, number, stop - line_start + 1)
            found.append(Comment(Location(path, span), text[at + 1 : stop], alone))
            at = text.find("#", stop, end)
    return document if broken else -1
