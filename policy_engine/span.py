"""Where something stands in a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct


class Span(NamedTuple):
    """A stretch of text. Lines and columns are 1-based and the end is exclusive, as SARIF regions are.

    Columns count Unicode code points. `\\n`, `\\r\\n` and a lone `\\r` end a line; nothing else does.
    """

    start_line: int
    start_column: int
    end_line: int
    end_column: int

    @property
    def whole(self) -> bool:
        """Whether it stands for a file as a whole, or for one that is not there: no line of it is meant."""
        return self.start_line == 0

    def contains_line(self, line: int) -> bool:
        last = self.end_line if self.end_column > 1 else self.end_line - 1
        return self.start_line <= line <= max(last, self.start_line)

    def __reduce__(self) -> tuple[Any, ...]:
        # Most of what processes send each other are places: without a call of the constructor they are read in half
        # the time.
        return tuple.__new__, (Span, tuple(self))


WHOLE_FILE = Span(0, 0, 0, 0)
"""A file as a whole (its name, its size, a key it holds), or one that is missing: where it would stand."""


class Location(NamedTuple):
    """A span in a named file; `path` is relative to the scan root, with forward slashes."""

    path: str
    span: Span

    def __str__(self) -> str:
        if self.span.whole:
            return self.path
        return f"{self.path}:{self.span.start_line}:{self.span.start_column}"

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple.__new__, (Location, tuple(self))


# Places are asked for by the thousand, and the constructor of a named tuple runs as Python code.
span_of: Callable[[tuple[int, int, int, int]], Span] = partial(tuple.__new__, Span)
"""The span of these numbers."""
location_of: Callable[[tuple[str, Span]], Location] = partial(tuple.__new__, Location)
"""The location of this path and span."""


class Trace(NamedTuple):
    """Where an attribute stands, and the chain of places its value came through, nearest first.

    `location` is the place to change; `related` pairs each further place with a phrase such as "used here". The value
    of a `sensitive` one, and the line it stands in, are not for showing.
    """

    location: Location
    related: tuple[tuple[Location, str], ...] = ()
    sensitive: bool = False


class Fixed(Struct, frozen=True):
    """Locates every attribute at the same place: for resources that are told as a whole."""

    location: Location

    def __call__(self, _path: object) -> Trace:
        return Trace(self.location)
