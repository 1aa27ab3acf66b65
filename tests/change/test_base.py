"""`scan --base`: what a change makes new, what was there, what it mends; and nobody sets their own finding aside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OPEN = 'resource "aws_s3_bucket" "%s" {\n  acl = "public-read"\n}\n'
CLOSED = 'resource "aws_s3_bucket" "%s" {\n  acl = "private"\n}\n'
WAIVER = """\
waivers:
  - rule: storage-acl-not-public
    resource: aws_s3_bucket.site
    reason: the public web site
    owner: web team
    approver: the security officer
    created: "2026-01-01"
    expires: "2099-01-01"
"""


class Project:
    """A git repository with a commit called `base`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self, **files: str) -> None:
        """Files by name, `__` for the slash and a leading `dot_` for a dot; `.tf` where there is no ending."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("dot_", ".").replace("_yaml", ".yaml")
            if not path.suffix and not path.name.startswith("."):
                path = path.with_suffix(".tf")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, **files: str) -> None:
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", "--allow-empty")

    def tag_base(self) -> None:
        self.git("tag", "base")

    def scan(self, *arguments: str) -> tuple[int, dict[str, Any], str]:
        done = subprocess.run(
            [sys.executable, "-m", "policy_engine", "scan", ".", "--format", "json", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr

    def change(self, *arguments: str) -> tuple[int, dict[str, set[str]]]:
        """Exit code, and names of open buckets by what the change made of them."""
        code, report, _ = self.scan("--base", "base", "--rule", "storage-acl-not-public", *arguments)
        told: dict[str, set[str]] = {"new": set(), "existing": set(), "fixed": set(), "aside": set()}
        for one in report["findings"]:
            if one["rule"] == "storage-acl-not-public" and one["outcome"] == "fail":
                told["aside" if one["suppression"] else one["change"]].add(one["address"].rpartition(".")[2])
        told["fixed"] = {one["address"].rpartition(".")[2] for one in report["base"]["fixed"]}
        return code, {key: names for key, names in told.items() if names}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_new_existing_and_fixed_are_told_apart(project: Project) -> None:
    project.commit(main=OPEN % "old" + OPEN % "mended")
    project.tag_base()
    project.commit(main=OPEN % "old" + CLOSED % "mended" + OPEN % "added")
    assert project.change() == (1, {"new": {"added"}, "existing": {"old"}, "fixed": {"mended"}})


def test_only_what_is_new_fails(project: Project) -> None:
    project.commit(main=OPEN % "old")
    project.tag_base()
    project.commit(main="# moved down\n\n\n" + OPEN % "old")
    assert project.change() == (0, {"existing": {"old"}})
    assert project.change("--gate", "all")[0] == 1


def test_the_work_tree_counts_before_it_is_committed(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.write(main=OPEN % "a", untracked=OPEN % "b")
    assert project.change() == (1, {"new": {"a", "b"}})


def test_a_renamed_file_brings_nothing_new(project: Project) -> None:
    project.commit(one__main=OPEN % "a" + CLOSED % "b", two__main=OPEN % "a")
    project.tag_base()
    project.git("mv", "one", "zero")
    project.commit()
    assert project.change() == (0, {"existing": {"a"}})


def test_the_same_flaw_in_a_new_place_is_the_new_one(project: Project) -> None:
    project.commit(b__main=OPEN % "a")
    project.tag_base()
    project.commit(a__main=OPEN % "a")
    code, report, _ = project.scan("--base", "base", "--rule", "storage-acl-not-public")
    assert code == 1
    assert [(one["location"]["path"], one["change"]) for one in report["findings"]] == [("a/main.tf", "new")]


def test_what_the_change_does_not_touch_is_not_evaluated(project: Project) -> None:
    project.commit(one__main=OPEN % "one", two__main=OPEN % "two")
    project.tag_base()
    project.commit(one__main=CLOSED % "one")
    _, report, _ = project.scan("--base", "base")
    assert {entry["path"]: entry["status"] for entry in report["ledger"]} == {
        "one/main.tf": "evaluated",
        "two/main.tf": "unchanged",
    }


def test_a_module_is_judged_where_its_caller_changes_and_the_other_way_round(project: Project) -> None:
    module = 'variable "acl" {}\nresource "aws_s3_bucket" "b" {\n  acl = var.acl\n}\n'
    project.commit(
        live__main='module "m" {\n  source = "../m"\n  acl = "private"\n}\n', m__main=module, other__main=OPEN % "other"
    )
    project.tag_base()
    project.commit(live__main='module "m" {\n  source = "../m"\n  acl = "public-read"\n}\n')
    assert project.change() == (1, {"new": {"b"}})
    project.git("tag", "-f", "base")
    project.commit(m__main=module.replace("var.acl", '"private"'))
    assert project.change() == (0, {"fixed": {"b"}})


def test_a_file_that_others_read_counts_for_them(project: Project) -> None:
    project.commit(main='resource "aws_s3_bucket" "b" {\n  acl = trimspace(file("acl.txt"))\n}\n')
    (project.folder / "acl.txt").write_text("private\n")
    project.commit()
    project.tag_base()
    (project.folder / "acl.txt").write_text("public-read\n")
    project.commit()
    assert project.change() == (1, {"new": {"b"}})


# -- the policy comes from the base


def test_a_waiver_in_the_same_change_does_not_count(project: Project) -> None:
    project.commit(main=CLOSED % "other")
    project.tag_base()
    project.commit(main=OPEN % "site", **{"dot_policy-engine__waivers_yaml": WAIVER})
    assert project.change() == (1, {"new": {"site"}})


def test_the_same_waiver_merged_before_counts(project: Project) -> None:
    project.commit(main=CLOSED % "other", **{"dot_policy-engine__waivers_yaml": WAIVER})
    project.tag_base()
    project.commit(main=OPEN % "site")
    assert project.change() == (0, {"aside": {"site"}})


def test_a_loosened_threshold_in_the_same_change_does_not_count(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.commit(main=OPEN % "a", **{"dot_policy-engine_yaml": "fail_on: never\nexclude: ['*.tf']\n"})
    assert project.change()[0] == 1


def test_a_comment_in_the_same_change_does_not_count_but_one_from_before_does(project: Project) -> None:
    aside = "# policy-engine: ignore[storage-acl-not-public] a public site\n"
    project.commit(main=aside + OPEN % "before")
    project.tag_base()
    project.commit(main=aside + OPEN % "before" + aside + OPEN % "own")
    assert project.change() == (1, {"new": {"own"}, "aside": {"before"}})


def test_an_ignore_file_of_the_same_change_hides_nothing(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.write(dot_gitignore="*.tf\n", main=OPEN % "a", more=OPEN % "b")
    project.git("add", "-f", ".")
    project.git("commit", "-q", "-m", "x")
    assert project.change() == (1, {"new": {"a", "b"}})


def test_rules_of_the_project_are_those_of_the_base(project: Project) -> None:
    rule = (
        "id: bucket-named\ntitle: Buckets are named\nseverity: high\ncontrols: [A.5.9]\nrationale: So.\n"
        "targets:\n  - format: terraform\n    resource: aws_s3_bucket\n    require: {path: bucket, exists: true}\n"
        "message: '{name} has no name'\nremediation: Name it.\n"
    )
    project.commit(
        main=CLOSED % "a",
        **{"dot_policy-engine_yaml": "rules:\n  paths: [policies]\n", "policies__bucket-named_yaml": rule},
    )
    project.tag_base()
    project.commit(main=CLOSED % "b", **{"policies__bucket-named_yaml": rule.replace("exists: true", "exists: false")})
    code, report, _ = project.scan("--base", "base", "--rule", "bucket-named")
    assert code == 1
    assert [one["address"] for one in report["findings"] if one["change"] == "new"] == ["aws_s3_bucket.b"]


def test_a_change_of_the_policy_is_told_to_its_reviewers(project: Project) -> None:
    project.commit(main=CLOSED % "a", **{"dot_policy-engine_yaml": "fail_on: low\n"})
    project.tag_base()
    project.commit(**{"dot_policy-engine_yaml": "fail_on: high\n"})
    code, report, _ = project.scan("--base", "base")
    told = [one for one in report["findings"] if one["rule"] == "policy-change-reviewed" and one["outcome"] == "fail"]
    assert [(one["address"], one["severity"]) for one in told] == [(".policy-engine.yaml", "info")]
    assert code == 0


# -- what can go wrong


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("nowhere", "the revision 'nowhere' is not known here; fetch it first, or mind its spelling"),
        ("--upload-pack=x", "the revision '--upload-pack=x' is not known here"),
        ("", "the revision '' is not known here"),
    ],
)
def test_a_revision_that_is_not_there_is_one_line(project: Project, revision: str, message: str) -> None:
    project.commit(main=CLOSED % "a")
    code, _, error = project.scan(f"--base={revision}")
    assert code == 2
    assert message in error
    assert len(error.splitlines()) == 1


def test_without_common_history_it_says_what_to_do(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.git("checkout", "-q", "--orphan", "other")
    project.commit(main=CLOSED % "b")
    code, _, error = project.scan("--base", "base")
    assert code == 2
    assert "have no common history here; fetch more of it" in error


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", "scan", ".", "--base", "main"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
    )
    assert done.returncode == 2
    assert "is in no git repository; --base needs one" in done.stderr


def test_nothing_of_the_repository_is_run(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    marker = project.folder / "ran"
    script = project.folder / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "diff.x.textconv", "diff.x.command"):
        project.git("config", key, str(script))
    project.write(dot_gitattributes="*.tf diff=x\n", main=OPEN % "a")
    assert project.change() == (1, {"new": {"a"}})
    assert not marker.exists()


def test_links_and_submodules_in_a_change_are_left_alone(project: Project, tmp_path: Path) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    (project.folder / "link.tf").symlink_to("/etc/hostname")
    (project.folder / "more.tf").symlink_to("main.tf")
    project.commit()
    # That a link leads outside is told of it as a link; nothing behind it is.
    code, report, _ = project.scan("--base", "base", "--tag", "aws")
    assert code == 0
    statuses = {entry["path"]: entry["status"] for entry in report["ledger"]}
    assert statuses["link.tf"] == statuses["more.tf"] == "excluded"
