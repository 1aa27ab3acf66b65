"""One flaw is one finding, however many instances of its block there are."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.finding import Change, Finding, Twin


def join_twins(findings: Iterable[Finding]) -> list[Finding]:
    """Joins what the same rule says at the same place of instances of the same block: the first one in the given order
    stays and names the others. A module that is called ten times has its flaw once; mending that place mends it for
    all."""
    joined: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        joined.setdefault(_place(finding) or number, []).append(finding)
    return [_joined(findings) for findings in joined.values()]


def _joined(findings: list[Finding]) -> Finding:
    first, *others = findings
    if not others:
        return first
    # A further instance of a block that has the flaw already adds none.
    existing = any(one.change is Change.EXISTING for one in findings)
    return first._replace(
        twins=tuple(Twin(one.address, one.fingerprint, one.origin) for one in others),
        change=Change.EXISTING if existing else first.change,
    )


def _place(finding: Finding) -> object:
    if finding.block is None:
        return None
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
