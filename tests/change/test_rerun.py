"""A hook that runs again over unchanged files says the same without scanning; whatever changed is scanned."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine import __version__
from policy_engine.rulepack import COMPILED_FOLDER, read_rules, write_compiled

PROJECT = Path(__file__).parents[2]
SAID_AGAIN = "said again"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages laid out as a wheel has them, with the rules and their compiled form inside."""
    folder = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "policy_engine", folder / "policy_engine", ignore=ignored)
    shutil.copytree(PROJECT / "rules", folder / "policy_engine" / "rules")
    shutil.copytree(PROJECT / "plugins" / "policy_engine_plugins", folder / "policy_engine_plugins", ignore=ignored)
    documents, mistakes = read_rules(str(PROJECT / "rules"), shown_as="rules")
    assert not mistakes
    write_compiled(documents, str(folder / "policy_engine" / "rules" / COMPILED_FOLDER), __version__)
    return folder


class Project:
    def __init__(self, folder: Path, installation: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        self.environment = {**os.environ, "PYTHONPATH": str(installation), "XDG_CACHE_HOME": str(cache)}

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "policy_engine", "scan", "--given-only", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    def settle(self) -> None:
        """As if nothing had been touched for a while."""
        for folder, _, _ in os.walk(self.folder):
            os.utime(folder, (time.time() - 100, time.time() - 100))

    def remember(self, *arguments: str) -> tuple[int, str]:
        """Runs, and marks what was kept, so that it shows when it is said again."""
        self.settle()
        told = self.run(*arguments)
        for kept in (self.cache / "policy-engine" / "reruns").glob("*.json"):
            value = json.loads(kept.read_text())
            assert bytes.fromhex(value["printed"]).decode() == told[1]
            value["printed"] = SAID_AGAIN.encode().hex()
            kept.write_text(json.dumps(value))
        return told


@pytest.fixture
def project(tmp_path: Path, installation: Path) -> Project:
    folder = tmp_path / "project"
    (folder / "more").mkdir(parents=True)
    (folder / "main.tf").write_text('resource "aws_s3_bucket" "b" {\n  acl = local.acl\n}\n')
    (folder / "locals.tf").write_text('locals {\n  acl = trimspace(file("acl.txt"))\n}\n')
    (folder / "acl.txt").write_text("public-read\n")
    return Project(folder, installation, tmp_path / "cache")


def test_the_same_run_says_the_same_without_scanning(project: Project) -> None:
    code, _ = project.remember("main.tf", "locals.tf")
    assert code == 1
    assert project.run("main.tf", "locals.tf") == (1, SAID_AGAIN)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a given file": lambda folder: (folder / "main.tf").write_text("# nothing\n"),
    "a file of its module": lambda folder: (folder / "locals.tf").write_text('locals {\n  acl = "private"\n}\n'),
    "a file that it reads": lambda folder: (folder / "acl.txt").write_text("private\n"),
    "a new file beside it": lambda folder: (folder / "override.tf").write_text("locals {}\n"),
    "a new file in an empty folder": lambda folder: (folder / "more" / "x.tf").write_text("locals {}\n"),
    "a file taken away": lambda folder: (folder / "locals.tf").unlink(),
    "new settings": lambda folder: (folder / ".policy-engine.yaml").write_text("fail_on: never\n"),
    "a new waiver": lambda folder: (folder / ".policy-engine").mkdir(),
    "ignored files": lambda folder: (folder / ".gitignore").write_text("*.tf\n"),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_whatever_changed_is_scanned(project: Project, what: str) -> None:
    project.remember("main.tf", "locals.tf")
    CHANGES[what](project.folder)
    there = [name for name in ("main.tf", "locals.tf") if (project.folder / name).exists()]
    assert SAID_AGAIN not in project.run(*there)[1]


def test_a_changed_waiver_is_scanned(project: Project) -> None:
    (project.folder / ".policy-engine").mkdir()
    waivers = project.folder / ".policy-engine" / "waivers.yaml"
    waivers.write_text("waivers: []\n")
    project.remember("main.tf")
    assert project.run("main.tf")[1] == SAID_AGAIN
    waivers.write_text("waivers: [] # changed\n")
    assert project.run("main.tf")[1] != SAID_AGAIN


def test_another_command_line_is_scanned(project: Project) -> None:
    project.remember("main.tf", "locals.tf")
    assert project.run("main.tf")[1] != SAID_AGAIN
    assert project.run("--fail-on", "never", "main.tf", "locals.tf")[1] != SAID_AGAIN


def test_what_was_touched_just_now_is_not_kept(project: Project) -> None:
    # However long a busy machine takes to start the run, it is not long ago then.
    os.utime(project.folder, (time.time() + 60, time.time() + 60))
    project.run("main.tf")
    assert not list(project.cache.rglob("reruns/*.json"))


def test_an_incomplete_scan_is_not_kept(project: Project) -> None:
    (project.folder / "broken.tf").write_text('resource "a" {')
    assert project.remember("main.tf", "broken.tf")[0] in (1, 3)
    assert not list(project.cache.rglob("reruns/*.json"))


def test_a_damaged_cache_is_done_without(project: Project) -> None:
    told = project.remember("main.tf", "locals.tf")
    for kept in project.cache.rglob("reruns/*.json"):
        kept.write_text('{"state": []')
    assert project.run("main.tf", "locals.tf") == told
