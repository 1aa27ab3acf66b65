"""One flaw is one finding, however many instances of its block there are."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.finding import Change, Finding, Twin
from policy_engine.span import Location


def join_twins(findings: Iterable[Finding]) -> list[Finding]:
    """Joins what the same rule says at the same place of instances of the same block: the first one in the given order
    stays and names the others. A module that is called ten times has its flaw once; mending that place mends it for
    all."""
    told = list(findings)
    # Most findings are the only one of their rule at their place, which is sooner told than all that twins share.
    first_at: dict[tuple[str, Location], int] = {}
    together: set[int] = set()
    for number, finding in enumerate(told):
        first = first_at.setdefault((finding.rule.id, finding.location), number)
        if first != number:
            together.update((first, number))
    alike: dict[object, list[int]] = {}
    for number in sorted(together):
        if told[number].block is not None:
            alike.setdefault(_shared(told[number]), []).append(number)
    others: set[int] = set()
    for number, *rest in alike.values():
        if rest:
            told[number] = _joined(told[number], [told[other] for other in rest])
            others.update(rest)
    return [finding for number, finding in enumerate(told) if number not in others] if others else told


def _joined(first: Finding, others: list[Finding]) -> Finding:
    # A further instance of a block that has the flaw already adds none.
    existing = any(one.change is Change.EXISTING for one in (first, *others))
    return first._replace(
        twins=tuple(Twin(one.address, one.fingerprint, one.origin) for one in others),
        change=Change.EXISTING if existing else first.change,
    )


def _shared(finding: Finding) -> tuple[object, ...]:
    """All that twins have in common."""
    return (
        finding.rule.id,
        finding.outcome,
        finding.format,
        finding.resource_type,
        finding.block,
        finding.location,
        finding.path,
        finding.message,
        finding.suppression,
    )
