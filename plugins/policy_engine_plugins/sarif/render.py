"""Lays a report out as SARIF 2.1.0.

Failures and undecided outcomes are results; passes are not, as GitHub shows every result as an alert. The taxonomies
list the controls that an evaluated rule serves, not whole catalogues. Spec:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; GitHub's limits:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType

from policy_engine.control import Framework, controls_of
from policy_engine.escape import for_markdown, for_terminal
from policy_engine.finding import Change, Finding, Outcome
from policy_engine.jsontext import Lines, to_json
from policy_engine.report import Report
from policy_engine.rule import Rule, Severity
from policy_engine.span import Span
from policy_engine.unit import Problem, ProblemKind

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/policy-engine/policy-engine"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
MAX_RESULTS = 25_000
MAX_GZIPPED_BYTES = 10_000_000
MAX_TAGS = 20
MAX_RELATED = 100
LAID_OUT_LEVELS = 6
"""So that each rule and each result stands on a line of its own."""
NOTIFICATIONS = {
    "not-understood": "A file or a part of it could not be understood.",
    "too-large": "A file is larger than a scan reads.",
    "timed-out": "A file took longer than the time limit.",
    "unreadable": "A file could not be read.",
    "limited": "Something that a file depends on was not there.",
    "results-left-out": "The report holds fewer results than the scan found, to keep within limits of its readers.",
}


class Text(Struct, frozen=True):
    text: str


class Region(Struct, frozen=True, rename="camel"):
    start_line: int
    start_column: int | UnsetType = UNSET
    end_line: int | UnsetType = UNSET
    end_column: int | UnsetType = UNSET
    snippet: Text | UnsetType = UNSET


class PhysicalLocation(Struct, frozen=True, rename="camel"):
    artifact_location: Mapping[str, str]
    region: Region


class LogicalLocation(Struct, frozen=True, rename="camel"):
    fully_qualified_name: str
    kind: str = "resource"


class Place(Struct, frozen=True, rename="camel"):
    physical_location: PhysicalLocation
    logical_locations: Sequence[LogicalLocation]


class RelatedPlace(Struct, frozen=True, rename="camel"):
    id: int
    message: Text
    physical_location: PhysicalLocation


class Result(Struct, rename="camel"):
    """A report has one for each finding, and mappings would take twice as long to be made."""

    rule_id: str
    rule_index: int
    kind: str
    level: str
    message: Text
    locations: Sequence[Place]
    partial_fingerprints: Mapping[str, str]
    baseline_state: str | UnsetType = UNSET
    related_locations: Sequence[RelatedPlace] | UnsetType = UNSET
    suppressions: Sequence[Mapping[str, Any]] | UnsetType = UNSET


def render(report: Report, max_results: int = MAX_RESULTS, max_bytes: int = MAX_GZIPPED_BYTES) -> str:
    """The document. With more results than its readers take, the worst are kept and a notification says so."""
    told = list(report.findings)
    kept = _worst(told, max_results)
    text = _document(report, kept, len(told))
    while kept and (size := _gzipped(text, max_bytes)) > max_bytes:
        # The size is nearly in proportion to the number of results; a tenth less is the margin.
        kept = _worst(kept, int(len(kept) * 0.9 * max_bytes / size))
        text = _document(report, kept, len(told))
    return text


def _gzipped(text: str, limit: int) -> int:
    """The size in bytes once compressed, where that may pass the limit; compressing takes longer than all the rest."""
    if text.isascii() and len(text) <= limit:
        return len(text)
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return len(data)
    import gzip

    return len(gzip.compress(data, 6, mtime=0))


def _worst(findings: Sequence[Finding], count: int) -> list[Finding]:
    """The `count` worst ones, in their former order: failures that count first, by severity."""
    if len(findings) <= count:
        return list(findings)
    order = sorted(range(len(findings)), key=lambda i: (_rank(findings[i]), i))
    return [findings[i] for i in sorted(order[:count])]


def _rank(finding: Finding) -> tuple[int, int]:
    if finding.counts:
        return 0, finding.severity.rank
    return (1 if finding.outcome is Outcome.UNKNOWN else 2), finding.severity.rank


def _document(report: Report, findings: Sequence[Finding], found: int) -> str:
    rules = report.rules
    places = {rule.id: number for number, rule in enumerate(rules)}
    taxonomies = [_taxonomy(framework, rules) for framework in report.frameworks]
    run: dict[str, Any] = {
        "tool": {"driver": _driver(report, taxonomies)},
        "automationDetails": {"id": f"{report.category}/"},
        "invocations": [_invocation(report, len(findings), found)],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the scanned repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": Lines(_result(finding, places[finding.rule.id]) for finding in findings),
    }
    if taxonomies:
        run["taxonomies"] = taxonomies
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return to_json(document, LAID_OUT_LEVELS)


def _driver(report: Report, taxonomies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    places = [{taxon["id"]: index for index, taxon in enumerate(taxonomy["taxa"])} for taxonomy in taxonomies]
    driver: dict[str, Any] = {
        "name": "policy-engine",
        "organization": "policy-engine",
        "version": report.version,
        "semanticVersion": report.version,
        "informationUri": HOME,
        "rules": [_rule(rule, report.frameworks, places) for rule in report.rules],
        "notifications": [_notification_kind(name) for name in NOTIFICATIONS],
    }
    if taxonomies:
        driver["supportedTaxonomies"] = [
            {"name": taxonomy["name"], "index": number} for number, taxonomy in enumerate(taxonomies)
        ]
    return driver


def _notification_kind(name: str) -> dict[str, Any]:
    text = {"text": NOTIFICATIONS[name]}
    return {"id": name, "shortDescription": text, "fullDescription": text, "help": text}


def _taxonomy(framework: Framework, rules: Sequence[Rule]) -> dict[str, Any]:
    served = {name for rule in rules for name in controls_of(rule, framework)}
    return {
        "name": framework.name,
        "organization": "ISO/IEC (names and guidance in policy-engine's own words)",
        "shortDescription": {"text": f"{framework.title}."},
        "fullDescription": {"text": f"{framework.source}. A scan gives evidence for a part of a control at most."},
        "informationUri": framework.url,
        "isComprehensive": False,
        "taxa": [
            {
                "id": control.id,
                "name": control.name,
                "shortDescription": {"text": f"{control.name}."},
                "fullDescription": {"text": control.guidance},
            }
            for control in framework.controls.values()
            if control.id in served
        ],
    }


def _rule(rule: Rule, frameworks: Sequence[Framework], places_of: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """`places_of` has for each framework the places of its controls in its taxonomy."""
    relationships = []
    tags = ["security"]
    for number, (framework, places) in enumerate(zip(frameworks, places_of, strict=True)):
        for name in controls_of(rule, framework):
            if name in places:
                tags.append(f"{framework.name}/{name}")
                target = {
                    "id": name,
                    "index": places[name],
                    "toolComponent": {"name": framework.name, "index": number},
                }
                relationships.append({"target": target, "kinds": ["relevant"]})
    tags += [tag for tag in (*rule.formats(), *rule.tags) if tag not in tags]
    made: dict[str, Any] = {
        "id": rule.id,
        "name": _pascal(rule.id),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": _sentence(rule.rationale)},
        "help": {"text": _help_text(rule, frameworks), "markdown": _help_markdown(rule, frameworks)},
        "helpUri": rule.references[0] if rule.references else HOME,
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "precision": rule.precision,
            "security-severity": f"{rule.severity.score:.1f}",
            "tags": list(dict.fromkeys(tags))[:MAX_TAGS],
        },
    }
    if made["name"].lower() == rule.id:
        del made["name"]  # A name that repeats the id is against the rules of SARIF (SARIF1001).
    if relationships:
        made["relationships"] = relationships
    return made


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _controls(rule: Rule, frameworks: Sequence[Framework]) -> list[str]:
    return [
        f"{name} {framework.controls[name].name} ({framework.title})"
        for framework in frameworks
        for name in controls_of(rule, framework)
        if name in framework.controls
    ]


def _sources(frameworks: Sequence[Framework]) -> str:
    return " ".join(f"{framework.source}." for framework in frameworks)


def _help_text(rule: Rule, frameworks: Sequence[Framework]) -> str:
    parts = [_sentence(rule.title), f"Why: {rule.rationale}", f"How to mend it: {rule.remediation}"]
    controls = _controls(rule, frameworks)
    if controls:
        parts.append("Evidence for a part of: " + "; ".join(controls) + ". " + _sources(frameworks))
    if rule.references:
        parts.append("See: " + " ".join(rule.references))
    return "\n\n".join(parts)


def _help_markdown(rule: Rule, frameworks: Sequence[Framework]) -> str:
    parts = [
        f"**{for_markdown(_sentence(rule.title))}**",
        for_markdown(rule.rationale),
        f"**How to mend it.** {for_markdown(rule.remediation)}",
    ]
    controls = _controls(rule, frameworks)
    if controls:
        parts.append("**Evidence for a part of**\n\n" + "\n".join(map(_listed, controls)))
    if rule.references:
        parts.append("**See**\n\n" + "\n".join(f"- <{each}>" for each in rule.references))
    if controls:
        parts.append(f"_{_sources(frameworks)}_")
    return "\n\n".join(parts)


@lru_cache(maxsize=1024)
def _listed(control: str) -> str:
    """Rules have their controls in common."""
    return f"- {for_markdown(control)}"


def _invocation(report: Report, kept: int, found: int) -> dict[str, Any]:
    notifications = [_notification(problem) for problem in report.problems]
    if kept < found:
        text = (
            f"{found - kept} of {found} results are left out; the {kept} worst are kept. See the JSON report for all."
        )
        notifications.append(
            {"descriptor": _descriptor("results-left-out"), "level": "warning", "message": {"text": text}}
        )
    made: dict[str, Any] = {"executionSuccessful": report.complete, "exitCode": report.exit_code}
    if notifications:
        made["toolExecutionNotifications"] = notifications
    return made


def _descriptor(name: str) -> dict[str, Any]:
    return {"id": name, "index": list(NOTIFICATIONS).index(name)}


def _notification(problem: Problem) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(problem.path)}
    if problem.span is not None:
        physical["region"] = _region(problem.span)
    return {
        "descriptor": _descriptor(problem.kind.value.replace("_", "-")),
        "level": "warning" if problem.kind is ProblemKind.LIMITED else "error",
        "message": {"text": _sentence(for_terminal(problem.message))},
        "locations": [{"physicalLocation": physical}],
    }


@lru_cache(maxsize=1024)
def _artifact(path: str) -> Mapping[str, str]:
    return {"uri": quote(path.encode("utf-8", "surrogateescape"), safe="/"), "uriBaseId": "%SRCROOT%"}


def _region(span: Span, snippet: Text | UnsetType = UNSET) -> Region:
    line, column, end_line, end_column = span
    # SARIF would have no region for a file as a whole; GitHub asks for a line in every one.
    return Region(line, column, end_line, end_column, snippet) if line else Region(1)


def _result(finding: Finding, rule_index: int) -> Result:
    failed = finding.outcome is Outcome.FAIL
    path, span = finding.location
    physical = PhysicalLocation(_artifact(path), _region(span, _snippet(finding.snippet)))
    resources = [LogicalLocation(for_terminal(finding.address))]
    if finding.twins:
        addresses = dict.fromkeys((finding.address, *(twin.address for twin in finding.twins[:MAX_RELATED])))
        resources = [LogicalLocation(for_terminal(address)) for address in addresses]
    # By position: with names it takes half as long again, and there are tens of thousands.
    result = Result(
        finding.rule.id,
        rule_index,
        "fail" if failed else "open",
        LEVELS[finding.severity] if failed else "none",
        _message(finding.message),
        [Place(physical, resources)],
        {"policyEngine/v1": finding.fingerprint},
    )
    if finding.change is not None:
        result.baseline_state = "new" if finding.change is Change.NEW else "unchanged"
    if finding.related:
        result.related_locations = [
            RelatedPlace(number, _phrase(phrase), PhysicalLocation(_artifact(location.path), _region(location.span)))
            for number, (location, phrase) in enumerate(finding.related[:MAX_RELATED], 1)
        ]
    if finding.suppression is not None:
        suppression: dict[str, Any] = {
            "kind": "inSource" if finding.suppression.kind == "inline" else "external",
            "status": "accepted",
            "justification": for_terminal(finding.suppression.reason),
        }
        place = finding.suppression.location
        if place is not None:
            suppression["location"] = {
                "physicalLocation": {"artifactLocation": _artifact(place.path), "region": _region(place.span)}
            }
        result.suppressions = [suppression]
    return result


# Messages, phrases and lines come again and again.
@lru_cache(maxsize=4096)
def _snippet(line: str) -> Text | UnsetType:
    text = line.strip()
    return Text(for_terminal(text)) if text else UNSET


@lru_cache(maxsize=4096)
def _message(message: str) -> Text:
    # Brackets in a message are links to related locations, and braces placeholders; a stranger's text is neither.
    text = for_terminal(message).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return Text(_sentence(text.replace("{", "{{").replace("}", "}}")))


@lru_cache(maxsize=4096)
def _phrase(phrase: str) -> Text:
    return Text(_sentence(for_terminal(phrase)))
