"""Kustomize patches: files that look like objects but hold only what they change of one.

What a patch says is judged; what it leaves out stands in the object that it changes, and is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import Tree, join
from policy_engine.unknown import Unknown
from policy_engine_plugins.kubernetes import KUSTOMIZATIONS

FILE_NAMES = KUSTOMIZATIONS
# How many folders above a patch its kustomization is looked for: `patches/web.yaml` and the like.
_LEVELS = 3


def patch_files(paths: Iterable[str], tree: Tree) -> dict[str, str]:
    """The files that a kustomization names as patches, each with the path of that kustomization.

    Looked for among `paths` and in the folders above each, so that a file scanned alone is judged as in a full scan.
    """
    paths = list(paths)
    found: dict[str, str] = {}
    known = {path for path in paths if path.rpartition("/")[2] in FILE_NAMES}
    for folder in sorted(_folders(paths)):
        for name in FILE_NAMES:
            path = f"{folder}/{name}" if folder else name
            if path in known or tree.is_file(path):
                known.add(path)
                break
    for path in sorted(known):
        for patch in _patches(path, tree):
            found.setdefault(patch, path)
    return found


def _folders(paths: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for path in paths:
        folder = path
        for _ in range(_LEVELS):
            folder = folder.rpartition("/")[0]
            folders.add(folder)
            if not folder:
                break
    return folders


def _patches(path: str, tree: Tree) -> Iterable[str]:
    from policy_engine.yaml_document import parse_yaml

    try:
        data = tree.read(path)
    except (OSError, PolicyEngineError):
        # Told as unreadable where the scan meets it; here it names nothing.
        return
    if b"patches" not in data:
        return
    folder = path.rpartition("/")[0]
    for document in parse_yaml(data, path).documents:
        value = document.value
        if not isinstance(value, dict):
            continue
        for entry in (*_items(value, "patches"), *_items(value, "patchesStrategicMerge")):
            name = entry.get("path") if isinstance(entry, dict) else entry
            patch = join(folder, name) if isinstance(name, str) and "\n" not in name else None
            if patch is not None:
                yield patch


def _items(value: dict[str, Any], key: str) -> list[Any]:
    items = value.get(key)
    return items if isinstance(items, list) else []


class OpenMapping(dict[str, Any]):
    """A mapping that may hold more than is written: a missing key is an Unknown. `dict.get` tells what is written."""

    __slots__ = ("missing",)
    missing: Unknown

    def __init__(self, value: dict[str, Any], missing: Unknown) -> None:
        super().__init__(value)
        self.missing = missing

    def get(self, key: str, default: Any = None) -> Any:
        return dict.get(self, key, self.missing)

    def __missing__(self, key: str) -> Unknown:
        return self.missing

    def __contains__(self, key: object) -> bool:
        return True


def opened(value: Any, kustomization: str) -> Any:
    """A patch's value with every mapping open."""
    missing = Unknown(f"left to the object that this patch changes ({kustomization})")
    return _open(value, missing, {})


def _open(value: Any, missing: Unknown, done: dict[int, Any]) -> Any:
    # Aliases stay shared: written out, they could be more than fits into memory.
    if id(value) in done:
        return done[id(value)]
    result = value
    if isinstance(value, dict):
        result = OpenMapping({key: _open(item, missing, done) for key, item in value.items()}, missing)
    elif isinstance(value, list):
        result = [_open(item, missing, done) for item in value]
    else:
        return value
    done[id(value)] = result
    return result
