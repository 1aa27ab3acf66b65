"""Turns the events of PyYAML's parser into documents, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policy_engine.span import Span
from policy_engine.unit import Problem, ProblemKind
from policy_engine.yaml_document import Mark, YamlDocument, YamlFile, YamlMapping, YamlSequence, YamlSource
from policy_engine.yaml_scalar import CORE_STARTS, CORE_TAGS, OLD_STARTS, resolve_core, resolve_old, resolve_tagged
from policy_engine.yaml_text import MAX_TAG_DIRECTIVES, count_breaks, disguise, find_illegal, new_parser

MAX_DEPTH = 200
MAX_ALIAS_NODES = 1_000_000
"""How many nodes aliases may stand for in one file, counted as if each were written out."""
MAX_TOLD = 100
"""How many broken documents, and how many repeated keys, are told each; the others are counted."""
MAX_BROKEN = 10_000
"""After so many broken documents the rest of the file is given up."""


class _Refused(Exception):
    """The document breaks a limit or refers to nothing; `mark` is where."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


_MERGE = "<<"
_COMPLEX_KEY = "a mapping or list as a key is not understood"


def _error_message(error: Any, text: str, first_line: int) -> str:
    """The parser's words; they name what was wanted, and what began where."""
    mark, context = error.problem_mark, error.context_mark
    if error.problem and "cannot start any token" in error.problem and mark and mark.index < len(text):
        char = text[mark.index]
        if char == "\t":
            return "not valid YAML: a tab cannot indent, only spaces can"
        return f"not valid YAML: {char!r} cannot begin a value; quote it if it is meant as text"
    words = [word for word in (error.problem, error.context) if word]
    if error.problem and error.context and context and mark and context.line != mark.line:
        words.append(f"that begins in line {context.line + first_line}")
    return f"not valid YAML: {' '.join(words)}"


# The key of a sequence's items.
_ITEM: Any = object()
# The entry of an anchor whose value is not complete yet.
_OPEN: Any = object()

_Opening = tuple[int, int, bool, "str | None"]
"""How a collection began: its line, its column, whether it is written in brackets, and its anchor."""


class Builder:
    """Turns parser events into documents. One for each file, as the alias budget is the file's."""

    def __init__(self, path: str, source: YamlSource, yaml_1_1: bool) -> None:
        self.path = path
        self.source = source
        self.resolve = resolve_old if yaml_1_1 else resolve_core
        self.starts = OLD_STARTS if yaml_1_1 else CORE_STARTS
        self.keys: dict[str, str] = {}  # one text object for each key, however often it is written
        self.documents: list[YamlDocument] = []
        self.problems: list[Problem] = []
        self.alias_nodes = 0
        self.broken = 0
        self.repeated_keys = 0

    def result(self) -> YamlFile:
        if self.broken > MAX_TOLD:
            more = f"{self.broken - MAX_TOLD} more documents are not valid YAML"
            if self.gave_up:
                more += ", and the rest of the file is not read"
            self.problems.append(Problem(self.path, more))
        if self.repeated_keys > MAX_TOLD:
            more = f"{self.repeated_keys - MAX_TOLD} more keys are given twice; the last one counts"
            self.problems.append(Problem(self.path, more, None, ProblemKind.LIMITED))
        return YamlFile(tuple(self.documents), tuple(self.problems))

    @property
    def gave_up(self) -> bool:
        return self.broken >= MAX_BROKEN

    def note(self, message: str, mark: Mark, kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD) -> None:
        self.problems.append(Problem(self.path, message, Span(*mark), kind))

    def read(self, text: str, offset: int, first_line: int) -> int:
        """All documents of a text; -1, or the index behind the last good document where one is broken."""
        from yaml import YAMLError

        plain, restore = disguise(text)
        parser = new_parser(plain)
        done = 0
        before = self._state()
        try:
            while True:
                document, end = self._document(parser.get_event, restore, offset, first_line)
                if document is None:
                    return -1
                self.documents.append(document)
                done = end
                before = self._state()
        except (YAMLError, _Refused):
            # `read_alone` tells why, and would tell twice what was noted of the broken document so far.
            self._return_to(before)
            return done

    def _state(self) -> tuple[int, int, int]:
        return len(self.problems), self.alias_nodes, self.repeated_keys

    def _return_to(self, state: tuple[int, int, int]) -> None:
        del self.problems[state[0] :]
        _, self.alias_nodes, self.repeated_keys = state

    def read_alone(self, text: str, offset: int, first_line: int) -> None:
        """The documents of a stretch that holds one, telling why where there is none."""
        from yaml import MarkedYAMLError, YAMLError

        illegal = find_illegal(text)
        if illegal:
            code = ord(illegal.group())
            what = f"byte 0x{code - 0xDC00:02x} is not UTF-8" if 0xDC80 <= code <= 0xDCFF else None
            message = f"not valid YAML: {what or f'character U+{code:04X} is not allowed'}"
            return self._syntax_problem(message, text, illegal.start(), first_line)
        if text.count("\n%TAG") > MAX_TAG_DIRECTIVES:
            return self._syntax_problem(f"more than {MAX_TAG_DIRECTIVES} %TAG directives", text, 0, first_line)
        plain, restore = disguise(text)
        before = self._state()
        try:
            parser = new_parser(plain)
            while True:
                document, _ = self._document(parser.get_event, restore, offset, first_line)
                if document is None:
                    return None
                self.documents.append(document)
        except _Refused as refused:
            self._return_to(before)
            self.broken += 1
            if self.broken <= MAX_TOLD:
                self.note(str(refused), refused.mark)
        except MarkedYAMLError as error:
            self._return_to(before)
            mark = error.problem_mark or error.context_mark
            index = mark.index if mark else 0
            self._syntax_problem(_error_message(error, text, first_line), text, index, first_line)
        except YAMLError as error:
            self._return_to(before)
            self._syntax_problem(f"not valid YAML: {error}", text, 0, first_line)

    def _syntax_problem(self, message: str, text: str, index: int, first_line: int) -> None:
        self.broken += 1
        if self.broken > MAX_TOLD:
            return
        index = min(index, len(text))
        if index and not text[index:].strip():
            # The parser noticed at the end of the text; the last thing that is written there says more.
            index = len(text.rstrip()) or index
        line = first_line + count_breaks(text, 0, index)
        column = index - max(text.rfind("\n", 0, index), text.rfind("\r", 0, index))  # once a chunk, so not quadratic
        width = 1 if index < len(text) and text[index] not in "\r\n" else 0
        self.note(message, (line, column, line, column + width))

    def _document(
        self, get_event: Callable[[], Any], restore: dict[int, str | None] | None, offset: int, first: int
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
        stack: list[tuple[Any, Any, Any, Mark, _Opening, bool]] = []
        anchors: dict[str, Any] = {}
        container: Any = None
        marks: Any = None
        key: Any = _ITEM
        key_mark: Mark = (first, 1, first, 1)
        opening: _Opening = (0, 0, False, None)
        merges = False
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
                        merges = True
                    if event.anchor is not None:
                        anchors[event.anchor] = (value, (1, 0))
                    continue
                if tag is None:
                    if not style and value[:1] in starts:
                        value = resolve(value)
                elif tag != "!":
                    value = resolve_tagged(value, tag, resolve)
                if event.anchor is not None:
                    anchors[event.anchor] = (value, (1, 0))
            elif kind is mapping_start or kind is sequence_start:
                mark = event.start_mark
                if len(stack) >= MAX_DEPTH:
                    raise _Refused(f"nested deeper than {MAX_DEPTH} levels", _point(mark, first))
                if key is None:
                    raise _Refused(f"{_COMPLEX_KEY}; if this is a template, render it first", _point(mark, first))
                stack.append((container, marks, key, key_mark, opening, merges))
                anchor = event.anchor
                if anchor is not None:
                    anchors[anchor] = _OPEN
                opening = (mark.line + first, mark.column + 1, event.flow_style, anchor)
                merges = False
                if kind is mapping_start:
                    container = YamlMapping()
                    container.marks = marks = {}
                    key = None
                else:
                    container = YamlSequence()
                    container.marks = marks = []
                    key = _ITEM
                tag = event.tag
                container.tag = None if tag is None or tag == "!" or tag in CORE_TAGS else tag
                continue
            elif kind is mapping_end or kind is sequence_end:
                line, column, flow, anchor = opening
                if flow:
                    end = event.end_mark
                    last_line = end.line + first
                    last_column = end.column + 1
                # A block's end mark is where the next token stands, behind blank lines and comments.
                value = container
                value.mark = mark = (line, column, last_line, last_column)
                if merges:
                    self._merge(value)
                if anchor is not None:
                    anchors[anchor] = (value, None)
                container, marks, key, key_mark, opening, merges = stack.pop()
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
                    self._repeated_key(key, key_mark)
                container[key] = value
                marks[key] = (key_mark, mark)
                key = None
            elif marks is not None:
                container.append(value)
                marks.append(mark)
            else:
                root = value
                root_mark = mark

    def _repeated_key(self, key: str, mark: Mark) -> None:
        self.repeated_keys += 1
        if self.repeated_keys <= MAX_TOLD:
            self.note(f"key {_short(key)} is given twice; the last one counts", mark, ProblemKind.LIMITED)

    def _block_end(self, start: Any, end: Any, offset: int, first: int) -> tuple[int, int]:
        """Where a block scalar's last written line ends; the parser's mark is behind the blank lines after it."""
        text = self.source.text
        begin, index = offset + start.index, offset + end.index
        stop = begin + len(text[begin:index].rstrip(" \t\r\n"))
        line = end.line - count_breaks(text, stop, index)
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
