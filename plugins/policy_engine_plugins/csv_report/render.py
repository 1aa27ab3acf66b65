"""Lays controls and findings out as CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from policy_engine.control import controls_of
from policy_engine.escape import for_terminal
from policy_engine.report import Report
from policy_engine.verdict import verdicts


def controls(report: Report) -> str:
    rows = []
    for framework in report.frameworks:
        decided = report.statement.controls if report.statement and report.statement.framework == framework.name else {}
        for each in verdicts(report, framework):
            control, entry = framework.controls[each.control], decided.get(each.control)
            numbers = each.numbers
            rows.append(
                [
                    framework.title,
                    control.id,
                    control.name,
                    framework.themes[control.theme],
                    each.status.value,
                    each.reason,
                    each.remains,
                    *(numbers.failed, numbers.unknown, numbers.accepted, numbers.aside, numbers.passed),
                    " ".join(each.rules),
                    "" if entry is None else "yes" if entry.applicable else "no",
                    "" if entry is None else entry.justification,
                    "" if entry is None else entry.owner,
                    "; ".join(f"{one.owner} until {one.valid_until}" for one in each.attestations),
                    framework.source,
                ]
            )
    heads = (
        *("framework", "control", "name", "theme", "status", "reason", "remains"),
        *("failed", "undecided", "accepted", "set aside", "passed", "rules"),
        *("applicable", "justification", "owner", "attested by", "source"),
    )
    return _written(heads, rows)


def findings(report: Report) -> str:
    """One row for each finding, then one for each rule that a resource satisfies."""
    rows = []
    for each in report.findings:
        place = each.location
        state = "set aside" if each.suppression is not None else each.outcome.value
        rows.append(
            [
                state,
                each.severity.value,
                each.rule.id,
                each.message,
                place.path,
                place.span.start_line or "",
                place.span.start_column or "",
                each.address,
                each.suppression.reason if each.suppression is not None else "",
                each.remediation,
                *(" ".join(controls_of(each.rule, framework)) for framework in report.frameworks),
                each.fingerprint,
            ]
        )
    for passed in report.passes:
        place = passed.location
        for rule in passed.rules:
            rows.append(
                [
                    "pass",
                    rule.severity.value,
                    rule.id,
                    rule.title,
                    place.path,
                    place.span.start_line or "",
                    place.span.start_column or "",
                    passed.address,
                    "",
                    "",
                    *(" ".join(controls_of(rule, framework)) for framework in report.frameworks),
                    "",
                ]
            )
    heads = (
        *("outcome", "severity", "rule", "message", "path", "line", "column", "resource", "reason", "remediation"),
        *(framework.title for framework in report.frameworks),
        "fingerprint",
    )
    return _written(heads, rows)


def _written(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_cell(each) for each in row])
    return stream.getvalue()


def _cell(value: object) -> object:
    """A stranger's text must not become a formula: an apostrophe makes a spreadsheet take it as text."""
    if not isinstance(value, str):
        return value
    shown = for_terminal(value)
    return f"'{shown}" if shown.lstrip()[:1] in ("=", "+", "-", "@") and shown.strip() != "-" else shown
