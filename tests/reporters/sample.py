"""A report with something of everything in it, strangers' text included."""

from __future__ import annotations

from policy_engine.control import Framework
from policy_engine.finding import Finding, Outcome, Passed, Suppression
from policy_engine.fingerprint import fingerprint
from policy_engine.report import Entry, Ledger, Report, Status
from policy_engine.rule import Rule, Severity, Target
from policy_engine.span import Location, Span
from policy_engine.unit import Problem, ProblemKind

HOSTILE = "a\n::error::x \x1b[31m<img src=x onerror=y> | `c` [l](javascript:z) @team \x00\u202e"


def rule(name: str, severity: Severity, controls: tuple[str, ...]) -> Rule:
    return Rule(
        id=name,
        title=f"{name.replace('-', ' ').capitalize()} is as it should be",
        severity=severity,
        controls=controls,
        rationale="Otherwise someone reads what is not theirs.",
        targets=(Target("terraform", ("aws_thing",), {"path": "a", "equals": True}),),
        message="{name} is wrong",
        remediation="Set `a` to true.",
        path=f"{name}.yaml",
        references=("https://example.com/guide",),
        tags=("aws",),
    )


ENCRYPTED = rule("thing-encrypted", Severity.HIGH, ("A.8.24", "A.5.34"))
LOGGED = rule("thing-logged", Severity.MEDIUM, ("A.8.15",))
TAGGED = rule("thing-tagged", Severity.INFO, ("A.5.9",))
QUIET = rule("thing-quiet", Severity.LOW, ("A.8.9",))


def finding(
    which: Rule,
    outcome: Outcome = Outcome.FAIL,
    path: str = "main.tf",
    line: int = 3,
    address: str = "aws_thing.a",
    message: str = "a is wrong",
    snippet: str = "  encrypted = false",
) -> Finding:
    return Finding(
        rule=which,
        outcome=outcome,
        severity=which.severity,
        format="terraform",
        resource_type="aws_thing",
        address=address,
        path=("encrypted",),
        message=message,
        location=Location(path, Span(line, 3, line, 3 + len(snippet.strip()))),
        fingerprint=fingerprint(which.id, address, path),
        snippet=snippet,
        remediation=which.remediation,
    )


def report(*frameworks: Framework) -> Report:
    place = Location("variables.tf", Span(2, 3, 2, 18))
    findings = [
        finding(ENCRYPTED),
        finding(LOGGED, line=5)._replace(related=((place, "the value comes from here"),)),
        finding(ENCRYPTED, path="mödule/漢 字.tf", address='aws_thing.b["é"]', snippet='  name = "漢字é"'),
        finding(ENCRYPTED, path=f"odd/{HOSTILE}.tf", address=HOSTILE, message=HOSTILE, snippet=HOSTILE),
        finding(LOGGED, Outcome.UNKNOWN, address="aws_thing.c", message="cannot be decided: 'x' has no default"),
        finding(ENCRYPTED, line=9, address="aws_thing.d")._replace(
            suppression=Suppression("inline", "scratch data | only", Location("main.tf", Span(8, 1, 8, 20))),
        ),
    ]
    return Report(
        findings=findings,
        passes=[Passed((TAGGED,), "terraform", "aws_thing", "aws_thing.a", Location("main.tf", Span(3, 3, 3, 20)))],
        rules=[ENCRYPTED, LOGGED, QUIET, TAGGED],
        frameworks=list(frameworks),
        ledger=Ledger(
            [
                Entry("broken.tf", Status.NOT_UNDERSTOOD, ("terraform",), "broken.tf:2:1: '}' is missing"),
                Entry("main.tf", Status.EVALUATED, ("terraform",)),
                Entry("notes.txt", Status.NOT_CLAIMED),
                Entry("vendor/", Status.EXCLUDED, (), ".gitignore:3"),
            ]
        ),
        problems=[
            Problem("broken.tf", "'}' is missing", Span(2, 1, 2, 2)),
            Problem("main.tf", "module 'x' was not installed", None, ProblemKind.LIMITED),
        ],
        root="/somewhere",
        version="0.1.0",
        fail_on=Severity.LOW,
    )
