"""All documents of a report, by the path each is kept under."""

from __future__ import annotations

import json
from typing import Any

from policy_engine.report import Report
from policy_engine.verdict import verdicts
from policy_engine_plugins.oscal.catalogue import catalog, profile
from policy_engine_plugins.oscal.component import component_definition
from policy_engine_plugins.oscal.parts import token
from policy_engine_plugins.oscal.results import assessment_results


def documents(report: Report) -> dict[str, str]:
    """Catalogs, profiles and results of each framework, and one component definition."""
    found: dict[str, Any] = {}
    catalogs = []
    for framework in report.frameworks:
        name = token(framework.name)
        found[f"catalogs/{name}/catalog.json"] = {"catalog": catalog(report, framework)}
        href = f"../../catalogs/{name}/catalog.json"
        catalogs.append((framework, href))
        found[f"profiles/{name}/profile.json"] = {"profile": profile(report, framework, href)}
        if verdicts(report, framework):
            results = assessment_results(report, framework)
            found[f"assessment-results/{name}/assessment-results.json"] = {"assessment-results": results}
    definition = component_definition(report, catalogs)
    found["component-definitions/policy-engine/component-definition.json"] = {"component-definition": definition}
    return {path: json.dumps(content, indent=2, ensure_ascii=True) + "\n" for path, content in sorted(found.items())}


def summary(report: Report) -> str:
    """What is written where, for a reader who asked for it on standard output."""
    return "".join(f"{path}\n" for path in documents(report))
