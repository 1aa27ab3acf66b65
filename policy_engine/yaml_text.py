"""The text of a YAML file before it is parsed: decoding, lines, documents, and what YAML 1.1 and 1.2 disagree on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

MAX_TAG_DIRECTIVES = 100

# What YAML lets stand in a stream. The C parser would stop for others too, but without telling their line.
_ILLEGAL = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_LEGAL_ASCII = bytes(range(0x20, 0x7F)) + b"\t\n\r"
# YAML 1.1 ends lines here, YAML 1.2 and every editor do not. They are swapped for private characters while parsing.
_OLD_BREAKS = "\x85\u2028\u2029"
_DOCUMENT_MARKER = re.compile(r"(?:\A|(?<=[\r\n]))(?:---|\.\.\.)(?=[ \t\r\n]|\Z)")
LINE_BREAK = re.compile(r"\r\n|\r|\n")
# A pair of escapes, behind an even number of backslashes.
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
BLOCK_INDICATOR = re.compile(r"(?:[&!]\S*[ \t]+)*[|>][-+0-9]*")


@cache
def _illegal() -> re.Pattern[str]:
    # Compiled when first needed: a set of so many characters takes as long as reading a hundred files.
    return re.compile(_ILLEGAL)


def find_illegal(text: str) -> re.Match[str] | None:
    """The first character that must not stand in a YAML stream."""
    return _illegal().search(text)


def decode(data: bytes) -> tuple[str, bool]:
    """The text without its byte order mark, and whether it may be given to the parser as a whole."""
    if data.isascii() and not data.translate(None, _LEGAL_ASCII):
        return data.decode("ascii"), True
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        # What does not decode becomes a character that is refused where it stands.
        text = data.decode("utf-16", "replace").replace("\ufffd", "\ufffe")
        return text, find_illegal(text) is None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff"), False
    text = text.removeprefix("\ufeff")
    return text, find_illegal(text) is None


def count_breaks(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def chunks(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Stretches of one document each. `---` at the start of a line ends a document whatever it stands in."""
    begin = start
    for marker in _DOCUMENT_MARKER.finditer(text, start):
        if marker.group() == "---":
            end = marker.start()
        else:
            line_break = LINE_BREAK.search(text, marker.end())
            end = line_break.end() if line_break else len(text)
        if end > begin and not _is_prologue(text[begin:end]):
            yield begin, end
            begin = end
    if not _is_prologue(text[begin:]):
        yield begin, len(text)


def _is_prologue(chunk: str) -> bool:
    """Whether it holds nothing but directives and comments, which belong to the document after it."""
    return all(not line.strip() or line.startswith("%") or line.lstrip().startswith("#") for line in _lines(chunk))


def _lines(text: str) -> Iterator[str]:
    start = 0
    for line_break in LINE_BREAK.finditer(text):
        yield text[start : line_break.start()]
        start = line_break.end()
    yield text[start:]


def new_parser(text: str) -> Any:
    """PyYAML's event parser, the one written in C where it is there."""
    import yaml

    # The loader made of it would set up a constructor and a resolver for each text.
    parser = yaml.cyaml.CParser if yaml.__with_libyaml__ else yaml.SafeLoader  # type: ignore[attr-defined]
    return parser(text)


def disguise(text: str) -> tuple[str, dict[int, str | None] | None]:
    """A text of the same length that the parser takes as it is meant, and what turns its scalars back."""
    restore: dict[int, str | None] = {}
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    for char in _OLD_BREAKS:
        if char in text:
            swap = next(free)
            restore[ord(swap)] = char
            text = text.replace(char, swap)
    if text.lstrip()[:1] in ("{", "[") and _SURROGATES.search(text):
        # JSON writes characters beyond U+FFFF as two escapes, which the parser refuses. The padding keeps the places.
        padding = next(free)
        restore[ord(padding)] = None
        text = _SURROGATES.sub(lambda match: _one_escape(match) + padding * 2, text)
    return text, restore or None


def _one_escape(match: re.Match[str]) -> str:
    high, low = int(match.group(2), 16), int(match.group(3), 16)
    return f"{match.group(1)}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"
