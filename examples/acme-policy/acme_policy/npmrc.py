"""Reads `.npmrc`: a setting a line, `key=value`; `;` and `#` start comments; `${NAME}` comes from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Span, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Problem, Unit
from policy_engine.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Places:
    """Where each setting stands."""

    header: Location
    settings: dict[str, Location]

    def __call__(self, path: AttributePath) -> Trace:
        return Trace(self.settings.get(str(path[0]), self.header) if path else self.header)


def load(unit: Unit, tree: Tree) -> Loaded:
    path = unit.paths[0]
    values: dict[str, Any] = {}
    places: dict[str, Location] = {}
    problems = []
    lines = tree.read(path).decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in ";#":
            continue
        start = line.index(text) + 1
        span = Span(number, start, number, start + len(text))
        key, equals, value = text.partition("=")
        if not equals:
            problems.append(Problem(path, f"'{text}' is no setting: a '=' is missing", span))
            continue
        values[key.strip()] = _value(value.strip(), Location(path, span))
        places[key.strip()] = Location(path, span)
    header = Location(path, Span(1, 1, 1, len(lines[0]) + 1 if lines else 1))
    whole = Location(path, Span(1, 1, max(len(lines), 1), len(lines[-1]) + 1 if lines else 1))
    resource = Resource("npmrc", "npmrc", ".npmrc", path, values, header, Places(header, places), whole)
    return Loaded([resource], problems)


def _value(text: str, place: Location) -> str | Unknown:
    before, variable, rest = text.partition("${")
    if not variable:
        return text
    name, _, after = rest.partition("}")
    return Unknown(f"the environment variable {name} is not known", place, fragments=(before, None, after))


def comments(path: str, data: bytes) -> list[Comment]:
    found = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text = line.strip()
        if text[:1] in (";", "#"):
            start = line.index(text) + 1
            found.append(Comment(Location(path, Span(number, start, number, start + len(text))), text[1:], alone=True))
    return found
