"""Helpers for the tests of the Compose format."""

from __future__ import annotations

import re
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Location
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded
from policy_engine_plugins.compose import ComposeFormat

FORMAT = ComposeFormat()


def load(files: dict[str, str] | str, name: str = "compose.yaml") -> Loaded:
    given = {name: files} if isinstance(files, str) else files
    tree = MemoryTree({path: text.encode() for path, text in given.items()})
    (unit,) = FORMAT.units([name], tree)
    return FORMAT.load(unit, tree)


def resources(files: dict[str, str] | str) -> dict[str, Resource]:
    """By address, of a project that is understood throughout."""
    loaded = load(files)
    assert list(loaded.problems) == []
    found = {resource.address: resource for resource in loaded.resources}
    assert len(found) == len(loaded.resources), "addresses are unique"
    return found


def service(text: str, name: str = "web") -> dict[str, Any]:
    return dict(resources(text)[f"service/{name}"].value)


def cut(files: dict[str, str], place: Location) -> str:
    text, span = files[place.path], place.span
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]
