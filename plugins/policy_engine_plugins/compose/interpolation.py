"""Fills `$NAME` and `${NAME:-default}` into text, as Compose does."""

from __future__ import annotations

import re
from collections.abc import Mapping

from policy_engine.unknown import Unknown

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_MAX_DEPTH = 20
_MAX_TEXT = 65_536

Variables = Mapping[str, "str | Unknown"]


class InterpolationError(ValueError):
    """A `$` that begins nothing Compose knows."""


def interpolate(text: str, variables: Variables, depth: int = 0) -> str | Unknown:
    """The text with its variables filled in. Raises InterpolationError."""
    if depth > _MAX_DEPTH or len(text) > _MAX_TEXT:
        return Unknown("its variables are nested too deeply, or it is too long")
    pieces: list[str | Unknown] = []
    position = 0
    while True:
        sign = text.find("$", position)
        if sign < 0:
            pieces.append(text[position:])
            return _joined(pieces)
        pieces.append(text[position:sign])
        following = text[sign + 1 : sign + 2]
        if following == "$":
            pieces.append("$")
            position = sign + 2
        elif following == "{":
            close = _closing(text, sign + 2)
            pieces.append(_braced(text[sign + 2 : close], variables, depth))
            position = close + 1
        else:
            match = _NAME.match(text, sign + 1)
            if match is None:
                raise InterpolationError("'$' begins a variable; write '$$' for the sign itself")
            pieces.append(_value(match[0], variables))
            position = match.end()


def _closing(text: str, start: int) -> int:
    """The index of the brace that closes the one before `start`."""
    open_ = 1
    for index in range(start, len(text)):
        if text[index] == "{" and text[index - 1] == "$":
            open_ += 1
        elif text[index] == "}":
            open_ -= 1
            if not open_:
                return index
    raise InterpolationError("'${' is not closed")


def _braced(inner: str, variables: Variables, depth: int) -> str | Unknown:
    match = _NAME.match(inner)
    if match is None:
        raise InterpolationError("'${' wants a name")
    name, rest = match[0], inner[match.end() :]
    if not rest:
        return _value(name, variables)
    operator = _OPERATOR.match(rest)
    if operator is None:
        raise InterpolationError(f"'${{{inner[:60]}}}' is not a form that Compose knows")
    word = rest[operator.end() :]
    value = variables.get(name)
    empty_too = operator[0].startswith(":")
    if isinstance(value, Unknown):
        return Unknown(value.reason, value.origin)
    given = value is not None and not (empty_too and not value)
    kind = operator[0][-1]
    if kind == "+":
        if value is None:
            return Unknown(f"whether the environment variable '{name[:60]}' is set is known when it starts")
        return interpolate(word, variables, depth + 1) if given else ""
    if given and value is not None:
        return value
    if kind == "-":
        return interpolate(word, variables, depth + 1)
    return _value(name, {})


def _value(name: str, variables: Variables) -> str | Unknown:
    value = variables.get(name)
    if value is None:
        return Unknown(f"the environment variable '{name[:60]}' has no default here")
    return value


def _joined(pieces: list[str | Unknown]) -> str | Unknown:
    fragments: list[str | None] = []
    doubt: Unknown | None = None
    for piece in pieces:
        if isinstance(piece, Unknown):
            doubt = piece if doubt is None else doubt
        for each in (piece.fragments or (None,)) if isinstance(piece, Unknown) else (piece,):
            if fragments and each is not None and fragments[-1] is not None:
                fragments[-1] += each
            elif each != "" and not (fragments and each is None and fragments[-1] is None):
                fragments.append(each)
    if sum(len(each or "") for each in fragments) > _MAX_TEXT:
        return Unknown("the text is too long once its variables are filled in")
    if doubt is None:
        return "".join(each or "" for each in fragments)
    partly = len(fragments) > 1
    return Unknown(doubt.reason, doubt.origin, (), tuple(fragments) if partly else (), present=partly)


_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def read_env(text: str) -> dict[str, str | Unknown]:
    """The variables of an `.env` file. Lines that are none are passed over, as they are no part of the Compose file."""
    variables: dict[str, str | Unknown] = {}
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        match = _LINE.match(text, position, end)
        if match is None:
            position = end + 1
            continue
        at = match.end()
        quote = text[at : at + 1]
        if quote and quote in "'\"":
            close = _quote_end(text, at + 1, quote)
            raw = text[at + 1 : close]
            end = text.find("\n", close)
            end = len(text) if end < 0 else end
            if quote == "'":
                variables[match[1]] = raw
                position = end + 1
                continue
            raw = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), raw)
        else:
            raw = re.split(r"[ \t]#", text[at:end], maxsplit=1)[0].strip()
            raw = "" if raw.startswith("#") else raw
        try:
            variables[match[1]] = interpolate(raw, variables)
        except InterpolationError:
            variables[match[1]] = raw
        position = end + 1
    return variables


def _quote_end(text: str, start: int, quote: str) -> int:
    index = start
    while index < len(text):
        if text[index] == "\\" and quote == '"':
            index += 1
        elif text[index] == quote:
            return index
        index += 1
    return len(text)
