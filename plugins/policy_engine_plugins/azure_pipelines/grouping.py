"""Which files make one pipeline: a file and the templates of the same repository that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Unit
from policy_engine_plugins.azure_pipelines.reading import parse
from policy_engine_plugins.azure_pipelines.templates import resolve, template_names

MAX_FILES = 500


def group(paths: Sequence[str], tree: Tree) -> Iterator[Unit]:
    direct = {path: used_by(path, tree) for path in paths}
    used = {other for path, others in direct.items() for other in others if other != path}
    closures = {path: _closure(path, direct, tree) for path in paths if path not in used}
    reached = {each for closure in closures.values() for each in closure}
    for path in paths:
        # Templates that use each other in a circle: the first stands for all.
        if path not in reached:
            closures[path] = _closure(path, direct, tree)
            reached.update(closures[path])
    for path in sorted(closures):
        yield Unit("azure-pipelines", path, tuple(sorted(closures[path])))


def _closure(path: str, direct: dict[str, list[str]], tree: Tree) -> set[str]:
    seen = {path}
    waiting = [path]
    while waiting and len(seen) < MAX_FILES:
        here = waiting.pop()
        if here not in direct:
            direct[here] = used_by(here, tree)
        for other in direct[here]:
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def used_by(path: str, tree: Tree) -> list[str]:
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return []  # told where the file is read
    if b"template" not in data:
        return []
    found: dict[str, None] = {}
    for document in parse(data, path).documents[:1]:
        for name in template_names(document.value, path):
            other = resolve(name, path, tree)
            if other is not None:
                found[other] = None
    return list(found)


def uses_templates(unit: Unit, tree: Tree) -> bool:
    """Whether files elsewhere in the repository may come to belong to the unit."""
    for path in unit.paths:
        try:
            data = tree.read(path)
        except (OSError, FileTooLarge):
            return True
        if b"template" in data:
            return True
    return False
