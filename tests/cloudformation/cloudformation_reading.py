"""Helpers for the tests of the CloudFormation format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Span
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation import CloudFormationFormat

FORMAT = CloudFormationFormat()


def load(text: str | bytes, path: str = "template.yaml") -> Loaded:
    return load_files({path: text})[path]


def load_files(files: Mapping[str, str | bytes]) -> dict[str, Loaded]:
    """What each unit of the files comes to, by the unit's name."""
    tree = tree_of(files)
    return {unit.name: FORMAT.load(unit, tree) for unit in units(files)}


def units(files: Mapping[str, str | bytes]) -> list[Unit]:
    tree = tree_of(files)
    return list(FORMAT.units([path for path in files if FORMAT.claims(path)], tree))


def tree_of(files: Mapping[str, str | bytes]) -> MemoryTree:
    return MemoryTree({path: text.encode() if isinstance(text, str) else text for path, text in files.items()})


def resources(text: str | bytes, path: str = "template.yaml") -> dict[str, Resource]:
    """By address; the template must be understood throughout."""
    loaded = load(text, path)
    assert loaded.problems == []
    return by_address(loaded)


def by_address(loaded: Loaded) -> dict[str, Resource]:
    found = {resource.address: resource for resource in loaded.resources}
    assert len(found) == len(loaded.resources), "addresses are unique"
    return found


def template(properties: str, *, sections: str = "", type_: str = "Custom::Thing") -> str:
    """A template with one resource `R`, whose properties are given as indented YAML."""
    lines = "".join(f"      {line}\n" for line in properties.strip("\n").split("\n"))
    return f"{sections}Resources:\n  R:\n    Type: {type_}\n    Properties:\n{lines}"


def value_of(expression: str, sections: str = "") -> Any:
    """What one property comes to; the whole of the template must be understood."""
    lines = expression.strip("\n").split("\n")
    body = f"V: {lines[0]}" if len(lines) == 1 else "V:\n" + "\n".join(f"  {line}" for line in lines)
    return resources(template(body, sections=sections))["R"].value.get("V", "(absent)")


def cut(text: str, span: Span) -> str:
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]


def shown(text: str, resource: Resource, *path: str | int) -> str:
    """What a finding at `path` shows of the source."""
    return cut(text, resource.locate(path).location.span)


def paths(value: Any, path: AttributePath = ()) -> Iterator[tuple[AttributePath, Any]]:
    """Every attribute of a value, and what is missing beside it."""
    yield path, value
    if isinstance(value, dict):
        yield (*path, "(missing)"), None
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def known(value: Any) -> Any:
    """The value with every Unknown as the text `?reason`, for comparing."""
    if type(value) is Unknown:
        return f"?{value.reason}"
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return [known(item) for item in value] if isinstance(value, list) else value
