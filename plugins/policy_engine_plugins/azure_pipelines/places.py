"""Maps attribute paths of a resource's value to places in the files that it was put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct, field

from policy_engine.placed import Origin, find
from policy_engine.resource import AttributePath
from policy_engine.span import Location, Trace


class Part(NamedTuple):
    """A value and where it is written."""

    value: Any
    origin: Origin


class Stretch(NamedTuple):
    """A stretch of a text as it is written."""

    origin: Origin
    text: str
    start: int
    end: int


class Places(Struct, frozen=True):
    """own      the resource's own mapping
    renamed  for keys that it does not hold as such: what each stands for
    parents  for keys that hold another resource's value: that resource's places
    uses     places of the entries of `uses`
    """

    own: Part
    renamed: Mapping[str, Part] = field(default_factory=dict)
    parents: Mapping[str, Places] = field(default_factory=dict)
    uses: Sequence[Stretch] = ()
    script: Any = None

    def __call__(self, path: AttributePath) -> Trace:
        return Trace(self.location(path))

    def location(self, path: AttributePath) -> Location:
        part = self.own
        first = path[0] if path else None
        if isinstance(first, str):
            parent = self.parents.get(first)
            if parent is not None:
                return parent.location(path[1:])
            if first == "uses" and len(path) > 1 and isinstance(path[1], int) and path[1] < len(self.uses):
                use = self.uses[path[1]]
                return use.origin.stretch(use.text, use.start, use.end)
            if first == "commands" and self.script is not None:
                found = self.script.place(path[1:])
                path = ("script", *found) if found is not None else ("script",)
                first = "script"
            renamed = self.renamed.get(first)
            if renamed is not None:
                part, path = renamed, path[1:]
        value, origin, left = find(part.value, part.origin, path)
        if isinstance(value, str) and len(left) == 2 and type(left[0]) is int and type(left[1]) is int:
            # A stretch of a text, as checks of scripts tell it.
            return origin.stretch(value, left[0], left[1])
        return origin.location()
