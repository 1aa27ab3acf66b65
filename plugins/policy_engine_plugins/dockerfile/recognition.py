"""Which files of a telling name (`Dockerfile.web`) are Dockerfiles, told from their first instruction."""

from __future__ import annotations

import re

_SKIPPED = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")
_FIRST = re.compile(rb"(?i)(?:FROM|ARG)[ \t\\`]")
_TEMPLATE = re.compile(rb"(?m)^[ \t]*(?:\{%|<%|\{\{)")


def recognises(data: bytes) -> bool:
    """Whether the first instruction is FROM or ARG, as nothing else may come first, and no line is a template's."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    skipped = _SKIPPED.match(data)
    return _FIRST.match(data, skipped.end() if skipped else 0) is not None and _TEMPLATE.search(data) is None
