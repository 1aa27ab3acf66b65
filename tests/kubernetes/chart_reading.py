"""Helpers for the tests of charts and kustomizations."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from policy_engine.claiming import claim, make_units, taken
from policy_engine.format import Format
from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree, Tree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins.kubernetes import KubernetesFormat

CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
POD = """\
    apiVersion: v1
    kind: Pod
    metadata:
      name: web
    spec:
      containers:
        - name: web
          image: web:1
"""


def files(given: Mapping[str, str]) -> dict[str, bytes]:
    return {path: textwrap.dedent(text).encode() for path, text in given.items()}


def units_of(tree: Tree, paths: list[str], format_: Format | None = None) -> tuple[dict[str, Unit], dict[str, str]]:
    """Units by name, and the ledger: status by path."""
    format_ = format_ or KubernetesFormat()
    claimed, entries, _ = claim(tree, paths, [format_])
    units = list(make_units(tree, claimed, {format_.name: format_}))
    ledger = {entry.path: entry.status.value for entry in taken(entries, units)}
    return {unit.name: unit for unit in units}, ledger


def load_all(given: Mapping[str, str | bytes], format_: Format | None = None) -> dict[str, Loaded]:
    """What each unit of the files gives."""
    data = {path: textwrap.dedent(text).encode() if isinstance(text, str) else text for path, text in given.items()}
    tree = MemoryTree(data)
    format_ = format_ or KubernetesFormat()
    return {name: format_.load(unit, tree) for name, unit in units_of(tree, sorted(data), format_)[0].items()}


def by_address(loaded: Loaded) -> dict[str, Resource]:
    return {resource.address: resource for resource in loaded.resources}


def told(loaded: Loaded) -> list[str]:
    return [f"{problem.kind.value} {problem}" for problem in loaded.problems]


def shows(given: Mapping[str, str | bytes], resource: Resource, *path: str | int) -> tuple[str, int, str]:
    """File, line and text that a finding at `path` shows."""
    location = resource.locate(path).location
    text = given[location.path]
    lines = re.split(r"\n", textwrap.dedent(text) if isinstance(text, str) else text.decode())
    span = location.span
    line = lines[span.start_line - 1]
    assert span.start_line == span.end_line
    return location.path, span.start_line, line[span.start_column - 1 : span.end_column - 1]
