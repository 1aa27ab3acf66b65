"""What someone could try so that a change passes, or so that looking at it runs something: none of it works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from test_base import CLOSED, OPEN, Project

RULE = """\
id: bucket-named
title: Buckets are named
severity: high
controls: [A.5.9]
rationale: So.
targets:
  - format: terraform
    resource: aws_s3_bucket
    require: {path: bucket, exists: true}
message: "{name} has no name"
remediation: Name it.
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def new_findings(project: Project, rule: str, *arguments: str) -> list[str]:
    _, report, error = project.scan("--base", "base", "--rule", rule, *arguments)
    assert report, error
    return [one["address"] for one in report["findings"] if one["change"] == "new" and one["rule"] == rule]


# -- nothing of the repository is run


@pytest.fixture
def script(project: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("run")
    marker = folder / "ran"
    program = folder / "run.sh"
    program.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    program.chmod(0o755)
    return str(program), marker


@pytest.mark.parametrize("key", ["clean", "process", "smudge"])
def test_a_content_filter_is_not_run(project: Project, script: tuple[str, Path], key: str) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    program, marker = script
    project.write(dot_gitattributes="*.tf filter=x\n", main=OPEN % "a", more=OPEN % "b")
    project.git("config", f"filter.x.{key}", program)
    project.git("config", "filter.x.required", "true")
    assert project.change() == (1, {"new": {"a", "b"}})
    assert not marker.exists()


@pytest.mark.parametrize("url", ["ext::%s", "file:///nowhere"])
def test_what_a_partial_clone_lacks_is_not_fetched(project: Project, script: tuple[str, Path], url: str) -> None:
    project.commit(main=CLOSED % "a", keep=CLOSED % "k")
    project.tag_base()
    project.commit(main=OPEN % "a")
    blob = project.git("rev-parse", "base:main.tf").strip()
    (project.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    program, marker = script
    for name, value in {
        "remote.origin.url": url % program if "%" in url else url,
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": program,
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
    }.items():
        project.git("config", name, value)
    code, _, error = project.scan("--base", "base")
    assert not marker.exists()
    assert code == 2
    assert "is not in this clone" in error
    assert len(error.splitlines()) == 1


# -- the policy is the base's


@pytest.mark.parametrize("to", ["docs", "/usr/share"])
def test_a_link_in_place_of_the_rules_does_not_replace_them(project: Project, to: str) -> None:
    settings = {"dot_policy-engine_yaml": "rules:\n  paths: [policies]\n", "policies__bucket-named_yaml": RULE}
    project.commit(main=CLOSED % "a", docs__notes_yaml="a: 1\n", **settings)
    project.tag_base()
    project.git("rm", "-rq", "policies")
    (project.folder / "policies").symlink_to(to)
    project.commit(main=CLOSED % "b")
    assert new_findings(project, "bucket-named") == ["aws_s3_bucket.b"]


def test_changed_rules_of_the_project_are_told(project: Project) -> None:
    settings = {"dot_policy-engine_yaml": "rules:\n  paths: [policies]\n", "policies__bucket-named_yaml": RULE}
    project.commit(main=CLOSED % "a", **settings)
    project.tag_base()
    project.commit(**{"policies__bucket-named_yaml": RULE.replace("high", "low")})
    assert new_findings(project, "policy-change-reviewed") == ["policies/bucket-named.yaml"]


def test_the_projects_rules_leave_nothing_in_the_cache(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    settings = {"dot_policy-engine_yaml": "rules:\n  paths: [policies]\n", "policies__bucket-named_yaml": RULE}
    project.commit(main=CLOSED % "a", **settings)
    project.tag_base()
    project.scan("--base", "base")
    before = sorted(path for path in cache.rglob("*"))
    project.scan("--base", "base")
    assert sorted(path for path in cache.rglob("*")) == before


def test_settings_that_become_a_link_stay_those_of_the_base(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "loose.yaml"
    outside.write_text("fail_on: never\n")
    project.commit(main=CLOSED % "a", ci__policy_yaml="fail_on: low\n")
    project.tag_base()
    (project.folder / "ci/policy.yaml").unlink()
    (project.folder / "ci/policy.yaml").symlink_to(outside)
    project.commit(main=OPEN % "a")
    assert project.change("--config", "ci/policy.yaml") == (1, {"new": {"a"}})


def test_a_broken_policy_of_the_change_is_told_before_it_is_merged(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.commit(**{"dot_policy-engine__waivers_yaml": "waivers:\n  - rule: x\n"})
    code, _, error = project.scan("--base", "base")
    assert code == 2
    assert error.startswith("policy-engine: error: .policy-engine/waivers.yaml:2:5: ")
    assert len(error.splitlines()) == 1


# -- nothing is hidden


def test_an_ignore_file_of_the_change_does_not_hide_the_callers_of_a_module(project: Project) -> None:
    bucket = 'variable "acl" {\n  default = "private"\n}\nresource "aws_s3_bucket" "b" {\n  acl = %s\n}\n'
    call = 'module "m" {\n  source = "../modules/m"\n  acl = "public-read"\n}\n'
    project.commit(modules__m__main=bucket % '"private"', live__main=call)
    project.tag_base()
    project.commit(modules__m__main=bucket % "var.acl", dot_gitignore="live/\n")
    assert new_findings(project, "storage-acl-not-public") == ["module.m.aws_s3_bucket.b"]


def test_what_a_module_reads_from_elsewhere_counts_for_it(project: Project) -> None:
    reader = 'resource "aws_s3_bucket" "b" {\n  acl = jsondecode(file("${path.module}/../shared/acl.json")).acl\n}\n'
    (project.folder / "shared").mkdir()
    (project.folder / "shared/acl.json").write_text('{"acl": "private"}')
    project.commit(app__main=reader)
    project.tag_base()
    (project.folder / "shared/acl.json").write_text('{"acl": "public-read"}')
    assert project.change() == (1, {"new": {"b"}})


def test_a_variables_file_given_by_the_settings_counts_for_all(project: Project) -> None:
    root = 'variable "acl" {}\nresource "aws_s3_bucket" "b" {\n  acl = var.acl\n}\n'
    settings = {"dot_policy-engine_yaml": "formats:\n  terraform:\n    var-file: [envs/prod.tfvars]\n"}
    (project.folder / "envs").mkdir()
    (project.folder / "envs/prod.tfvars").write_text('acl = "private"\n')
    project.commit(app__main=root, **settings)
    project.tag_base()
    (project.folder / "envs/prod.tfvars").write_text('acl = "public-read"\n')
    assert project.change() == (1, {"new": {"b"}})


def test_a_patch_that_becomes_a_whole_object_is_judged(project: Project) -> None:
    patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n  containers: []\n"
    kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n%s"
    project.commit(patches__web_yaml=patch, kustomization_yaml=kustomization % "patches:\n  - path: patches/web.yaml\n")
    project.tag_base()
    project.commit(kustomization_yaml=kustomization % "resources: [patches/web.yaml]\n")
    _, report, _ = project.scan("--base", "base")
    assert "patches/web.yaml" in {one["location"]["path"] for one in report["findings"]}
    assert {entry["path"]: entry["status"] for entry in report["ledger"]}["patches/web.yaml"] == "evaluated"


def test_a_moved_submodule_is_told(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    inner = Project(tmp_path_factory.mktemp("inner"))
    inner.commit(main=CLOSED % "s")
    project.commit(main=CLOSED % "a")
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.folder), "sub")
    project.commit()
    project.tag_base()
    assert project.change() == (0, {})
    inside = Project.__new__(Project)
    inside.folder = project.folder / "sub"
    inside.commit(main=OPEN % "s")
    project.commit()
    code, report, _ = project.scan("--base", "base")
    assert code == 0
    assert [(one["path"], one["kind"]) for one in report["problems"]] == [("sub", "limited")]
    assert "a submodule at another commit" in report["problems"][0]["message"]


@pytest.mark.parametrize("relative", ["true", "false"])
def test_a_folder_of_a_repository_can_be_the_root(project: Project, relative: str) -> None:
    project.git("config", "diff.relative", relative)
    project.commit(app__main=CLOSED % "a", other__main=CLOSED % "o")
    project.tag_base()
    project.commit(app__main=OPEN % "a", other__main=OPEN % "o")
    inside = Project.__new__(Project)
    inside.folder = project.folder / "app"
    assert inside.change("--root", ".") == (1, {"new": {"a"}})


def test_a_repository_whose_files_are_said_to_be_elsewhere_is_refused(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.write(main=OPEN % "a")
    project.git("config", "core.worktree", str(tmp_path_factory.mktemp("elsewhere")))
    code, _, error = project.scan("--base", "base")
    assert code in (1, 2)
    assert len(error.splitlines()) <= 1


def test_each_file_stands_in_the_ledger_once(project: Project) -> None:
    project.commit(main=CLOSED % "a", other__main=CLOSED % "o")
    project.tag_base()
    project.commit(main=OPEN % "a", dot_gitignore="*.tf\n")
    _, report, _ = project.scan("--base", "base")
    statuses = sorted((entry["path"], entry["status"]) for entry in report["ledger"])
    assert statuses == [
        (".gitignore", "not_claimed"),
        ("main.tf", "evaluated"),
        ("other/main.tf", "unchanged"),
    ]


# -- the verdict is honest


def test_only_the_given_folder_is_compared(project: Project) -> None:
    project.commit(app__main=OPEN % "a", infra__main=CLOSED % "i")
    project.tag_base()
    project.commit(app__main="# moved\n" + OPEN % "a", infra__main=OPEN % "i")
    report = json.loads(run(project, "scan", "infra", "--base", "base", "--format", "json").stdout)
    assert report["base"]["fixed"] == []
    assert {one["location"]["path"] for one in report["findings"]} == {"infra/main.tf"}


def test_what_can_no_longer_be_decided_is_not_called_fixed(project: Project) -> None:
    project.commit(main=OPEN % "a")
    project.tag_base()
    project.commit(main='variable "acl" {}\nresource "aws_s3_bucket" "a" {\n  acl = var.acl\n}\n')
    assert project.change() == (0, {})


def test_what_can_no_longer_be_understood_is_not_called_fixed(project: Project) -> None:
    project.commit(main=OPEN % "a")
    project.tag_base()
    project.commit(main='resource "aws_s3_bucket" "a" {\n  acl = [\n')
    assert project.change() == (3, {})


def test_names_with_blanks_and_line_breaks_are_compared(project: Project) -> None:
    for name in ("my file.tf", "a\nb blob 3\n.tf"):
        (project.folder / name).write_text(OPEN % f"b{len(name)}")
    project.commit()
    project.tag_base()
    for name in ("my file.tf", "a\nb blob 3\n.tf"):
        (project.folder / name).write_text("# x\n" + OPEN % f"b{len(name)}")
    assert project.change() == (0, {"existing": {"b10", "b14"}})


def test_a_missing_settings_file_with_a_blank_is_one_line_or_the_defaults(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.commit(main=OPEN % "a", **{"my settings_yaml": "fail_on: never\n"})
    assert project.change("--config", "my settings.yaml") == (1, {"new": {"a"}})


def test_a_finding_known_from_before_excuses_no_namesake_elsewhere(project: Project) -> None:
    project.commit(app__main=OPEN % "logs", web__main=CLOSED % "logs")
    run(project, "baseline", "create")
    project.commit()
    project.tag_base()
    project.commit(web__main=OPEN % "logs")
    assert project.change() == (1, {"new": {"logs"}})
    _, report, _ = project.scan("--rule", "storage-acl-not-public")
    told = {one["location"]["path"]: one["suppression"] for one in report["findings"] if one["outcome"] == "fail"}
    assert told["web/main.tf"] is None
    assert told["app/main.tf"]["kind"] == "baseline"


def test_an_accepted_risk_does_not_travel_to_another_file(project: Project) -> None:
    aside = "# policy-engine: ignore[storage-acl-not-public] scratch only\n"
    project.commit(dev__main=aside + OPEN % "logs", prod__main=CLOSED % "other")
    project.tag_base()
    project.git("rm", "-q", "dev/main.tf")
    project.commit(prod__main=CLOSED % "other" + OPEN % "logs")
    assert project.change() == (1, {"new": {"logs"}})


@pytest.mark.parametrize("name", ["--fail-on=never", "--config=x.yaml", "-v"])
def test_a_file_named_like_an_option_is_refused(project: Project, name: str) -> None:
    (project.folder / name).write_text("")
    project.write(main=OPEN % "a", x_yaml="fail_on: never\n")
    done = run(project, "scan", "--given-only", name, "main.tf")
    assert done.returncode == 2
    assert "is a file and reads like an option" in done.stderr


def test_a_file_with_conflicts_counts_as_changed(project: Project) -> None:
    project.commit(main=CLOSED % "a")
    project.tag_base()
    project.git("checkout", "-q", "-b", "side")
    project.commit(main="# side\n" + CLOSED % "a")
    project.git("checkout", "-q", "main")
    project.commit(main="# main\n" + CLOSED % "a")
    with pytest.raises(subprocess.CalledProcessError):
        project.git("merge", "-q", "side")
    project.write(main=OPEN % "a")
    assert project.change() == (1, {"new": {"a"}})


def test_a_changed_file_that_is_not_checked_out_makes_the_scan_incomplete(project: Project) -> None:
    project.commit(app__main=CLOSED % "a", infra__main=CLOSED % "i")
    project.tag_base()
    project.commit(infra__main=OPEN % "i")
    project.git("sparse-checkout", "set", "app")
    code, report, _ = project.scan("--base", "base")
    assert code == 3
    assert [(one["path"], one["kind"]) for one in report["problems"]] == [("infra/main.tf", "unreadable")]


def test_a_shallow_clone_says_what_to_fetch(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    project.commit(main=CLOSED % "a")
    first = project.git("rev-parse", "HEAD").strip()
    project.commit(main=OPEN % "a")
    clone = Project.__new__(Project)
    clone.folder = tmp_path_factory.mktemp("shallow") / "clone"
    project.git("clone", "-q", "--depth", "1", f"file://{project.folder}", str(clone.folder))
    for revision in (first, "0" * 40):
        code, _, error = clone.scan("--base", revision)
        assert (code, len(error.splitlines())) == (2, 1)
        assert "is not known here; fetch it first" in error
