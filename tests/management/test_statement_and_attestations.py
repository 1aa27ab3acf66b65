"""The statement of applicability and attestations, as a project writes them and as a scan honours them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy_engine.cli import root
from policy_engine.errors import ConfigError
from policy_engine.plugins import load_plugins
from policy_engine.statement import parse_statement

BUCKETS = """\
resource "aws_s3_bucket" "site" {
  acl = "public-read"
}

resource "aws_s3_bucket" "logs" {
  acl = "private"
}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments), standalone_mode=False, catch_exceptions=True)


def project(folder: Path, statement: str = "", attestations: str = "", waivers: str = "") -> Path:
    (folder / ".git").mkdir()
    (folder / "main.tf").write_text(BUCKETS)
    own = folder / ".policy-engine"
    own.mkdir()
    for name, text in (("soa", statement), ("attestations", attestations), ("waivers", waivers)):
        if text:
            (own / f"{name}.yaml").write_text(text)
    return folder


def scanned(folder: Path, *options: str) -> dict:  # type: ignore[type-arg]
    result = run("scan", str(folder), "--root", str(folder), "-f", "json", "--today", "2026-06-01", *options)
    assert result.exception is None, result.exception
    loaded: dict = json.loads(result.stdout)  # type: ignore[type-arg]
    return loaded


def status(report: dict, control: str, framework: str = "iso27001-2022") -> tuple[str, str]:  # type: ignore[type-arg]
    [one] = [each for each in report["controls"] if (each["framework"], each["control"]) == (framework, control)]
    return one["status"], one["reason"]


# -- soa init, update and show


@pytest.mark.parametrize(("framework", "count"), [("iso27001-2022", 93), ("iso27001-2013", 114)])
def test_init_writes_an_entry_for_every_control(tmp_path: Path, framework: str, count: int) -> None:
    (tmp_path / ".git").mkdir()
    assert run("soa", "init", "--root", str(tmp_path), "-F", framework).exception is None
    written = tmp_path / ".policy-engine/soa.yaml"
    statement = parse_statement(written.read_bytes(), "soa.yaml")
    assert statement.framework == framework
    assert list(statement.controls) == list(load_plugins().framework(framework).controls)
    assert len(statement.controls) == count
    assert all(each.applicable and each.status == "undecided" for each in statement.controls.values())
    assert any("storage-acl-not-public" in each.rules for each in statement.controls.values())
    assert "Based on ISO/IEC 27001" in written.read_text()


def test_init_never_overwrites(tmp_path: Path) -> None:
    project(tmp_path, "framework: iso27001-2022\ncontrols: {A.5.1: {applicable: true}}\n")
    result = run("soa", "init", "--root", str(tmp_path))
    assert isinstance(result.exception, ConfigError)
    assert "soa update" in str(result.exception)


def test_update_keeps_every_decision_and_adds_what_is_missing(tmp_path: Path) -> None:
    project(
        tmp_path,
        """\
framework: iso27001-2022
organisation: "Example: & Sons"
scope: all of it
approved: {by: the board, on: "2026-01-15"}
controls:
  A.7.1:
    applicable: false
    justification: "rooms are rented, see #12"
  A.8.24:
    applicable: true
    justification: customers' data
    status: partly
    implemented_by: [automation]
    owner: platform team
    rules:
      - own-rule
    documents: ["docs/crypto.md", "https://example.com/x?a=b&c=d"]
""",
    )
    assert run("soa", "update", "--root", str(tmp_path)).exception is None
    once = (tmp_path / ".policy-engine/soa.yaml").read_bytes()
    statement = parse_statement(once, "soa.yaml")
    assert len(statement.controls) == 93
    assert (statement.organisation, statement.scope, statement.approved_by) == (
        "Example: & Sons",
        "all of it",
        "the board",
    )
    assert statement.controls["A.7.1"].justification == "rooms are rented, see #12"
    assert not statement.controls["A.7.1"].applicable
    crypto = statement.controls["A.8.24"]
    assert (crypto.status, crypto.owner, crypto.implemented_by) == ("partly", "platform team", ("automation",))
    assert crypto.rules[0] == "own-rule"
    assert "volume-encrypted-at-rest" in crypto.rules
    assert crypto.documents == ("docs/crypto.md", "https://example.com/x?a=b&c=d")
    assert run("soa", "update", "--root", str(tmp_path)).exception is None
    assert (tmp_path / ".policy-engine/soa.yaml").read_bytes() == once


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "framework: iso27001-2022\ncontrols:\n  A.5.99: {applicable: true}\n",
            "soa.yaml:3:3: ISO/IEC 27001:2022 Annex A has no control 'A.5.99'",
        ),
        ("framework: iso\ncontrols:\n  A.5.1: {applicable: true}\n", "soa.yaml:1:1: unknown framework 'iso'"),
        ("framework: iso27001-2022\ncontrols:\n  A.5.1: {applicable: false}\n", "'justification' is missing"),
        ("framework: iso27001-2022\ncontrols:\n  A.5.1: {applicable: perhaps}\n", "is not of type boolean"),
        ("framework: iso27001-2022\ncontrols:\n  A.5.1: {applicable: true, ownr: x}\n", "did you mean 'owner'?"),
        ("framework: [\n", "soa.yaml:"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    project(tmp_path, text)
    result = run("scan", str(tmp_path), "--root", str(tmp_path))
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


# -- the scan honours it

NOTHING_PUBLIC = """\
framework: iso27001-2022
controls:
  A.8.3: {applicable: false, justification: everything here is public}
  A.5.15: {applicable: false, justification: everything here is public}
  A.8.12: {applicable: false, justification: everything here is public}
"""


def test_a_rule_none_of_whose_controls_applies_is_not_run_and_that_is_told(tmp_path: Path) -> None:
    rule = next(each for each in scanned(project(tmp_path))["rules"] if each["id"] == "storage-acl-not-public")
    listed = "".join(
        f"  {name}: {{applicable: false, justification: everything here is public}}\n" for name in rule["controls_2022"]
    )
    (tmp_path / ".policy-engine/soa.yaml").write_text(f"framework: iso27001-2022\ncontrols:\n{listed}")
    report = scanned(tmp_path)
    assert "storage-acl-not-public" in report["not_applicable"]
    assert "storage-acl-not-public" not in {each["id"] for each in report["rules"]}
    assert not [each for each in report["findings"] if each["rule"] == "storage-acl-not-public"]
    assert status(report, rule["controls_2022"][0]) == ("not applicable", "everything here is public")
    text = run("scan", str(tmp_path), "--root", str(tmp_path), "--today", "2026-06-01").stdout
    assert "not run, as none of their controls applies" in text


def test_a_rule_with_one_control_that_applies_is_run(tmp_path: Path) -> None:
    statement = "framework: iso27001-2022\ncontrols:\n  A.8.3: {applicable: false, justification: all is public}\n"
    report = scanned(project(tmp_path, statement))
    assert [each for each in report["findings"] if each["rule"] == "storage-acl-not-public"]
    assert status(report, "A.8.3")[0] == "not applicable"


def test_the_other_edition_follows_by_correspondence(tmp_path: Path) -> None:
    catalogue = load_plugins().framework("iso27001-2013").controls
    statement = "framework: iso27001-2022\ncontrols:\n  A.7.13: {applicable: false, justification: no machines}\n"
    report = scanned(project(tmp_path, statement))
    alone = [name for name, each in catalogue.items() if list(each.corresponds["iso27001-2022"]) == ["A.7.13"]]
    assert alone
    for name in alone:
        assert status(report, name, "iso27001-2013") == ("not applicable", "no machines")


# -- verdicts of whole scans


def test_a_waiver_accepts_a_risk_until_it_expires(tmp_path: Path) -> None:
    waivers = """\
waivers:
  - rule: "*"
    path: main.tf
    reason: an experiment
    owner: web team
    approver: security officer
    created: "2026-01-01"
    expires: "2026-12-31"
"""
    project(tmp_path, waivers=waivers)
    assert status(scanned(tmp_path), "A.8.3")[0] == "accepted risk"
    late = scanned(tmp_path, "--today", "2027-01-01")
    assert status(late, "A.8.3")[0] in ("failing", "partly")


def test_an_attestation_speaks_where_no_rule_does_and_ends(tmp_path: Path) -> None:
    attestations = """\
attestations:
  - controls: [A.6.3, A.8.3]
    statement: everybody took the course
    owner: head of people
    date: "2026-03-01"
    valid_until: "2027-02-28"
"""
    project(tmp_path, attestations=attestations)
    report = scanned(tmp_path)
    assert status(report, "A.6.3") == ("attested", "attested by head of people, until 2027-02-28")
    assert status(report, "A.8.3")[0] in ("failing", "partly")  # what was seen weighs more than what is said
    late = scanned(tmp_path, "--today", "2027-03-01")
    assert status(late, "A.6.3")[0] == "no evidence"
    assert [each["location"]["start_line"] for each in late["findings"] if each["rule"] == "attestation-in-force"] == [
        2
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("controls: [A.66.3], date: '2026-01-01', valid_until: '2027-01-01'", "has no control 'A.66.3'"),
        ("controls: [A.6.3], date: '2026-01-01', valid_until: '2025-01-01'", "ends before its date"),
        ("controls: [A.6.3], date: 'soon', valid_until: '2025-01-01'", "'soon' is no date"),
        ("controls: [A.6.3]", "'date' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_attestation_is_told(tmp_path: Path, text: str, told: str) -> None:
    project(tmp_path, attestations=f"attestations:\n  - {{statement: s, owner: o, {text}}}\n")
    result = run("scan", str(tmp_path), "--root", str(tmp_path))
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


def test_the_document_of_an_attestation_is_compared(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"present: all\n").hexdigest()
    attestations = f"""\
attestations:
  - controls: [A.6.3]
    statement: everybody took the course
    owner: head of people
    date: "2026-03-01"
    valid_until: "2027-02-28"
    document: {{path: records/course.txt, sha256: {digest}}}
"""
    project(tmp_path, attestations=attestations)
    (tmp_path / "records").mkdir()
    (tmp_path / "records/course.txt").write_text("present: all\n")

    def outcome() -> tuple[int, list[str]]:
        """How many documents hold, and what is said of the others."""
        report, rule = scanned(tmp_path), "attestation-document-unaltered"
        told = [each["outcome"] for each in report["findings"] if each["rule"] == rule]
        return sum(rule in each["rules"] for each in report["passes"]), told

    assert outcome() == (1, [])
    (tmp_path / "records/course.txt").write_text("present: most\n")
    assert outcome() == (0, ["fail"])


def test_a_scan_of_a_part_reaches_no_verdict(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/main.tf").write_text(BUCKETS)
    assert scanned(tmp_path)["controls"]
    narrowed = scanned(tmp_path, "--rule", "storage-acl-not-public")
    assert (narrowed["whole"], narrowed["controls"]) == (False, [])
    result = run("scan", str(tmp_path / "sub"), "--root", str(tmp_path), "-f", "json")
    assert json.loads(result.stdout)["controls"] == []


# -- reports read again


def test_a_json_report_is_read_again_without_loss(tmp_path: Path) -> None:
    project(
        tmp_path,
        NOTHING_PUBLIC,
        "attestations:\n"
        "  - {controls: [A.6.3], statement: s, owner: o, date: '2026-01-01', valid_until: '2027-01-01'}\n",
    )
    (tmp_path / "broken.tf").write_text("resource {")
    first = tmp_path / "first.json"
    again = tmp_path / "again.json"
    run("scan", str(tmp_path), "--root", str(tmp_path), "-f", f"json={first}", "--today", "2026-06-01")
    result = run("report", str(first), "-f", f"json={again}")
    assert result.exception is None, result.exception
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no report of a scan"),
        ("[]", "no report of a scan"),
        ("{", "no JSON"),
        ("{}", "no report of a scan"),
        ('{"format_version": 99}', "its format_version is 99"),
        ('{"format_version": 1}', "its format_version is 1, not 2"),
        ('{"format_version": 2}', "is missing"),
        ("{" + '"a":{' * 100_000, "no JSON"),
    ],
)
def test_what_is_no_report_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    result = run("report", str(path), "-f", "text")
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_nightly_history_keeps_the_last_report_and_the_trend(tmp_path: Path) -> None:
    home = tmp_path / "shop"
    home.mkdir()
    project(home)
    database = tmp_path / "history.sqlite"
    for day in ("01", "02"):
        result = run("nightly", str(home), "--db", str(database), "--at", f"2026-06-{day}T02:00:00Z")
        assert result.exception is None, result.exception
    result = run("report", str(database), "-f", "json")
    assert result.exception is None, result.exception
    assert status(json.loads(result.stdout), "A.8.3")[0] in ("failing", "partly")

    from policy_engine.history import open_history

    moments = open_history(str(database)).moments("shop")
    assert [each.at for each in moments] == ["2026-06-01T02:00:00Z", "2026-06-02T02:00:00Z"]
    assert sum(moments[0].controls.values()) == 93
    assert moments[0].controls == moments[1].controls
    missing = run("report", str(database), "--repository", "shopp", "-f", "text")
    assert "did you mean 'shop'?" in str(missing.exception)
