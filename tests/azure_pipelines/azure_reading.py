"""Helpers for the tests of the Azure Pipelines format."""

from __future__ import annotations

import re
from collections.abc import Mapping

from policy_engine.resource import Resource
from policy_engine.span import Location
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins.azure_pipelines import AzurePipelinesFormat

FORMAT = AzurePipelinesFormat()
MAIN = "azure-pipelines.yml"


def tree_of(files: Mapping[str, str] | str) -> MemoryTree:
    files = {MAIN: files} if isinstance(files, str) else files
    return MemoryTree({path: text.encode() for path, text in files.items()})


def units(files: Mapping[str, str]) -> list[Unit]:
    tree = tree_of(files)
    claimed = [path for path in files if FORMAT.claims(path) and FORMAT.recognises(path, tree.read(path))]
    return list(FORMAT.units(sorted(claimed), tree))


def load(files: Mapping[str, str] | str) -> Loaded:
    """The pipeline of `azure-pipelines.yml`."""
    tree = tree_of(files)
    (unit,) = [unit for unit in FORMAT.units(sorted(tree.files), tree) if unit.name == MAIN]
    return FORMAT.load(unit, tree)


def resources(files: Mapping[str, str] | str, *, problems: int = 0) -> dict[str, Resource]:
    loaded = load(files)
    assert len(loaded.problems) == problems, [str(each) for each in loaded.problems]
    found = {each.address.removeprefix(f"{MAIN}/"): each for each in loaded.resources}
    assert len(found) == len(loaded.resources), "addresses are unique"
    return found


def scripts(files: Mapping[str, str] | str, *, problems: int = 0) -> list[object]:
    """What the steps run, in order."""
    found = resources(files, problems=problems).values()
    return [each.value.get("script") for each in found if each.type == "step"]


def cut(files: Mapping[str, str] | str, location: Location) -> str:
    text = files if isinstance(files, str) else files[location.path]
    span = location.span
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]


def shown(files: Mapping[str, str] | str, resource: Resource, *path: str | int) -> str:
    """What a finding at `path` shows of the source."""
    return cut(files, resource.locate(path).location)
