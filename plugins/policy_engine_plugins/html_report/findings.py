"""The findings: a first page as it stands, and the data that the page's script leafs through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policy_engine.control import Framework, controls_of
from policy_engine.escape import for_terminal
from policy_engine.finding import Finding, Outcome
from policy_engine.report import Report
from policy_engine.rule import Severity
from policy_engine_plugins.html_report.markup import data, text

PAGE = 50
"""Findings that are shown at once."""
_SEVERITIES = [each.value for each in Severity]
_STATES = ("failing", "undecided", "set aside")


def told(report: Report) -> list[Finding]:
    """Everything but what passed, the worst first."""

    def key(finding: Finding) -> tuple[int, int]:
        return _STATES.index(state(finding)), finding.severity.rank

    return sorted(report.findings, key=key)


def state(finding: Finding) -> str:
    if finding.suppression is not None:
        return "set aside"
    return "undecided" if finding.outcome is Outcome.UNKNOWN else "failing"


def section(report: Report, lead: Framework | None) -> Iterator[str]:
    findings = told(report)
    yield '<section aria-labelledby="findings"><h2 id="findings" tabindex="-1">Findings</h2>\n'
    if not findings:
        yield "<p>No rule found a flaw, and nothing is undecided or set aside.</p></section>\n"
        return
    yield '<form id="filter" hidden><fieldset><legend>Choose findings</legend>'
    yield '<label>Text <input id="f-text" type="search" autocomplete="off"></label>'
    yield _select("f-state", "State", _STATES)
    yield _select("f-severity", "Severity", _SEVERITIES)
    yield _select("f-rule", "Rule", sorted({each.rule.id for each in findings}))
    if lead is not None:
        used = {name for each in findings for name in controls_of(each.rule, lead)}
        yield _select("f-control", "Control", [name for name in lead.controls if name in used])
    yield '<button type="reset">Show all</button></fieldset></form>\n'
    shown = findings[:PAGE]
    yield f'<p id="count" role="status">{len(shown):,} of {len(findings):,} findings, the worst first.</p>\n'
    yield '<ol id="list">'
    for finding in shown:
        yield _item(finding, lead)
    yield "</ol>\n"
    yield '<nav id="pages" aria-label="Pages of findings" hidden><button type="button" id="before">Previous</button>'
    yield '<span id="where"></span><button type="button" id="after">Next</button></nav>\n'
    yield "<noscript><p>Leafing through all findings needs scripts; other formats list them all.</p></noscript>"
    yield f'<script type="application/json" id="data">{data(_data(findings, lead))}</script></section>\n'


def _select(name: str, label: str, values: Sequence[str]) -> str:
    options = "".join(f"<option>{text(each)}</option>" for each in values)
    return f'<label>{label} <select id="{name}"><option value="">any</option>{options}</select></label>'


def _item(finding: Finding, lead: Framework | None) -> str:
    controls = ", ".join(controls_of(finding.rule, lead)) if lead is not None else ""
    reason = finding.suppression.reason if finding.suppression is not None else ""
    parts = [
        f'<p class="head"><span class="severity v-{finding.severity.value}">{finding.severity.value}</span> '
        f"<strong>{text(finding.message)}</strong></p>",
        f'<p class="place"><code>{text(finding.location)}</code> · {state(finding)} · '
        f"<code>{text(finding.rule.id)}</code>{' · ' + text(controls) if controls else ''}</p>",
    ]
    if finding.snippet.strip():
        parts.append(f"<pre><code>{text(finding.snippet)}</code></pre>")
    if reason:
        parts.append(f"<p>Set aside: {text(reason)}</p>")
    if finding.remediation:
        parts.append(f"<p>{text(finding.remediation)}</p>")
    return f"<li>{''.join(parts)}</li>\n"


def _data(findings: Sequence[Finding], lead: Framework | None) -> dict[str, Any]:
    """Short, as there may be tens of thousands: what many findings share stands once."""
    rules: dict[str, int] = {}
    listed: list[Any] = []
    texts: dict[str, int] = {}

    def shared(value: str) -> int:
        return texts.setdefault(for_terminal(value), len(texts))

    rows = []
    for each in findings:
        if each.rule.id not in rules:
            rules[each.rule.id] = len(listed)
            listed.append([each.rule.id, controls_of(each.rule, lead) if lead is not None else []])
        rows.append(
            [
                rules[each.rule.id],
                _STATES.index(state(each)),
                each.severity.rank,
                for_terminal(each.message),
                shared(each.location.path),
                each.location.span.start_line,
                each.location.span.start_column,
                for_terminal(each.snippet),
                shared(each.remediation),
                shared(each.suppression.reason) if each.suppression is not None else -1,
                for_terminal(each.address),
            ]
        )
    return {
        "page": PAGE,
        "states": list(_STATES),
        "severities": _SEVERITIES,
        "rules": listed,
        "texts": list(texts),
        "findings": rows,
    }
