"""Fills variables into words, as BuildKit does (frontend/dockerfile/shell): quotes, escapes and `${name...}`."""

from __future__ import annotations

from collections.abc import Callable

from policy_engine.unknown import Unknown

MAX_VALUE = 65_536
_MAX_PATTERN = 64
_MAX_MATCHED = 256
_MAX_DEPTH = 20

Lookup = Callable[[str], "str | Unknown | None"]
"""The value of a variable; None where it is not set."""


class ExpansionError(ValueError):
    """A word that cannot be read."""


def expand(raw: str, escape: str, lookup: Lookup) -> str | Unknown:
    """The value of a word. Raises ExpansionError for a quote or a brace that is not closed."""
    if "$" not in raw and "'" not in raw and '"' not in raw and escape not in raw:
        return raw
    return _Word(raw, escape, lookup).read()


def join(pieces: list[str | Unknown]) -> str | Unknown:
    """Pieces as one value; bounded, as variables of variables grow without end."""
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
    if sum(len(each or "") for each in fragments) > MAX_VALUE or len(fragments) > 100:
        return Unknown("the value is too long once its variables are filled in")
    if doubt is None:
        return "".join(each or "" for each in fragments)
    if len(fragments) <= 1:
        return doubt
    return Unknown(doubt.reason, doubt.origin, (), tuple(fragments), present=True)


class _Word:
    """One pass over a word."""

    def __init__(self, raw: str, escape: str, lookup: Lookup) -> None:
        self.raw = raw
        self.escape = escape
        self.lookup = lookup
        self.position = 0

    def read(self) -> str | Unknown:
        return join(self.until("", 0))

    def until(self, stop: str, depth: int) -> list[str | Unknown]:
        """Pieces up to (and past) the sign `stop`, or to the end."""
        if depth > _MAX_DEPTH:
            raise ExpansionError("the variables are nested too deeply")
        raw = self.raw
        pieces: list[str | Unknown] = []
        while self.position < len(raw):
            char = raw[self.position]
            if char == stop:
                self.position += 1
                return pieces
            if char == "'":
                close = raw.find("'", self.position + 1)
                if close < 0:
                    raise ExpansionError("a single quote is not closed")
                pieces.append(raw[self.position + 1 : close])
                self.position = close + 1
            elif char == '"':
                self.double(pieces, depth)
            elif char == "$":
                pieces.append(self.dollar(depth))
            elif char == self.escape:
                if self.position + 1 < len(raw):
                    pieces.append(raw[self.position + 1])
                else:
                    pieces.append(char)
                self.position += 2
            else:
                pieces.append(char)
                self.position += 1
        if stop:
            raise ExpansionError(f"a '{stop}' is missing")
        return pieces

    def double(self, pieces: list[str | Unknown], depth: int) -> None:
        raw = self.raw
        self.position += 1
        while self.position < len(raw):
            char = raw[self.position]
            if char == '"':
                self.position += 1
                return
            if char == "$":
                pieces.append(self.dollar(depth))
            elif char == self.escape and raw[self.position + 1 : self.position + 2] in ('"', "$", self.escape):
                pieces.append(raw[self.position + 1])
                self.position += 2
            else:
                pieces.append(char)
                self.position += 1
        raise ExpansionError("a double quote is not closed")

    def dollar(self, depth: int) -> str | Unknown:
        raw = self.raw
        self.position += 1
        if raw[self.position : self.position + 1] != "{":
            name = self.name()
            return self.value(name) if name else "$"
        self.position += 1
        name = self.name()
        char = raw[self.position : self.position + 1]
        if not name or not char:
            raise ExpansionError("'${' wants a name and a '}'")
        self.position += 1
        if char == "}":
            return self.value(name)
        empty_too = char == ":"
        if empty_too:
            char = raw[self.position : self.position + 1]
            self.position += 1
        if char and char in "+-?":
            word = join(self.until("}", depth + 1))
            return self.conditional(name, char, word, empty_too)
        if char and char in "#%/" and not empty_too:
            return self.changed(name, char, depth)
        raise ExpansionError(f"'${{{name}...}}' has a modifier that is not known")

    def name(self) -> str:
        raw, start = self.raw, self.position
        if start < len(raw) and raw[start] in "@*#?-$!0123456789":
            self.position += 1
        else:
            while self.position < len(raw) and (raw[self.position] == "_" or raw[self.position].isalnum()):
                if not raw[self.position].isascii():
                    break
                self.position += 1
        return raw[start : self.position]

    def value(self, name: str) -> str | Unknown:
        found = self.lookup(name)
        return "" if found is None else found

    def conditional(self, name: str, sign: str, word: str | Unknown, empty_too: bool) -> str | Unknown:
        value = self.lookup(name)
        if isinstance(value, Unknown):
            # It may be unset, whatever text is known of it.
            return Unknown(value.reason, value.origin)
        given = value is not None and not (empty_too and value == "")
        if sign == "+":
            return word if given else ""
        if sign == "-":
            return value if given and value is not None else word
        if not given:
            raise ExpansionError(f"the variable '{name[:60]}' has to be set")
        return value or ""

    def changed(self, name: str, sign: str, depth: int) -> str | Unknown:
        """`${name#pattern}`, `##`, `%`, `%%`, and `/pattern/replacement`, `//`."""
        all_of_it = self.raw[self.position : self.position + 1] == sign
        if all_of_it:
            self.position += 1
        if sign == "/":
            pattern = join(self.until("/", depth + 1))
            replacement = join(self.until("}", depth + 1))
        else:
            pattern, replacement = join(self.until("}", depth + 1)), ""
        value = self.value(name)
        for each in (value, pattern, replacement):
            if isinstance(each, Unknown):
                return Unknown(each.reason, each.origin)
        assert isinstance(value, str) and isinstance(pattern, str) and isinstance(replacement, str)
        if len(value) > _MAX_MATCHED or len(pattern) > _MAX_PATTERN:
            return Unknown(f"the text of ${name[:60]} is too long to be matched with a pattern")
        if sign == "#":
            ends = range(len(value) + 1)
            found = [end for end in (reversed(ends) if all_of_it else ends) if glob(pattern, value[:end])]
            return value[found[0] :] if found else value
        if sign == "%":
            starts = range(len(value) + 1)
            found = [start for start in (starts if all_of_it else reversed(starts)) if glob(pattern, value[start:])]
            return value[: found[0]] if found else value
        return _replaced(value, pattern, replacement, all_of_it)


def _replaced(value: str, pattern: str, replacement: str, every: bool) -> str:
    parts = []
    position = 0
    while position < len(value):
        length = next(
            (n for n in range(len(value) - position, 0, -1) if glob(pattern, value[position : position + n])), 0
        )
        if length:
            parts.append(replacement)
            position += length
            if not every:
                break
        else:
            parts.append(value[position])
            position += 1
    return "".join(parts) + value[position:]


def glob(pattern: str, text: str) -> bool:
    """Whether a pattern of `*`, `?` and escaped signs is the whole text. Goes back to the last `*` alone."""
    at = index = 0
    star, mark = -1, 0
    while index < len(text):
        sign = pattern[at : at + 1]
        escaped = sign == "\\" and at + 1 < len(pattern)
        wanted = pattern[at + 1] if escaped else sign
        if sign == "*":
            star, mark = at, index
            at += 1
        elif sign and (sign == "?" or wanted == text[index]):
            at += 2 if escaped else 1
            index += 1
        elif star >= 0:
            mark += 1
            at, index = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")
