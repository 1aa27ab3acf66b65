"""Findings that were there when the project began to scan: `.policy-engine/baseline.yaml`, reviewed like any file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from policy_engine.finding import Finding, Outcome, Passed, Suppression
from policy_engine.policy import BASELINE
from policy_engine.suppression import RESOURCE_FORMAT

_HEAD = """\
# Findings that were known when this file was written; a scan sets them aside. Mend them one by one, then run
# `policy-engine baseline update`. See docs/pull-requests.md.
version: 1
findings:
"""


class Known(Struct, frozen=True):
    """One finding of a baseline. Fingerprint and path identify it; the rest is for its readers. The fingerprint is
    without an ordinal: namesakes in other folders share it, and which of them comes first is no matter of theirs."""

    fingerprint: str
    rule: str
    path: str
    resource: str
    message: str


class Baseline(Struct, frozen=True):
    findings: Sequence[Known]

    def missing(self, findings: Iterable[Finding]) -> list[Known]:
        """What it lists and the findings no longer hold."""
        there = Counter((print_, one.location.path) for one in findings for print_, _ in _instances(one))
        unmatched = []
        for known in self.findings:
            if there[known.fingerprint, known.path]:
                there[known.fingerprint, known.path] -= 1
            else:
                unmatched.append(known)
        moved = Counter[str]()
        for (print_, _), count in there.items():
            moved[print_] += count
        gone = []
        for known in unmatched:
            if moved[known.fingerprint]:
                moved[known.fingerprint] -= 1
            else:
                gone.append(known)
        return gone


def parse_baseline(data: bytes, path: str) -> Baseline:
    """Raises ConfigError with the place of the first mistake."""
    from policy_engine.schema import baseline_schema, checked_document

    document = checked_document(data, path, baseline_schema())
    return Baseline(tuple(Known(**entry) for entry in document.value["findings"] or ()))


def write_baseline(findings: Sequence[Finding]) -> str:
    """The file for these findings, sorted so that changes of it read well. JSON is YAML, and escapes every text."""
    lines = []
    for finding in findings:
        for print_, address in _instances(finding):
            entry = {
                "fingerprint": print_,
                "rule": finding.rule.id,
                "path": finding.location.path,
                "resource": address,
                "message": finding.message,
            }
            order = (finding.location.path, finding.rule.id, address, print_, finding.message)
            lines.append((order, f"  - {json.dumps(entry)}\n"))
    return _HEAD + ("".join(text for _, text in sorted(lines)) or "  []\n")


def belongs(finding: Finding) -> bool:
    """Whether a finding is one that a baseline may list: a failure that nothing else sets aside."""
    set_aside = finding.suppression is not None and finding.suppression.kind != "baseline"
    return finding.outcome is Outcome.FAIL and not set_aside and finding.format != RESOURCE_FORMAT


def apply_baseline(
    findings: Sequence[Finding],
    passes: Iterable[Passed],
    baseline: Baseline,
    seen: Collection[str],
    there: Callable[[str], bool],
) -> list[Finding]:
    """Findings with those that the baseline lists marked, each entry for one of them.

    An entry follows its finding to another file only where it is certainly gone from the former one: that file is no
    more, or was evaluated without finding it, and the resource was not simply mended there.

    seen   the files that were evaluated
    there  whether there is such a file
    """
    entries: dict[tuple[str, str], list[Known]] = {}
    for known in baseline.findings:
        entries.setdefault((known.fingerprint, known.path), []).append(known)
    settled = list(findings)
    open_ones = []
    for number, finding in enumerate(settled):
        if finding.suppression is None and belongs(finding):
            if _take(entries.get((finding.identity, finding.location.path))):
                settled[number] = _marked(finding)
            else:
                open_ones.append(number)
    if not open_ones:
        return settled
    mended = {(rule.id, one.address, one.location.path) for one in passes for rule in one.rules}
    moved: dict[str, list[Known]] = {}
    for left in entries.values():
        for known in left:
            gone = not there(known.path) or (
                known.path in seen and (known.rule, known.resource, known.path) not in mended
            )
            if gone:
                moved.setdefault(known.fingerprint, []).append(known)
    for number in open_ones:
        if _take(moved.get(settled[number].identity)):
            settled[number] = _marked(settled[number])
    return settled


def _take(entries: list[Known] | None) -> bool:
    if not entries:
        return False
    entries.pop()
    return True


def _marked(finding: Finding) -> Finding:
    return finding._replace(suppression=Suppression("baseline", f"known from before ({BASELINE})"))


def _instances(finding: Finding) -> list[tuple[str, str]]:
    """Fingerprint, without an ordinal, and address of a finding and its twins."""
    return [(finding.identity, finding.address), *((twin.identity, twin.address) for twin in finding.twins)]
