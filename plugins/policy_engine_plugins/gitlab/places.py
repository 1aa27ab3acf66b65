"""Maps attribute paths of a resource's value to places in the files that it was put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct, field

from policy_engine.placed import Origin, find
from policy_engine.resource import AttributePath
from policy_engine.span import Location, Trace
from policy_engine_plugins.gitlab.script import ScriptValue


class Stretch(NamedTuple):
    """A stretch of a text as it is written, which is not the value that was made of it."""

    text: str
    start: int
    end: int


class Part(Struct, frozen=True):
    """A value and where it is written."""

    value: Any
    origin: Origin


class Places(Struct, frozen=True):
    """own        the resource's own mapping
    renamed    for keys that it does not hold as such: what each stands for
    parents    for keys that hold another resource's value: that resource's places
    derived    for keys that are worked out: the key that each is told by, none for the resource as a whole
    variables  of a job: gives what its `environment_variables` stand for, which is seldom asked for
    script     of a script: its value, which knows where its commands stand
    """

    own: Part
    renamed: Mapping[str, Part] = field(default_factory=dict)
    parents: Mapping[str, Places] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    variables: Callable[[], Part] | None = None
    script: ScriptValue | None = None

    def __call__(self, path: AttributePath) -> Trace:
        return Trace(self.location(path))

    def location(self, path: AttributePath) -> Location:
        part = self.own
        if self.script is not None and path and path[0] == "commands":
            stretch = self.script.stretch(path[1:])
            return self.own.origin.location() if stretch is None else self.location(("lines", *stretch))
        if path and isinstance(path[0], str):
            key = self.derived.get(path[0])
            if key is not None:
                path = (key, *path[1:]) if key else ()
        if path and isinstance(path[0], str):
            parent = self.parents.get(path[0])
            if parent is not None:
                return parent.location(path[1:])
            renamed = self.renamed.get(path[0])
            if path[0] == "environment_variables" and self.variables is not None:
                renamed = self.variables()
            if renamed is not None:
                part, path = renamed, path[1:]
        value, origin, left = find(part.value, part.origin, path)
        if type(value) is Stretch:
            return origin.stretch(*value)
        if isinstance(value, str) and len(left) == 2 and type(left[0]) is int and type(left[1]) is int:
            # A stretch of a text, as checks of scripts tell it.
            return origin.stretch(value, left[0], left[1])
        return origin.location()
