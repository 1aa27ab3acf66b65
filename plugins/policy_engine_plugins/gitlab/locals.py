"""Where `include: local` leads: paths from the project's folder, with wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from policy_engine.tree import Tree, join
from policy_engine_plugins.gitlab import NAMES

MAX_MATCHES = 500


def project_folder(path: str, tree: Tree) -> str:
    """The folder that the project's own pipeline stands in: the outermost one above `path` that has one. The scanned
    folder may hold several projects side by side."""
    folder = path.rpartition("/")[0]
    parts = folder.split("/") if folder else []
    for depth in range(len(parts) + 1):
        above = "/".join(parts[:depth])
        prefix = f"{above}/" if above else ""
        if any(tree.is_file(prefix + name) for name in NAMES):
            return above
    return ""


def resolve(name: str, path: str, tree: Tree, known: Iterable[str]) -> list[str]:
    """The files that `include: local: name` in `path` names; none where there is no such file.

    From the project's folder; where nothing is there, from the folders above the file, as copies of other projects and
    templates bring their own. `known` are files whose folders `**` looks into.
    """
    name = name.lstrip("/")
    bases = [project_folder(path, tree)]
    folder = path.rpartition("/")[0]
    while True:
        if folder not in bases:
            bases.append(folder)
        if not folder:
            break
        folder = folder.rpartition("/")[0]
    known = list(known) if "*" in name else ()
    for base in bases:
        if "*" not in name:
            target = join(base, name)
            if target and tree.is_file(target):
                return [target]
            continue
        found = _matches(base, name, tree, known)
        if found:
            return found
    return []


def _matches(base: str, name: str, tree: Tree, known: Iterable[str]) -> list[str]:
    fixed = name[: name.index("*")].rpartition("/")[0]
    top = join(base, fixed)
    if top is None:
        return []
    prefix = f"{top}/" if top else ""
    folders = {top, *(folder for path in known for folder in _above(path) if folder.startswith(prefix))}
    pattern = _regex(f"{base}/{name}" if base else name)
    found = []
    for folder in sorted(folders):
        for entry in tree.list(folder):
            path = f"{folder}/{entry}" if folder else entry
            if entry.endswith((".yml", ".yaml")) and pattern.fullmatch(path):
                found.append(path)
                if len(found) >= MAX_MATCHES:
                    return sorted(found)
    return sorted(found)


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


@lru_cache(maxsize=256)
def _regex(name: str) -> re.Pattern[str]:
    out = []
    for part in re.split(r"(\*{2,}/?|\*)", name):
        if part.startswith("**"):
            out.append("(?:[^/]+/)*" if part.endswith("/") else ".*")
        elif part == "*":
            out.append("[^/]*")
        else:
            out.append(re.escape(part))
    return re.compile("".join(out))
