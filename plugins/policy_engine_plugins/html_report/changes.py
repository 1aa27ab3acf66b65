"""What has changed since an earlier report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.control import Framework
from policy_engine.finding import Finding
from policy_engine.report import Report
from policy_engine.verdict import verdicts
from policy_engine_plugins.html_report.markup import count, table, text
from policy_engine_plugins.html_report.status import badge

_MOST = 200


def section(report: Report, lead: Framework | None) -> Iterator[str]:
    earlier = report.previous
    if earlier is None:
        return
    since = f" since {earlier.today}" if earlier.today is not None else " since the last report"
    yield f'<section aria-labelledby="changes"><h2 id="changes">Changes{since}</h2>\n'
    if lead is not None:
        before = {each.control: each for each in verdicts(earlier, lead)}
        rows = [
            (
                text(each.control),
                text(lead.controls[each.control].name),
                badge(before[each.control].status),
                badge(each.status),
            )
            for each in verdicts(report, lead)
            if each.control in before and before[each.control].status is not each.status
        ]
        if rows:
            yield table("Controls with another status", ("Control", "Name", "Before", "Now"), rows)
        else:
            yield "<p>Every control has the status it had.</p>\n"
    known = {each.identity for each in earlier.findings if each.counts}
    now = {each.identity for each in report.findings if each.counts}
    new = [each for each in report.findings if each.counts and each.identity not in known]
    gone = [each for each in earlier.findings if each.counts and each.identity not in now]
    yield f"<p>{count(len(new), 'finding')} new, {count(len(gone), 'finding')} gone.</p>\n"
    for title, findings in (("New findings", new), ("Findings that are gone", gone)):
        if findings:
            yield _listed(title, findings)
    yield "</section>\n"


def _listed(title: str, findings: Sequence[Finding]) -> str:
    worst = sorted(findings, key=lambda each: each.severity.rank)
    more = f"<p>and {len(worst) - _MOST:,} more</p>\n" if len(worst) > _MOST else ""
    rows = [
        (
            f'<span class="severity v-{each.severity.value}">{each.severity.value}</span>',
            text(each.message),
            f"<code>{text(each.location)}</code>",
            f"<code>{text(each.rule.id)}</code>",
        )
        for each in worst[:_MOST]
    ]
    return table(title, ("Severity", "Finding", "Place", "Rule"), rows) + more
