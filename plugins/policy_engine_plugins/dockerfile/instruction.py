"""One instruction taken apart: its flags, its words or its JSON list, each with its place. Nothing is filled in yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from policy_engine_plugins.dockerfile.lexical import Line, split_words

KEYWORDS = frozenset(
    (
        *("FROM", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "USER", "WORKDIR", "EXPOSE", "VOLUME", "SHELL", "CMD"),
        *("ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "ONBUILD"),
    )
)
_JSON_KEYWORDS = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"})
_PAIR_KEYWORDS = frozenset({"ENV", "LABEL"})
_WORD_KEYWORDS = frozenset({"FROM", "COPY", "ADD", "EXPOSE", "VOLUME"})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"\S+")
MAX_WORDS = 5_000


class Raw(NamedTuple):
    """A stretch of a logical line as it is written; `start` and `end` are indexes in the line's text."""

    text: str
    start: int
    end: int


class Flag(NamedTuple):
    """`--name=value`; `value` is None where there is no `=`."""

    name: str
    value: Raw | None
    start: int
    end: int


class Pair(NamedTuple):
    """`name=value` of ENV, LABEL and ARG; `value` is None where an ARG has no default."""

    name: Raw
    value: Raw | None
    start: int
    end: int


class Instruction(Struct):
    """An instruction. `line` is where it stands; one behind ONBUILD begins further right in it."""

    keyword: str
    line: Line
    start: int
    rest: Raw
    flags: list[Flag] = field(default_factory=list)
    form: str = ""
    words: list[Raw] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    inner: Instruction | None = None
    fault: tuple[str, int, int] | None = None
    """What is wrong with it, and where in the line's text; the rest of it is then not to be trusted."""


def read_instruction(line: Line, escape: str) -> Instruction:
    """The instruction of a logical line."""
    match = _WORD.search(line.text.text)
    start = match.start() if match else 0
    return _read(line, line.keyword, start, line.arguments, escape)


def _read(line: Line, keyword: str, start: int, arguments: int, escape: str) -> Instruction:
    text = line.text.text
    end = len(text.rstrip())
    found = Instruction(keyword, line, start, Raw(text[arguments:end], arguments, max(arguments, end)))
    if keyword not in KEYWORDS:
        return found
    if keyword == "ONBUILD":
        return _onbuild(found, escape)
    arguments = _read_flags(found, text, arguments, end)
    found.rest = Raw(text[arguments:end], arguments, max(arguments, end))
    if arguments >= end:
        found.fault = (f"{keyword} wants an argument", start, start + len(keyword))
        return found
    if keyword == "HEALTHCHECK":
        return _healthcheck(found, escape)
    if keyword in _JSON_KEYWORDS:
        listed = _json_list(found.rest)
        if isinstance(listed, str):
            found.fault = (listed, arguments, end)
            return found
        if listed is not None:
            found.form, found.words = "exec", listed
            return found
        found.form = "shell"
    if keyword in _PAIR_KEYWORDS:
        _read_pairs(found, text, arguments, end, escape)
    elif keyword == "ARG":
        for at, stop in split_words(text, arguments, end, escape):
            name, sign, _ = text[at:stop].partition("=")
            value = Raw(text[at + len(name) + 1 : stop], at + len(name) + 1, stop) if sign else None
            found.pairs.append(Pair(Raw(name, at, at + len(name)), value, at, stop))
    elif keyword in _WORD_KEYWORDS:
        found.words = [Raw(word[0], word.start(), word.end()) for word in _WORD.finditer(text, arguments, end)]
    if len(found.words) > MAX_WORDS or len(found.pairs) > MAX_WORDS:
        found.fault = (f"more than {MAX_WORDS:,} words", arguments, end)
    return found


def _onbuild(found: Instruction, escape: str) -> Instruction:
    match = _WORD.match(found.rest.text)
    if match is None:
        found.fault = ("ONBUILD wants an instruction", found.start, found.start + len(found.keyword))
        return found
    keyword = match[0].upper()
    begin = found.rest.start
    if keyword not in KEYWORDS or keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        found.fault = (f"ONBUILD cannot be followed by {keyword[:60]}", begin, begin + match.end())
        return found
    arguments = begin + match.end()
    text = found.line.text.text
    while arguments < found.rest.end and text[arguments].isspace():
        arguments += 1
    found.inner = _read(found.line, keyword, begin, arguments, escape)
    return found


def _healthcheck(found: Instruction, escape: str) -> Instruction:
    match = _WORD.match(found.rest.text)
    kind = match[0].upper() if match else ""
    begin = found.rest.start
    after = begin + (match.end() if match else 0)
    text = found.line.text.text
    while after < found.rest.end and text[after].isspace():
        after += 1
    if kind == "NONE" and after >= found.rest.end:
        found.form = "none"
    elif kind == "CMD" and after < found.rest.end:
        found.rest = Raw(text[after : found.rest.end], after, found.rest.end)
        listed = _json_list(found.rest)
        found.form = "exec" if isinstance(listed, list) else "shell"
        found.words = listed if isinstance(listed, list) else []
    else:
        found.fault = ("HEALTHCHECK wants NONE, or CMD with a command", begin, max(after, begin + 1))
    return found


def _read_flags(found: Instruction, text: str, position: int, end: int) -> int:
    """Reads the `--flags` at the front; gives the index behind them."""
    while text.startswith("--", position):
        begin = position
        value: list[str] = []
        quote = ""
        while position < end:
            char = text[position]
            if char == "\\" and position + 1 < end:
                value.append(text[position + 1])
                position += 2
                continue
            if quote:
                if char == quote:
                    quote = ""
                else:
                    value.append(char)
            elif char in "'\"":
                quote = char
            elif char.isspace():
                break
            else:
                value.append(char)
            position += 1
        word = "".join(value)
        stop = position
        while position < end and text[position].isspace():
            position += 1
        if word == "--":
            break
        name, sign, rest = word[2:].partition("=")
        raw = None
        if sign:
            at = text.find("=", begin, stop) + 1
            raw = Raw(rest, at, stop)
        found.flags.append(Flag(name.lower(), raw, begin, stop))
        if len(found.flags) > MAX_WORDS:
            found.fault = (f"more than {MAX_WORDS:,} flags", begin, stop)
            break
    return position


_GAP = re.compile(r"[\t\v\f\r ]+")


def _json_list(rest: Raw) -> list[Raw] | str | None:
    """The items of a JSON list of text; None where it is none and so a command for the shell; a fault where it is a
    list of something else. Like BuildKit's, it does not care what follows the list."""
    if not rest.text.startswith("["):
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(rest.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    if not all(isinstance(item, str) for item in value):
        return "a list in JSON form may hold text alone"
    places = _STRING.finditer(rest.text)
    return [
        Raw(item, rest.start + place.start(), rest.start + place.end())
        for item, place in zip(value, places, strict=False)
    ]


def _read_pairs(found: Instruction, text: str, start: int, end: int, escape: str) -> None:
    words = list(split_words(text, start, end, escape))
    first = text[words[0][0] : words[0][1]]
    if "=" not in first:
        # The old form: one name, and all the rest is its value. Quotes mean nothing between the two.
        at = words[0][0]
        gap = _GAP.search(text, at, end)
        if gap is None or gap.end() == end:
            found.fault = (f"{found.keyword} wants a value for '{first[:60]}'", *words[0])
            return
        key, value = Raw(text[at : gap.start()], at, gap.start()), Raw(text[gap.end() : end], gap.end(), end)
        found.pairs.append(Pair(key, value, at, end))
        found.form = "legacy"
        return
    for at, stop in words:
        name, sign, _ = text[at:stop].partition("=")
        if not sign:
            found.fault = (f"'{text[at:stop][:60]}' is not of the form name=value", at, stop)
            return
        begin = at + len(name) + 1
        found.pairs.append(Pair(Raw(name, at, begin - 1), Raw(text[begin:stop], begin, stop), at, stop))


def mount_options(value: Raw) -> Iterator[tuple[str, Raw | None, int, int]]:
    """The `key=value` parts of a `--mount`, with their places where the flag is written without quotes or escapes."""
    exact = len(value.text) == value.end - value.start
    position = 0
    for part in _comma_parts(value.text):
        begin, stop = value.start, value.end
        if exact:
            begin, stop = value.start + position, value.start + position + len(part)
        position += len(part) + 1
        key, sign, text = part.strip('"').partition("=")
        yield key.strip().lower(), Raw(text, begin, stop) if sign else None, begin, stop


def _comma_parts(text: str) -> Iterator[str]:
    start = 0
    quoted = False
    for index, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            yield text[start:index]
            start = index + 1
    yield text[start:]
