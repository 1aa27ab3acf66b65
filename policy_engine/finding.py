"""What rules found of a resource: a finding for each that fails or cannot be decided, and what it satisfies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cached_property
from typing import NamedTuple, overload

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.rule import Rule, Severity
from policy_engine.span import Location


class Outcome(Enum):
    FAIL = "fail"
    UNKNOWN = "unknown"


class Change(Enum):
    """What a change does to a failure, where a scan looks at one."""

    NEW = "new"
    EXISTING = "existing"


class Suppression(Struct, frozen=True):
    """Why a finding does not count, and who says so. `kind` is `inline` (a comment in the source), `waiver` (an
    accepted risk) or `baseline` (known from before)."""

    kind: str
    reason: str
    location: Location | None = None


class Twin(Struct, frozen=True):
    """The same flaw on another instance of the same block: a module called again, a further `count`."""

    address: str
    fingerprint: str
    origin: str = ""

    @property
    def identity(self) -> str:
        return self.origin or self.fingerprint


class Passed(NamedTuple):
    """All that one resource satisfies. Most of what is judged passes: one record for each rule would cost more than
    judging it.

    rules     each once, in the order they were judged
    location  the resource's header
    """

    rules: tuple[Rule, ...]
    format: str
    resource_type: str
    address: str
    location: Location


class Passes(Sequence[Passed]):
    """Passes that are put together when somebody asks for them: many reports tell findings alone."""

    def __init__(self, make: Callable[[], Sequence[Passed]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Sequence[Passed]:
        return self._make()

    @overload
    def __getitem__(self, index: int) -> Passed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Passed]: ...

    def __getitem__(self, index: int | slice) -> Passed | Sequence[Passed]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Iterator[Passed]:
        return iter(self._made)


class Finding(NamedTuple):
    """One rule, one resource and, for a failure, one offending attribute.

    path         the offending attribute; empty for the resource as a whole
    message      one line that names the offending thing; for UNKNOWN, the reasons why it cannot be decided
    location     the place to change; `related` are places the value came through, each with a phrase
    snippet      source line of `location.span.start_line`, with anything that looks like a secret masked
    fingerprint  stable identity: 32 hexadecimal digits of rule, address, attribute path and ordinal
    severity     the rule's, or what settings made of it
    block        header of the block that the resource was made from; several instances may share it
    twins        other instances that have this very flaw at this very place
    change       for a failure, where the scan compares with a base: whether it was there before
    origin       the fingerprint before an ordinal was mixed in; empty where none was
    """

    rule: Rule
    outcome: Outcome
    severity: Severity
    format: str
    resource_type: str
    address: str
    path: AttributePath
    message: str
    location: Location
    fingerprint: str
    related: tuple[tuple[Location, str], ...] = ()
    snippet: str = ""
    remediation: str = ""
    suppression: Suppression | None = None
    block: Location | None = None
    twins: tuple[Twin, ...] = ()
    change: Change | None = None
    origin: str = ""

    def numbered(self, fingerprint: str) -> Finding:
        """The same under a fingerprint with an ordinal in it."""
        # As `_replace` does, in a quarter of the time: of many files alike, nearly all findings are numbered.
        fields = list(self)
        fields[_FINGERPRINT], fields[-1] = fingerprint, self.fingerprint
        return tuple.__new__(Finding, fields)

    @property
    def identity(self) -> str:
        """The same for findings that differ in their ordinal alone."""
        return self.origin or self.fingerprint

    @property
    def counts(self) -> bool:
        """Whether it weighs in the exit code."""
        return self.outcome is Outcome.FAIL and self.suppression is None


_FINGERPRINT = Finding._fields.index("fingerprint")
assert Finding._fields[-1] == "origin"
