"""Named Python checks: what the rule language cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath, Resource, ResourceGraph
from policy_engine.unknown import Unknown


class Violation(Struct, frozen=True):
    """One flaw. `path` is relative to the value the check got; `detail` fills `{detail}` in the rule's message."""

    path: AttributePath = ()
    detail: str = ""


class Doubt(Struct, frozen=True):
    """Something that cannot be decided, and the Unknown that stands in the way."""

    unknown: Unknown
    path: AttributePath = ()


class Context:
    """What a check may look at beside its value: the resource the value belongs to, and the unit's other resources."""

    __slots__ = ("_texts", "graph", "resource")

    def __init__(self, resource: Resource, graph: ResourceGraph) -> None:
        self.resource = resource
        self.graph = graph
        self._texts: dict[tuple[int, str], tuple[Sequence[Any], tuple[frozenset[str], bool]]] = {}

    def texts(self, items: Sequence[Any], name: str) -> tuple[frozenset[str], bool]:
        """The texts that items have for an attribute, and whether every item is a known mapping with a text or nothing
        for it. Worked out once: many rules ask the same of a long list of commands."""
        key = (id(items), name)
        known = self._texts.get(key)
        if known is None:
            # The items are kept along, so that no other list gets their identity.
            known = self._texts[key] = (items, _texts(items, name))
        return known[1]


def _texts(items: Sequence[Any], name: str) -> tuple[frozenset[str], bool]:
    found = set()
    all_known = True
    for item in items:
        if type(item) is not dict:
            all_known = False
            continue
        text = item.get(name)
        if type(text) is str:
            found.add(text)
        elif text is not None:
            all_known = False
    return frozenset(found), all_known


CheckFunction = Callable[[Any, Mapping[str, Any], Context], Iterable["Violation | Doubt"]]
Judge = Callable[[Any, Mapping[str, Any]], Iterable["Violation | Doubt"]]


class Check(Struct, frozen=True):
    """A check that rules call by name: `check: NAME` and `with: {parameter: value}`.

    function    gives a Violation for each flaw and a Doubt for each thing it cannot decide. None of either is a pass;
                violations outweigh doubts. It must be a pure function.
    parameters  JSON Schema (draft 2020-12) of `with`
    """

    name: str
    function: CheckFunction
    parameters: Mapping[str, Any]
    description: str = ""


def deferred(load: Callable[[], Judge]) -> CheckFunction:
    """A check's function whose code is loaded when a rule first calls it. An import statement of its own in the check
    would be gone through with every call, and takes as long as most checks do."""
    loaded = cache(load)

    def function(value: Any, parameters: Mapping[str, Any], _context: Context) -> Iterable[Violation | Doubt]:
        return loaded()(value, parameters)

    return function
