"""What findings, accepted risks and attestations make of a control, case by case, written out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from policy_engine.attestation import Attestation
from policy_engine.control import Control
from policy_engine.span import Location, Span
from policy_engine.verdict import ControlStatus, Numbers, judge

PARTIAL = Control("A.8.24", "technological", "Encrypting well", "Encrypt.", evidence="partial")
MANUAL = Control("A.6.3", "people", "Teaching", "Teach.", evidence="manual")
FULL = Control("X.1", "x", "Shown in full", "Show.", evidence="full")

IN_FORCE = Attestation(
    "iso27001-2022",
    ("A.6.3",),
    "all were taught",
    "head of people",
    date(2026, 3, 1),
    date(2027, 2, 28),
    Location(".policy-engine/attestations.yaml", Span(2, 5, 2, 20)),
)
NOBODY: tuple[list[Attestation], list[Attestation]] = ([], [])
SOMEBODY = ([IN_FORCE], [])
NO_LONGER = ([], [IN_FORCE])

CASES = {
    # -- nothing looked
    "nothing at all": ({}, True, None, NOBODY, ControlStatus.NO_EVIDENCE, "no rule looked at anything"),
    "an attestation": ({}, True, None, SOMEBODY, ControlStatus.ATTESTED, "attested by head of people, until 2027"),
    "an attestation that has ended": ({}, True, None, NO_LONGER, ControlStatus.NO_EVIDENCE, "is not in force"),
    "an attestation and a scan that is incomplete": ({}, False, None, SOMEBODY, ControlStatus.ATTESTED, "attested"),
    # -- one rule
    "a rule that holds": ({"a": Numbers(passed=3)}, True, None, NOBODY, ControlStatus.EFFECTIVE, "1 rule held 3 times"),
    "a rule that holds, and an attestation": (
        {"a": Numbers(passed=1)}, True, None, SOMEBODY, ControlStatus.EFFECTIVE, "1 rule held 1 time",
    ),
    "a rule that holds in an incomplete scan": (
        {"a": Numbers(passed=3)}, False, None, NOBODY, ControlStatus.UNDETERMINED, "the scan is incomplete",
    ),
    "a flaw": ({"a": Numbers(failed=1)}, True, None, NOBODY, ControlStatus.FAILING, "1 rule of 1 found 1 flaw"),
    "a flaw in an incomplete scan": ({"a": Numbers(failed=1)}, False, None, NOBODY, ControlStatus.FAILING, "1 flaw"),
    "a flaw against an attestation": ({"a": Numbers(failed=1)}, True, None, SOMEBODY, ControlStatus.FAILING, "1 flaw"),
    "a flaw beside passes of the same rule": (
        {"a": Numbers(passed=9, failed=1)}, True, None, NOBODY, ControlStatus.FAILING, "1 rule of 1 found 1 flaw",
    ),
    "a flaw that the baseline lists": (
        {"a": Numbers(failed=2, known=1)}, True, None, NOBODY, ControlStatus.FAILING, "1 of them in the baseline",
    ),
    "an accepted risk": (
        {"a": Numbers(accepted=1)}, True, None, NOBODY, ControlStatus.ACCEPTED_RISK, "1 flaw accepted for a time",
    ),
    "a risk whose waiver has expired counts as a flaw": (
        {"a": Numbers(failed=1)}, True, None, NOBODY, ControlStatus.FAILING, "1 flaw",
    ),
    "a flaw that a comment sets aside": (
        {"a": Numbers(aside=1)}, True, None, NOBODY, ControlStatus.PARTLY, "not accepted as a risk",
    ),
    "undecided": (
        {"a": Numbers(unknown=1)}, True, None, NOBODY, ControlStatus.UNDETERMINED, "1 result of 1 rule undecided",
    ),
    "undecided, and attested": (
        {"a": Numbers(unknown=1)}, True, None, SOMEBODY, ControlStatus.UNDETERMINED, "undecided",
    ),
    "undecided beside passes": (
        {"a": Numbers(passed=5, unknown=1)}, True, None, NOBODY, ControlStatus.UNDETERMINED, "undecided",
    ),
    "undecided beside a flaw": (
        {"a": Numbers(failed=1, unknown=1)}, True, None, NOBODY, ControlStatus.FAILING, "1 flaw",
    ),
    # -- several rules
    "all hold": (
        {"a": Numbers(passed=1), "b": Numbers(passed=2)}, True, None, NOBODY, ControlStatus.EFFECTIVE, "2 rules held 3",
    ),
    "one fails, one holds": (
        {"a": Numbers(failed=2), "b": Numbers(passed=2)}, True, None, NOBODY, ControlStatus.PARTLY,
        "1 rule of 2 found 2 flaws; 1 hold",
    ),
    "one fails, one is undecided": (
        {"a": Numbers(failed=1), "b": Numbers(unknown=2)}, True, None, NOBODY, ControlStatus.FAILING, "1 rule of 2",
    ),
    "one holds, one is undecided": (
        {"a": Numbers(passed=1), "b": Numbers(unknown=2)}, True, None, NOBODY, ControlStatus.UNDETERMINED,
        "2 results of 2 rules undecided",
    ),
    "one accepted, one holds": (
        {"a": Numbers(accepted=1), "b": Numbers(passed=2)}, True, None, NOBODY, ControlStatus.ACCEPTED_RISK, "1 hold",
    ),
    "one accepted, one fails": (
        {"a": Numbers(accepted=1), "b": Numbers(failed=2)}, True, None, NOBODY, ControlStatus.FAILING, "2 flaws",
    ),
    "one accepted, one undecided": (
        {"a": Numbers(accepted=1), "b": Numbers(unknown=1)}, True, None, NOBODY, ControlStatus.UNDETERMINED,
        "undecided",
    ),
    "one accepted, one set aside": (
        {"a": Numbers(accepted=1), "b": Numbers(aside=1)}, True, None, NOBODY, ControlStatus.PARTLY, "set aside",
    ),
    "accepted in an incomplete scan": (
        {"a": Numbers(accepted=1)}, False, None, NOBODY, ControlStatus.UNDETERMINED, "incomplete",
    ),
    # -- not applicable
    "does not apply": ({}, True, "no cloud is used", NOBODY, ControlStatus.NOT_APPLICABLE, "no cloud is used"),
    "does not apply, though a rule of several controls fails": (
        {"a": Numbers(failed=1)}, True, "no cloud is used", NOBODY, ControlStatus.NOT_APPLICABLE, "no cloud is used",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_control_gets_one_status(case: str) -> None:
    rules, complete, excluded, attested, status, told = CASES[case]
    verdict = judge(PARTIAL, rules, complete=complete, excluded=excluded, attested=attested)
    assert verdict.status is status
    assert told in verdict.reason
    assert verdict.rules == tuple(sorted(rules))


@pytest.mark.parametrize(
    ("control", "rules", "attested", "remains"),
    [
        (PARTIAL, {"a": Numbers(passed=1)}, NOBODY, "rules show a part of it at most; the rest needs an attestation"),
        (PARTIAL, {"a": Numbers(passed=1)}, SOMEBODY, "what rules cannot show is attested until 2027-02-28"),
        (PARTIAL, {}, NOBODY, "rules show a part of it at most; the rest needs an attestation"),
        (MANUAL, {}, NOBODY, "no code can show it; it needs an attestation"),
        (FULL, {"a": Numbers(passed=1)}, NOBODY, ""),
    ],
)
def test_it_is_told_what_remains_for_people(control, rules, attested, remains) -> None:  # type: ignore[no-untyped-def]
    assert judge(control, rules, attested=attested).remains == remains


def test_only_rules_without_any_reservation_hold() -> None:
    rules = {
        "holds": Numbers(passed=2),
        "also-undecided": Numbers(passed=2, unknown=1),
        "also-accepted": Numbers(passed=2, accepted=1),
        "also-aside": Numbers(passed=2, aside=1),
        "fails": Numbers(passed=2, failed=1),
    }
    assert judge(PARTIAL, rules).holding == ("holds",)


def test_no_status_claims_that_a_control_is_met() -> None:
    from policy_engine.verdict import MEANINGS

    assert set(MEANINGS) == set(ControlStatus)
    words = " ".join([*(each.value for each in ControlStatus), *MEANINGS.values()]).lower()
    assert "complian" not in words
    assert "conform" not in words
