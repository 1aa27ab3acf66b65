"""Rules: what is judged, why it matters and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from msgspec import Struct


class Severity(Enum):
    """How bad a failed rule is. `score` is on the CVSS scale from 0 to 10, as GitHub reads `security-severity`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]

    @property
    def score(self) -> float:
        return _SCORES[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SCORES = dict(zip(Severity, (9.5, 8.0, 5.5, 3.0, 1.0), strict=True))


class Target(Struct, frozen=True):
    """How a rule's intent reads in one format: which resources, under what condition, and what must hold.

    `when` and `require` are conditions as the rule file holds them; `policy_engine.condition` compiles them.
    """

    format: str
    resources: tuple[str, ...]
    require: Mapping[str, Any]
    when: Mapping[str, Any] | None = None
    message: str | None = None
    remediation: str | None = None


class Rule(Struct, frozen=True):
    """One control intent. `controls` are ISO/IEC 27001:2022 ids; `controls_2013` overrides the correspondence table.

    `path` is the file it came from, for messages. `sensitive` keeps the offending value out of every output.
    """

    id: str
    title: str
    severity: Severity
    controls: tuple[str, ...]
    rationale: str
    targets: tuple[Target, ...]
    message: str
    remediation: str
    path: str
    references: tuple[str, ...] = ()
    controls_2013: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    precision: str = "high"
    sensitive: bool = False
    pack: str = ""

    def formats(self) -> Sequence[str]:
        return tuple(dict.fromkeys(target.format for target in self.targets))
