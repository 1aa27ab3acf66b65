"""Helpers for the tests of the Kubernetes format."""

from __future__ import annotations

import re

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Span
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins.kubernetes import KubernetesFormat

FORMAT = KubernetesFormat(rendering=False)


def load(text: str | bytes, path: str = "manifest.yaml") -> Loaded:
    data = text.encode() if isinstance(text, str) else text
    (unit,) = FORMAT.units([path], MemoryTree({path: data}))
    assert unit == Unit("kubernetes", path, (path,))
    return FORMAT.load(unit, MemoryTree({path: data}))


def resources(text: str | bytes) -> dict[str, Resource]:
    """By address; the manifest must be understood throughout."""
    loaded = load(text)
    assert loaded.problems == []
    found = {resource.address: resource for resource in loaded.resources}
    assert len(found) == len(loaded.resources), "addresses are unique"
    return found


def cut(text: str, span: Span) -> str:
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]


def shown(text: str, resource: Resource, *path: str | int) -> str:
    """What a finding at `path` shows of the source."""
    wanted: AttributePath = path
    return cut(text, resource.locate(wanted).location.span)
