"""Where what helm renders comes from: the template's line, and the values it was filled in with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Span, Trace
from policy_engine.yaml_document import YamlDocument
from policy_engine_plugins.kubernetes.chart_copy import ChartCopy
from policy_engine_plugins.kubernetes.render import Rendered, RenderedDocument, line_span
from policy_engine_plugins.kubernetes.template_lines import Mark

_MAX_RELATED = 3
_ABSENT = object()


class ValuesLayer(Struct, frozen=True):
    """A file of values; those of a chart stand below `prefix` in it."""

    document: YamlDocument
    prefix: AttributePath


class TemplatePlaces:
    """The places of one rendered document."""

    def __init__(
        self, copy: ChartCopy, rendered: Rendered, document: RenderedDocument, layers: Sequence[ValuesLayer]
    ) -> None:
        self.copy = copy
        self.rendered = rendered
        self.document = document
        self.layers = layers

    def at(self, document: YamlDocument, path: AttributePath) -> Trace:
        span = document.at(path)
        marks = self._marks(span.start_line)
        if not marks:
            return Trace(self._header(document))
        location = self._location(marks[0])
        related: list[tuple[Location, str]] = []
        for outer in marks[1:]:
            place = self._location(outer)
            if place != location and not any(place == each for each, _ in related):
                related.append((place, "included here"))
        for mark in marks:
            found = list(self._values(document, path, mark))
            related.extend((place, "with this value") for place in found[:_MAX_RELATED])
            if found:
                break
        return Trace(location, tuple(related[: _MAX_RELATED + 1]))

    def extent(self, document: YamlDocument, path: AttributePath) -> Location:
        whole = document.extent(path)
        kind = (*path, "kind")
        header = self.at(document, path if _walk(document.value, kind) is _ABSENT else kind).location
        marks = self.document.marks
        if marks is None:
            return header
        lines = [
            each.line
            for line in range(whole.start_line, whole.end_line + 1)
            for each in self._marks(line)[:1]
            if self._path(each) == header.path
        ]
        source = self._lines(header.path)
        if not lines or source is None:
            return header
        first, last = line_span(source, min(lines)), line_span(source, max(lines))
        return Location(header.path, Span(first.start_line, first.start_column, last.end_line, last.end_column))

    def line(self, number: int) -> Location:
        """Where a rendered line comes from."""
        marks = self._marks(number)
        return self._location(marks[0]) if marks else self._header(None)

    def _marks(self, line: int) -> tuple[Mark, ...]:
        marks = self.document.marks
        return marks[line - 1] if marks is not None and 0 < line <= len(marks) else ()

    def _path(self, mark: Mark) -> str | None:
        """The file of the tree; None for one from an archive."""
        return self.copy.sources.get(self.rendered.templates[mark.file])

    def _lines(self, path: str) -> list[str] | None:
        for name, lines in zip(self.rendered.templates, self.rendered.texts, strict=True):
            if self.copy.sources.get(name) == path:
                return lines
        return None

    def _location(self, mark: Mark) -> Location:
        path = self._path(mark)
        if path is None:
            return self._brought_in()
        return Location(path, line_span(self.rendered.texts[mark.file], mark.line))

    def _brought_in(self) -> Location:
        """For a chart from an archive: the line that names it."""
        return self.copy.charts[self.copy.name_of(self.document.source)].place

    def _header(self, document: YamlDocument | None) -> Location:
        """Where no line is known: the template's line that says the kind, or its first."""
        source = self.copy.sources.get(self.document.source)
        if source is None:
            return self._brought_in()
        lines = self._lines(source) or [""]
        kind = document.value.get("kind") if document is not None and isinstance(document.value, dict) else None
        number = next((n for n, line in enumerate(lines, 1) if line.split() == ["kind:", str(kind)]), 1)
        return Location(source, line_span(lines, number))

    # ---- values -----------------------------------------------------------------------------------------------------

    def _values(self, document: YamlDocument, path: AttributePath, mark: Mark) -> Iterator[Location]:
        """Where the values stand that a line was filled in with, as far as the rendered value shows that it was."""
        value = _walk(document.value, path)
        cut = self.rendered.cuts[mark.file].lines.get(mark.line)
        if value is _ABSENT or cut is None or self._path(mark) is None:
            return
        for named, each in cut.values():
            for layer in self.layers:
                found = _find(layer, named, each, path, value)
                if found is not None:
                    yield Location(layer.document.path, layer.document.at(found))
                    break


def _find(
    layer: ValuesLayer, named: AttributePath, each: bool, path: AttributePath, value: Any
) -> AttributePath | None:
    """The path in a file of values of what an attribute was filled in with; None where it is not from there."""
    if named[:1] == ("global",) and layer.prefix:
        starts = [(*layer.prefix, *named), (*layer.prefix[:-1], *named)]
    else:
        starts = [(*layer.prefix, *named)]
    for start in starts:
        base = _walk(layer.document.value, start)
        if base is _ABSENT:
            continue
        items: list[tuple[AttributePath, Any]] = [(start, base)]
        if each and isinstance(base, (list, dict)):
            keys: Any = range(len(base)) if isinstance(base, list) else base
            items = [((*start, key), base[key]) for key in keys]
        for where, item in items:
            for number in range(len(path) + 1):
                inner = _walk(item, path[number:])
                if inner is not _ABSENT and inner == value and type(inner) is type(value):
                    return (*where, *path[number:])
            if isinstance(value, str) and isinstance(item, (str, int, float)) and str(item) and str(item) in value:
                return where
    return None


def _walk(value: Any, path: AttributePath) -> Any:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = dict.get(value, step, _ABSENT)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return _ABSENT
    return value
