"""A scan as assessment results: observations of the rules, findings on controls, accepted risks, attestations.

OSCAL knows `satisfied` and `not-satisfied` alone. They are said of the objective that the catalog gives each control
for the rules, never of the control itself, and of no control that is undetermined or that no rule looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.control import Framework
from policy_engine.finding import Finding
from policy_engine.report import Report
from policy_engine.verdict import ControlStatus, verdicts
from policy_engine.waiver import Waiver
from policy_engine_plugins.oscal.catalogue import objective
from policy_engine_plugins.oscal.parts import identifier, line, metadata, moment, prop

_PLAN = "fc4117e4-afc5-4067-9d68-5db8a791ff47"  # random, as compliance-trestle knows no other identifiers in references
_SATISFIED = {
    ControlStatus.EFFECTIVE: "satisfied",
    ControlStatus.FAILING: "not-satisfied",
    ControlStatus.PARTLY: "not-satisfied",
}


def assessment_results(report: Report, framework: Framework) -> dict[str, Any]:
    subject = identifier("subject", report.category)
    observations = {each["uuid"]: each for each in _observations(report, subject)}
    by_rule: dict[str, list[str]] = {}
    for name in report.passed():
        by_rule[name] = [identifier("passed", name)]
    for finding in report.findings:
        by_rule.setdefault(finding.rule.id, []).append(_observation_id(finding))
    risks = [_risk(each, report) for each in report.waivers]
    findings = list(_findings(report, framework, by_rule))
    result: dict[str, Any] = {
        "uuid": identifier("result", framework.name, report.category, report.today, *observations),
        "title": "A scan by policy-engine",
        "description": "What the rules saw, what was accepted and what was attested.",
        "start": moment(report),
        "props": [prop("complete", str(report.complete).lower())],
        "local-definitions": {
            "components": [
                {
                    "uuid": subject,
                    "type": "software",
                    "title": line(report.category),
                    "description": "The project that was scanned.",
                    "status": {"state": "operational"},
                }
            ]
        },
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
    }
    parties = []
    if report.attestations:
        result["attestations"] = [
            {
                "responsible-parties": [{"role-id": "attester", "party-uuids": [identifier("party", each.owner)]}],
                "parts": [
                    {
                        "name": "attestation",
                        "ns": "urn:policy-engine:oscal",
                        "title": line(", ".join(each.controls)),
                        "prose": line(f"{each.statement} ({each.date} to {each.valid_until})"),
                    }
                ],
            }
            for each in report.attestations
        ]
        parties += [each.owner for each in report.attestations]
    for key, values in (("observations", list(observations.values())), ("risks", risks), ("findings", findings)):
        if values:
            result[key] = values
    parties += [each.owner for each in report.waivers]
    return {
        "uuid": identifier("assessment-results", result["uuid"]),
        "metadata": metadata(report, "Assessment results of policy-engine", [framework], parties),
        "import-ap": {"href": f"#{_PLAN}"},
        "results": [result],
        "back-matter": {
            "resources": [
                {
                    "uuid": _PLAN,
                    "title": "The plan",
                    "description": "The rules are the plan; the component definition lists them.",
                }
            ]
        },
    }


def _observation_id(finding: Finding) -> str:
    return identifier("observation", finding.fingerprint)


def _observations(report: Report, subject: str) -> Iterator[dict[str, Any]]:
    """One for each finding, and one for all passes of a rule."""
    titles = {rule.id: rule.title for rule in report.rules}
    shared = {
        "methods": ["TEST"],
        "subjects": [{"subject-uuid": subject, "type": "component"}],
        "collected": moment(report),
    }
    for name, count in sorted(report.passed().items()):
        yield {
            "uuid": identifier("passed", name),
            "title": line(name),
            "description": line(f"{titles[name]}: held {count} times."),
            "props": [prop("Rule_Id", name), prop("outcome", "pass"), prop("count", count)],
            **shared,
        }
    for each in report.findings:
        props = [
            prop("Rule_Id", each.rule.id),
            prop("outcome", each.outcome.value),
            prop("severity", each.severity.value),
            prop("location", str(each.location)),
            prop("resource", each.address),
            prop("fingerprint", each.fingerprint),
        ]
        if each.suppression is not None:
            props.append(prop("set-aside", each.suppression.kind, each.suppression.reason))
        yield {
            "uuid": _observation_id(each),
            "title": line(each.rule.id),
            "description": line(each.message),
            "props": props,
            **shared,
        }


def _findings(report: Report, framework: Framework, by_rule: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    covering = {each.location: _risk_id(each) for each in report.waivers}
    risks_by_rule: dict[str, set[str]] = {}
    for finding in report.findings:
        aside = finding.suppression
        if aside is not None and aside.kind == "waiver" and aside.location in covering:
            risks_by_rule.setdefault(finding.rule.id, set()).add(covering[aside.location])
    for verdict in verdicts(report, framework):
        state = _SATISFIED.get(verdict.status)
        if state is None:
            continue
        control = framework.controls[verdict.control]
        observed = [one for rule in verdict.rules for one in by_rule[rule]]
        found: dict[str, Any] = {
            "uuid": identifier("finding", framework.name, verdict.control),
            "title": line(f"{control.id} {control.name}"),
            "description": line(f"{verdict.status.value}: {verdict.reason}"),
            "props": [prop("status", verdict.status.value)],
            "target": {
                "type": "objective-id",
                "target-id": objective(control.id),
                "status": {"state": state, "remarks": line(verdict.remains or verdict.reason)},
            },
            "related-observations": [{"observation-uuid": each} for each in dict.fromkeys(observed)],
        }
        risks = sorted({each for rule in verdict.rules for each in risks_by_rule.get(rule, ())})
        if risks:
            found["related-risks"] = [{"risk-uuid": each} for each in risks]
        yield found


def _risk_id(waiver: Waiver) -> str:
    return identifier("risk", waiver.location, waiver.rule, waiver.path, waiver.resource)


def _risk(waiver: Waiver, report: Report) -> dict[str, Any]:
    over = report.today is not None and waiver.expires < report.today
    what = " ".join(part for part in (waiver.rule, waiver.path, waiver.resource) if part)
    return {
        "uuid": _risk_id(waiver),
        "title": line(what),
        "description": line(waiver.reason),
        "statement": line(f"accepted by {waiver.approver} from {waiver.created} until {waiver.expires}"),
        "props": [prop("owner", waiver.owner), *([prop("ticket", waiver.ticket)] if waiver.ticket else [])],
        "status": "open" if over else "deviation-approved",
        "deadline": f"{waiver.expires}T23:59:59+00:00",
    }
