"""Accepted risks and what is known from before: visible in every report, and never for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OPEN = 'resource "aws_s3_bucket" "site" {\n  acl = "public-read"\n}\n'
WAIVER = """\
waivers:
  - rule: storage-acl-not-public
    resource: aws_s3_bucket.*
    path: "*.tf"
    reason: the public web site
    owner: web team
    approver: the security officer
    ticket: RISK-7
    created: "2026-01-01"
    expires: "2026-12-31"
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def findings(folder: Path, today: str = "2026-06-01") -> dict[str, dict[str, Any]]:
    report = json.loads(run(folder, "scan", ".", "--format", "json", "--today", today).stdout)
    return {one["rule"]: one for one in report["findings"] if one["outcome"] == "fail"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(OPEN)
    (tmp_path / ".policy-engine").mkdir()
    return tmp_path


def waive(project: Path, text: str = WAIVER) -> None:
    (project / ".policy-engine" / "waivers.yaml").write_text(text)


def test_a_waiver_sets_a_finding_aside_and_says_who_accepted_it(project: Path) -> None:
    waive(project)
    assert findings(project)["storage-acl-not-public"]["suppression"] == {
        "kind": "waiver",
        "reason": "the public web site (accepted by the security officer until 2026-12-31)",
        "location": {
            "path": ".policy-engine/waivers.yaml",
            "start_line": 2,
            "start_column": 5,
            "end_line": 2,
            "end_column": 33,
        },
    }


@pytest.mark.parametrize(
    ("today", "counts", "told"),
    [
        ("2025-12-31", True, None),
        ("2026-01-01", False, None),
        ("2026-12-01", False, "waiver-renewed-in-time"),
        ("2026-12-31", False, "waiver-renewed-in-time"),
        ("2027-01-01", True, "waiver-in-force"),
    ],
)
def test_a_waiver_counts_from_its_first_day_to_its_last(project: Path, today: str, counts: bool, told: str) -> None:
    waive(project)
    found = findings(project, today)
    assert (found["storage-acl-not-public"]["suppression"] is None) is counts
    assert [name for name in found if name.startswith("waiver-")] == ([told] if told else [])


def test_a_waived_finding_stays_visible_in_every_report(project: Path) -> None:
    waive(project)
    for name in ("sarif", "junit", "markdown", "text"):
        shown = run(project, "scan", ".", "--format", name, "--today", "2026-06-01", "--verbose").stdout
        assert "the public web site" in shown, name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("    expires: 31.12.2026", "waivers.yaml:10:5: '31.12.2026' is no date; write it as 2027-01-31"),
        ('    expires: "2026-02-30"', "'2026-02-30' is no date; write it as 2027-01-31"),
        ('    expires: "2025-02-28"', "it expires before it was created"),
        ("    expire: x", "waivers.yaml:2:5: 'expires' is missing"),
    ],
)
def test_a_wrong_waiver_is_one_line_with_its_place(project: Path, line: str, message: str) -> None:
    waive(project, WAIVER.replace('    expires: "2026-12-31"', line))
    done = run(project, "scan", ".")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_waiver_needs_an_owner_an_approver_and_a_scope(project: Path) -> None:
    for key in ("owner", "approver", "reason", "expires"):
        waive(project, "\n".join(line for line in WAIVER.splitlines() if not line.strip().startswith(key)))
        assert f"'{key}'" in run(project, "scan", ".").stderr
    waive(project, "\n".join(line for line in WAIVER.splitlines() if "path:" not in line and "resource:" not in line))
    assert run(project, "scan", ".").returncode == 2


def test_a_baseline_lets_only_new_findings_fail(project: Path) -> None:
    assert run(project, "scan", ".").returncode == 1
    created = run(project, "baseline", "create")
    assert created.returncode == 0, created.stderr
    assert run(project, "scan", ".").returncode == 0
    assert findings(project)["storage-acl-not-public"]["suppression"]["kind"] == "baseline"
    (project / "more.tf").write_text(OPEN.replace("site", "more"))
    assert run(project, "scan", ".").returncode == 1


def test_a_baseline_is_written_once_and_checked(project: Path) -> None:
    run(project, "baseline", "create")
    again = run(project, "baseline", "create")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert run(project, "baseline", "check").returncode == 0
    (project / "main.tf").write_text(OPEN.replace("public-read", "private"))
    checked = run(project, "baseline", "check")
    assert checked.returncode == 1
    assert (
        "disappeared: main.tf [storage-acl-not-public] aws_s3_bucket.site: site is open to everyone" in checked.stdout
    )
    assert run(project, "baseline", "update").returncode == 0
    assert run(project, "baseline", "check").returncode == 0


def test_an_update_takes_nothing_new_in_unless_asked(project: Path) -> None:
    run(project, "baseline", "create")
    (project / "more.tf").write_text(OPEN.replace("site", "more"))
    run(project, "baseline", "update")
    assert run(project, "scan", ".").returncode == 1
    run(project, "baseline", "update", "--add")
    assert run(project, "scan", ".").returncode == 0


@pytest.mark.parametrize("command", ["check", "update"])
def test_without_a_baseline_it_says_how_to_get_one(project: Path, command: str) -> None:
    done = run(project, "baseline", command)
    assert done.returncode == 2
    assert "`policy-engine baseline create` writes one" in done.stderr


def test_a_baseline_of_an_incomplete_scan_is_refused(project: Path) -> None:
    (project / "broken.tf").write_text('resource "a" {')
    done = run(project, "baseline", "create")
    assert done.returncode == 2
    assert "the scan is incomplete" in done.stderr


def test_hostile_names_are_escaped_in_a_baseline(project: Path) -> None:
    name = "a\n- {fingerprint: x}\n::error::.tf"
    (project / name).write_text(OPEN.replace("site", "odd"))
    assert run(project, "baseline", "create").returncode == 0
    assert run(project, "scan", ".").returncode == 0


def test_a_baseline_follows_a_finding_to_another_file(project: Path) -> None:
    run(project, "baseline", "create")
    (project / "main.tf").rename(project / "site.tf")
    (project / "main.tf").write_text("locals {}\n")
    assert run(project, "scan", ".").returncode == 0
    assert "0 of them disappeared" in run(project, "baseline", "check").stdout


def test_a_baseline_excuses_no_namesake_of_what_was_mended(project: Path) -> None:
    run(project, "baseline", "create")
    (project / "main.tf").write_text(OPEN.replace("public-read", "private"))
    (project / "other").mkdir()
    (project / "other" / "main.tf").write_text(OPEN)
    assert findings(project)["storage-acl-not-public"]["suppression"] is None
