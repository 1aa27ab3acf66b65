"""The entry points of a group, found once and kept until an installation changes.

Reading the metadata of every installed package takes a fifth of a short scan. What was found is kept in the user's
cache under the folders of `sys.path` with their modification times: installing, upgrading or removing a package changes
one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from msgspec import Struct


class EntryPoint(Struct, frozen=True):
    """`value` is `module` or `module:attribute`; `distribution` the package it came with."""

    name: str
    value: str
    distribution: str

    def load(self) -> Any:
        import importlib

        module, _, attribute = self.value.partition(":")
        loaded: Any = importlib.import_module(module)
        for part in attribute.split("."):
            if part:
                loaded = getattr(loaded, part)
        return loaded


def entry_points(group: str, cache: str | None) -> Sequence[EntryPoint]:
    """Sorted by name and value, each once, though a package may be found twice on the path."""
    state = _state(group)
    place = None if cache is None else os.path.join(cache, "entry-points", f"{state[0]}.json")
    if place is not None:
        kept = _read(place, state[1])
        if kept is not None:
            return kept
    from importlib.metadata import entry_points as installed

    found = {
        (point.name, point.value): EntryPoint(
            point.name, point.value, point.dist.name if point.dist is not None else "?"
        )
        for point in installed(group=group)
    }
    points = [found[key] for key in sorted(found)]
    if place is not None:
        import json

        from policy_engine.cache import write_atomically

        listed = [[point.name, point.value, point.distribution] for point in points]
        write_atomically(place, json.dumps({"state": state[1], "points": listed}).encode())
    return points


def _state(group: str) -> tuple[str, list[list[Any]]]:
    """A name for the cache's file, and what must be unchanged for it to hold."""
    import zlib

    folders: list[list[Any]] = []
    for folder in sys.path:
        path = folder or os.getcwd()
        try:
            folders.append([path, os.stat(path).st_mtime_ns])
        except OSError:
            folders.append([path, 0])
    text = "\0".join([group, sys.version, *(str(path) for path, _ in folders)])
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}", folders


def _read(place: str, state: list[list[Any]]) -> list[EntryPoint] | None:
    import json

    try:
        with open(place, "rb") as stream:
            kept = json.loads(stream.read())
    except (OSError, ValueError):
        return None
    return [EntryPoint(*point) for point in kept["points"]] if kept.get("state") == state else None
