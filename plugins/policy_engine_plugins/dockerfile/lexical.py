"""Cuts a Dockerfile into logical lines: continuations joined, heredocs collected, every character with its place.

As BuildKit's parser does it (frontend/dockerfile/parser): lines end at `\\n`; comment lines and empty lines inside a
continuation are left out; the escape sign is settled by the directives at the top.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from policy_engine.span import Location, Span
from policy_engine.unit import Comment

MAX_LINES = 20_000
"""Logical lines of a file."""
MAX_HEREDOCS = 100
"""Heredocs of one line."""

_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[ \t\v\f\r\x85\xa0]*#")
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t\r]*$")
_KEYWORD = re.compile(r"[^\s]+")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]*)")
_CONTINUED = {
    "\\": re.compile(r"(?:^|(?<=[^\\]))\\[ \t]*$"),
    "`": re.compile(r"(?:^|(?<=[^`]))`[ \t]*$"),
}
_HOLDS_HEREDOC = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})
DIRECTIVES = frozenset({"syntax", "escape", "check"})


class Source:
    """The text of a file, and the lines its offsets stand in."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def span(self, start: int, end: int) -> Span:
        return Span(*self._point(start), *self._point(max(start, end)))

    def location(self, start: int, end: int) -> Location:
        return Location(self.path, self.span(start, end))

    def line_end(self, start: int) -> int:
        """The offset at which the line of `start` ends."""
        found = _BREAK.search(self.text, start)
        return found.start() if found else len(self.text)

    def _point(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class Text:
    """Text put together from stretches of the source, that knows where each of its characters stands."""

    __slots__ = ("_indexes", "_origins", "text")

    def __init__(self, stretches: Sequence[tuple[int, str]]) -> None:
        self.text = "".join(stretch for _, stretch in stretches)
        self._origins = [origin for origin, _ in stretches]
        self._indexes = []
        index = 0
        for _, stretch in stretches:
            self._indexes.append(index)
            index += len(stretch)

    def origin(self, index: int) -> int:
        which = bisect_right(self._indexes, index) - 1
        return self._origins[which] + index - self._indexes[which] if which >= 0 else 0

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the source of a part of it."""
        if end <= start:
            at = self.origin(start)
            return at, at
        return self.origin(start), self.origin(end - 1) + 1

    def part(self, start: int, end: int) -> list[tuple[int, str]]:
        """The stretches of a part of it."""
        found = []
        position = start
        which = max(bisect_right(self._indexes, start) - 1, 0)
        while position < end:
            stop = self._indexes[which + 1] if which + 1 < len(self._indexes) else len(self.text)
            stop = min(stop, end)
            if stop > position:
                found.append((self.origin(position), self.text[position:stop]))
                position = stop
            which += 1
        return found


class Heredoc(NamedTuple):
    """`expand` where its word is not quoted; `content` without the tabs that `<<-` takes off."""

    name: str
    expand: bool
    chomp: bool
    content: Text
    word: str


class Line(NamedTuple):
    """A logical line from its first character on; `start` and `end` are offsets in the source, heredocs included."""

    text: Text
    start: int
    end: int
    keyword: str
    arguments: int
    """Index in the text at which what follows the keyword begins."""
    heredocs: tuple[Heredoc, ...] = ()
    fault: tuple[str, int, int] | None = None
    """What is wrong with how the line ends, and where."""


class Lines(Struct):
    """A file cut into lines; `directives` maps each to its value and place."""

    lines: list[Line] = field(default_factory=list)
    directives: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    comments: list[tuple[int, int]] = field(default_factory=list)
    escape: str = "\\"
    faults: list[tuple[str, int, int]] = field(default_factory=list)


def decode(data: bytes) -> tuple[str, int | None]:
    """The text, and the offset of the first byte that is not UTF-8."""
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return data.decode("utf-8-sig", "replace"), len(data[: error.start].decode("utf-8-sig", "replace"))


def cut(text: str) -> Lines:
    """Cuts a text into logical lines."""
    result = Lines()
    physical = _physical(text)
    _read_directives(physical, result)
    continued = _CONTINUED[result.escape]
    number = 0
    while number < len(physical):
        start, line = physical[number]
        number += 1
        if _COMMENT.match(line):
            result.comments.append((start, start + len(line)))
            continue
        bare = line.rstrip("\r")
        indent = len(bare) - len(bare.lstrip())
        stretch, more = _continued(bare[indent:], continued)
        if not stretch and not more:
            continue
        if len(result.lines) >= MAX_LINES:
            result.faults.append(
                (f"more than {MAX_LINES:,} instructions; the rest is not read", start, start + len(line))
            )
            break
        stretches = [(start + indent, stretch)]
        end = start + len(bare)
        while more and number < len(physical):
            at, line = physical[number]
            number += 1
            if _COMMENT.match(line):
                result.comments.append((at, at + len(line)))
                continue
            bare = line.rstrip("\r")
            if not bare.strip():
                continue
            stretch, more = _continued(bare, continued)
            stretches.append((at, stretch))
            end = at + len(bare)
        number = _add(result, Text(stretches), end, physical, number)
    return result


def _physical(text: str) -> list[tuple[int, str]]:
    """Every line of the text with its offset, without its `\\n`."""
    found = []
    start = 0
    for line in text.split("\n"):
        found.append((start, line))
        start += len(line) + 1
    if found and not found[-1][1]:
        found.pop()
    return found


def _read_directives(physical: Sequence[tuple[int, str]], result: Lines) -> None:
    for start, line in physical:
        match = _DIRECTIVE.match(line)
        if match is None:
            return
        name = match[1].lower()
        if name not in DIRECTIVES:
            return
        place = (start, start + len(line.rstrip()))
        if name in result.directives:
            result.faults.append((f"the directive '{name}' is given twice", *place))
            return
        result.directives[name] = (match[2], *place)
        if name == "escape":
            if match[2] in _CONTINUED:
                result.escape = match[2]
            else:
                result.faults.append(("the escape directive takes a backslash or a backtick", *place))


def _continued(line: str, continued: re.Pattern[str]) -> tuple[str, bool]:
    match = continued.search(line)
    return (line[: match.start()], True) if match else (line, False)


def _add(result: Lines, text: Text, end: int, physical: Sequence[tuple[int, str]], number: int) -> int:
    """Adds a logical line with the heredocs that begin in it; gives the number of the physical line behind them."""
    logical = text.text
    match = _KEYWORD.search(logical)
    if match is None:
        return number
    arguments = match.end()
    while arguments < len(logical) and logical[arguments].isspace():
        arguments += 1
    keyword = match[0].upper()
    start = text.origin(match.start())
    heredocs: list[Heredoc] = []
    fault = None
    if keyword in _HOLDS_HEREDOC and "<<" in logical:
        for word, found, at in _heredocs(logical, arguments, keyword):
            content: list[tuple[int, str]] = []
            name, expand, chomp = found
            closed = False
            while number < len(physical):
                offset, line = physical[number]
                number += 1
                bare = line.rstrip("\r")
                end = offset + len(bare)
                tabs = len(bare) - len(bare.lstrip("\t")) if chomp else 0
                if bare[tabs:] == name:
                    closed = True
                    break
                content.append((offset + tabs, line[tabs:] + "\n"))
            heredocs.append(Heredoc(name, expand, chomp, Text(content), word))
            if not closed:
                place = text.place(at, at + len(word))
                fault = (f"the heredoc '{name[:60]}' is not closed: no line holds that word alone", *place)
                break
    result.lines.append(Line(text, start, end, keyword, arguments, tuple(heredocs), fault))
    return number


def _heredocs(logical: str, arguments: int, keyword: str) -> Iterator[tuple[str, tuple[str, bool, bool], int]]:
    """The words of a line that begin a heredoc: the word, what it says, and its index."""
    rest = logical[arguments:]
    if keyword == "ONBUILD":
        inner = _KEYWORD.match(rest)
        if inner is None or inner[0].upper() not in _HOLDS_HEREDOC:
            return
        rest = rest[inner.end() :].lstrip()
    if rest.startswith("["):
        return
    count = 0
    for at, end in split_words(logical, arguments, len(logical), "\\"):
        word = logical[at:end]
        match = _HEREDOC.fullmatch(word)
        if match is None or not match[3]:
            continue
        name = unquote(match[3])
        if name is None or any(char.isspace() for char in name):
            continue
        count += 1
        if count > MAX_HEREDOCS:
            return
        yield word, (name, name == match[3], match[2] == "-"), at


def split_words(text: str, start: int, end: int, escape: str) -> Iterator[tuple[int, int]]:
    """Places of the words between blanks, where quotes and the escape sign keep blanks inside a word."""
    position = start
    while position < end:
        while position < end and text[position].isspace():
            position += 1
        if position >= end:
            return
        begin = position
        quote = ""
        while position < end:
            char = text[position]
            if char == escape and quote != "'":
                position += 1
            elif quote:
                if char == quote:
                    quote = ""
            elif char in "'\"":
                quote = char
            elif char.isspace():
                break
            position += 1
        position = min(position, end)
        yield begin, position


def unquote(text: str) -> str | None:
    """The text without its quotes and escapes; None where a quote is not closed."""
    parts = []
    position = 0
    while position < len(text):
        char = text[position]
        if char in "'\"":
            close = text.find(char, position + 1)
            if close < 0:
                return None
            parts.append(text[position + 1 : close])
            position = close + 1
        elif char == "\\" and position + 1 < len(text):
            parts.append(text[position + 1])
            position += 2
        else:
            parts.append(char)
            position += 1
    return "".join(parts)


def comments(data: bytes, path: str) -> list[Comment]:
    """The comment lines of a file; a `#` further on in a line is the instruction's own."""
    text, _ = decode(data)
    source = Source(path, text)
    found = []
    for start, end in cut(text).comments:
        line = text[start:end].rstrip("\r")
        sign = start + line.index("#")
        found.append(Comment(source.location(sign, start + len(line)), text[sign + 1 : start + len(line)], alone=True))
    return found
