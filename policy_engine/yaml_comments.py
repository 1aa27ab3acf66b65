"""The comments of a YAML file, taken from the gaps between the scanner's tokens."""

from __future__ import annotations

from policy_engine.span import Location, Span
from policy_engine.unit import Comment
from policy_engine.yaml_builder import MAX_DEPTH
from policy_engine.yaml_text import LINE_BREAK, MAX_TAG_DIRECTIVES, count_breaks, disguise, find_illegal, new_parser


def scan_comments(text: str, path: str, first_line: int, found: list[Comment]) -> int:
    """Appends the comments; -1, or the index of the last document start where the text is broken behind it."""
    from yaml import YAMLError, tokens

    opening = (
        tokens.BlockMappingStartToken,
        tokens.BlockSequenceStartToken,
        tokens.FlowMappingStartToken,
        tokens.FlowSequenceStartToken,
    )
    closing = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)
    if find_illegal(text) or text.count("\n%TAG") > MAX_TAG_DIRECTIVES:
        return 0
    plain, _ = disguise(text)
    depth = document = position = 0
    gaps: list[tuple[int, int, int, int]] = []  # begin, end, line and column of the begin; only they can hold comments
    line = column = 0
    broken = False
    try:
        parser = new_parser(plain)
        for token in iter(parser.get_token, None):
            start, end = token.start_mark, token.end_mark
            if start.index > position:
                gaps.append((position, start.index, line, column))
            if end.index > position:
                position, line, column = end.index, end.line, end.column
            if isinstance(token, opening):
                depth += 1
                if depth > MAX_DEPTH:
                    broken = True
                    break
            elif isinstance(token, closing):
                depth -= 1
            elif isinstance(token, tokens.DocumentStartToken):
                document = start.index
            elif isinstance(token, tokens.ScalarToken) and token.style and token.style in "|>":
                # `key: |  # comment`: the comment stands between the indicator and the first line of the text.
                header = LINE_BREAK.search(text, start.index, end.index)
                gaps.append((start.index, header.start() if header else end.index, start.line, start.column))
    except YAMLError:
        broken = True
    for begin, end, line, column in gaps:
        line_start, counted, alone = begin - column, begin, column == 0
        at = text.find("#", begin, end)
        while at >= 0:
            breaks = count_breaks(text, counted, at)
            if breaks:
                line, alone = line + breaks, True
                line_start = max(text.rfind("\n", counted, at), text.rfind("\r", counted, at)) + 1
            counted = at
            line_break = LINE_BREAK.search(text, at)
            stop = line_break.start() if line_break else len(text)
            number = first_line + line
            span = Span(number, at - line_start + 1, number, stop - line_start + 1)
            found.append(Comment(Location(path, span), text[at + 1 : stop], alone))
            at = text.find("#", stop, end)
    return document if broken else -1
