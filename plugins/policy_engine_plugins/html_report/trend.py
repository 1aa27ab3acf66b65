"""What earlier runs came to, drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policy_engine.moment import Moment
from policy_engine.verdict import ControlStatus
from policy_engine_plugins.html_report.markup import table, text
from policy_engine_plugins.html_report.status import css_class

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 220, 48, 28, 12
_STACKED = [
    status for status in ControlStatus if status not in (ControlStatus.NO_EVIDENCE, ControlStatus.NOT_APPLICABLE)
]


def section(moments: Sequence[Moment]) -> Iterator[str]:
    if not moments:
        return
    yield '<section aria-labelledby="trend"><h2 id="trend">Trend</h2>\n'
    first, last = moments[0].at[:10], moments[-1].at[:10]
    told = f"{moments[0].open} at first, {moments[-1].open} now"
    yield _figure(f"Open findings of {len(moments)} runs from {first} to {last}: {told}", list(_line(moments)))
    if any(each.controls for each in moments):
        yield _figure(f"Controls by status, from {first} to {last}", list(_areas(moments)))
    yield "<details><summary>The runs as a table</summary>"
    yield table(
        "Runs",
        ("Time", "Open", "New", "Fixed", "Reopened", *(each.value.capitalize() for each in _STACKED)),
        [
            (
                text(each.at),
                *(f"{number:,}" for number in (each.open, each.new, each.fixed, each.reopened)),
                *(str(each.controls.get(status.value, 0)) if each.controls else "" for status in _STACKED),
            )
            for each in reversed(moments)
        ],
        numbers=range(1, 5 + len(_STACKED)),
    )
    yield "</details></section>\n"


def _figure(caption: str, shapes: Sequence[str]) -> str:
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(caption)}">'
        f"{''.join(shapes)}</svg><figcaption>{text(caption)}</figcaption></figure>\n"
    )


def _scale(moments: Sequence[Moment], most: int) -> tuple[Callable[[int], float], Callable[[float], float]]:
    span = max(1, len(moments) - 1)
    top = max(1, most)

    def x(index: int) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 8) * (index / span if len(moments) > 1 else 0.5), 1)

    def y(value: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / top, 1)

    return x, y


def _axes(moments: Sequence[Moment], most: int) -> Iterator[str]:
    _, y = _scale(moments, most)
    for value in sorted({0, most // 2, most}):
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(value)}" y2="{y(value)}"/>'
        yield f'<text class="label end" x="{_LEFT - 6}" y="{y(value) + 4}">{value:,}</text>'
    yield f'<text class="label" x="{_LEFT}" y="{_HEIGHT - 8}">{text(moments[0].at[:10])}</text>'
    if len(moments) > 1:
        yield f'<text class="label end" x="{_WIDTH - 8}" y="{_HEIGHT - 8}">{text(moments[-1].at[:10])}</text>'


def _line(moments: Sequence[Moment]) -> Iterator[str]:
    most = max(max(each.open, each.new, each.fixed) for each in moments)
    x, y = _scale(moments, most)
    yield from _axes(moments, most)
    points = " ".join(f"{x(index)},{y(each.open)}" for index, each in enumerate(moments))
    yield f'<polyline class="line" points="{points}"/>'
    if len(moments) <= 60:
        for index, each in enumerate(moments):
            told = f"{each.at}: {each.open} open, {each.new} new, {each.fixed} fixed, {each.reopened} reopened"
            yield f'<circle class="dot" cx="{x(index)}" cy="{y(each.open)}" r="4"><title>{text(told)}</title></circle>'


def _areas(moments: Sequence[Moment]) -> Iterator[str]:
    """One band for each status, on top of each other, of the runs that told controls."""
    known = [each for each in moments if each.controls]
    sums = [sum(each.controls.get(status.value, 0) for status in _STACKED) for each in known]
    most = max([*sums, 1])
    x, y = _scale(known, most)
    yield from _axes(known, most)
    below = [0] * len(known)
    for status in _STACKED:
        above = [low + each.controls.get(status.value, 0) for low, each in zip(below, known, strict=True)]
        if len(known) > 1:
            top = [f"{x(index)},{y(value)}" for index, value in enumerate(above)]
            base = [f"{x(index)},{y(value)}" for index, value in reversed(list(enumerate(below)))]
            yield f'<polygon class="area {css_class(status)}" points="{" ".join([*top, *base])}">'
            yield f"<title>{status.value}</title></polygon>"
        elif above[0] > below[0]:
            height = y(below[0]) - y(above[0])
            left = x(0) - 20
            yield f'<rect class="area {css_class(status)}" x="{left}" width="40" y="{y(above[0])}" height="{height}">'
            yield f"<title>{status.value}</title></rect>"
        below = above
