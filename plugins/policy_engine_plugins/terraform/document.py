"""JSON documents written out as text, in a heredoc mostly: their values where parts are not known, and their places."""

from __future__ import annotations

import re
from typing import Any

from policy_engine.unknown import Embedded, Unknown
from policy_engine_plugins.terraform.evaluate import evaluate
from policy_engine_plugins.terraform.lexical import SyntaxFault
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Expression, Interpolation, Literal, Template, Text
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown, Value, to_text

# Private-use characters stand for an unknown piece while the text around it is read.
_HOLE = re.compile("\ue000([0-9]+)\ue001")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*("?)', re.DOTALL)


def partial_document(unknown: Unknown) -> Value:
    """An Unknown text whose known pieces make a JSON document: the document, unknown where the text is; otherwise the
    Unknown itself. An unknown piece inside a string is taken for a part of that string."""
    from policy_engine_plugins.terraform.functions.encoding import load_json

    fragments = unknown.fragments
    first = fragments[0]
    if first is None or first.lstrip()[:1] not in ("{", "[") or "\ue000" in "".join(part or "" for part in fragments):
        return unknown
    pieces: list[str] = []
    in_string = False
    for number, fragment in enumerate(fragments):
        if fragment is None:
            hole = f"\ue000{number}\ue001"
            pieces.append(hole if in_string else f'"{hole}"')
        else:
            pieces.append(fragment)
            in_string = _ends_in_string(fragment, in_string)
    text = "".join(pieces)
    try:
        value = load_json(text)
    except EvaluationError:
        return unknown
    return Embedded(_HOLE.sub("(unknown)", text), _with_unknowns(value, unknown))


def _ends_in_string(fragment: str, in_string: bool) -> bool:
    at = 0
    if in_string:
        found = _STRING.match('"' + fragment)
        assert found is not None
        if not found[1]:
            return True
        at = found.end() - 1
    while (at := fragment.find('"', at)) >= 0:
        found = _STRING.match(fragment, at)
        assert found is not None
        if not found[1]:
            return True
        at = found.end()
    return False


def _with_unknowns(value: Any, unknown: Unknown) -> Any:
    if isinstance(value, dict):
        if any(_HOLE.search(key) for key in value):
            return Unknown(unknown.reason, unknown.origin, unknown.refers_to)
        return {key: _with_unknowns(item, unknown) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_unknowns(item, unknown) for item in value]
    if isinstance(value, str) and "\ue000" in value:
        parts = [part if at % 2 == 0 else None for at, part in enumerate(_HOLE.split(value))]
        fragments = tuple(part for part in parts if part != "")
        return Unknown(unknown.reason, unknown.origin, unknown.refers_to, fragments if fragments != (None,) else ())
    return value


class WrittenDocument:
    """A JSON document as the text of a template, with the way back from its offsets to those of the file."""

    def __init__(self, node: Expression, scope: Scope) -> None:
        # Offset in the text, offset in the file, whether the two run side by side, end in the file.
        self._pieces: list[tuple[int, int, bool, int]] = []
        self._text: list[str] = []
        self._length = 0
        if isinstance(node, Literal) and isinstance(node.value, str):
            exact = node.end - node.start - 2 == len(node.value)
            self._add(node.value, node.start + 1, exact, node.end - 1)
        elif isinstance(node, Template):
            for part in node.parts:
                if isinstance(part, Text):
                    self._add(part.value, part.start, part.end - part.start == len(part.value), part.end)
                elif isinstance(part, Interpolation):
                    self._add(_shown(part.expression, scope), part.start, False, part.end)
                else:
                    raise EvaluationError("a template with directives")
        else:
            raise EvaluationError("no text that is written out")

    def _add(self, text: str, start: int, exact: bool, end: int) -> None:
        self._pieces.append((self._length, start, exact, end))
        self._text.append(text)
        self._length += len(text)

    def parsed(self) -> Expression:
        """The document as nodes whose offsets are those of the text. Raises EvaluationError."""
        from policy_engine_plugins.terraform.json_syntax import read_value

        try:
            return read_value(Source("", "".join(self._text)))
        except SyntaxFault as fault:
            raise EvaluationError(fault.fault.message) from None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the file for offsets in the text."""
        return self._at(start, False), self._at(end, True)

    def _at(self, offset: int, is_end: bool) -> int:
        best = self._pieces[0]
        for piece in self._pieces:
            if piece[0] < offset or (piece[0] == offset and not is_end):
                best = piece
            elif piece[0] > offset:
                break
        begin, start, exact, end = best
        if exact:
            return min(start + offset - begin, end)
        return end if is_end else start


def _shown(node: Expression, scope: Scope) -> str:
    try:
        value = evaluate(node, scope)
        return "(unknown)" if isinstance(value, Unknown) else to_text(value)
    except (EvaluationError, NotKnown):
        return "(unknown)"
