"""Which files of a scan belong together: a Compose file, its override, and what they extend, include and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policy_engine.errors import PolicyEngineError
from policy_engine.format import Format
from policy_engine.tree import Tree, join
from policy_engine.unit import Unit
from policy_engine.yaml_document import parse_yaml
from policy_engine_plugins.compose import NAMES, OVERRIDES

_MAX_FILES = 50


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def override_of(path: str, tree: Tree) -> str | None:
    """The override that Compose takes together with a file: the first there is, of the first file there is."""
    folder, _, name = path.rpartition("/")
    if name not in NAMES:
        return None
    there = tree.list(folder)
    if next((each for each in NAMES if each in there), None) != name:
        return None
    override = next((each for each in OVERRIDES if each in there), None)
    return None if override is None else join(folder, override)


def base_of(path: str, tree: Tree) -> str | None:
    """The file that an override belongs to."""
    folder, _, name = path.rpartition("/")
    if name not in OVERRIDES:
        return None
    there = tree.list(folder)
    base = next((each for each in NAMES if each in there), None)
    full = None if base is None else join(folder, base)
    return full if full is not None and override_of(full, tree) == path else None


def units(paths: Sequence[str], tree: Tree, format_: Format) -> Iterator[Unit]:
    seen = set()
    for path in paths:
        name = base_of(path, tree) or path
        if name in seen:
            continue
        seen.add(name)
        files = {name}
        override = override_of(name, tree)
        if override is not None:
            files.add(override)
        for each in list(files):
            _follow(each, tree, files)
            env = join(folder_of(each), ".env")
            if env is not None and tree.is_file(env):
                files.add(env)
        yield Unit(format_.name, name, tuple(sorted(files)))


def _follow(path: str, tree: Tree, files: set[str]) -> None:
    """Adds the files that a file extends and includes, and that those do."""
    waiting = [path]
    while waiting and len(files) < _MAX_FILES:
        current = waiting.pop()
        try:
            data = tree.read(current)
        except (OSError, ValueError, PolicyEngineError):
            continue  # Loading tells what cannot be read.
        if b"extends" not in data and b"include" not in data:
            continue
        for document in parse_yaml(data, current).documents[:1]:
            for name in references(document.value):
                found = join(folder_of(current), name)
                if found is not None and found not in files and tree.is_file(found):
                    files.add(found)
                    waiting.append(found)


def references(value: Any) -> Iterator[str]:
    """The file names that a model extends or includes."""
    if not isinstance(value, dict):
        return
    services = value.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        extends = service.get("extends") if isinstance(service, dict) else None
        name = extends.get("file") if isinstance(extends, dict) else None
        if isinstance(name, str) and "$" not in name:
            yield name
    included = value.get("include")
    for item in included if isinstance(included, list) else ():
        listed = item.get("path") if isinstance(item, dict) else item
        for name in listed if isinstance(listed, list) else [listed]:
            if isinstance(name, str) and "$" not in name:
                yield name
