"""Reads files of a made-up repository, for tests of the format."""

from __future__ import annotations

from collections.abc import Mapping

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins.repository import RepositoryFormat

FORMAT = RepositoryFormat()


def as_bytes(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    return {path: each.encode() if isinstance(each, str) else each for path, each in files.items()}


def load_file(path: str, content: str | bytes, **others: str) -> Loaded:
    files = as_bytes({path: content, **others})
    return FORMAT.load(Unit("repository", path, (path,)), MemoryTree(files))


def load_project(files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None) -> Loaded:
    made = as_bytes(files)
    project = Project(tuple(sorted(made)), links or {})
    tree = MemoryTree(made)
    (unit,) = FORMAT.project_units((), project, tree)
    return FORMAT.load(unit, tree)


def of_type(loaded: Loaded, *types: str) -> list[Resource]:
    return [each for each in loaded.resources if each.type in types]


def one(loaded: Loaded, type_: str) -> Resource:
    (found,) = of_type(loaded, type_)
    return found
