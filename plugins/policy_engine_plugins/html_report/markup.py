"""Text as it may stand in a page. Everything that comes from elsewhere goes through here."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

from policy_engine.escape import for_terminal


def text(value: object) -> str:
    """Text between tags or in a quoted attribute."""
    return html.escape(for_terminal(str(value)), quote=True)


def data(value: Any) -> str:
    """JSON that can stand in a script element of type application/json: nothing in it ends the element."""
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table in a region that scrolls by itself. Cells are markup; `numbers` are the columns that hold numbers."""
    classes = ['class="number"' if index in numbers else "" for index in range(len(heads))]
    head = "".join(f'<th scope="col" {classes[index]}>{text(name)}</th>' for index, name in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td {classes[index]}>{cell}</td>" for index, cell in enumerate(row)) + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n"
    )


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
