"""Reads one file of a repository, or the repository as a whole."""

from __future__ import annotations

from collections.abc import Callable

from policy_engine.resource import Resource
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, Unit
from policy_engine_plugins.repository.names import (
    CODEOWNERS,
    DEPENDABOT,
    DEVCONTAINER,
    LOCKS,
    RENOVATE,
    SETTINGS,
    is_requirements,
    is_secret,
)

Read = Callable[[str, bytes], "tuple[list[Resource], list[Problem]]"]


def recognises(path: str, data: bytes) -> bool:
    name = path.lower().rpartition("/")[2]
    if name == "settings.xml":
        return b"<settings" in data
    if name == "auth.json":
        return any(each in data for each in (b'"http-basic"', b'"bearer"', b'"github-oauth"', b'"gitlab-token"'))
    if name in SETTINGS or name in LOCKS or is_requirements(name):
        return True
    if path in CODEOWNERS or path in DEPENDABOT or path in RENOVATE or name in DEVCONTAINER or name == "tasks.json":
        return True
    from policy_engine_plugins.repository import committed

    return committed.recognises(path, data)


def load(unit: Unit, tree: Tree) -> Loaded:
    if unit.project is not None:
        from policy_engine_plugins.repository import project

        return project.load(unit.project, tree)
    path = unit.paths[0]
    data = tree.read(path)
    resources: list[Resource] = []
    problems: list[Problem] = []
    if path in CODEOWNERS:
        from policy_engine_plugins.repository import ownership

        resources, problems = ownership.entries_of(path, data, ownership.host_of(path, tree))
    else:
        read = _reader(path)
        if read is not None:
            resources, problems = read(path, data)
    if is_secret(path):
        from policy_engine_plugins.repository import committed

        found = committed.of_file(path, data)
        if found is not None:
            resources = [*resources, found]
    return Loaded(resources, problems)


def _reader(path: str) -> Read | None:
    """What reads a file of this name."""
    from policy_engine_plugins.repository import dependabot, devcontainer, pre_commit, renovate, submodules

    name = path.lower().rpartition("/")[2]
    if path in DEPENDABOT:
        return dependabot.load
    if path in RENOVATE:
        return renovate.load
    if name in pre_commit.PLACES:
        return pre_commit.load
    if name == ".gitmodules":
        return submodules.load
    if name in DEVCONTAINER:
        return devcontainer.load
    if name == "tasks.json":
        return devcontainer.load_tasks
    from policy_engine_plugins.repository import packages

    return packages.reader(name)
