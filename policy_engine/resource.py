"""What rules judge: one resource, and the resources of a unit seen together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from policy_engine.span import Location, Trace

# An attribute's path inside a resource's value: names for mappings, indexes for lists.
AttributePath = tuple[str | int, ...]


class Resource(Struct, frozen=True, eq=False):
    """One thing a rule can speak of: a Terraform resource, a Kubernetes object or container, a workflow step.

    format    name of the input format that made it
    type      what rules select by: `aws_s3_bucket`, `Deployment`, `container`, `step`
    address   unique in its unit and stable under moves: `aws_s3_bucket.logs`, `Deployment/shop/web/containers/app`.
              Holds no line number and no folder: it is part of a finding's identity.
    name      the short name a person knows it by
    value     plain values (dict, list, str, int, float, bool, None), `Unknown` where undecidable. Blocks are lists of
              mappings. May hold context from parents under extra keys (a step's `job`), as the format documents.
    location  its header, told when something is missing
    locate    maps an attribute path to its place; computed on demand. A path that does not exist gives the header of
              the innermost block that does. It must never raise.
    extent    the whole of it, from the first to the last line, or what tells it; None where it is the header.
              Asked for where something is suppressed, which is seldom
    """

    format: str
    type: str
    address: str
    name: str
    value: Mapping[str, Any]
    location: Location
    locate: Callable[[AttributePath], Trace]
    extent: Location | Callable[[], Location] | None = None

    def whole(self) -> Location:
        """From the first to the last line of it."""
        if self.extent is None:
            return self.location
        return self.extent if isinstance(self.extent, Location) else self.extent()


class ResourceGraph(Struct):
    """The resources of one unit, found by type or by address."""

    resources: Sequence[Resource]
    _by_type: dict[str, list[Resource]] = field(default_factory=dict)
    _by_address: dict[str, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self._by_type.setdefault(resource.type, []).append(resource)
            self._by_address.setdefault(resource.address, resource)

    def of_type(self, types: Iterable[str]) -> list[Resource]:
        return [resource for name in types for resource in self._by_type.get(name, ())]

    def at(self, address: str) -> Resource | None:
        return self._by_address.get(address)
