"""The comments of a file, from its own tokens."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.unit import Comment
from policy_engine_plugins.terraform.parser import parse
from policy_engine_plugins.terraform.source import decode


def comments(path: str, data: bytes) -> Iterator[Comment]:
    if path.endswith(".json"):
        return  # JSON has none
    source, _ = decode(path, data)
    text = source.text
    previous_end, previous_alone = 0, True
    for start, end in parse(source).comments:
        inner_start, inner_end = start + (1 if text[start] == "#" else 2), end
        if text.startswith("/*", start) and text.endswith("*/", start, end):
            inner_end -= 2
        location = source.location(start, end)
        line_start = start - location.span.start_column + 1
        # Looking back to the previous comment at most keeps a line of a million comments cheap.
        if previous_end > line_start:
            alone = previous_alone and not text[previous_end:start].strip()
        else:
            alone = not text[line_start:start].strip()
        previous_end, previous_alone = end, alone
        yield Comment(location, text[inner_start:inner_end], alone)
