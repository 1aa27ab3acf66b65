"""Comments of any text file, as far as they can set a finding aside: those that begin with `policy-engine:`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_engine.source_text import source_lines, source_text
from policy_engine.span import Location, Span
from policy_engine.unit import Comment

_KINDS = (
    ("c h cc cpp cxx hpp hh cs java js jsx mjs cjs ts tsx mts cts go rs swift kt kts scala groovy gradle", "// /*"),
    ("dart proto json5 jsonc bicep php m mm zig v sol css scss less", "// /*"),
    ("tf tofu hcl tfvars nomad", "# // /*"),
    ("sql lua hs elm ada adb vhd", "-- /*"),
    ("ini cfg reg asm lisp clj cljs el scm", "; #"),
    ("html htm xml xhtml svg vue svelte md mdx markdown csproj config props targets plist", "<!--"),
    ("tex erl hrl", "%"),
    ("bat cmd", "rem"),
    ("vb vbs bas", "'"),
    ("rst", ".."),
    ("json", ""),
)
_SIGNS = {ending: tuple(signs.split()) for endings, signs in _KINDS for ending in endings.split()}
_CLOSE = {"/*": "*/", "<!--": "-->"}
_QUOTES = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")


def comments(path: str, data: bytes) -> Iterator[Comment]:
    text = source_text(data)
    if path.endswith((".py", ".pyi")):
        found = _python(path, text)
        if found is not None:
            yield from found
            return
    name = path.rpartition("/")[2].lower()
    signs = _SIGNS.get(name.rpartition(".")[2] if "." in name else "", ("#",))
    for number, line in enumerate(source_lines(text), 1):
        if "policy-engine:" in line:
            comment = _in_line(path, number, line, signs)
            if comment is not None:
                yield comment


def _in_line(path: str, number: int, line: str, signs: tuple[str, ...]) -> Comment | None:
    marker = line.index("policy-engine:")
    before = line[:marker].rstrip()
    for sign in signs:
        if not before.lower().endswith(sign):
            continue
        start = len(before) - len(sign)
        code = line[:start]
        # A sign in the middle of a word or of a string is none.
        if code and not code[-1].isspace() and code.strip():
            continue
        if any(quote in _QUOTES.sub("", code) for quote in "\"'`") and sign != "'":
            continue
        text = line[marker:]
        close = _CLOSE.get(sign)
        if close is not None:
            text = text.partition(close)[0]
        span = Span(number, start + 1, number, len(line) + 1)
        return Comment(Location(path, span), text.strip(), not code.strip())
    return None


def _python(path: str, text: str) -> list[Comment] | None:
    """From Python's own tokens, as its sources speak of comments in strings; None where they cannot be read."""
    import io
    import tokenize

    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT and "policy-engine:" in token.string:
                (line, column), (last, end) = token.start, token.end
                span = Span(line, column + 1, last, end + 1)
                alone = not token.line[:column].strip()
                found.append(Comment(Location(path, span), token.string.lstrip("#").strip(), alone))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return None
    return found
