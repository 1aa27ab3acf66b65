"""JSON as people write settings in it: comments, trailing commas, single quotes, bare names (JSONC and JSON5), with the
place of every value. Without recursion, and bounded."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine.yaml_document import Mark, YamlDocument, YamlMapping, YamlSequence, YamlSource
from policy_engine_plugins.repository.places import decode

MAX_DEPTH = 100
MAX_NODES = 500_000

_TOKEN = re.compile(
    r"""
    (?P<blank>[\s\ufeff]+ | //[^\n\r]* | /\*[^*]*\*+(?:[^/*][^*]*\*+)*/)
  | (?P<punctuation>[{}\[\],:])
  | (?P<text>"[^"\\\n\r]*(?:\\(?:\r\n|[\s\S])[^"\\\n\r]*)*" | '[^'\\\n\r]*(?:\\(?:\r\n|[\s\S])[^'\\\n\r]*)*')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]{1,400} | (?:\d{1,400}(?:\.\d{0,400})? | \.\d{1,400})(?:[eE][+-]?\d{1,9})?
      | Infinity | NaN)(?![\w$]))
  | (?P<word>[A-Za-z_$][\w$]*)
    """,
    re.VERBOSE,
)
_BREAK = re.compile(r"\r\n|\n|\r")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}


class _Wrong(Exception):
    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def parse_json(data: bytes, path: str) -> tuple[YamlDocument | None, list[Problem]]:
    """The document, or why there is none. Never raises for what it holds."""
    text = decode(data)
    starts = [0, *(each.end() for each in _BREAK.finditer(text))]

    def mark(start: int, end: int) -> Mark:
        first = bisect_right(starts, start) - 1
        last = bisect_right(starts, end, first) - 1
        return first + 1, start - starts[first] + 1, last + 1, end - starts[last] + 1

    try:
        value, whole = _Parser(text, mark).read()
    except _Wrong as error:
        place = mark(error.offset, min(error.offset + 1, len(text)))
        return None, [Problem(path, f"not valid JSON: {error}", Span(*place))]
    return YamlDocument(path, value, whole, YamlSource(text, 1)), []


class _Parser:
    def __init__(self, text: str, mark: Any) -> None:
        self.text = text
        self.mark = mark
        self.position = 0
        self.nodes = 0

    def token(self) -> tuple[str, str, int, int]:
        while True:
            found = _TOKEN.match(self.text, self.position)
            if found is None:
                if self.position >= len(self.text):
                    return "end", "", self.position, self.position
                char = self.text[self.position]
                what = "a text or comment that is not closed" if char in "\"'/" else f"{char!r} is not expected"
                raise _Wrong(what, self.position)
            self.position = found.end()
            if found.lastgroup != "blank":
                return str(found.lastgroup), found[0], found.start(), found.end()

    def read(self) -> tuple[Any, Mark]:
        stack: list[tuple[Any, int, str | None, Mark | None]] = []
        root: Any = None
        root_mark: Mark = (1, 1, 1, 1)
        kind, text, start, end = self.token()
        if kind == "end":
            raise _Wrong("the file is empty", 0)
        while True:
            self.nodes += 1
            if self.nodes > MAX_NODES:
                raise _Wrong(f"more than {MAX_NODES} values", start)
            container: Any = None
            value: Any = None
            if text == "{" or text == "[":
                if len(stack) >= MAX_DEPTH:
                    raise _Wrong(f"nested deeper than {MAX_DEPTH} levels", start)
                container = _mapping() if text == "{" else _sequence()
                stack.append((container, start, None, None))
            else:
                value = self.scalar(kind, text, start)
                root, root_mark = self.place(stack, value, self.mark(start, end), root, root_mark)
            # What follows: a key, an item, or the end of what is open.
            while True:
                if not stack:
                    kind, text, start, end = self.token()
                    if kind != "end":
                        raise _Wrong("more than one value", start)
                    return root, root_mark
                open_, opened, _, _ = stack[-1]
                kind, text, start, end = self.token()
                fresh = container is open_
                container = None
                closing = "}" if type(open_) is YamlMapping else "]"
                if not fresh and text == "," and kind == "punctuation":
                    kind, text, start, end = self.token()
                elif not fresh and not (kind == "punctuation" and text == closing):
                    raise _Wrong(f"',' or '{closing}' is missing", start)
                if kind == "punctuation" and text == closing:
                    stack.pop()
                    whole = self.mark(opened, end)
                    open_.mark = whole
                    root, root_mark = self.place(stack, open_, whole, root, root_mark)
                    continue
                if kind == "end":
                    raise _Wrong(f"'{closing}' is missing", start)
                if type(open_) is YamlMapping:
                    key = self.key(kind, text, start)
                    key_mark = self.mark(start, end)
                    colon = self.token()
                    if colon[1] != ":":
                        raise _Wrong("':' is missing", colon[2])
                    stack[-1] = (open_, opened, key, key_mark)
                    kind, text, start, end = self.token()
                break
            if kind == "end" or (kind == "punctuation" and text not in "{["):
                raise _Wrong("a value is missing", start)

    def place(self, stack: list[Any], value: Any, mark: Mark, root: Any, root_mark: Mark) -> tuple[Any, Mark]:
        if not stack:
            return value, mark
        holder, _, key, key_mark = stack[-1]
        if type(holder) is YamlMapping:
            holder[key] = value
            holder.marks[key] = (key_mark, mark)
        else:
            holder.append(value)
            holder.marks.append(mark)
        return root, root_mark

    def key(self, kind: str, text: str, start: int) -> str:
        if kind == "text":
            return unquoted(text)
        if kind in ("word", "number"):
            return text
        raise _Wrong("a name is missing", start)

    def scalar(self, kind: str, text: str, start: int) -> Any:
        if kind == "text":
            return unquoted(text)
        if kind == "word":
            if text in _WORDS:
                return _WORDS[text]
            raise _Wrong(f"{text[:40]!r} is no value; quote it if it is meant as text", start)
        if kind == "number":
            digits = text.lstrip("+-")
            if digits.lower().startswith("0x"):
                return int(text.replace("+", ""), 16)
            if digits.isdecimal():
                return int(text)
            return float(text.replace("Infinity", "inf"))
        raise _Wrong("a value is missing", start)


def _mapping() -> YamlMapping:
    made = YamlMapping()
    made.marks, made.tag = {}, None
    return made


def _sequence() -> YamlSequence:
    made = YamlSequence()
    made.marks, made.tag = [], None
    return made


def unquoted(text: str) -> str:
    inner = text[1:-1]
    if "\\" not in inner:
        return inner

    def replace(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        if code:
            return chr(int(code, 16))
        char = match[3]
        return "" if char in ("\n", "\r", "\r\n") else _PLAIN.get(char, char)

    joined = _ESCAPE.sub(replace, inner)
    # Two halves of one character, as JSON writes those beyond the first plane.
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
