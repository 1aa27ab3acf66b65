"""From the flat parts of a template to its tree: strip markers, indentation of `<<-` heredocs, nested directives."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from policy_engine_plugins.terraform.lexical import MAX_DEPTH, SyntaxFault
from policy_engine_plugins.terraform.syntax import (
    Expression,
    ForDirective,
    IfDirective,
    Interpolation,
    Part,
    Text,
)


class Marker(Struct, eq=False):
    """An interpolation or a directive as it stands in the text, before directives are matched with their ends."""

    start: int
    end: int
    kind: str  # "${", "if", "else", "endif", "for", "endfor"
    strip_before: bool
    strip_after: bool
    expression: Expression | None = None
    key_name: str | None = None
    value_name: str = ""


Token = Text | Marker


def strip(tokens: Sequence[Token]) -> None:
    """Applies `~`: white space goes from the literal part next to the marker (in a heredoc, one line's worth)."""
    for index, token in enumerate(tokens):
        if isinstance(token, Text):
            continue
        if token.strip_before and index:
            before = tokens[index - 1]
            if isinstance(before, Text):
                before.value = before.value.rstrip()
        if token.strip_after and index + 1 < len(tokens):
            after = tokens[index + 1]
            if isinstance(after, Text):
                kept = after.value.lstrip()
                after.start += len(after.value) - len(kept)
                after.value = kept


def unindent(tokens: Sequence[Token]) -> None:
    """Takes from every line the indentation they all share, as `<<-` asks. Blank lines do not count."""
    shared: int | None = None
    adjust: list[Text] = []
    line_begins = True
    for token in tokens:
        if line_begins:
            line_begins = False
            spaces = 0
            if isinstance(token, Text):
                kept = token.value.lstrip()
                if not kept and token.value.endswith("\n"):
                    line_begins = True
                    continue
                spaces = len(token.value) - len(kept)
                adjust.append(token)
            shared = spaces if shared is None else min(shared, spaces)
        if isinstance(token, Text) and token.value.endswith("\n"):
            line_begins = True
    if shared:
        for text in adjust:
            text.value = text.value[shared:]
            text.start += shared


def join(tokens: Sequence[Token]) -> list[Token]:
    """Joins neighbouring literals where the source has them side by side unchanged, so offsets inside stay exact."""
    joined: list[Token] = []
    run: list[Text] = []

    def flush() -> None:
        if len(run) > 1:
            joined.append(Text(run[0].start, run[-1].end, "".join(text.value for text in run)))
        else:
            joined.extend(run)
        run.clear()

    for token in tokens:
        if not isinstance(token, Text):
            flush()
            joined.append(token)
        elif token.value:
            if run and not (run[-1].end == token.start and _is_verbatim(run[-1]) and _is_verbatim(token)):
                flush()
            run.append(token)
    flush()
    return joined


def _is_verbatim(text: Text) -> bool:
    return text.end - text.start == len(text.value)


def assemble(tokens: Sequence[Token]) -> tuple[Part, ...]:
    """Nests what stands between directives."""
    parts: list[Part] = []
    # Each open directive with the parts before it, and for `if` the parts of its first branch once `else` was met.
    stack: list[tuple[Marker, list[Part], list[Part] | None]] = []
    for token in tokens:
        if isinstance(token, Text):
            parts.append(token)
        elif token.kind == "${":
            assert token.expression is not None
            parts.append(Interpolation(token.start, token.end, token.expression))
        elif token.kind in ("if", "for"):
            if len(stack) >= MAX_DEPTH // 2:
                raise SyntaxFault(token.start, token.end, "template directives are nested too deeply")
            stack.append((token, parts, None))
            parts = []
        elif token.kind == "else":
            if not stack or stack[-1][0].kind != "if" or stack[-1][2] is not None:
                raise SyntaxFault(token.start, token.end, "'else' without an 'if' directive before it")
            opened, before, _ = stack.pop()
            stack.append((opened, before, parts))
            parts = []
        else:
            wanted = token.kind[3:]
            if not stack or stack[-1][0].kind != wanted:
                raise SyntaxFault(token.start, token.end, f"'{token.kind}' without an '{wanted}' directive before it")
            opened, before, first = stack.pop()
            assert opened.expression is not None
            if wanted == "for":
                before.append(
                    ForDirective(
                        opened.start,
                        token.end,
                        opened.key_name,
                        opened.value_name,
                        opened.expression,
                        tuple(parts),
                    )
                )
            else:
                then, otherwise = (parts, []) if first is None else (first, parts)
                before.append(IfDirective(opened.start, token.end, opened.expression, tuple(then), tuple(otherwise)))
            parts = before
    if stack:
        opened = stack[-1][0]
        raise SyntaxFault(opened.start, opened.end, f"the '{opened.kind}' directive has no 'end{opened.kind}'")
    return tuple(parts)
