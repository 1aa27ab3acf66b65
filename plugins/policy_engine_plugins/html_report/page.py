"""Puts the page together."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from policy_engine.control import Framework
from policy_engine.report import Report, Status
from policy_engine.rule import Severity
from policy_engine.unit import ProblemKind
from policy_engine.verdict import verdicts
from policy_engine_plugins.html_report import changes, controls, findings, trend
from policy_engine_plugins.html_report.markup import count, table, text

_FOLDER = Path(__file__).parent


def render(report: Report) -> str:
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    script = (_FOLDER / "script.js").read_text(encoding="utf-8")
    # Nothing but these two may run or style the page, whatever a stranger's text brings into it.
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = "Security controls: what the scan shows"
    if report.statement is not None and report.statement.organisation:
        title = f"{report.statement.organisation}: {title[0].lower()}{title[1:]}"
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">\n',
        f"<title>{text(title)}</title>\n<style>{style}</style></head>\n<body>\n",
        '<a class="skip" href="#main">Skip to the content</a>\n',
        *_header(report, title),
        '<main id="main">\n',
        *_body(report),
        "</main>\n",
        *_footer(report),
        f"<script>{script}</script>\n</body></html>\n",
    ]
    return "".join(parts)


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _header(report: Report, title: str) -> Iterator[str]:
    counts = report.counts()
    state = "failed" if report.failed else "passed" if report.complete else "incomplete"
    meaning = {
        "failed": f"findings of severity {report.fail_on.value if report.fail_on else ''} or worse",
        "passed": "nothing at or above the threshold",
        "incomplete": "not everything could be evaluated, so its silence proves nothing",
    }[state]
    yield f"<header><h1>{text(title)}</h1>\n<p>"
    if report.today is not None:
        yield f"As of {report.today}. "
    yield f"Scan <strong>{state}</strong>: {text(meaning)}. policy-engine {text(report.version)}.</p>\n"
    yield '<ul class="tiles">'
    for severity in Severity:
        yield (
            f'<li class="v-{severity.value}"><span class="figure">{counts[severity.value]:,}</span> '
            f"{severity.value}</li>"
        )
    for key, word in (("unknown", "undecided"), ("suppressed", "set aside"), ("pass", "passed")):
        yield f'<li><span class="figure">{counts[key]:,}</span> {word}</li>'
    yield "</ul>\n"
    yield (
        "<p>A rule gives evidence for a part of a control at most. No status here says that a control is met: it says "
        "what the rules saw, what was accepted and attested, and what remains for people to show.</p></header>\n"
    )


def _body(report: Report) -> Iterator[str]:
    lead = report.frameworks[0] if report.frameworks else None
    for framework in report.frameworks:
        yield from _framework(report, framework, lead=framework is lead)
    yield from changes.section(report, lead)
    yield from trend.section(report.trend)
    yield from findings.section(report, lead)
    yield from _accepted(report)
    yield from _attestations(report)
    yield from _not_looked_at(report)


def _framework(report: Report, framework: Framework, *, lead: bool) -> Iterator[str]:
    reached = verdicts(report, framework)
    name = text(framework.name)
    if not reached:
        if lead:
            yield (
                f'<section aria-labelledby="{name}"><h2 id="{name}">{text(framework.title)}</h2>\n'
                "<p>Only a part of the project was looked at, so there are no verdicts on controls.</p></section>\n"
            )
        return
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{text(framework.title)}</h2>\n'
    if not lead:
        yield "<details><summary>Show its controls</summary>\n"
    yield from controls.heat_map(framework, reached)
    yield f"<h3>Controls of {text(framework.title)} one by one</h3>\n"
    yield from controls.drill_down(report, framework, reached, lead=lead)
    if not lead:
        yield "</details>\n"
    yield "</section>\n"


def _accepted(report: Report) -> Iterator[str]:
    if not report.waivers:
        return
    covered: dict[object, int] = {}
    for finding in report.findings:
        if finding.suppression is not None and finding.suppression.kind == "waiver":
            covered[finding.suppression.location] = covered.get(finding.suppression.location, 0) + 1
    rows = []
    for each in sorted(report.waivers, key=lambda one: (one.expires, one.rule)):
        over = report.today is not None and each.expires < report.today
        rows.append(
            (
                f"<code>{text(' '.join(part for part in (each.rule, each.path, each.resource) if part))}</code>",
                text(each.reason) + (f" ({text(each.ticket)})" if each.ticket else ""),
                text(each.owner),
                text(each.approver),
                str(each.created),
                f"{each.expires}{' <strong>expired</strong>' if over else ''}",
                f"{covered.get(each.location, 0):,}",
            )
        )
    yield '<section aria-labelledby="accepted"><h2 id="accepted">Accepted risks</h2>\n'
    heads = ("What", "Reason", "Owner", "Approver", "Created", "Expires", "Findings")
    yield table("Waivers, the first to end on top", heads, rows, numbers=(6,))
    yield "</section>\n"


def _attestations(report: Report) -> Iterator[str]:
    if not report.attestations:
        return
    yield '<section aria-labelledby="attested"><h2 id="attested">Attestations</h2>\n'
    rows = []
    for each in sorted(report.attestations, key=lambda one: one.valid_until):
        over = report.today is not None and not each.in_force(report.today)
        document = f"<br><code>{text(each.document)}</code> {text(each.sha256[:16])}…" if each.document else ""
        rows.append(
            (
                text(", ".join(each.controls)),
                text(each.statement) + document,
                text(each.owner),
                str(each.date),
                f"{each.valid_until}{' <strong>not in force</strong>' if over else ''}",
            )
        )
    heads = ("Controls", "Statement", "Owner", "Date", "Valid until")
    yield table("Attestations, the first to end on top", heads, rows)
    yield "</section>\n"


def _not_looked_at(report: Report) -> Iterator[str]:
    yield '<section aria-labelledby="ledger"><h2 id="ledger">What was looked at, and what not</h2>\n'
    rows = [
        (text(status.value.replace("_", " ")), f"{report.ledger.count(status):,}")
        for status in Status
        if report.ledger.count(status)
    ]
    yield table("Files", ("What became of them", "Files"), rows, numbers=(1,))
    broken = [each for each in report.problems if each.kind is not ProblemKind.LIMITED]
    limited = [each for each in report.problems if each.kind is ProblemKind.LIMITED]
    for title, listed in (("Not evaluated", broken), ("Evaluated with something missing", limited)):
        if listed:
            shown = [(f"<code>{text(each.path)}</code>", text(each.message)) for each in listed[:500]]
            yield table(title, ("File", "Why"), shown)
            if len(listed) > len(shown):
                yield f"<p>and {len(listed) - len(shown):,} more</p>\n"
    if report.not_applicable:
        rules = ", ".join(f"<code>{text(each)}</code>" for each in report.not_applicable)
        told = count(len(report.not_applicable), "rule")
        yield f"<p>{told} not run, as none of their controls applies by the statement of applicability: {rules}.</p>\n"
    yield "</section>\n"


def _footer(report: Report) -> Iterator[str]:
    yield "<footer>"
    for framework in report.frameworks:
        yield f"<p>{text(framework.source)}.</p>"
    yield "</footer>\n"
