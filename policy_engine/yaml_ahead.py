"""YAML files that are parsed to see which of them belong together, and needed again to be judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from policy_engine.yaml_document import YamlFile

MAX_AHEAD = 1024
"""Files that are kept until they are judged; the oldest is let go."""
MAX_SHARED = 64
"""Files that are kept because several units hold them, and as many of which there may be copies elsewhere."""
MAX_COPIED_BYTES = 1 << 14
"""Larger files are seldom copied as they are."""


class ParsedAhead:
    """Keeps what was parsed ahead until it is asked for, and lets go of it then: documents take much room, and memory
    that is used again is quicker than more of it.

    parse  gives the documents of a file's bytes, and its path
    """

    def __init__(self, parse: Callable[[bytes, str], YamlFile]) -> None:
        self._parse = parse
        self._ahead: dict[str, tuple[bytes, YamlFile]] = {}
        self._copied: dict[bytes, YamlFile] = {}
        self.parse = lru_cache(maxsize=MAX_SHARED)(self._first)

    def parse_ahead(self, data: bytes, path: str) -> YamlFile:
        """The documents of a file that is to be judged later."""
        parsed = self._parse(data, path)
        self._ahead.pop(path, None)
        if len(self._ahead) >= MAX_AHEAD:
            del self._ahead[next(iter(self._ahead))]
        self._ahead[path] = data, parsed
        return parsed

    def _first(self, data: bytes, path: str) -> YamlFile:
        kept = self._ahead.pop(path, None)
        if kept is not None and kept[0] == data:
            return kept[1]
        # Projects are started from templates, some files of which nobody changes.
        copy = self._copied.get(data)
        if copy is not None:
            return YamlFile(tuple([replace(document, path=path) for document in copy.documents]))
        parsed = self._parse(data, path)
        if not parsed.problems and len(data) <= MAX_COPIED_BYTES:
            if len(self._copied) >= MAX_SHARED:
                del self._copied[next(iter(self._copied))]
            self._copied[data] = parsed
        return parsed
