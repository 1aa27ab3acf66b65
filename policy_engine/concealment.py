"""Places whose text no output may show: what a format knows to be a secret is cut out, to the character."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from policy_engine.redaction import MAX_CHARACTERS, redact
from policy_engine.span import Location

if TYPE_CHECKING:
    from policy_engine.finding import Finding, Passed
    from policy_engine.unit import Problem

MASK = "****"
CUT_OFF = "..."
"""Ends what is shown of a text that is too long."""
MAX_CUT_OFFS = 100
"""How many of them in one text are looked at: a message has a few."""
_LEAST_CHARACTERS = 6
"""Shorter texts are cut out of the lines they stand in, and nowhere else: `admin` is a word of many messages."""


class Concealment:
    """What one unit, or all units so far, have found. The texts stay in memory, and go nowhere.

    known  what others have found before, which holds too
    """

    __slots__ = ("_known", "_not_known", "_places", "_texts")

    def __init__(self, known: Concealment | None = None) -> None:
        self._known = known
        self._not_known: set[str] = set()
        self._places: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._texts: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._places or self._texts or self._not_known or self._known)

    def alone(self) -> Concealment:
        """This without what others have found before."""
        if self._known is None:
            return self
        own = Concealment()
        own.take(self)
        return own

    def take(self, other: Concealment) -> None:
        """Adds what another has found itself."""
        self._not_known.update(other._not_known)
        self._texts.update(other._texts)
        for key, places in other._places.items():
            self._places.setdefault(key, []).extend(places)

    def other_files(self) -> None:
        """Keeps the texts and forgets the places: what follows are other files, or the same ones at another time."""
        self._places = {}

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
        if self._is_not_known((path,)):
            return ""
        cut = len(line) > MAX_CHARACTERS
        if cut:
            line = line[:MAX_CHARACTERS]
        shown, position = [], 0
        for start, end in sorted(self._places_in(path, number)):
            if end > position:
                shown.append(line[position : max(start, position)])
                # What follows another secret without a gap is covered by its mask.
                if start >= position:
                    shown.append(MASK)
                position = end
        line = self.text("".join(shown) + line[position:])
        return self._without_beginnings(line + CUT_OFF) if cut else line

    def text(self, text: str) -> str:
        """Any text as it may be shown: a message with a value in it, an address."""
        for each in sorted((each for each in self._all_texts() if each in text), key=len, reverse=True):
            text = text.replace(each, MASK)
        return self._without_beginnings(text) if CUT_OFF in text else text

    def _without_beginnings(self, text: str) -> str:
        """Where a text was cut off, the beginning of a secret may be left; it may have been cut before the secret was
        known."""
        texts = sorted(self._all_texts())
        longest = max(map(len, texts), default=0)
        position = text.find(CUT_OFF)
        for _ in range(MAX_CUT_OFFS if longest else 0):
            if position < 0:
                break
            for length in range(min(longest, position), _LEAST_CHARACTERS - 1, -1):
                beginning = text[position - length : position]
                at = bisect_left(texts, beginning)
                if at < len(texts) and texts[at].startswith(beginning):
                    text = text[: position - length] + MASK + text[position:]
                    position += len(MASK) - length
                    break
            position = text.find(CUT_OFF, position + 1)
        return text

    def _all_texts(self) -> Iterator[str]:
        yield from self._texts
        if self._known is not None:
            yield from self._known._all_texts()

    def _places_in(self, path: str, number: int) -> list[tuple[int, int]]:
        own = self._places.get((path, number), [])
        return own if self._known is None else [*own, *self._known._places_in(path, number)]

    def _is_not_known(self, paths: Iterable[str]) -> bool:
        if self._not_known and not self._not_known.isdisjoint(paths):
            return True
        return self._known is not None and self._known._is_not_known(paths)

    def findings(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings as they may be told. Their fingerprints stay: they were made of rule, address and path."""
        if not self:
            return list(findings)
        # Titles, remediations and addresses come again and again.
        as_told = _Remembered(self.text).__getitem__
        guessed = _Remembered(lambda text: redact(self.text(text))).__getitem__
        told = []
        for each in findings:
            paths = (each.location.path, *(place.path for place, _ in each.related))
            told.append(_hidden(each, guessed if self._is_not_known(paths) else as_told))
        return told

    def passes(self, passes: Sequence[Passed]) -> Sequence[Passed]:
        if not self:
            return passes
        as_told = _Remembered(self.text).__getitem__
        return [each._replace(address=as_told(each.address)) for each in passes]

    def problems(self, problems: Iterable[Problem]) -> list[Problem]:
        return [replace(each, message=self.text(each.message)) for each in problems] if self else list(problems)


class _Remembered(dict[str, str]):
    """What a function makes of texts, each worked out once."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> str:
        made = self[text] = self._function(text)
        return made


def _hidden(finding: Finding, hide: Callable[[str], str]) -> Finding:
    texts = (finding.message, finding.snippet, finding.remediation, finding.address)
    told = tuple(map(hide, texts))
    if told == texts and not (finding.path or finding.related or finding.twins):
        return finding
    message, snippet, remediation, address = told
    return finding._replace(
        message=message,
        snippet=snippet,
        remediation=remediation,
        address=address,
        path=tuple(hide(step) if isinstance(step, str) else step for step in finding.path),
        related=tuple((place, hide(phrase)) for place, phrase in finding.related),
        twins=tuple(replace(twin, address=hide(twin.address)) for twin in finding.twins),
    )
