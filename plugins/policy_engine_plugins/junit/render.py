"""Lays a report out as JUnit XML: a suite for each control theme, a case for each rule and resource.

A rule's leading control says in which theme it stands. Several flaws of one rule on one resource are several failures
of one case. Cases have no time of their own: `time` is 0, as the same scan must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from policy_engine.control import Framework, controls_of
from policy_engine.escape import for_xml
from policy_engine.finding import Finding, Outcome
from policy_engine.report import Report
from policy_engine.rule import Rule
from policy_engine.span import Location
from policy_engine.unit import ProblemKind


class _Case(NamedTuple):
    """What one rule says of one resource of one file; no findings where the resource satisfies it."""

    rule: Rule
    address: str
    location: Location
    findings: list[Finding]


def render(report: Report) -> str:
    import warnings
    from xml.etree import ElementTree as tree

    lead = report.frameworks[0] if report.frameworks else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # junit-xml warns of its own old names when it is imported.
        from junit_xml import TestSuite

    suites = [
        TestSuite(for_xml(title), [_case(each, report) for each in cases], properties=_properties(cases, report, lead))
        for title, cases in _themes(report, lead)
    ]
    if report.problems:
        suites.append(TestSuite("Files that could not be evaluated", _problem_cases(report)))
    root = tree.Element("testsuites", {"name": "policy-engine"})
    totals = dict.fromkeys(("tests", "failures", "errors"), 0)
    for suite in suites:
        element = suite.build_xml_doc()
        root.append(element)
        element.set("time", "0")
        element.attrib.pop("disabled", None)  # The schema that Jenkins reads by does not know it.
        for case in element.iter("testcase"):
            case.set("time", "0")  # The library leaves out a time of nothing.
        for name in totals:
            totals[name] += int(element.get(name, "0"))
    root.attrib.update({name: str(count) for name, count in totals.items()} | {"time": "0"})
    tree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tree.tostring(root, encoding="unicode")}\n'


def _themes(report: Report, lead: Framework | None) -> Iterator[tuple[str, list[_Case]]]:
    """Cases by theme, in the framework's order; findings of one rule on one resource of one file are one case."""
    cases: dict[tuple[str, str, str], _Case] = {}
    for finding in report.findings:
        place = (finding.location.path, finding.rule.id, finding.address)
        case = cases.setdefault(place, _Case(finding.rule, finding.address, finding.location, []))
        case.findings.append(finding)
    for passed in report.passes:
        for rule in passed.rules:
            place = (passed.location.path, rule.id, passed.address)
            cases.setdefault(place, _Case(rule, passed.address, passed.location, []))
    themes: dict[str, list[_Case]] = {}
    for _, case in sorted(cases.items(), key=itemgetter(0)):
        themes.setdefault(_theme(case.rule, lead), []).append(case)
    order = [*(lead.themes.values() if lead is not None else ()), "Rules"]
    for title in order:
        if title in themes:
            yield (f"{lead.title}: {title}" if lead is not None and title != "Rules" else title), themes[title]


def _theme(rule: Rule, lead: Framework | None) -> str:
    if lead is None:
        return "Rules"
    controls = [name for name in controls_of(rule, lead) if name in lead.controls]
    return lead.themes[lead.controls[controls[0]].theme] if controls else "Rules"


def _properties(cases: Sequence[_Case], report: Report, lead: Framework | None) -> dict[str, str]:
    """The source, and the controls of each rule of the suite: JUnit knows properties of suites, not of cases."""
    found = {"source": " ".join(f"{framework.source}." for framework in report.frameworks)} if lead else {}
    for rule in sorted({case.rule.id: case.rule for case in cases}.values(), key=lambda each: each.id):
        for framework in report.frameworks:
            controls = controls_of(rule, framework)
            if controls:
                found[f"{framework.name}:{rule.id}"] = ", ".join(controls)
    return {for_xml(key): for_xml(value) for key, value in found.items()}


def _case(each: _Case, report: Report) -> Any:
    from junit_xml import TestCase

    case = TestCase(
        for_xml(f"{each.address}: {each.rule.title}"),
        classname=for_xml(f"{each.location.path}.{each.rule.id}"),
        elapsed_sec=0,
        file=for_xml(each.location.path),
        line=each.location.span.start_line or None,
        allow_multiple_subelements=True,
    )
    for finding in each.findings:
        place = f"{finding.location}\n{finding.snippet.strip()}".strip()
        if finding.twins:
            place += f"\nalso: {', '.join(twin.address for twin in finding.twins)}"
        if finding.suppression is not None:
            reason = f"set aside ({finding.suppression.kind}): {finding.suppression.reason}"
            case.add_skipped_info(for_xml(reason), for_xml(f"{place}\n{finding.message}"))
        elif finding.outcome is Outcome.FAIL and not report.weighs(finding):
            case.add_skipped_info(for_xml(f"was there before: {finding.message}"), for_xml(place))
        elif finding.outcome is Outcome.FAIL:
            body = f"{place}\n{finding.message}\nHow to mend it: {finding.remediation}\nWhy: {finding.rule.rationale}"
            case.add_failure_info(for_xml(finding.message), for_xml(body), finding.severity.value)
        elif finding.outcome is Outcome.UNKNOWN:
            case.add_skipped_info(for_xml(finding.message), for_xml(f"{place}\n{finding.rule.title}"))
    return case


def _problem_cases(report: Report) -> list[Any]:
    from junit_xml import TestCase

    cases = []
    for number, problem in enumerate(report.problems, 1):
        limited = problem.kind is ProblemKind.LIMITED
        case = TestCase(
            for_xml(f"{number}: {problem.message}"),
            classname=for_xml(problem.path),
            elapsed_sec=0,
            file=for_xml(problem.path),
            line=problem.span.start_line if problem.span is not None else 1,
        )
        if limited:
            case.add_skipped_info(for_xml(problem.message), for_xml(str(problem)))
        else:
            case.add_error_info(for_xml(problem.message), for_xml(str(problem)), problem.kind.value)
        cases.append(case)
    return cases
