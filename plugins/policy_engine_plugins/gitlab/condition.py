"""The expressions of `rules: if`, evaluated for a supposed pipeline: true, false, or not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from policy_engine.unknown import Unknown

Truth = bool | Unknown
MAX_DEPTH = 50
MAX_TEXT = 5000

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>==|!=|=~|!~|&&|\|\||\(|\))|\$(?:\{(?P<braced>\w+)\}|(?P<name>\w+))
    |"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<regex>/(?:\\.|[^/\\\n])+/[ismU]*)|(?P<null>null)\b)""",
    re.VERBOSE,
)

Node = tuple[Any, ...]


class NotAnExpression(ValueError):
    pass


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Raises NotAnExpression."""
    if len(text) > MAX_TEXT:
        raise NotAnExpression("the expression is too long")
    tokens: list[tuple[str, str]] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise NotAnExpression(f"'{stripped[position : position + 20].strip()}' is not understood")
        kind = match.lastgroup or ""
        tokens.append(("name" if kind == "braced" else "text" if kind in ("double", "single") else kind, match[kind]))
        position = match.end()
    if not tokens:
        raise NotAnExpression("the expression is empty")
    node, end = _either(tokens, 0, 0)
    if end < len(tokens):
        raise NotAnExpression(f"'{tokens[end][1]}' is one too many")
    return node


def _either(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Node, int]:
    node, at = _both(tokens, at, depth)
    while at < len(tokens) and tokens[at] == ("op", "||"):
        other, at = _both(tokens, at + 1, depth)
        node = ("||", node, other)
    return node, at


def _both(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Node, int]:
    node, at = _compared(tokens, at, depth)
    while at < len(tokens) and tokens[at] == ("op", "&&"):
        other, at = _compared(tokens, at + 1, depth)
        node = ("&&", node, other)
    return node, at


def _compared(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Node, int]:
    node, at = _value(tokens, at, depth)
    if at < len(tokens) and tokens[at][0] == "op" and tokens[at][1] in ("==", "!=", "=~", "!~"):
        operator = tokens[at][1]
        other, at = _value(tokens, at + 1, depth)
        node = (operator, node, other)
    return node, at


def _value(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Node, int]:
    if at >= len(tokens) or depth > MAX_DEPTH:
        raise NotAnExpression("a value is wanted at the end")
    kind, text = tokens[at]
    if (kind, text) == ("op", "("):
        node, at = _either(tokens, at + 1, depth + 1)
        if at >= len(tokens) or tokens[at] != ("op", ")"):
            raise NotAnExpression("a ')' is wanted")
        return node, at + 1
    if kind == "op":
        raise NotAnExpression(f"a value is wanted before '{text}'")
    return (kind, text), at + 1


class Supposed:
    """A pipeline that is supposed to run. `known` are the variables it decides; `arbitrary` are names that someone
    chose freely: set, equal to nothing that is written down."""

    def __init__(self, known: Mapping[str, Any], arbitrary: frozenset[str], others: Callable[[str], Any]) -> None:
        self.known = known
        self.arbitrary = arbitrary
        self.others = others

    def value(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        return self.others(name)


def holds(text: str, supposed: Supposed) -> Truth:
    try:
        return truth(parse(text), supposed)
    except NotAnExpression as error:
        return Unknown(f"the condition '{text[:60]}' cannot be read: {error}")


def truth(node: Node, supposed: Supposed) -> Truth:
    operator = node[0]
    if operator in ("&&", "||"):
        left, right = truth(node[1], supposed), truth(node[2], supposed)
        decides = operator == "||"
        if left is decides or right is decides:
            return decides
        if isinstance(left, Unknown):
            return left
        return right
    if operator in ("==", "!="):
        same = _same(node[1], node[2], supposed)
        return same if isinstance(same, Unknown) or operator == "==" else not same
    if operator in ("=~", "!~"):
        found = _matches(node[1], node[2], supposed)
        return found if isinstance(found, Unknown) or operator == "=~" else not found
    if operator == "name" and node[1] in supposed.arbitrary:
        return True
    value = _plain(node, supposed)
    return value if isinstance(value, Unknown) else bool(value)


def _plain(node: Node, supposed: Supposed) -> Any:
    kind = node[0]
    if kind == "name":
        return supposed.value(node[1])
    if kind == "null":
        return None
    if kind in ("text", "regex"):
        return node[1]
    return truth(node, supposed)


def _same(left: Node, right: Node, supposed: Supposed) -> Truth:
    freely = [node for node in (left, right) if node[0] == "name" and node[1] in supposed.arbitrary]
    if len(freely) == 1:
        # A branch of anybody's is neither the default branch nor one that is named here.
        return False
    ours, theirs = _plain(left, supposed), _plain(right, supposed)
    for value, other in ((ours, theirs), (theirs, ours)):
        if isinstance(value, Unknown):
            return False if value.present and other in (None, "") else value
    return bool(_text(ours) == _text(theirs))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def _matches(left: Node, right: Node, supposed: Supposed) -> Truth:
    if left[0] == "name" and left[1] in supposed.arbitrary:
        return Unknown(f"a branch may have any name, one that matches {str(right[1])[:60]} too")
    value = _plain(left, supposed)
    if isinstance(value, Unknown):
        return value
    if value is None:
        return False
    if right[0] != "regex":
        return Unknown("the pattern is in a variable")
    pattern, _, flags = right[1][1:].rpartition("/")
    try:
        compiled = re.compile(pattern.replace(r"\/", "/"), re.IGNORECASE if "i" in flags else 0)
    except re.error:
        return Unknown(f"the pattern {right[1][:60]} is not understood")
    # Values are names of events and the like, short enough for any pattern.
    return compiled.search(str(value)[:200]) is not None
