"""Places whose text no output may show: what a format knows to be a secret is cut out, to the character."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from policy_engine.redaction import MAX_CHARACTERS, redact
from policy_engine.span import Location

if TYPE_CHECKING:
    from policy_engine.finding import Finding
    from policy_engine.unit import Problem

MASK = "****"
_LEAST_CHARACTERS = 6
"""Shorter texts are cut out of the lines they stand in, and nowhere else: `admin` is a word of many messages."""


class Concealment:
    """What the units of a scan have found so far. The texts stay in memory, and go nowhere."""

    __slots__ = ("_not_known", "_places", "_texts")

    def __init__(self) -> None:
        self._not_known: set[str] = set()
        self._places: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._texts: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._places or self._texts or self._not_known)

    def other_files(self) -> None:
        """Keeps the texts and forgets the places: what follows are other files, or the same ones at another time."""
        self._places.clear()

    def add(self, location: Location, line: str) -> None:
        """`location` lies in one line, and `line` is that line as the file has it."""
        span = location.span
        start, end = span.start_column - 1, min(span.end_column - 1, len(line))
        if span.start_line != span.end_line or start >= end:
            raise ValueError(f"{location} is no part of one line")
        self._places.setdefault((location.path, span.start_line), []).append((start, end))
        text = line[start:end].strip()
        if len(text) >= _LEAST_CHARACTERS:
            self._texts[text] = None

    def not_known(self, paths: Iterable[str]) -> None:
        """Nobody could say what is a secret in these files: no line of them is shown."""
        self._not_known.update(paths)

    def line(self, path: str, number: int, line: str) -> str:
        """A line of a file as it may be shown."""
        if path in self._not_known:
            return ""
        cut = len(line) > MAX_CHARACTERS
        if cut:
            line = line[:MAX_CHARACTERS]
        shown, position = [], 0
        for start, end in sorted(self._places.get((path, number), ())):
            if end > position:
                shown.append(line[position : max(start, position)])
                # What follows another secret without a gap is covered by its mask.
                if start >= position:
                    shown.append(MASK)
                position = end
        line = self.text("".join(shown) + line[position:])
        if cut and self._texts:
            # What was cut off may have left the beginning of one.
            line = line[: max(0, len(line) - max(map(len, self._texts)))]
        return line + "..." if cut else line

    def text(self, text: str) -> str:
        """Any text as it may be shown: a message with a value in it, an address."""
        if self._texts:
            for each in sorted((each for each in self._texts if each in text), key=len, reverse=True):
                text = text.replace(each, MASK)
        return text

    def finding(self, finding: Finding) -> Finding:
        """A finding as it may be told. Its fingerprint stays: it was made of rule, address and path."""
        hide = self.text
        if self._not_known and not self._not_known.isdisjoint(
            {finding.location.path, *(place.path for place, _ in finding.related)}
        ):
            hide = self._guess
        return finding._replace(
            message=hide(finding.message),
            snippet=hide(finding.snippet),
            remediation=hide(finding.remediation),
            address=hide(finding.address),
            path=tuple(hide(step) if isinstance(step, str) else step for step in finding.path),
            related=tuple((place, hide(phrase)) for place, phrase in finding.related),
            twins=tuple(replace(twin, address=hide(twin.address)) for twin in finding.twins),
        )

    def _guess(self, text: str) -> str:
        return redact(self.text(text))

    def findings(self, findings: Iterable[Finding]) -> list[Finding]:
        return [self.finding(each) for each in findings] if self else list(findings)

    def problems(self, problems: Iterable[Problem]) -> list[Problem]:
        return [replace(each, message=self.text(each.message)) for each in problems] if self else list(problems)
