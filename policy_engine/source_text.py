"""A file's bytes as text, the same for whoever finds something in a file and for whoever shows it."""

from __future__ import annotations

import codecs


def source_text(data: bytes) -> str:
    """UTF-8, or UTF-16 where the file begins with its mark. Lines that are neither are read as Latin-1, each for
    itself: nothing is lost, and the other lines stay as they are."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return "".join(_line(each) for each in data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True))


def source_lines(text: str) -> list[str]:
    """The lines as spans count them, without their ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _line(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
