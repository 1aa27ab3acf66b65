"""GitHub's expression language: `github.event_name == 'push' && !inputs.dry_run`.

Grammar and comparison as documented: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_DEPTH = 50
"""What GitHub itself allows."""

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<number>[+-]?(?:0x[0-9A-Fa-f]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_]))
  | (?P<text>'(?:[^']|'')*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
  | (?P<operator>\|\||&&|==|!=|<=|>=|[!<>()\[\].,*])
    """,
    re.VERBOSE,
)
_BINARY = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))
_WORDS = {"true": True, "false": False, "null": None}


class ExpressionError(ValueError):
    """An expression that cannot be read; `offset` counts characters from its start."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Literal(Struct, frozen=True):
    value: str | float | bool | None


class Name(Struct, frozen=True):
    """A context: `github`."""

    name: str


class Property(Struct, frozen=True):
    """`object.name`, and `object['name']`, which means the same."""

    object: Node
    name: str


class Index(Struct, frozen=True):
    """`object[index]` with an index that is not a literal text."""

    object: Node
    index: Node


class Every(Struct, frozen=True):
    """`object.*` and `object[*]`."""

    object: Node


class Call(Struct, frozen=True):
    name: str
    arguments: tuple[Node, ...]


class Not(Struct, frozen=True):
    operand: Node


class Binary(Struct, frozen=True):
    operator: str
    left: Node
    right: Node


Node = Literal | Name | Property | Index | Every | Call | Not | Binary


def parse(text: str) -> Node:
    """The tree of an expression, given without its `${{ }}`. Raises ExpressionError."""
    return _Parser(text).whole()


class _Token(Struct, frozen=True):
    kind: str
    text: str
    offset: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.position = 0
        self.depth = 0

    def whole(self) -> Node:
        if self.peek().kind == "end":
            raise ExpressionError("the expression is empty", 0)
        node = self.binary(0)
        rest = self.peek()
        if rest.kind != "end":
            raise ExpressionError(f"unexpected '{rest.text}'", rest.offset)
        return node

    def peek(self) -> _Token:
        return self.tokens[self.position]

    def take(self) -> _Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def accept(self, *texts: str) -> str | None:
        token = self.peek()
        if token.kind == "operator" and token.text in texts:
            self.position += 1
            return token.text
        return None

    def expect(self, text: str) -> None:
        if self.accept(text) is None:
            token = self.peek()
            found = f"'{token.text}'" if token.text else "the end"
            raise ExpressionError(f"'{text}' is wanted, found {found}", token.offset)

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.unary()
        node = self.binary(level + 1)
        while (operator := self.accept(*_BINARY[level])) is not None:
            node = Binary(operator, node, self.binary(level + 1))
        return node

    def unary(self) -> Node:
        marks = 0
        while self.accept("!"):
            marks += 1
            if marks > MAX_DEPTH:
                raise ExpressionError(f"nested more than {MAX_DEPTH} deep", self.peek().offset)
        node = self.postfix(self.primary())
        for _ in range(marks):
            node = Not(node)
        return node

    def primary(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return Literal(_number(token.text))
        if token.kind == "text":
            return Literal(token.text[1:-1].replace("''", "'"))
        if token.kind == "name":
            if self.accept("("):
                return Call(token.text.lower(), self.arguments())
            word = token.text.lower()
            return Literal(_WORDS[word]) if word in _WORDS else Name(word)
        if token.kind == "operator" and token.text == "(":
            node = self.nested()
            self.expect(")")
            return node
        found = f"'{token.text}'" if token.text else "the end"
        raise ExpressionError(f"a value is wanted, found {found}", token.offset)

    def arguments(self) -> tuple[Node, ...]:
        if self.accept(")"):
            return ()
        found = [self.nested()]
        while self.accept(","):
            found.append(self.nested())
        self.expect(")")
        return tuple(found)

    def nested(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", self.peek().offset)
        node = self.binary(0)
        self.depth -= 1
        return node

    def postfix(self, node: Node) -> Node:
        links = 0
        while True:
            links += 1
            if links > MAX_DEPTH:
                raise ExpressionError(f"more than {MAX_DEPTH} dereferences", self.peek().offset)
            if self.accept("."):
                token = self.take()
                if token.kind == "name":
                    node = Property(node, token.text.lower())
                elif token.text == "*":
                    node = Every(node)
                else:
                    raise ExpressionError("a property is wanted after '.'", token.offset)
            elif self.accept("["):
                if self.accept("*"):
                    node = Every(node)
                else:
                    index = self.nested()
                    if isinstance(index, Literal) and isinstance(index.value, str):
                        node = Property(node, index.value.lower())
                    else:
                        node = Index(node, index)
                self.expect("]")
            else:
                return node


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            if text[position] == "'":
                raise ExpressionError("the text is not closed with a '", position)
            hint = "; texts are in single quotes" if text[position] == '"' else ""
            raise ExpressionError(f"unexpected '{text[position]}'{hint}", position)
        kind = match.lastgroup or ""
        if kind != "blank":
            yield _Token(kind, match.group(), position)
        position = match.end()
    yield _Token("end", "", len(text))


def _number(text: str) -> float:
    digits = text.lstrip("+-")
    sign = -1.0 if text.startswith("-") else 1.0
    if digits[:2] == "0x":
        return sign * int(digits, 16)
    if digits[:2] == "0o":
        return sign * int(digits, 8)
    return sign * float(digits)


def contexts(node: Node) -> list[str]:
    """Every context path an expression uses, in order and once: `github.event.issue.title`, `matrix.*`."""
    found: dict[str, None] = {}
    _collect(node, found)
    return list(found)


def _collect(node: Node, found: dict[str, None]) -> None:
    path = _path(node)
    if path is not None:
        found[path] = None
    if isinstance(node, (Property, Every)):
        if path is None:
            _collect(node.object, found)
    elif isinstance(node, Index):
        if path is None:
            _collect(node.object, found)
        _collect(node.index, found)
    elif isinstance(node, Call):
        for argument in node.arguments:
            _collect(argument, found)
    elif isinstance(node, Not):
        _collect(node.operand, found)
    elif isinstance(node, Binary):
        _collect(node.left, found)
        _collect(node.right, found)


def _path(node: Node) -> str | None:
    parts: list[str] = []
    while not isinstance(node, Name):
        if isinstance(node, Property):
            parts.append(node.name)
        elif isinstance(node, (Every, Index)):
            parts.append("*")
        else:
            return None
        node = node.object
    parts.append(node.name)
    return ".".join(reversed(parts))


_OPAQUE = frozenset({"contains", "startswith", "endswith", "hashfiles", "success", "failure", "always", "cancelled"})
"""Functions whose result does not carry their arguments' text."""


def flows(node: Node) -> list[str]:
    """The context paths whose own text can reach the result: not those that are only compared or looked into."""
    found: dict[str, None] = {}
    _flow(node, found)
    return list(found)


def _flow(node: Node, found: dict[str, None]) -> None:
    path = _path(node)
    if path is not None:
        found[path] = None
    elif isinstance(node, (Property, Every, Index)):
        _flow(node.object, found)
    elif isinstance(node, Call) and node.name not in _OPAQUE:
        for argument in node.arguments:
            _flow(argument, found)
    elif isinstance(node, Binary):
        if node.operator == "||":
            _flow(node.left, found)
            _flow(node.right, found)
        elif node.operator == "&&":
            # `a && b` is `a` only where that is false, empty or zero: no text to speak of.
            _flow(node.right, found)
