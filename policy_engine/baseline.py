"""Findings that were there when the project began to scan: `.policy-engine/baseline.yaml`, reviewed like any file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policy_engine.errors import ConfigError
from policy_engine.finding import Finding, Outcome, Suppression
from policy_engine.policy import BASELINE
from policy_engine.suppression import RESOURCE_FORMAT

_HEAD = """\
# Findings that were known when this file was written; a scan sets them aside. Mend them one by one, then run
# `policy-engine baseline update`. See docs/pull-requests.md.
version: 1
findings:
"""


@dataclass(frozen=True, slots=True)
class Known:
    """One finding of a baseline. The fingerprint alone identifies it; the rest is for its readers."""

    fingerprint: str
    rule: str
    path: str
    resource: str
    message: str


@dataclass(frozen=True, slots=True)
class Baseline:
    findings: Mapping[str, Known]
    """By fingerprint."""

    def missing(self, findings: Iterable[Finding]) -> list[Known]:
        """What it lists and the findings no longer hold."""
        there = {print_ for finding in findings for print_ in _prints(finding)}
        return [known for key, known in self.findings.items() if key not in there]


def parse_baseline(data: bytes, path: str) -> Baseline:
    """Raises ConfigError with the place of the first mistake."""
    from policy_engine.schema import baseline_schema, mistakes
    from policy_engine.yaml_document import parse_yaml

    parsed = parse_yaml(data, path)
    if parsed.problems:
        raise ConfigError(parsed.problems[0].message, path=path, span=parsed.problems[0].span)
    if len(parsed.documents) != 1:
        raise ConfigError(f"a baseline holds one document, not {len(parsed.documents)}", path=path)
    document = parsed.documents[0]
    wrong = mistakes(document.value, baseline_schema())
    if wrong:
        raise ConfigError(wrong[0][1], path=path, span=document.at(wrong[0][0]))
    return Baseline({entry["fingerprint"]: Known(**entry) for entry in document.value["findings"] or ()})


def write_baseline(findings: Sequence[Finding]) -> str:
    """The file for these findings, sorted so that changes of it read well. JSON is YAML, and escapes every text."""
    lines = []
    for finding in sorted(findings, key=lambda one: (one.location.path, one.rule.id, one.address, one.fingerprint)):
        for print_ in _prints(finding):
            entry = {
                "fingerprint": print_,
                "rule": finding.rule.id,
                "path": finding.location.path,
                "resource": finding.address,
                "message": finding.message,
            }
            lines.append(f"  - {json.dumps(entry)}\n")
    return _HEAD + ("".join(lines) or "  []\n")


def belongs(finding: Finding) -> bool:
    """Whether a finding is one that a baseline may list: a failure that nothing else sets aside."""
    set_aside = finding.suppression is not None and finding.suppression.kind != "baseline"
    return finding.outcome is Outcome.FAIL and not set_aside and finding.format != RESOURCE_FORMAT


def apply_baseline(findings: Sequence[Finding], baseline: Baseline) -> list[Finding]:
    """Findings with those that the baseline lists marked."""
    settled = []
    for finding in findings:
        if finding.suppression is None and belongs(finding) and finding.fingerprint in baseline.findings:
            finding = replace(finding, suppression=Suppression("baseline", f"known from before ({BASELINE})"))
        settled.append(finding)
    return settled


def _prints(finding: Finding) -> tuple[str, ...]:
    return (finding.fingerprint, *(twin.fingerprint for twin in finding.twins))
