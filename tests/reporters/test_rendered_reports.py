"""What reporters write: as kept in `golden/`, valid by the formats' schemas, and safe with strangers' text."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import JUnitXml
from lxml import etree
from markdown_it import MarkdownIt
from msgspec.structs import replace

from policy_engine.plugins import Plugins
from policy_engine.report import Ledger, Report
from policy_engine.reporter import Display
from policy_engine.rule import Severity
from sample import ENCRYPTED, HOSTILE, LOGGED, finding, report

HERE = Path(__file__).parent
ROOM = HERE.parents[1] / "plugins" / "policy_engine_plugins"


@pytest.fixture(scope="module")
def sample(plugins: Plugins) -> Report:
    return report(plugins.framework("iso27001-2022"), plugins.framework("iso27001-2013"))


def render(plugins: Plugins, name: str, which: Report, **display: Any) -> str:
    return plugins.reporters[name].render(which, Display(**display))


@pytest.mark.parametrize(
    ("name", "file", "display"),
    [
        ("text", "report.txt", {"width": 80}),
        ("text", "report-verbose-colour.txt", {"width": 100, "verbose": True, "colour": True}),
        ("sarif", "report.sarif", {}),
        ("junit", "report.xml", {}),
        ("json", "report.json", {}),
        ("markdown", "report.md", {}),
        ("controls-markdown", "controls.md", {}),
        ("controls-csv", "controls.csv", {}),
        ("findings-csv", "findings.csv", {}),
        ("html", "report.html", {}),
    ],
)
def test_output_is_the_golden_one(
    plugins: Plugins, sample: Report, name: str, file: str, display: dict[str, Any]
) -> None:
    text = render(plugins, name, sample, **display)
    path = HERE / "golden" / file
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    assert text == path.read_bytes().decode("utf-8")
    assert "/somewhere" not in text, "no path of this machine belongs into a report"


# --- SARIF ------------------------------------------------------------------------------------------------------------


def sarif(plugins: Plugins, which: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(render(plugins, "sarif", which))
    return document


def test_sarif_passes_the_official_schema(plugins: Plugins, sample: Report) -> None:
    schema = json.loads((HERE / "sarif-schema-2.1.0.json").read_text())
    errors = [error.message for error in Draft7Validator(schema).iter_errors(sarif(plugins, sample))]
    assert errors == []


def test_sarif_says_how_each_outcome_stands(plugins: Plugins, sample: Report) -> None:
    run = sarif(plugins, sample)["runs"][0]
    assert [(each["kind"], each["level"]) for each in run["results"]] == [
        ("fail", "error"),
        ("fail", "warning"),
        ("fail", "error"),
        ("fail", "error"),
        ("open", "none"),
        ("fail", "error"),
    ]
    assert run["results"][-1]["suppressions"][0]["justification"] == "scratch data | only"
    assert run["invocations"][0]["executionSuccessful"] is False
    levels = [each["level"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert levels == ["error", "warning"]


def test_sarif_lists_every_evaluated_rule_with_its_controls(plugins: Plugins, sample: Report) -> None:
    run = sarif(plugins, sample)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["thing-encrypted", "thing-logged", "thing-quiet", "thing-tagged"]
    tags = rules[0]["properties"]["tags"]
    assert {"iso27001-2022/A.8.24", "iso27001-2013/A.10.1.1"} <= set(tags)
    assert rules[0]["properties"]["security-severity"] == "8.0"
    for rule in rules:
        for relationship in rule["relationships"]:
            target = relationship["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]


def test_sarif_places_are_relative_and_encoded(plugins: Plugins, sample: Report) -> None:
    uris = [
        each["locations"][0]["physicalLocation"]["artifactLocation"]
        for each in sarif(plugins, sample)["runs"][0]["results"]
    ]
    assert {each["uriBaseId"] for each in uris} == {"%SRCROOT%"}
    assert uris[2]["uri"] == "m%C3%B6dule/%E6%BC%A2%20%E5%AD%97.tf"
    assert all(re.fullmatch(r"[A-Za-z0-9%/._~-]+", each["uri"]) for each in uris)


def many(sample: Report, count: int, message: str = "a is wrong") -> Report:
    findings = [
        finding(LOGGED if number % 2 else ENCRYPTED, address=f"aws_thing.x{number}", message=message)
        for number in range(count)
    ]
    return replace(sample, findings=findings, problems=[], ledger=Ledger([]))


def test_sarif_keeps_the_worst_25000_results_and_says_so(plugins: Plugins, sample: Report) -> None:
    run = sarif(plugins, many(sample, 30_000))["runs"][0]
    assert len(run["results"]) == 25_000
    assert sum(each["ruleId"] == "thing-encrypted" for each in run["results"]) == 15_000
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("5000 of 30000 results are left out; the 25000 worst are kept.")


def test_sarif_stays_below_its_size_limit(plugins: Plugins, sample: Report) -> None:
    import gzip

    from policy_engine_plugins.sarif.render import render as render_sarif

    text = render_sarif(many(sample, 3000), max_bytes=30_000)
    assert len(gzip.compress(text.encode(), 6)) <= 30_000
    assert "results are left out" in text


# --- JUnit ------------------------------------------------------------------------------------------------------------


def test_junit_passes_the_schema_of_jenkins(plugins: Plugins, sample: Report) -> None:
    root = etree.fromstring(render(plugins, "junit", sample).encode())
    for case in root.iter("testcase"):
        for name in ("file", "line"):
            assert case.attrib.pop(name)
        assert float(case.get("time")) == 0
    schema = etree.XMLSchema(etree.parse(str(HERE / "junit-10.xsd")))
    schema.assertValid(root)


def test_junit_is_read_by_junitparser(plugins: Plugins, sample: Report) -> None:
    read = JUnitXml.fromstring(render(plugins, "junit", sample).encode())
    cases = [case for suite in read for case in suite]
    names = [(case.classname, case.name) for case in cases]
    assert len(names) == len(set(names))
    kinds = [type(result).__name__ for case in cases for result in case.result]
    assert sorted(kinds) == ["Error", "Failure", "Failure", "Failure", "Failure", "Skipped", "Skipped", "Skipped"]
    properties = {each.name: each.value for suite in read for each in suite.properties()}
    assert properties["iso27001-2022:thing-encrypted"] == "A.8.24, A.5.34"
    failure = next(case for case in cases if case.classname == "main.tf.thing-encrypted").result[0]
    assert failure.text.startswith("main.tf:3:3\n")


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_is_as_its_schema_says(plugins: Plugins, sample: Report) -> None:
    schema = json.loads((ROOM / "json_report" / "report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    document = json.loads(render(plugins, "json", sample))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []
    assert document["findings"][3]["location"]["path"] == f"odd/{HOSTILE}.tf", "JSON keeps names as they are"


# --- text and Markdown ------------------------------------------------------------------------------------------------


def test_carets_stand_below_what_is_wrong(plugins: Plugins, sample: Report) -> None:
    lines = render(plugins, "text", sample, width=80).splitlines()
    number = next(i for i, line in enumerate(lines) if "encrypted = false" in line)
    start = lines[number].index("encrypted")
    assert lines[number + 1][start:].rstrip() == "^" * len("encrypted = false")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_keeps_to_the_width(plugins: Plugins, sample: Report, width: int) -> None:
    plain = replace(sample, findings=[each for each in sample.findings if HOSTILE not in each.message])
    lines = render(plugins, "text", plain, width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 60)


def test_nothing_hostile_reaches_a_terminal(plugins: Plugins, sample: Report) -> None:
    text = render(plugins, "text", sample, verbose=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    assert not any(line.startswith("::") for line in text.splitlines())


def test_nothing_hostile_reaches_a_page(plugins: Plugins, sample: Report) -> None:
    text = render(plugins, "markdown", sample)
    page = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert not re.search(r"<img|<a |href|<script", page)
    assert "@team" not in re.sub(r"<code>.*?</code>", "", page)
    assert not any(line.startswith("::") for line in text.splitlines())


def test_markdown_is_bounded_and_says_what_is_left_out(plugins: Plugins, sample: Report) -> None:
    text = render(plugins, "markdown", many(sample, 5000))
    assert len(text) < 65_536
    assert re.search(r"\.\.\. and \d+ more; the JSON or SARIF report lists all\.", text)


def test_a_clean_report_is_short(plugins: Plugins, sample: Report) -> None:
    clean = replace(sample, findings=[], problems=[], ledger=Ledger([]), fail_on=Severity.LOW)
    assert clean.counts()["pass"] == 1
    assert len(render(plugins, "text", clean).splitlines()) <= 3
    assert render(plugins, "markdown", clean).startswith("## policy-engine: passed\n")
