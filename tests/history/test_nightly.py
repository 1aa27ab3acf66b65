"""`policy-engine nightly` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OPEN = 'resource "aws_s3_bucket" "%s" {\n  acl = "public-read"\n}\n'


def run(folder: Path, *arguments: str, day: int = 1) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", "nightly", "--at", f"2026-06-{day:02}T02:00:00Z", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def told(folder: Path, *arguments: str, day: int = 1) -> dict[str, dict[str, Any]]:
    report = json.loads(run(folder, "--format", "json", *arguments, day=day).stdout)
    return {one["repository"]: one for one in report["repositories"]}


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    for name in ("shop", "blog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(OPEN % name)
    (tmp_path / "list").write_text("# ours\nshop\nthe blog = blog\n")
    return tmp_path


def test_a_night_tells_what_is_new_fixed_and_back(repositories: Path) -> None:
    first = told(repositories, "shop", day=1)["shop"]
    assert {one["rule"] for one in first["new"]} >= {"storage-acl-not-public"}
    (repositories / "shop" / "main.tf").write_text("")
    assert {one["rule"] for one in told(repositories, "shop", day=2)["shop"]["fixed"]} >= {"storage-acl-not-public"}
    (repositories / "shop" / "main.tf").write_text("\n\n" + OPEN % "shop")
    again = told(repositories, "shop", day=3)["shop"]
    assert {one["rule"] for one in again["reopened"]} >= {"storage-acl-not-public"}
    assert again["new"] == []


def test_a_list_of_repositories_is_scanned_side_by_side(repositories: Path) -> None:
    found = told(repositories, "--list", "list", "--jobs", "2")
    assert set(found) == {"shop", "the blog"}
    assert all(one["open"] > 0 for one in found.values())


def test_the_last_runs_can_be_told_again_without_scanning(repositories: Path) -> None:
    run(repositories, "--list", "list")
    again = told(repositories, "--report", day=2)
    assert set(again) == {"shop", "the blog"}
    assert all(one["new"] for one in again.values())


def test_one_broken_repository_does_not_stop_the_others(repositories: Path) -> None:
    (repositories / "shop" / ".policy-engine.yaml").write_text("nonsense: true\n")
    (repositories / "list").write_text("shop\nblog\nabsent\n")
    done = run(repositories, "--list", "list", "--format", "json")
    assert done.returncode == 3
    found = {one["repository"]: one for one in json.loads(done.stdout)["repositories"]}
    assert "unknown key 'nonsense'" in found["shop"]["trouble"]
    assert "no such folder" in found["absent"]["trouble"]
    assert found["blog"]["open"] > 0


def test_a_file_that_is_not_understood_makes_the_night_incomplete(repositories: Path) -> None:
    (repositories / "shop" / "broken.tf").write_text('resource "a" {')
    done = run(repositories, "shop")
    assert done.returncode == 3
    assert "incomplete: broken.tf:1:1" in done.stdout


def test_only_new_findings_fail_and_only_when_asked(repositories: Path) -> None:
    assert run(repositories, "shop", day=1).returncode == 0
    (repositories / "shop" / "more.tf").write_text(OPEN % "more")
    assert run(repositories, "shop", "--fail-on", "critical", day=2).returncode == 1
    assert run(repositories, "shop", "--fail-on", "critical", day=3).returncode == 0


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_reports_tell_the_ages_by_control(repositories: Path, name: str) -> None:
    run(repositories, "shop", day=1)
    shown = run(repositories, "shop", "--format", name, day=11).stdout
    assert "A.8.3" in shown.replace("&#46;", ".")
    assert "10" in shown
    assert "Based on ISO/IEC 27001:2022 Annex A" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--list", "absent"], "absent: cannot be read: No such file or directory"),
        (["--at", "yesterday"], "--at yesterday: no time; write it as 2027-01-31T02:00:00Z"),
        (["shop", "./shop"], "two repositories are called 'shop'"),
        (["shop", "--db", "nosuch://x"], "databases of this kind are not known"),
    ],
)
def test_wrong_usage_is_one_line(repositories: Path, arguments: list[str], message: str) -> None:
    done = run(repositories, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_the_database_packages_it_says_what_to_install(repositories: Path) -> None:
    lines = ["import sys", "sys.modules['sqlalchemy'] = None", "sys.argv[1:] = ['nightly']"]
    blocked = "\n".join([*lines, "from policy_engine.entry import main", "main()"])
    done = subprocess.run(
        [sys.executable, "-c", blocked], cwd=repositories, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nightly needs the package 'sqlalchemy'; install policy-engine[history]" in done.stderr


def test_hostile_names_and_messages_stay_text(repositories: Path) -> None:
    odd = "a\x1b[31m\n::error::x <img src=x onerror=y> | `c` @team.tf"
    (repositories / "shop" / odd).write_text(OPEN % "odd")
    for name in ("text", "markdown", "json"):
        shown = run(repositories, "shop", "--format", name, "--db", f"{name}.sqlite").stdout
        assert "\x1b" not in shown
        assert "\n::error" not in shown
        if name == "markdown":
            assert "<img" not in shown
            assert "@team" not in shown
