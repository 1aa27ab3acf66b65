"""Which files make one pipeline: a file and the templates of the same repository that it uses."""

from __future__ import annotations

from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Unit
from policy_engine_plugins.azure_pipelines.reading import FILES
from policy_engine_plugins.azure_pipelines.templates import resolve, template_names


def used_by(path: str, tree: Tree) -> list[str]:
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return []  # told where the file is read
    if b"template" not in data:
        return []
    found: dict[str, None] = {}
    for document in FILES.parse_ahead(data, path).documents[:1]:
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
