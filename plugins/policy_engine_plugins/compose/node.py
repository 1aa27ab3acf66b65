"""Values that remember the file and the place they were written in, through merging and normalising."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from policy_engine.partial import PartialDict
from policy_engine.resource import AttributePath
from policy_engine.span import Location
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import TaggedScalar, YamlDocument, YamlMapping, YamlSequence

MAX_NODES = 200_000


class TooManyNodes(Exception):
    """The aliases of a file stand for more values than are read."""


class Node(Struct, eq=False):
    """value     a scalar or an Unknown, a dict of nodes, or a list of nodes
    document  and `path` in it: where it is written
    tag       `!reset`, `!override`
    rest      what every key has that is not there, for a mapping that another file completes
    written   a text before its variables were filled in
    """

    value: Any
    document: YamlDocument
    path: AttributePath
    tag: str | None = None
    rest: Unknown | None = None
    written: str | None = None

    def at(self, value: Any) -> Node:
        """Another value, that is written at the same place."""
        return Node(value, self.document, self.path)

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def text(self, key: str) -> str | None:
        node = self.get(key)
        return node.value if node is not None and isinstance(node.value, str) else None

    def location(self) -> Location:
        return Location(self.document.path, self.document.at(self.path))

    def extent(self) -> Location:
        return Location(self.document.path, self.document.extent(self.path))

    def find(self, path: AttributePath) -> Node:
        """The node at a path, or the innermost one that is there."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node

    def plain(self) -> Any:
        """The value without the places."""
        if isinstance(self.value, dict):
            entries = {key: node.plain() for key, node in self.value.items()}
            return entries if self.rest is None else PartialDict(entries, self.rest)
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class Growing:
    """Makes nodes of documents; counts them, as aliases may stand for millions."""

    def __init__(self) -> None:
        self.count = 0

    def node(self, document: YamlDocument, value: Any, path: AttributePath) -> Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise TooManyNodes
        if isinstance(value, YamlMapping):
            entries = {key: self.node(document, item, (*path, key)) for key, item in value.items()}
            return Node(entries, document, path, value.tag)
        if isinstance(value, YamlSequence):
            items = [self.node(document, item, (*path, index)) for index, item in enumerate(value)]
            return Node(items, document, path, value.tag)
        if isinstance(value, TaggedScalar):
            return Node(None if value in ("null", "~", "") else str(value), document, path, value.tag)
        return Node(value, document, path)


def scalars(node: Node) -> Iterator[Node]:
    """Every scalar below a node."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each.value, dict):
            waiting.extend(reversed(each.value.values()))
        elif isinstance(each.value, list):
            waiting.extend(reversed(each.value))
        else:
            yield each
