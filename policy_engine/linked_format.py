"""Formats whose files take in others of the same repository: the pipelines that include files and use templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from policy_engine.format import Format
from policy_engine.tree import Tree
from policy_engine.unit import Unit

MAX_FILES = 500
"""Files of one unit."""

Links = Mapping[str, Sequence[str]]
"""For files, by their path, what each takes in."""


class LinkedFormat(Format):
    """A file is judged together with all that it takes in, directly or through others. What another file takes in is no
    unit of its own, unless it stands for itself."""

    def links(self, path: str, tree: Tree, known: Sequence[str]) -> Sequence[str]:
        """The files that this one takes in itself, each once; none where it cannot be read, which `load` tells. `known`
        are all files of the format. May be asked ahead of `units`, in another process: it depends on nothing else."""
        raise NotImplementedError

    def stands_for_itself(self, path: str) -> bool:
        return False

    def units(self, paths: Sequence[str], tree: Tree, links: Links | None = None) -> Iterable[Unit]:
        """`links` are those known already."""
        direct = dict(links or {})
        for path in paths:
            if path not in direct:
                direct[path] = self.links(path, tree, paths)
        taken = {other for path in paths for other in direct[path] if other != path}
        roots = [path for path in paths if path not in taken or self.stands_for_itself(path)]
        closures = {path: self._closure(path, direct, tree, paths) for path in roots}
        reached = {each for closure in closures.values() for each in closure}
        for path in paths:
            # Files that take in each other in a circle: the first stands for all.
            if path not in reached:
                closures[path] = self._closure(path, direct, tree, paths)
                reached.update(closures[path])
        return [Unit(self.name, path, tuple(sorted(closures[path]))) for path in sorted(closures)]

    def _closure(self, path: str, direct: dict[str, Sequence[str]], tree: Tree, known: Sequence[str]) -> set[str]:
        seen = {path}
        waiting = [path]
        while waiting and len(seen) < MAX_FILES:
            here = waiting.pop()
            if here not in direct:
                direct[here] = self.links(here, tree, known)
            for other in direct[here]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen
