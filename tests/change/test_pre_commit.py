"""The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit on a sample project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from identify.identify import tags_from_filename

from policy_engine.plugins import Plugins

PROJECT = Path(__file__).parents[2]
BAD = 'resource "aws_s3_bucket" "b" {\n  acl = var.acl\n}\n'
OPEN = 'variable "acl" {\n  default = "public-read"\n}\n'
CLOSED = 'variable "acl" {\n  default = "private"\n}\n'
RULE = ["--rule", "storage-acl-not-public"]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run(folder, sys.executable, "-m", "policy_engine", "scan", "--given-only", *arguments)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    run(tmp_path, "git", "init", "-q", "-b", "main")
    (tmp_path / "main.tf").write_text(BAD)
    (tmp_path / "variables.tf").write_text(OPEN)
    return tmp_path


def test_a_given_file_is_judged_with_the_others_of_its_module(sample: Path) -> None:
    assert scan(sample, "variables.tf", *RULE).returncode == 1  # the place to change is in it
    assert scan(sample, "main.tf", *RULE).returncode == 0  # and not in this one


def test_a_given_module_is_judged_through_its_callers(sample: Path) -> None:
    (sample / "live").mkdir()
    (sample / "live" / "main.tf").write_text('module "m" {\n  source = "../"\n  acl = "private"\n}\n')
    assert scan(sample, "variables.tf", "main.tf", *RULE).returncode == 0
    assert scan(sample, "live/main.tf", *RULE).returncode == 0


def test_no_files_are_nothing_to_do(sample: Path) -> None:
    done = scan(sample)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_files_of_no_format_are_nothing_to_do(sample: Path) -> None:
    (sample / "notes.yaml").write_text("a: 1\n")
    assert scan(sample, "notes.yaml").returncode == 0


def test_given_files_and_a_base_exclude_each_other(sample: Path) -> None:
    done = scan(sample, "main.tf", "--base", "main")
    assert done.returncode == 2
    assert "exclude each other" in done.stderr


def test_hooks_are_narrow_and_run_one_at_a_time() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert all(hook["require_serial"] and hook["minimum_pre_commit_version"] for hook in hooks)
    assert all("types" in hook or hook.get("pass_filenames") is False for hook in hooks)


def test_arguments_of_a_projects_own_keep_the_hook_a_comparison(sample: Path) -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert all("args" not in hook for hook in hooks.values()), "a project's arguments would take the place of these"
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    run(sample, "git", "add", "-A")
    run(sample, "git", *identity, "commit", "-qm", "base")
    _, *entry = hooks["policy-engine-change"]["entry"].split()
    command = [sys.executable, "-m", "policy_engine", *entry]
    assert "'origin/HEAD' is not known here" in run(sample, *command, "--fail-on", "info").stderr
    (sample / "main.tf").write_text("# known before\n" + BAD)
    assert run(sample, *command, *RULE, "--base", "HEAD").returncode == 0
    (sample / "more.tf").write_text('resource "aws_s3_bucket" "c" {\n  acl = "public-read"\n}\n')
    assert run(sample, *command, *RULE, "--base", "HEAD").returncode == 1


def test_the_hook_on_changed_files_takes_a_file_of_every_format(plugins: Plugins) -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert "files" not in hooks["policy-engine"]
    assert hooks["policy-engine"]["types"] == ["text"]
    binary = [each.name for each in plugins.formats.values() if "binary" in tags_from_filename(each.example_path)]
    assert binary == []


def test_pre_commit_itself_fails_on_a_flaw_and_passes_when_mended(
    sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """From a clone of this project, as a project's configuration names it: pre-commit installs it into an environment
    of its own, once."""
    clone = tmp_path_factory.mktemp("clone") / "policy-engine"
    assert run(PROJECT, "git", "clone", "-q", ".", str(clone)).returncode == 0
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    run(PROJECT, "sh", "-c", f"git diff HEAD --binary | git -C '{clone}' apply --allow-empty")
    for name in run(PROJECT, "git", "ls-files", "-z", "--others", "--exclude-standard").stdout.split("\0")[:-1]:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, clone / name)
    run(clone, "git", "add", "-A")
    run(clone, "git", *identity, "commit", "-qm", "what is not committed yet")
    commit = run(clone, "git", "rev-parse", "HEAD").stdout.strip()
    (sample / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {clone}\n    rev: {commit}\n    hooks: [{{id: policy-engine, verbose: true}}]\n"
    )
    run(sample, "git", "add", "-A")
    store = {"PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("store"))}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | store

    def hook(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", "run", "policy-engine", *arguments]
        return subprocess.run(command, cwd=sample, capture_output=True, text=True, check=False, env=environment)

    failed = hook("--files", "variables.tf")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "storage-acl-not-public" in failed.stdout
    (sample / "variables.tf").write_text(CLOSED)
    (sample / "main.tf").write_text("# nothing left\n")
    run(sample, "git", "add", "-A")  # what is not staged is put away while hooks run
    mended = hook("--files", "variables.tf", "main.tf")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    empty = hook("--files")
    assert empty.returncode == 0, empty.stdout + empty.stderr
