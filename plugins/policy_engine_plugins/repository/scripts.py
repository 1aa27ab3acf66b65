"""What a line of shell that runs by itself must not do: run what it has just fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_LONGEST = 20_000
_PIPED = re.compile(
    r"\b(?:curl|wget)\b[^|;&\n]{0,2000}\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+)?"
    r"(?:ba|z|da|k)?(?:sh|python3?|node|perl|ruby)\b"
)
_SUBSTITUTED = re.compile(
    r"(?:\b(?:ba|z)?sh\b[^;&\n]{0,40}|\beval\b[^;&\n]{0,40}|\bsource\b\s*|^\s*\.\s*)(?:<\(|\"?\$\(|`)\s*(?:curl|wget)\b"
)
_OPEN_FETCH = re.compile(r"\b(?:curl|wget)\b[^|;&\n]{0,2000}\bhttp://(?!localhost|127\.)")
_POWERSHELL = re.compile(
    r"(?i)\b(?:iex|invoke-expression)\b[^;\n]{0,200}(?:downloadstring|\biwr\b|invoke-webrequest)|(?:\biwr\b|invoke-webrequest|downloadstring)[^;\n]{0,300}\|\s*(?:iex|invoke-expression)"
)


def downloads(command: Any) -> Iterator[str]:
    """What is wrong with a command, in words. A list is a command with its arguments."""
    if isinstance(command, list):
        command = " ".join(str(each) for each in command)
    if not isinstance(command, str):
        return
    command = command[:_LONGEST]
    if _PIPED.search(command) or _SUBSTITUTED.search(command) or _POWERSHELL.search(command):
        yield "runs what it fetches, unseen"
    elif _OPEN_FETCH.search(command):
        yield "fetches over an open connection"
