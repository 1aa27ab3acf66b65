"""Lays the whole report out as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policy_engine.control import controls_of
from policy_engine.finding import Finding, Passed
from policy_engine.jsontext import Lines, to_json
from policy_engine.report import Report
from policy_engine.rule import Rule
from policy_engine.span import Location, Span
from policy_engine.unit import Problem
from policy_engine.verdict import verdicts

if TYPE_CHECKING:
    from policy_engine.attestation import Attestation
    from policy_engine.statement import Statement
    from policy_engine.verdict import Verdict
    from policy_engine.waiver import Waiver

LAID_OUT_LEVELS = 2
"""So that each finding stands on a line of its own."""
VERSION = 2
"""Counts incompatible changes of the document's shape."""


def render(report: Report) -> str:
    document = {
        "format_version": VERSION,
        "tool": {"name": "policy-engine", "version": report.version},
        "category": report.category,
        "verdict": "failed" if report.failed else "passed" if report.complete else "incomplete",
        "complete": report.complete,
        "exit_code": report.exit_code,
        "fail_on": report.fail_on.value if report.fail_on is not None else "never",
        "counts": dict(report.counts()),
        "frameworks": [
            {"name": each.name, "title": each.title, "source": each.source, "url": each.url}
            for each in report.frameworks
        ],
        "rules": [_rule(rule, report) for rule in report.rules],
        "not_applicable": list(report.not_applicable),
        "today": None if report.today is None else report.today.isoformat(),
        "whole": report.whole,
        "statement": None if report.statement is None else _statement(report.statement),
        "attestations": [_attestation(each) for each in report.attestations],
        "waivers": [_waiver(each) for each in report.waivers],
        "controls": [
            {"framework": framework.name, **_verdict(each)}
            for framework in report.frameworks
            for each in verdicts(report, framework)
        ],
        "gate": report.gate,
        "base": None
        if report.base is None
        else {
            "name": report.base.name,
            "commit": report.base.commit,
            "fixed": [_finding(finding) for finding in report.base.fixed],
        },
        "findings": Lines(map(_finding, report.findings)),
        "passes": Lines(map(_passed, report.passes)),
        "problems": [_problem(problem) for problem in report.problems],
        "ledger": [
            {"path": each.path, "status": each.status.value, "formats": list(each.formats), "detail": each.detail}
            for each in report.ledger.entries
        ],
    }
    # A file name need not be valid text: what is not is escaped, as ASCII always can be.
    return to_json(document, LAID_OUT_LEVELS, ascii_only=True)


def _rule(rule: Rule, report: Report) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "rationale": rule.rationale,
        "remediation": rule.remediation,
        "references": list(rule.references),
        "tags": list(rule.tags),
        "formats": list(rule.formats()),
        "controls": {each.name: controls_of(rule, each) for each in report.frameworks},
        "controls_2022": list(rule.controls),
        "controls_2013": list(rule.controls_2013),
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "framework": statement.framework,
        "organisation": statement.organisation,
        "scope": statement.scope,
        "approved_by": statement.approved_by,
        "approved_on": None if statement.approved_on is None else statement.approved_on.isoformat(),
        "location": _location(statement.location),
        "controls": [
            {
                "control": each.control,
                "applicable": each.applicable,
                "justification": each.justification,
                "status": each.status,
                "implemented_by": list(each.implemented_by),
                "owner": each.owner,
                "rules": list(each.rules),
                "documents": list(each.documents),
                "location": _location(each.location),
            }
            for each in statement.controls.values()
        ],
    }


def _attestation(attestation: Attestation) -> dict[str, Any]:
    return {
        "framework": attestation.framework,
        "controls": list(attestation.controls),
        "statement": attestation.statement,
        "owner": attestation.owner,
        "date": attestation.date.isoformat(),
        "valid_until": attestation.valid_until.isoformat(),
        "document": attestation.document,
        "sha256": attestation.sha256,
        "location": _location(attestation.location),
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "rule": waiver.rule,
        "path": waiver.path,
        "resource": waiver.resource,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "approver": waiver.approver,
        "ticket": waiver.ticket,
        "created": waiver.created.isoformat(),
        "expires": waiver.expires.isoformat(),
        "location": _location(waiver.location),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    numbers = verdict.numbers
    return {
        "control": verdict.control,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "remains": verdict.remains,
        "rules": list(verdict.rules),
        "holding": list(verdict.holding),
        "passed": numbers.passed,
        "failed": numbers.failed,
        "known": numbers.known,
        "accepted": numbers.accepted,
        "aside": numbers.aside,
        "unknown": numbers.unknown,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    suppression = finding.suppression
    return {
        "fingerprint": finding.fingerprint,
        "change": None if finding.change is None else finding.change.value,
        "rule": finding.rule.id,
        "outcome": finding.outcome.value,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": _location(finding.location),
        "related": [{"phrase": phrase, "location": _location(location)} for location, phrase in finding.related],
        "format": finding.format,
        "resource_type": finding.resource_type,
        "address": finding.address,
        "twins": [{"address": twin.address, "fingerprint": twin.fingerprint} for twin in finding.twins],
        "attribute": list(finding.path),
        "snippet": finding.snippet,
        "remediation": finding.remediation,
        "suppression": None
        if suppression is None
        else {
            "kind": suppression.kind,
            "reason": suppression.reason,
            "location": None if suppression.location is None else _location(suppression.location),
        },
    }


def _passed(passed: Passed) -> dict[str, Any]:
    return {
        "format": passed.format,
        "resource_type": passed.resource_type,
        "address": passed.address,
        "location": _location(passed.location),
        "rules": sorted([rule.id for rule in passed.rules]),
    }


def _location(location: Location) -> dict[str, Any]:
    return {"path": location.path} if location.span.whole else {"path": location.path, **_span(location.span)}


def _span(span: Span) -> dict[str, int]:
    return {
        "start_line": span.start_line,
        "start_column": span.start_column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "kind": problem.kind.value,
        "message": problem.message,
        "span": None if problem.span is None else _span(problem.span),
    }
