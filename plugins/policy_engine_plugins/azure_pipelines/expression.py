"""The expression language of `${{ }}`: function calls, literals and property access, parsed into small trees."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

MAX_DEPTH = 50
MAX_TEXT = 20_000

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d+)*|\.\d+))
    |(?P<name>[A-Za-z_][\w-]*)|(?P<punctuation>[().,\[\]*]))""",
    re.VERBOSE,
)


class ExpressionError(ValueError):
    """An expression that cannot be read; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Literal(Struct, frozen=True):
    value: Any


class Name(Struct, frozen=True):
    name: str


class Member(Struct, frozen=True):
    """`object.key` and `object['key']`; a `key` of None is `*`."""

    object: Node
    key: Node | None


class Call(Struct, frozen=True):
    function: str
    arguments: tuple[Node, ...]


Node = Literal | Name | Member | Call
Token = tuple[str, str, int]


@lru_cache(maxsize=2048)
def parse(text: str) -> Node:
    """Raises ExpressionError."""
    if len(text) > MAX_TEXT:
        raise ExpressionError("the expression is too long", 0)
    tokens: list[Token] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ExpressionError(f"'{stripped[position : position + 20].strip()}' is not understood", position)
        kind = match.lastgroup or ""
        tokens.append((kind, match[kind], match.start(kind)))
        position = match.end()
    reader = _Reader(tokens, len(stripped))
    node = reader.value(0)
    if reader.at < len(tokens):
        raise ExpressionError(f"'{tokens[reader.at][1]}' is one too many", tokens[reader.at][2])
    return node


class _Reader:
    def __init__(self, tokens: list[Token], length: int) -> None:
        self.tokens = tokens
        self.length = length
        self.at = 0

    def peek(self, text: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][:2] == ("punctuation", text)

    def want(self, text: str) -> None:
        if not self.peek(text):
            offset = self.tokens[self.at][2] if self.at < len(self.tokens) else self.length
            raise ExpressionError(f"a '{text}' is wanted", offset)
        self.at += 1

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ExpressionError("the expression is nested too deeply", 0)
        if self.at >= len(self.tokens):
            raise ExpressionError("a value is wanted", self.length)
        kind, text, offset = self.tokens[self.at]
        self.at += 1
        node: Node
        if kind == "string":
            node = Literal(text[1:-1].replace("''", "'"))
        elif kind == "number":
            node = Literal(_number(text))
        elif kind == "name":
            node = self._named(text, depth)
        else:
            raise ExpressionError(f"a value is wanted before '{text}'", offset)
        return self._members(node, depth)

    def _named(self, text: str, depth: int) -> Node:
        lower = text.lower()
        if self.peek("("):
            self.at += 1
            arguments: list[Node] = []
            while not self.peek(")"):
                if arguments:
                    self.want(",")
                arguments.append(self.value(depth + 1))
            self.at += 1
            return Call(lower, tuple(arguments))
        if lower in ("true", "false"):
            return Literal(lower == "true")
        return Literal(None) if lower == "null" else Name(text)

    def _members(self, node: Node, depth: int) -> Node:
        links = 0
        while self.peek(".") or self.peek("["):
            links += 1
            if links > MAX_DEPTH:
                raise ExpressionError("the expression is nested too deeply", 0)
            if self.peek("["):
                self.at += 1
                node = Member(node, self.value(depth + 1))
                self.want("]")
                continue
            self.at += 1
            if self.at >= len(self.tokens):
                raise ExpressionError("a name is wanted", self.length)
            kind, text, offset = self.tokens[self.at]
            if kind != "name" and text != "*":
                raise ExpressionError(f"a name is wanted before '{text}'", offset)
            self.at += 1
            node = Member(node, None if text == "*" else Literal(text))
        return node


def _number(text: str) -> Any:
    if "x" in text or "X" in text:
        return int(text, 16)
    if text.count(".") > 1:
        return text  # a version
    return float(text) if "." in text else int(text[:30])
