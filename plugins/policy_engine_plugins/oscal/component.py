"""The rules that ran as a component definition: which control each gives evidence for."""

from __future__ import annotations

from typing import Any

from policy_engine.control import Framework, controls_of
from policy_engine.report import Report
from policy_engine_plugins.oscal.parts import identifier, line, metadata, prop, token


def component_definition(report: Report, catalogs: list[tuple[Framework, str]]) -> dict[str, Any]:
    """`catalogs` are the frameworks with what leads to their documents."""
    implementations = []
    for framework, href in catalogs:
        serving: dict[str, list[Any]] = {}
        for rule in report.rules:
            for control in controls_of(rule, framework):
                serving.setdefault(control, []).append(rule)
        requirements = [
            {
                "uuid": identifier("requirement", framework.name, control),
                "control-id": token(control),
                "description": f"Rules that give evidence for a part of {control}.",
                "props": [prop("Rule_Id", rule.id, rule.title) for rule in rules],
            }
            for control, rules in serving.items()
            if control in framework.controls
        ]
        if requirements:
            implementations.append(
                {
                    "uuid": identifier("implementation", framework.name),
                    "source": href,
                    "description": f"What policy-engine looks at for {line(framework.title)}.",
                    "implemented-requirements": requirements,
                }
            )
    component: dict[str, Any] = {
        "uuid": identifier("component", "policy-engine", report.version),
        "type": "validation",
        "title": "policy-engine",
        "description": "Rules that look at infrastructure code and repository configuration.",
        "props": [prop("version", report.version)],
    }
    if implementations:
        component["control-implementations"] = implementations
    return {
        "uuid": identifier("component-definition", report.version, *(rule.id for rule in report.rules)),
        "metadata": metadata(report, "policy-engine's rules", report.frameworks),
        "components": [component],
    }
