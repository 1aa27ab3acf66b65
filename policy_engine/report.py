"""The outcome of a scan: findings, and a ledger of everything that was met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from policy_engine.control import Framework
from policy_engine.finding import Change, Finding, Outcome, Passed
from policy_engine.rule import Rule, Severity
from policy_engine.unit import Problem, ProblemKind

if TYPE_CHECKING:
    from datetime import date

    from policy_engine.attestation import Attestation
    from policy_engine.moment import Moment
    from policy_engine.statement import Statement
    from policy_engine.verdict import Verdict
    from policy_engine.waiver import Waiver


class Status(Enum):
    """What became of a file."""

    EVALUATED = "evaluated"
    NOT_CLAIMED = "not_claimed"
    EXCLUDED = "excluded"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    UNREADABLE = "unreadable"
    NOT_UNDERSTOOD = "not_understood"
    UNCHANGED = "unchanged"


class Entry(Struct, frozen=True):
    """One file (or, for EXCLUDED, one folder, with a trailing slash) of the ledger.

    `detail` says why: the exclude pattern and the line it stands on, or the problem.
    """

    path: str
    status: Status
    formats: tuple[str, ...] = ()
    detail: str = ""


class Ledger(Struct, frozen=True):
    """Everything that was met, sorted by path."""

    entries: Sequence[Entry]

    def count(self, status: Status) -> int:
        return sum(entry.status is status for entry in self.entries)


class Base(Struct, frozen=True):
    """What a scan compares with: the name that was given, the commit, and the failures that are gone since."""

    name: str
    commit: str
    fixed: Sequence[Finding] = ()


class Report(Struct, frozen=True):
    """Everything a reporter may tell. Sorted, free of absolute paths and of the time of day: two runs are equal.

    findings    what fails and what cannot be decided, sorted by path, line, column, rule id, address
    passes      what resources satisfy, sorted by place
    rules       every rule that was evaluated (selected, and with a target for a format that was met), sorted by id
    frameworks  the catalogues chosen in the settings, the first one leading
    root        the scanned folder on this machine, for messages on a terminal only; never written to a report file
    fail_on     the threshold: the least severity that makes the run fail; None where nothing does
    category    names this analysis among others of the same commit (SARIF `automationDetails.id`)
    base        the commit that the scan compares with, and what is gone since; None where it compares with none
    gate        "all" findings can make the run fail, or "new" ones only
    today         the day that end dates are compared with; None where nothing of it was asked
    whole         whether a whole project was looked at with all its rules, so that silence about a control counts
    statement     the statement of applicability; `not_applicable` are the rules that were not run for its sake
    attestations  what people say of controls
    waivers       risks that are accepted, those that have expired among them
    settled       verdicts that were reached before, by framework; None where they follow from the findings
    previous      an earlier report to tell the changes from
    trend         what earlier runs came to, oldest first
    """

    findings: Sequence[Finding]
    passes: Sequence[Passed]
    rules: Sequence[Rule]
    frameworks: Sequence[Framework]
    ledger: Ledger
    problems: Sequence[Problem]
    root: str
    version: str
    fail_on: Severity | None = Severity.LOW
    category: str = "policy-engine"
    base: Base | None = None
    gate: str = "all"
    today: date | None = None
    whole: bool = False
    statement: Statement | None = None
    not_applicable: Sequence[str] = ()
    attestations: Sequence[Attestation] = ()
    waivers: Sequence[Waiver] = ()
    settled: Mapping[str, Sequence[Verdict]] | None = None
    previous: Report | None = None
    trend: Sequence[Moment] = ()

    @property
    def complete(self) -> bool:
        """False when something was not evaluated, so that silence proves nothing."""
        return all(problem.kind is ProblemKind.LIMITED for problem in self.problems)

    @property
    def failed(self) -> bool:
        """Whether a finding that counts is at or above the threshold."""
        threshold = self.fail_on
        return threshold is not None and any(
            self.weighs(finding) and finding.severity.rank <= threshold.rank for finding in self.findings
        )

    def weighs(self, finding: Finding) -> bool:
        """Whether a finding can make the run fail."""
        return finding.counts and (self.gate == "all" or finding.change is not Change.EXISTING)

    @property
    def exit_code(self) -> int:
        """0 nothing at or above the threshold, 1 findings at or above it, 3 incomplete without such findings."""
        if self.failed:
            return 1
        return 0 if self.complete else 3

    def passed(self) -> Counter[str]:
        """How many resources satisfy a rule, by its id."""
        return Counter([rule.id for each in self.passes for rule in each.rules])

    def counts(self) -> Mapping[str, int]:
        """Totals: `fail`, `unknown`, `pass`, `suppressed`, and `fail` by severity under the severity's name; `new`,
        `existing` and `fixed` where the scan compares with a base."""
        totals = dict.fromkeys(["fail", "unknown", "pass", "suppressed", *(s.value for s in Severity)], 0)
        totals["pass"] = sum(len(each.rules) for each in self.passes)
        if self.base is not None:
            totals |= {"new": 0, "existing": 0, "fixed": len(self.base.fixed)}
        for finding in self.findings:
            if finding.suppression is not None:
                totals["suppressed"] += 1
                continue
            totals[finding.outcome.value] += 1
            if finding.outcome is Outcome.FAIL:
                totals[finding.severity.value] += 1
                if finding.change is not None:
                    totals[finding.change.value] += 1
        return totals
