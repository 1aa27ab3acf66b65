"""What a build gets to see of the folder it is started in."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.tree import Tree
from policy_engine.unknown import Unknown

_WHOLE = frozenset({".", "./", "/", "*", "./*", "/*", "**", "/."})


def ignore_file(path: str, tree: Tree) -> str | None:
    """The file that keeps others out of the build of the Dockerfile at `path`. The build may be started in the
    Dockerfile's folder or in one above."""
    if tree.is_file(f"{path}.dockerignore"):
        return f"{path}.dockerignore"
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        for name in (".dockerignore", ".containerignore"):
            found = f"{folder}/{name}" if folder else name
            if tree.is_file(found):
                return found
    return None


def whole_context(sources: Iterable[str | Unknown]) -> bool | Unknown:
    """Whether one of the sources is the whole folder."""
    doubt: bool | Unknown = False
    for source in sources:
        if isinstance(source, Unknown):
            if not any(source.fragments):
                doubt = source
        elif source in _WHOLE:
            return True
    return doubt
