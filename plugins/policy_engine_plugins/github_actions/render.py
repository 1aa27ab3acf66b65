"""Lays a report out as workflow commands and as `name=value` lines."""

from __future__ import annotations

from collections.abc import Iterator

from policy_engine.escape import for_terminal, for_workflow_command
from policy_engine.finding import Finding
from policy_engine.report import Report
from policy_engine.rule import Severity
from policy_engine.unit import ProblemKind

MAX_PER_KIND = 10
"""GitHub shows so many annotations of a kind for a step, and drops the others without a word."""
_KINDS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render_annotations(report: Report) -> str:
    """What could not be evaluated, then what weighs, the worst first: as many of each kind as GitHub shows."""
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for problem in report.problems:
        if problem.kind is not ProblemKind.LIMITED:
            span = problem.span
            place = {"line": span.start_line, "col": span.start_column} if span is not None else {}
            lines["error"].append(_command("error", problem.path, place, "not evaluated", problem.message))
    ordered = sorted((one for one in report.findings if report.weighs(one)), key=lambda one: one.severity.rank)
    for finding in ordered:
        lines[_KINDS[finding.severity]].append(_annotation(finding))
    return "".join(f"{line}\n" for kind in lines for line in _bounded(kind, lines[kind]))


def _bounded(kind: str, lines: list[str]) -> Iterator[str]:
    if len(lines) <= MAX_PER_KIND:
        yield from lines
        return
    yield from lines[: MAX_PER_KIND - 1]
    more = len(lines) - MAX_PER_KIND + 1
    yield f"::{kind} title=policy-engine::{more} more; the step's summary lists them"


def _annotation(finding: Finding) -> str:
    span = finding.location.span
    place = {} if span.whole else {"line": span.start_line, "endLine": span.end_line, "col": span.start_column}
    if span.end_line == span.start_line and not span.whole:
        place["endColumn"] = span.end_column
    title = f"{finding.severity.value}: {finding.rule.id}"
    text = f"{finding.message}\n{finding.remediation}"
    return _command(_KINDS[finding.severity], finding.location.path, place, title, text)


def _command(kind: str, path: str, place: dict[str, int], title: str, text: str) -> str:
    # A newline in a message is wanted, everything else that is invisible is shown as an escape.
    shown = "\n".join(for_terminal(line) for line in text.split("\n"))
    properties = {"file": for_terminal(path), **place, "title": for_terminal(title)}
    listed = ",".join(
        f"{name}={for_workflow_command(str(value), in_property=True)}" for name, value in properties.items()
    )
    return f"::{kind} {listed}::{for_workflow_command(shown)}"


def render_outputs(report: Report) -> str:
    """Counts and the verdict. All of it our own words and numbers: nothing of the scanned files is in it."""
    verdict = "failed" if report.failed else "passed" if report.complete else "incomplete"
    counts = report.counts()
    lines = [f"verdict={verdict}", f"findings={counts['fail']}", f"undecided={counts['unknown']}"]
    lines += [f"suppressed={counts['suppressed']}"]
    lines += [f"{severity.value}={counts[severity.value]}" for severity in Severity]
    lines += [f"{name}={counts.get(name, 0)}" for name in ("new", "existing", "fixed")]
    return "".join(f"{line}\n" for line in lines)
