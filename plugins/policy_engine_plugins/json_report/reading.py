"""Makes a report of its JSON again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from policy_engine.attestation import Attestation
from policy_engine.control import Framework
from policy_engine.errors import ConfigError
from policy_engine.finding import Change, Finding, Outcome, Passed, Suppression, Twin
from policy_engine.report import Base, Entry, Ledger, Report, Status
from policy_engine.rule import Rule, Severity, Target
from policy_engine.span import WHOLE_FILE, Location, Span
from policy_engine.statement import Applicability, Statement
from policy_engine.unit import Problem, ProblemKind
from policy_engine.waiver import Waiver


def read(data: bytes, path: str, framework: Callable[[str], Framework]) -> Report:
    """Raises ConfigError, with the place in the document, for one that is not as its schema says."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"no JSON: {error}", path=path) from None
    _check(document, path)
    rules = {entry["id"]: _rule(entry) for entry in document["rules"]}
    base = document["base"]
    try:
        return Report(
            findings=[_finding(entry, rules) for entry in document["findings"]],
            passes=[_passed(entry, rules) for entry in document["passes"]],
            rules=list(rules.values()),
            frameworks=[framework(entry["name"]) for entry in document["frameworks"]],
            ledger=Ledger(
                [
                    Entry(entry["path"], Status(entry["status"]), tuple(entry["formats"]), entry["detail"])
                    for entry in document["ledger"]
                ]
            ),
            problems=[_problem(entry) for entry in document["problems"]],
            root="",
            version=document["tool"]["version"],
            fail_on=None if document["fail_on"] == "never" else Severity(document["fail_on"]),
            category=document["category"],
            base=None
            if base is None
            else Base(base["name"], base["commit"], [_finding(entry, rules) for entry in base["fixed"]]),
            gate=document["gate"],
            today=_day(document["today"]),
            whole=document["whole"],
            statement=None if document["statement"] is None else _statement(document["statement"]),
            not_applicable=document["not_applicable"],
            attestations=[_attestation(entry) for entry in document["attestations"]],
            waivers=[_waiver(entry) for entry in document["waivers"]],
        )
    except (KeyError, ValueError) as error:
        raise ConfigError(f"it contradicts itself: {error}", path=path) from None


def _check(document: Any, path: str) -> None:
    if not isinstance(document, dict) or document.get("format_version") is None:
        raise ConfigError("no report of a scan; `policy-engine scan --format json` writes one", path=path)
    from policy_engine_plugins.json_report.render import VERSION

    if document["format_version"] != VERSION:
        raise ConfigError(f"its format_version is {document['format_version']}, not {VERSION}", path=path)
    from policy_engine.schema import mistakes

    schema = json.loads(Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
    wrong = mistakes(document, schema)
    if wrong:
        place, message = wrong[0]
        raise ConfigError(f"at {'/'.join(map(str, place)) or 'the top'}: {message}", path=path)


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        id=entry["id"],
        title=entry["title"],
        severity=Severity(entry["severity"]),
        controls=tuple(entry["controls_2022"]),
        rationale=entry["rationale"],
        targets=tuple(Target(name, (), {}) for name in entry["formats"]),
        message="",
        remediation=entry["remediation"],
        path="",
        references=tuple(entry["references"]),
        controls_2013=tuple(entry["controls_2013"]),
        tags=tuple(entry["tags"]),
    )


def _finding(entry: Mapping[str, Any], rules: Mapping[str, Rule]) -> Finding:
    suppression = entry["suppression"]
    return Finding(
        rule=rules[entry["rule"]],
        outcome=Outcome(entry["outcome"]),
        severity=Severity(entry["severity"]),
        format=entry["format"],
        resource_type=entry["resource_type"],
        address=entry["address"],
        path=tuple(entry["attribute"]),
        message=entry["message"],
        location=_location(entry["location"]),
        fingerprint=entry["fingerprint"],
        related=tuple((_location(each["location"]), each["phrase"]) for each in entry["related"]),
        snippet=entry["snippet"],
        remediation=entry["remediation"],
        suppression=None
        if suppression is None
        else Suppression(
            suppression["kind"],
            suppression["reason"],
            None if suppression["location"] is None else _location(suppression["location"]),
        ),
        twins=tuple(Twin(each["address"], each["fingerprint"]) for each in entry["twins"]),
        change=None if entry["change"] is None else Change(entry["change"]),
    )


def _passed(entry: Mapping[str, Any], rules: Mapping[str, Rule]) -> Passed:
    return Passed(
        tuple(rules[name] for name in entry["rules"]),
        entry["format"],
        entry["resource_type"],
        entry["address"],
        _location(entry["location"]),
    )


def _problem(entry: Mapping[str, Any]) -> Problem:
    span = entry["span"]
    return Problem(entry["path"], entry["message"], None if span is None else _span(span), ProblemKind(entry["kind"]))


def _statement(entry: Mapping[str, Any]) -> Statement:
    return Statement(
        entry["framework"],
        {
            each["control"]: Applicability(
                each["control"],
                each["applicable"],
                _location(each["location"]),
                each["justification"],
                each["status"],
                tuple(each["implemented_by"]),
                each["owner"],
                tuple(each["rules"]),
                tuple(each["documents"]),
            )
            for each in entry["controls"]
        },
        _location(entry["location"]),
        entry["organisation"],
        entry["scope"],
        entry["approved_by"],
        _day(entry["approved_on"]),
    )


def _attestation(entry: Mapping[str, Any]) -> Attestation:
    return Attestation(
        entry["framework"],
        tuple(entry["controls"]),
        entry["statement"],
        entry["owner"],
        date.fromisoformat(entry["date"]),
        date.fromisoformat(entry["valid_until"]),
        _location(entry["location"]),
        entry["document"],
        entry["sha256"],
    )


def _waiver(entry: Mapping[str, Any]) -> Waiver:
    return Waiver(
        entry["rule"],
        entry["path"],
        entry["resource"],
        entry["reason"],
        entry["owner"],
        entry["approver"],
        entry["ticket"],
        date.fromisoformat(entry["created"]),
        date.fromisoformat(entry["expires"]),
        _location(entry["location"]),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _location(entry: Mapping[str, Any]) -> Location:
    return Location(entry["path"], _span(entry) if "start_line" in entry else WHOLE_FILE)


def _span(entry: Mapping[str, Any]) -> Span:
    return Span(entry["start_line"], entry["start_column"], entry["end_line"], entry["end_column"])
