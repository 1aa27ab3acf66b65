"""Text with `${{ }}` in it: taken apart, and known as far as it can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from policy_engine.unknown import Unknown
from policy_engine_plugins.github.evaluate import evaluate, to_text
from policy_engine_plugins.github.expression import ExpressionError, Node, parse

OPEN, CLOSE = "${{", "}}"


class Part(Struct, frozen=True):
    """A piece of text, or an expression with its tree; `start` and `end` are offsets of the whole piece in the text."""

    start: int
    end: int
    text: str
    node: Node | None = None


class Fault(Struct, frozen=True):
    message: str
    offset: int


def split(text: str) -> tuple[list[Part], list[Fault]]:
    """The parts of a text, and what is wrong with its expressions. A faulty expression stays in as text."""
    parts: list[Part] = []
    faults: list[Fault] = []
    position = 0
    while True:
        opened = text.find(OPEN, position)
        if opened < 0:
            break
        closed = _closing(text, opened + len(OPEN))
        if closed is None:
            faults.append(Fault("'${{' is not closed with '}}'", opened))
            break
        if opened > position:
            parts.append(Part(position, opened, text[position:opened]))
        inner = text[opened + len(OPEN) : closed]
        end = closed + len(CLOSE)
        try:
            parts.append(Part(opened, end, inner.strip(), parse(inner)))
        except ExpressionError as error:
            faults.append(Fault(str(error), opened + len(OPEN) + error.offset))
            parts.append(Part(opened, end, text[opened:end]))
        position = end
    if position < len(text):
        parts.append(Part(position, len(text), text[position:]))
    return parts, faults


def _closing(text: str, position: int) -> int | None:
    """Where the `}}` stands that ends an expression: one inside a quoted text does not."""
    while position < len(text):
        if text[position] == "'":
            quote = text.find("'", position + 1)
            if quote < 0:
                return None
            position = quote + 1
        elif text.startswith(CLOSE, position):
            return position
        else:
            position += 1
    return None


def known(parts: list[Part], contexts: Mapping[str, Any]) -> Any:
    """What the text comes to: a value where all of it can be known, else an Unknown that keeps the known pieces."""
    if len(parts) == 1 and parts[0].node is not None:
        value = evaluate(parts[0].node, contexts)
        return _unknown(parts, contexts) if isinstance(value, Unknown) else value
    pieces = []
    for part in parts:
        if part.node is None:
            pieces.append(part.text)
            continue
        value = evaluate(part.node, contexts)
        if isinstance(value, Unknown):
            return _unknown(parts, contexts)
        pieces.append(to_text(value))
    return "".join(pieces)


def _unknown(parts: list[Part], contexts: Mapping[str, Any]) -> Unknown:
    fragments: list[str | None] = []
    depends = []
    for part in parts:
        value = part.text if part.node is None else evaluate(part.node, contexts)
        if isinstance(value, Unknown):
            depends.append(part.text)
            fragments.append(None)
        elif fragments and fragments[-1] is not None:
            fragments[-1] += to_text(value)
        else:
            fragments.append(to_text(value))
    listed = ", ".join(f"${{{{ {each} }}}}" for each in dict.fromkeys(depends[:3]))
    return Unknown(f"depends on {listed}", fragments=tuple(fragments))
