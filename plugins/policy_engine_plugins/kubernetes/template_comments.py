"""The comments of a chart's template: YAML's `#` and the template's own `{{/* */}}`."""

from __future__ import annotations

import re

from policy_engine.span import Location, Span
from policy_engine.unit import Comment

_TEMPLATE_COMMENT = re.compile(r"\{\{-?\s*/\*((?:[^*]|\*(?!/))*)\*/\s*-?\}\}")
# A `#` behind a blank, or at the start of the line, that no quote is open before.
_COMMENT = re.compile(r"""^((?:[^"'#\n]|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|(?<=[^\s])\#)*?)(?:(?<=\s)|^)\#(.*)$""")


def comments(data: bytes, path: str) -> list[Comment]:
    found = []
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if "policy-engine:" not in line:
            continue  # no other comment is asked for, and a template is no YAML that a scanner could read
        line = line.rstrip("\r")
        match = _TEMPLATE_COMMENT.search(line)
        if match is not None:
            alone = not (line[: match.start()] + line[match.end() :]).strip()
            start, end, text = match.start(), match.end(), match.group(1)
        else:
            match = _COMMENT.match(line)
            if match is None:
                continue
            alone = not match.group(1).strip()
            start, end, text = match.end(1), len(line), match.group(2)
        found.append(Comment(Location(path, Span(number, start + 1, number, end + 1)), text, alone))
    return found
