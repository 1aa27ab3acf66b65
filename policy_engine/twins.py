"""One flaw is one finding, however many instances of its block there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from policy_engine.finding import Finding, Outcome, Twin


def join_twins(findings: Iterable[Finding]) -> list[Finding]:
    """Joins what the same rule says at the same place of instances of the same block: the first one in the given order
    stays and names the others. A module that is called ten times has its flaw once; mending that place mends it for
    all. What passes is counted for each instance."""
    joined: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        joined.setdefault(_place(finding) or number, []).append(finding)
    return [
        first if not others else replace(first, twins=tuple(Twin(one.address, one.fingerprint) for one in others))
        for first, *others in joined.values()
    ]


def _place(finding: Finding) -> object:
    if finding.outcome is Outcome.PASS or finding.block is None:
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
