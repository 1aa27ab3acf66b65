"""Values put together from several places of several files, each part knowing where it is written.

A value of one document is told by that document and a path in it. A mapping or list that was composed (merged,
extended, filled in) remembers for each of its parts where that part comes from.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.scalar_source import ScalarSource
from policy_engine.span import Location, Span, location_of
from policy_engine.yaml_document import Mark, YamlDocument, YamlMapping, YamlSequence


class Origin(Struct, frozen=True):
    """A place in a document."""

    document: YamlDocument
    path: AttributePath
    source: ScalarSource

    def child(self, step: str | int) -> Origin:
        return Origin(self.document, (*self.path, step), self.source)

    def location(self) -> Location:
        return location_of((self.document.path, self.document.at(self.path)))

    def extent(self) -> Location:
        return Location(self.document.path, self.document.extent(self.path))

    def mark(self) -> Mark | None:
        """The mark of the value that stands there."""
        value, mark = self.document.value, self.document.mark
        for step in self.path:
            if type(value) is YamlMapping and isinstance(step, str) and step in value.marks:
                mark = value.marks[step][1]
            elif type(value) is YamlSequence and isinstance(step, int) and 0 <= step < len(value):
                mark = value.marks[step]
            else:
                return None
            value = value[step]
        return mark

    def written(self) -> Any:
        """The value that stands there, as it is written; None where the place is not in the document."""
        value: Any = self.document.value
        for step in self.path:
            if isinstance(value, dict):
                value = value.get(str(step))
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            else:
                return None
        return value

    def stretch(self, text: str, start: int, end: int) -> Location:
        """The place of `text[start:end]`, where `text` is the scalar's value; the whole scalar where it is not written
        as it reads."""
        mark = self.mark()
        span = None if mark is None else self.source.stretch(mark, text, start, end)
        return self.location() if span is None else Location(self.document.path, Span(*span))


class Placed(dict[str, Any]):
    """A composed mapping; `origins` has the place of each value."""

    __slots__ = ("origins",)
    origins: dict[str, Origin]

    def __init__(self) -> None:
        self.origins = {}

    def put(self, key: str, value: Any, origin: Origin) -> None:
        self[key] = value
        self.origins[key] = origin

    def put_all(self, mapping: dict[str, Any], origin: Origin) -> None:
        """All entries of a mapping that stands at `origin`, over those of the same keys."""
        self.update(mapping)
        if type(mapping) is Placed:
            self.origins.update(mapping.origins)
        else:
            document, path, source = origin.document, origin.path, origin.source
            self.origins.update({key: Origin(document, (*path, key), source) for key in mapping})


class PlacedList(list[Any]):
    """A composed list; `origins` has the place of each item."""

    __slots__ = ("origins",)
    origins: list[Origin]

    def __init__(self) -> None:
        self.origins = []

    def put(self, value: Any, origin: Origin) -> None:
        self.append(value)
        self.origins.append(origin)


def origin_of(value: Any, origin: Origin, step: str | int) -> Origin:
    """Where the part `step` of `value` is written, which itself stands at `origin`."""
    if type(value) is Placed:
        return value.origins.get(str(step), origin)
    if type(value) is PlacedList:
        return value.origins[step] if isinstance(step, int) and step < len(value.origins) else origin
    return Origin(origin.document, (*origin.path, step), origin.source)


def find(value: Any, origin: Origin, path: AttributePath) -> tuple[Any, Origin, AttributePath]:
    """The value at a path, where it is written, and what is left of the path where it leads no further."""
    for number, step in enumerate(path):
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            value, origin = dict.__getitem__(value, step), origin_of(value, origin, step)
        elif isinstance(value, list) and type(step) is int and 0 <= step < len(value):
            value, origin = value[step], origin_of(value, origin, step)
        else:
            return value, origin, path[number:]
    return value, origin, ()
