"""Maps attribute paths of a resource's value to places in the document, context keys included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Span, Trace
from policy_engine.yaml_document import YamlDocument


class Places(Struct, frozen=True):
    """base      path of the resource in the document
    renamed   for keys that the document does not hold: the path in the document that each stands for
    parents   for keys that hold another resource's value: that resource's places
    spans     places of the entries of `expressions`
    scripted  the place of an attribute of a script's commands, where it is known
    items     for keys that hold a list which the document does not: the path in the document of each of its items
    """

    document: YamlDocument
    base: AttributePath
    renamed: Mapping[str, AttributePath] = field(default_factory=dict)
    parents: Mapping[str, Places] = field(default_factory=dict)
    spans: Sequence[Span] = ()
    items: Mapping[str, Sequence[AttributePath]] = field(default_factory=dict)
    scripted: Callable[[AttributePath], Span | None] | None = None

    def __call__(self, path: AttributePath) -> Trace:
        return Trace(Location(self.document.path, self.span(path)))

    def span(self, path: AttributePath) -> Span:
        if not path:
            return self.document.at(self.base)
        first = path[0]
        if first == "expressions" and len(path) > 1 and isinstance(path[1], int) and path[1] < len(self.spans):
            return self.spans[path[1]]
        if first in ("commands", "writes") and self.scripted is not None:
            found = self.scripted(path)
            if found is not None:
                return found
        if isinstance(first, str):
            listed = self.items.get(first)
            if listed is not None and len(path) > 1 and isinstance(path[1], int) and path[1] < len(listed):
                return self.document.at(listed[path[1]])
            parent = self.parents.get(first)
            if parent is not None:
                return parent.span(path[1:])
            renamed = self.renamed.get(first)
            if renamed is not None:
                return self.document.at(renamed)
        return self.document.at(self.base + path)
