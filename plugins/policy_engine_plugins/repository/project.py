"""A project as a whole: what is there, what is missing, and what its names alone tell."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE
from policy_engine.tree import Tree, join
from policy_engine.unit import Loaded, Problem
from policy_engine_plugins.repository import committed, community, ecosystems, ignored, manifests, ownership
from policy_engine_plugins.repository.places import resource
from policy_engine_plugins.repository.pre_commit import secrets_hook

_MAX_COLLISIONS = 100


def load(project: Project, tree: Tree) -> Loaded:
    resources: list[Resource] = []
    problems: list[Problem] = []
    owners, _, _ = ownership.in_effect(project)
    found, told = ownership.of_project(project, tree)
    resources.extend(found)
    problems.extend(told)
    used, names, tools = ecosystems.of_project(project, tree)
    resources.extend(used)
    resources.append(community.of_project(project, tree, owners, names, tools, secrets_hook(project, tree)))
    resources.extend(manifests.of_project(project, tree))
    resources.extend(committed.of_project(project, tree))
    resources.extend(ignored.of_project(project, tree))
    resources.extend(_links(project))
    resources.extend(_collisions(project))
    return Loaded(resources, problems)


def _links(project: Project) -> Iterator[Resource]:
    for path, target in sorted(project.links.items()):
        folder = path.rpartition("/")[0]
        value = {"target": target[:200], "outside": join(folder, target) is None}
        yield resource("link", f"link/{path}", path, value, path, WHOLE_FILE)


def _collisions(project: Project) -> Iterator[Resource]:
    """Files that a file system without upper and lower case holds only one of."""
    by_name: dict[str, list[str]] = {}
    for path in project.paths:
        by_name.setdefault(path.casefold(), []).append(path)
    several = [names for names in by_name.values() if len(names) > 1]
    if not several:
        first = project.paths[0] if project.paths else "."
        yield resource("name_collision", "names", "the names of all files", {"names": []}, first, WHOLE_FILE)
    for names in several[:_MAX_COLLISIONS]:
        value = {"names": names}
        yield resource("name_collision", f"names/{names[0].casefold()}", " and ".join(names[:3]), value, names[0])
