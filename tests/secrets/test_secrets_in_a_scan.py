"""Secrets beside the other formats: who speaks first, what sets a finding aside, what is shown of a line."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from planted import drawn, pem, with_checksum
from policy_engine.finding import Finding, Outcome
from policy_engine.plugins import Plugins
from policy_engine.policy import read_policy
from policy_engine.report import Report, Status
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine_plugins.secrets.comments import comments

TOKEN = with_checksum("ghp_")


@pytest.fixture
def scanned(plugins: Plugins, rulebook: Rulebook):  # type: ignore[no-untyped-def]
    def run(files: dict[str, str]) -> Report:
        tree = MemoryTree({path: text.encode() for path, text in files.items()})
        policy = read_policy(tree.read, date(2027, 1, 1), warn_days=30, whole=True)
        return scan(tree, sorted(files), plugins, rulebook, Settings(), policy=policy)

    return run


def failures(report: Report, path: str | None = None) -> list[Finding]:
    return [
        one
        for one in report.findings
        if one.outcome is Outcome.FAIL and one.suppression is None and path in (None, one.location.path)
    ]


def test_a_rule_that_understands_the_line_speaks_alone(scanned) -> None:  # type: ignore[no-untyped-def]
    report = scanned({"main.tf": f'provider "aws" {{\n  secret_key = "{TOKEN}"\n}}\n'})
    assert [one.rule.id for one in failures(report)] == ["provider-no-static-credentials"]


def test_a_line_that_no_such_rule_speaks_of_is_still_told(scanned) -> None:  # type: ignore[no-untyped-def]
    report = scanned({"main.tf": f'locals {{\n  token = "{TOKEN}"\n}}\n'})
    assert [one.rule.id for one in failures(report)] == ["source-host-token-not-in-file"]


def test_the_span_of_the_secret_is_cut_out_of_every_snippet_of_the_line(scanned) -> None:  # type: ignore[no-untyped-def]
    text = f'resource "aws_db_instance" "a" {{\n  storage_encrypted = false # {TOKEN}, not {TOKEN[4:]}\n}}\n'
    shown = {
        one.format: one.snippet for one in failures(scanned({"main.tf": text})) if one.location.span.start_line == 2
    }
    assert shown["text"].startswith("  storage_encrypted = false # ****, not ")
    assert shown["terraform"] == shown["text"]


def test_of_a_key_of_several_lines_nothing_is_shown(scanned) -> None:  # type: ignore[no-untyped-def]
    (found,) = failures(scanned({"notes.txt": pem()}))
    assert found.snippet == "****"
    assert found.location.span.start_line == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", 'token = "{0}"  # policy-engine: ignore[source-host-token-not-in-file] revoked'),
        ("a.js", 'const t = "{0}"; // policy-engine: ignore[source-host-token-not-in-file] revoked'),
        ("a.css", 'a {{ b: "{0}" }} /* policy-engine: ignore[source-host-token-not-in-file] revoked */'),
        ("a.sql", "select '{0}' -- policy-engine: ignore[source-host-token-not-in-file] revoked"),
        ("a.ini", "t = {0} ; policy-engine: ignore[source-host-token-not-in-file] revoked"),
        ("a.md", "{0} <!-- policy-engine: ignore[source-host-token-not-in-file] revoked -->"),
        ("a.tex", "{0} % policy-engine: ignore[source-host-token-not-in-file] revoked"),
        ("a.bat", "set T={0}\nrem policy-engine: ignore-file[source-host-token-not-in-file] revoked"),
        ("Makefile", "T = {0} # policy-engine: ignore[source-host-token-not-in-file] revoked"),
        ("a.sh", "# policy-engine: ignore[source-host-token-not-in-file] revoked\nT={0}"),
        ("a.tf", 'locals {{\n  t = "{0}" # policy-engine: ignore[source-host-token-not-in-file] revoked\n}}'),
        ("b.yaml", "t: {0} # policy-engine: ignore[source-host-token-not-in-file] revoked"),
    ],
)
def test_a_comment_sets_a_finding_aside(scanned, path: str, line: str) -> None:  # type: ignore[no-untyped-def]
    report = scanned({path: line.format(TOKEN) + "\n"})
    assert failures(report) == []
    (found,) = [one for one in report.findings if one.suppression is not None]
    assert found.suppression.reason == "revoked"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", 'token = "{0} # policy-engine: ignore[source-host-token-not-in-file] no"'),
        ("a.py", '"""\n# policy-engine: ignore-file[source-host-token-not-in-file] no\n"""\nt = "{0}"'),
        ("a.js", 'const t = "{0} // policy-engine: ignore[source-host-token-not-in-file] no";'),
        ("a.json", '{{"t": "{0}", "c": "# policy-engine: ignore[source-host-token-not-in-file] no"}}'),
        ("a.tf", 'locals {{\n  t = "{0} # policy-engine: ignore[source-host-token-not-in-file] no"\n}}'),
        ("a.tf", "locals {{\n  t = <<E\n# policy-engine: ignore-file[source-host-token-not-in-file] no\n{0}\nE\n}}"),
    ],
)
def test_a_string_that_looks_like_a_comment_sets_nothing_aside(scanned, path: str, line: str) -> None:  # type: ignore[no-untyped-def]
    found = failures(scanned({path: line.format(TOKEN) + "\n"}), path)
    assert "source-host-token-not-in-file" in [one.rule.id for one in found]


def test_a_comment_behind_code_is_not_alone() -> None:
    (behind,) = comments("a.go", b'x := "a" // policy-engine: ignore[b] c\n')
    (alone,) = comments("a.go", b"  /* policy-engine: ignore[b] c */\n")
    assert (behind.alone, alone.alone) == (False, True)
    assert alone.text == "policy-engine: ignore[b] c"


def test_a_waiver_covers_a_secret_by_its_address(scanned) -> None:  # type: ignore[no-untyped-def]
    waiver = (
        "waivers:\n  - rule: source-host-token-not-in-file\n    path: conf/*\n    resource: a.env#github-token\n"
        "    reason: it is revoked\n    owner: ann\n    approver: ben\n    ticket: A-1\n"
        "    created: 2026-12-01\n    expires: 2027-02-01\n"
    )
    report = scanned({".policy-engine/waivers.yaml": waiver, "conf/a.env": f"T={TOKEN}\nU={with_checksum('ghp_')}\n"})
    assert [one.address for one in failures(report)] == ["a.env#github-token/2"]


def test_a_fingerprint_is_the_same_whatever_the_value(scanned) -> None:  # type: ignore[no-untyped-def]
    first = failures(scanned({"a.env": f"T={TOKEN}\n"}))
    second = failures(scanned({"a.env": f"# moved\n\nT={with_checksum('ghp_')}\n"}))
    assert [one.fingerprint for one in first] == [one.fingerprint for one in second]


def test_a_file_without_a_hint_stays_unclaimed(scanned) -> None:  # type: ignore[no-untyped-def]
    report = scanned({"notes.txt": "nothing here\n", "a.env": f"T={TOKEN}\n"})
    assert {entry.path: entry.status for entry in report.ledger.entries} == {
        "notes.txt": Status.NOT_CLAIMED,
        "a.env": Status.EVALUATED,
    }


def test_a_text_file_that_is_too_large_is_told_and_a_binary_one_is_not(
    tmp_path: Path, plugins: Plugins, rulebook: Rulebook
) -> None:
    (tmp_path / "dump").write_text(f"T={TOKEN}\n" + "x" * 2000)
    (tmp_path / "blob").write_bytes(b"\0" * 4000)
    report = scan(WorkTree(str(tmp_path), 1000), ["blob", "dump"], plugins, rulebook, Settings())
    statuses = {entry.path: entry.status for entry in report.ledger.entries}
    assert statuses == {"blob": Status.NOT_CLAIMED, "dump": Status.TOO_LARGE}
    assert not report.complete


def test_a_key_that_is_too_short_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"T={TOKEN}\n")
    command = [sys.executable, "-m", "policy_engine", "scan", "."]
    environment = {"POLICY_ENGINE_SECRET_KEY": drawn(8), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("policy-engine: error: POLICY_ENGINE_SECRET_KEY is shorter than 16 characters")


def test_without_the_library_our_own_detectors_look_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"T={TOKEN}\n")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['kingfisher_sdk'] = None\n")
    command = [sys.executable, "-m", "policy_engine", "scan", "a.env", "--format", "json"]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["rule"] for each in told["findings"] if each["outcome"] == "fail"] == ["source-host-token-not-in-file"]
    assert "Kingfisher" in json.dumps(told)
