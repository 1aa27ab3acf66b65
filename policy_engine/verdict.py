"""What a scan, the accepted risks and the attestations say of each control.

A rule gives evidence for a part of a control. So no verdict says that a control is met: the best is that what was
looked at works, together with what remains for people to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from policy_engine.control import Control, Framework, controls_of
from policy_engine.finding import Outcome

if TYPE_CHECKING:
    from policy_engine.attestation import Attestation
    from policy_engine.report import Report


class ControlStatus(Enum):
    """In the order in which people should look at them."""

    FAILING = "failing"
    PARTLY = "partly"
    UNDETERMINED = "undetermined"
    ACCEPTED_RISK = "accepted risk"
    EFFECTIVE = "effective"
    ATTESTED = "attested"
    NO_EVIDENCE = "no evidence"
    NOT_APPLICABLE = "not applicable"


MEANINGS = {
    ControlStatus.FAILING: "rules found flaws, and no rule that looked at something holds",
    ControlStatus.PARTLY: "some rules hold and others found flaws, or flaws were set aside without an accepted risk",
    ControlStatus.UNDETERMINED: "nothing wrong was found, but something could not be decided or not be read",
    ControlStatus.ACCEPTED_RISK: "the only flaws are risks that somebody accepted, with an owner and an end date",
    ControlStatus.EFFECTIVE: "every rule that looked at something holds; that shows a part of the control",
    ControlStatus.ATTESTED: "no rule looked at anything; somebody attests it, and the attestation is in force",
    ControlStatus.NO_EVIDENCE: "no rule looked at anything, and no attestation is in force",
    ControlStatus.NOT_APPLICABLE: "the statement of applicability says that it does not apply, and why",
}


class Numbers(Struct):
    """How many findings of the control's rules there are of each kind.

    failed    flaws that count, those of the baseline among them
    known     of these, the ones that the baseline lists
    accepted  flaws under a waiver in force
    aside     flaws that a comment in the source sets aside
    """

    passed: int = 0
    failed: int = 0
    known: int = 0
    accepted: int = 0
    aside: int = 0
    unknown: int = 0


class Verdict(Struct, frozen=True):
    """What is known of one control.

    reason   the status in a sentence, with the numbers behind it
    rules    ids of the rules that looked at something, sorted
    holding  of these, the ones that found no flaw and left nothing undecided
    remains  what the rules cannot show, in a sentence
    """

    control: str
    status: ControlStatus
    reason: str
    numbers: Numbers
    rules: tuple[str, ...] = ()
    holding: tuple[str, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    lapsed: tuple[Attestation, ...] = ()
    remains: str = ""


def verdicts(report: Report, framework: Framework) -> Sequence[Verdict]:
    """One verdict for each control of a catalogue, in its order. None at all where only a part of a project was looked
    at: what a scan of a part did not find proves nothing about a control."""
    if report.settled is not None:
        return report.settled.get(framework.name, ())
    if not report.whole:
        return ()
    from policy_engine.attestation import attested_in
    from policy_engine.statement import not_applicable_in

    today = report.today or date.min
    excluded = not_applicable_in(report.statement, framework) if report.statement is not None else {}
    attested = attested_in(report.attestations, framework, today)
    tallies: dict[str, dict[str, Numbers]] = {}
    controls_by_rule = {rule.id: controls_of(rule, framework) for rule in report.rules}
    for rule, count in report.passed().items():
        for control in controls_by_rule.get(rule, ()):
            tallies.setdefault(control, {}).setdefault(rule, Numbers()).passed += count
    for finding in report.findings:
        for control in controls_by_rule.get(finding.rule.id, ()):
            numbers = tallies.setdefault(control, {}).setdefault(finding.rule.id, Numbers())
            weight = 1 + len(finding.twins)
            if finding.outcome is Outcome.UNKNOWN:
                # What cannot be decided and was set aside with a reason keeps nobody waiting.
                if finding.suppression is None:
                    numbers.unknown += weight
                else:
                    numbers.aside += weight
            elif finding.suppression is None or finding.suppression.kind == "baseline":
                numbers.failed += weight
                numbers.known += weight if finding.suppression is not None else 0
            elif finding.suppression.kind == "waiver":
                numbers.accepted += weight
            else:
                numbers.aside += weight
    complete = report.complete
    return [
        judge(
            control,
            tallies.get(name, {}),
            complete=complete,
            excluded=excluded.get(name),
            attested=attested.get(name, ((), ())),
        )
        for name, control in framework.controls.items()
    ]


def judge(
    control: Control,
    by_rule: dict[str, Numbers],
    *,
    complete: bool = True,
    excluded: str | None = None,
    attested: tuple[Sequence[Attestation], Sequence[Attestation]] = ((), ()),
) -> Verdict:
    """The verdict on one control from the numbers of its rules.

    complete  whether everything that was met could be evaluated
    excluded  the justification where the control does not apply
    attested  the attestations in force, and those that are not
    """
    total = Numbers()
    for numbers in by_rule.values():
        total.passed += numbers.passed
        total.failed += numbers.failed
        total.known += numbers.known
        total.accepted += numbers.accepted
        total.aside += numbers.aside
        total.unknown += numbers.unknown
    holding = tuple(
        sorted(
            name
            for name, each in by_rule.items()
            if each.passed and not (each.failed or each.unknown or each.accepted or each.aside)
        )
    )
    failing = sum(each.failed > 0 for each in by_rule.values())
    valid, lapsed = attested
    status, reason = _status(total, len(by_rule), failing, len(holding), complete, excluded, valid, lapsed)
    return Verdict(
        control.id,
        status,
        reason,
        total,
        tuple(sorted(by_rule)),
        holding,
        tuple(valid),
        tuple(lapsed),
        _remains(control, bool(by_rule), valid),
    )


def _status(
    total: Numbers,
    rules: int,
    failing: int,
    holding: int,
    complete: bool,
    excluded: str | None,
    valid: Sequence[Attestation],
    lapsed: Sequence[Attestation],
) -> tuple[ControlStatus, str]:
    if excluded is not None:
        return ControlStatus.NOT_APPLICABLE, excluded
    if total.failed:
        known = f", {total.known} of them in the baseline" if total.known else ""
        found = f"{_count(failing, 'rule')} of {rules} found {_count(total.failed, 'flaw')}{known}"
        return (ControlStatus.PARTLY, f"{found}; {holding} hold") if holding else (ControlStatus.FAILING, found)
    if total.unknown:
        return ControlStatus.UNDETERMINED, f"{_count(total.unknown, 'result')} of {_count(rules, 'rule')} undecided"
    if rules and not complete:
        return ControlStatus.UNDETERMINED, "no flaw was found, but the scan is incomplete"
    if total.aside:
        return ControlStatus.PARTLY, f"{_count(total.aside, 'flaw')} set aside in the source, not accepted as a risk"
    if total.accepted:
        return (
            ControlStatus.ACCEPTED_RISK,
            f"{_count(total.accepted, 'flaw')} accepted for a time; {holding} hold",
        )
    if rules:
        return ControlStatus.EFFECTIVE, f"{_count(rules, 'rule')} held {_count(total.passed, 'time')}"
    if valid:
        last = max(each.valid_until for each in valid)
        return ControlStatus.ATTESTED, f"attested by {valid[0].owner}, until {last}"
    if lapsed:
        latest = max(lapsed, key=lambda each: each.valid_until)
        return (
            ControlStatus.NO_EVIDENCE,
            f"what {latest.owner} attests is not in force (until {latest.valid_until})",
        )
    return ControlStatus.NO_EVIDENCE, "no rule looked at anything, and nobody attests it"


def _remains(control: Control, looked: bool, valid: Sequence[Attestation]) -> str:
    if control.evidence == "full" and looked:
        return ""
    if valid:
        return f"what rules cannot show is attested until {max(each.valid_until for each in valid)}"
    if control.evidence == "manual":
        return "no code can show it; it needs an attestation"
    return "rules show a part of it at most; the rest needs an attestation"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
