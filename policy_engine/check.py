"""Named Python checks: what the rule language cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policy_engine.resource import AttributePath, Resource, ResourceGraph
from policy_engine.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Violation:
    """One flaw. `path` is relative to the value the check got; `detail` fills `{detail}` in the rule's message."""

    path: AttributePath = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that cannot be decided, and the Unknown that stands in the way."""

    unknown: Unknown
    path: AttributePath = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may look at beside its value: the resource the value belongs to, and the unit's other resources."""

    resource: Resource
    graph: ResourceGraph


CheckFunction = Callable[[Any, Mapping[str, Any], Context], Iterable["Violation | Doubt"]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check that rules call by name: `check: NAME` and `with: {parameter: value}`.

    function    gives a Violation for each flaw and a Doubt for each thing it cannot decide. None of either is a pass;
                violations outweigh doubts. It must be a pure function.
    parameters  JSON Schema (draft 2020-12) of `with`
    """

    name: str
    function: CheckFunction
    parameters: Mapping[str, Any]
    description: str = ""
