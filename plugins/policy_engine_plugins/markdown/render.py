"""Lays a report out as Markdown: the verdict, then failures by control theme, worst first, then what else there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.control import Framework, controls_of
from policy_engine.escape import code_span, for_markdown
from policy_engine.finding import Finding, Outcome
from policy_engine.report import Report, Status
from policy_engine.rule import Severity
from policy_engine.unit import ProblemKind

MAX_CHARACTERS = 60_000
"""GitHub takes 65,536 characters in a comment, and a mebibyte in a step summary."""
_ROOM_FOR_THE_END = 3_000


def render(report: Report, max_characters: int = MAX_CHARACTERS) -> str:
    head = list(_head(report))
    end = list(_end(report))
    room = max_characters - sum(map(_size, head)) - min(sum(map(_size, end)), _ROOM_FOR_THE_END)
    body = _bounded(list(_findings(report)), room)
    return "\n".join([*head, *body, *_bounded(end, _ROOM_FOR_THE_END)]) + "\n"


def _size(line: str) -> int:
    return len(line) + 1


def _bounded(lines: Sequence[str], room: int) -> list[str]:
    """Whole lines, as many as fit, and a line that tells how many findings do not."""
    kept: list[str] = []
    room -= 120
    for number, line in enumerate(lines):
        room -= _size(line)
        if room < 0:
            rest = sum(each.startswith("| ") for each in lines[number:])
            opened = sum(each.startswith("<details>") for each in kept) - kept.count("</details>")
            return [
                *kept,
                *["</details>"] * opened,
                "",
                f"... and {rest} more; the JSON or SARIF report lists all.",
                "",
            ]
        kept.append(line)
    return kept


def _head(report: Report) -> Iterator[str]:
    counts = report.counts()
    if report.failed:
        assert report.fail_on is not None
        verdict = f"failed: findings of severity {report.fail_on.value} or worse"
    elif not report.complete:
        verdict = "incomplete: not every file could be evaluated"
    else:
        verdict = "passed"
    yield f"## policy-engine: {verdict}"
    yield ""
    if report.base is not None:
        yield (
            f"**{counts['new']} new, {counts['existing']} existing, {counts['fixed']} fixed** since "
            f"{code_span(report.base.commit[:12])}; what the change does not touch was not looked at."
        )
        yield ""
    parts = [f"{counts[each.value]} {each.value}" for each in Severity if counts[each.value]]
    listed = f" ({', '.join(parts)})" if parts else ""
    yield (
        f"{counts['fail']} findings{listed}, {counts['unknown']} undecided, "
        f"{counts['suppressed']} set aside, {counts['pass']} passed; "
        f"{report.ledger.count(Status.EVALUATED)} files evaluated."
    )
    yield ""


def _not_run(report: Report) -> Iterator[str]:
    if report.not_applicable:
        listed = ", ".join(code_span(each) for each in report.not_applicable)
        yield f"Not run, as none of their controls applies by the statement of applicability: {listed}."
        yield ""


def _findings(report: Report) -> Iterator[str]:
    lead = report.frameworks[0] if report.frameworks else None
    failures = sorted((each for each in report.findings if report.weighs(each)), key=lambda each: each.severity.rank)
    themes = list(lead.themes.values()) if lead is not None else []
    for theme in [*themes, "Other"]:
        members = [each for each in failures if _theme(each, lead) == theme]
        if members:
            yield f"### {for_markdown(theme)}"
            yield ""
            yield "| severity | finding | place | controls |"
            yield "|---|---|---|---|"
            for finding in members:
                yield _row(finding, lead)
            yield ""


def _theme(finding: Finding, lead: Framework | None) -> str:
    for name in controls_of(finding.rule, lead) if lead is not None else ():
        if lead is not None and name in lead.controls:
            return lead.themes[lead.controls[name].theme]
    return "Other"


def _row(finding: Finding, lead: Framework | None) -> str:
    controls = ", ".join(controls_of(finding.rule, lead)) if lead is not None else ""
    text = f"{for_markdown(finding.message)}<br>{code_span(finding.rule.id)} {for_markdown(finding.remediation)}"
    return f"| {finding.severity.value} | {text} | {code_span(str(finding.location))} | {controls} |"


def _end(report: Report) -> Iterator[str]:
    broken = [problem for problem in report.problems if problem.kind is not ProblemKind.LIMITED]
    if broken:
        yield "### Not evaluated"
        yield ""
        for problem in broken:
            yield f"- {code_span(problem.path)}: {for_markdown(problem.message)}"
        yield ""
    if report.base is not None:
        for title, findings in (
            ("Fixed", report.base.fixed),
            ("Existing", [each for each in report.findings if each.counts and not report.weighs(each)]),
        ):
            yield from _folded(
                title,
                [
                    f"| {code_span(each.rule.id)} | {code_span(str(each.location))} | {for_markdown(each.message)} |"
                    for each in findings
                ],
                "| rule | place | what |",
            )
    yield from _folded(
        "Undecided",
        [
            f"| {code_span(each.rule.id)} | {code_span(str(each.location))} | {for_markdown(each.message)} |"
            for each in report.findings
            if each.outcome is Outcome.UNKNOWN and each.suppression is None
        ],
        "| rule | place | why |",
    )
    yield from _folded(
        "Set aside",
        [
            f"| {code_span(each.rule.id)} | {code_span(str(each.location))} | {for_markdown(each.suppression.reason)} |"
            for each in report.findings
            if each.suppression is not None
        ],
        "| rule | place | reason |",
    )
    yield from _not_run(report)
    for framework in report.frameworks:
        yield f"<sub>{for_markdown(framework.source)}.</sub>"


def _folded(title: str, rows: Sequence[str], heading: str) -> Iterator[str]:
    if rows:
        yield f"<details><summary>{title}: {len(rows)}</summary>"
        yield ""
        yield heading
        yield "|---|---|---|"
        yield from rows
        yield ""
        yield "</details>"
        yield ""
