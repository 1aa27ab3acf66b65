"""Which files make one pipeline: a file and all that it includes from the same repository."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.placed import Origin
from policy_engine.scalar_source import ScalarSource
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Unit
from policy_engine_plugins.gitlab.include import entries, own_component
from policy_engine_plugins.gitlab.locals import project_folder, resolve
from policy_engine_plugins.gitlab.reading import FILES, split


def local_includes(path: str, tree: Tree, known: Iterable[str]) -> list[str]:
    """The files of the repository that a file includes into its own pipeline."""
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return []  # told where the file is read
    if b"include" not in data:
        return []
    _, document = split(FILES.parse_ahead(data, path))
    if document is None or not isinstance(document.value, dict) or "include" not in document.value:
        return []
    origin = Origin(document, ("include",), ScalarSource(b""))
    found: list[str] = []
    for entry in entries(document.value["include"], origin):
        found.extend(targets(entry.kind, entry.target, path, tree, known))
    return list(dict.fromkeys(found))


def targets(kind: str, target: object, path: str, tree: Tree, known: Iterable[str]) -> list[str]:
    """The files here that an entry names."""
    if kind == "local" and isinstance(target, str) and "$" not in target:
        return resolve(target, path, tree, known)
    component = own_component(target) if kind == "component" else None
    if component is not None:
        folder = project_folder(path, tree)
        prefix = f"{folder}/templates/{component}" if folder else f"templates/{component}"
        return [name for name in (f"{prefix}.yml", f"{prefix}/template.yml") if tree.is_file(name)][:1]
    return []


def includes_locally(unit: Unit, tree: Tree) -> bool:
    """Whether files elsewhere in the repository may come to belong to the unit."""
    for path in unit.paths:
        try:
            data = tree.read(path)
        except (OSError, FileTooLarge):
            return True
        if b"include" in data:
            return True
    return False
