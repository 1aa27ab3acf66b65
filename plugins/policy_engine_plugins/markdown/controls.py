"""Lays the verdicts on controls out as Markdown: every control with its status, then risks and attestations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policy_engine.control import Framework
from policy_engine.escape import code_span, for_markdown
from policy_engine.report import Report
from policy_engine.verdict import MEANINGS, ControlStatus, verdicts


def render(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield "# Security controls: what the scan shows"
    yield ""
    state = "failed" if report.failed else "passed" if report.complete else "incomplete"
    day = f"As of {report.today}. " if report.today is not None else ""
    yield f"{day}Scan {state}; policy-engine {for_markdown(report.version)}."
    yield ""
    yield (
        "A rule gives evidence for a part of a control at most. No status here says that a control is met: it says "
        "what the rules saw, what was accepted and attested, and what remains for people to show."
    )
    yield ""
    for framework in report.frameworks:
        yield from _framework(report, framework)
    yield from _changes(report)
    if report.waivers:
        yield "## Accepted risks"
        yield ""
        yield "| what | reason | owner | approver | created | expires |"
        yield "|---|---|---|---|---|---|"
        for each in sorted(report.waivers, key=lambda one: (one.expires, one.rule)):
            what = " ".join(part for part in (each.rule, each.path, each.resource) if part)
            over = " (expired)" if report.today is not None and each.expires < report.today else ""
            cells = [for_markdown(text) for text in (each.reason, each.owner, each.approver)]
            yield f"| {code_span(what)} | {' | '.join(cells)} | {each.created} | {each.expires}{over} |"
        yield ""
    if report.attestations:
        yield "## Attestations"
        yield ""
        yield "| controls | statement | owner | date | valid until |"
        yield "|---|---|---|---|---|"
        for one in sorted(report.attestations, key=lambda one: one.valid_until):
            over = "" if report.today is None or one.in_force(report.today) else " (not in force)"
            cells = [for_markdown(text) for text in (", ".join(one.controls), one.statement, one.owner)]
            yield f"| {' | '.join(cells)} | {one.date} | {one.valid_until}{over} |"
        yield ""
    for framework in report.frameworks:
        yield f"<sub>{for_markdown(framework.source)}.</sub>"


def _framework(report: Report, framework: Framework) -> Iterator[str]:
    reached = verdicts(report, framework)
    yield f"## {for_markdown(framework.title)}"
    yield ""
    if not reached:
        yield "Only a part of the project was looked at, so there are no verdicts on controls."
        yield ""
        return
    totals = Counter(each.status for each in reached)
    yield "| status | controls | meaning |"
    yield "|---|---:|---|"
    for status in ControlStatus:
        yield f"| {status.value} | {totals[status]} | {MEANINGS[status]} |"
    yield ""
    yield "| control | name | status | why | what remains |"
    yield "|---|---|---|---|---|"
    for each in reached:
        control = framework.controls[each.control]
        cells = [for_markdown(text) for text in (control.id, control.name)]
        told = [for_markdown(text) for text in (each.reason, each.remains)]
        yield f"| {' | '.join(cells)} | {each.status.value} | {' | '.join(told)} |"
    yield ""


def _changes(report: Report) -> Iterator[str]:
    if report.previous is None or not report.frameworks:
        return
    lead = report.frameworks[0]
    before = {each.control: each.status for each in verdicts(report.previous, lead)}
    changed = [
        (each.control, before[each.control], each.status)
        for each in verdicts(report, lead)
        if each.control in before and before[each.control] is not each.status
    ]
    known = {each.identity for each in report.previous.findings if each.counts}
    now = {each.identity for each in report.findings if each.counts}
    yield "## Changes since the earlier report"
    yield ""
    yield f"{len(now - known)} findings new, {len(known - now)} gone."
    yield ""
    if changed:
        yield "| control | before | now |"
        yield "|---|---|---|"
        for control, was, is_now in changed:
            yield f"| {for_markdown(control)} | {was.value} | {is_now.value} |"
        yield ""
