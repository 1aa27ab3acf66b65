"""A framework as an OSCAL catalog, and the statement of applicability as a profile of it."""

from __future__ import annotations

from typing import Any

from policy_engine.control import Framework
from policy_engine.report import Report
from policy_engine_plugins.oscal.parts import identifier, line, metadata, prop, token


def catalog(report: Report, framework: Framework) -> dict[str, Any]:
    """Names and guidance are our own. Each control has an objective that says what the rules' result is about, as they
    show a part of the control at most."""
    groups = []
    for theme, title in framework.themes.items():
        controls = [
            {
                "id": token(control.id),
                "title": line(control.name),
                "props": [prop("label", control.id), prop("evidence", control.evidence)],
                "parts": [
                    {"id": f"{token(control.id)}_smt", "name": "statement", "prose": line(control.guidance)},
                    {
                        "id": objective(control.id),
                        "name": "assessment-objective",
                        "prose": "What the rules of policy-engine look at holds: a part of the control at most.",
                    },
                ],
            }
            for control in framework.controls.values()
            if control.theme == theme
        ]
        if controls:
            groups.append({"id": token(theme), "title": line(title), "controls": controls})
    return {
        "uuid": identifier("catalog", framework.name, report.version),
        "metadata": metadata(report, f"{framework.title}, in our own words", [framework]),
        "groups": groups,
    }


def objective(control: str) -> str:
    return f"{token(control)}_obj"


def profile(report: Report, framework: Framework, href: str) -> dict[str, Any]:
    """The controls that apply, with what is decided about each. `href` leads to the catalog."""
    statement = report.statement if report.statement and report.statement.framework == framework.name else None
    chosen: dict[str, Any] = {"href": href, "include-all": {}}
    content: dict[str, Any] = {
        "uuid": identifier("profile", framework.name, report.today, repr(statement)),
        "metadata": metadata(report, f"Statement of applicability: {framework.title}", [framework]),
        "imports": [chosen],
        "merge": {"as-is": True},
    }
    if statement is None:
        content["metadata"]["remarks"] += " No statement of applicability was made, so every control is included."
        return content
    out = [each for each in statement.controls.values() if not each.applicable]
    if out:
        chosen["exclude-controls"] = [{"with-ids": [token(each.control) for each in out]}]
        content["metadata"]["props"] += [prop("not-applicable", each.control, each.justification) for each in out]
    alters = []
    for each in statement.controls.values():
        if not each.applicable:
            continue
        props = [prop("implementation-status", each.status)]
        props += [prop("implemented-by", way) for way in each.implemented_by]
        props += [prop("owner", each.owner)] if each.owner else []
        props += [prop("document", document) for document in each.documents]
        addition: dict[str, Any] = {"position": "ending", "props": props}
        if each.justification:
            addition["parts"] = [
                {"id": f"{token(each.control)}_jus", "name": "justification", "prose": line(each.justification)}
            ]
        alters.append({"control-id": token(each.control), "adds": [addition]})
    if alters:
        content["modify"] = {"alters": alters}
    if statement.approved_on is not None:
        content["metadata"]["props"].append(prop("approved", statement.approved_on, f"by {statement.approved_by}"))
    return content
