"""A repository as a whole, through the command line: what is told of it, and what a change does to that."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policy_engine.cli import root

CORPUS = Path(__file__).parent.parent / "corpus" / "repository"
EXPECTED = Path(__file__).parent / "corpus_findings.txt"


def git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


def scan(folder: Path, *arguments: str) -> dict[str, Any]:
    command = ["scan", str(folder), "--tag", "repository", "--format", "json", "--fail-on", "never", *arguments]
    done = CliRunner().invoke(root, command)
    assert done.exit_code in (0, 3), done.output
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "northwind"
    shutil.copytree(CORPUS, folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_the_corpus_gives_what_is_written_down(corpus: Path) -> None:
    """`corpus_findings.txt` was gone through by a person; each line is rule, outcome and place."""
    told = [
        f"{each['rule']} {each['outcome']} {each['location']['path']}:{each['location'].get('start_line', 0)}"
        for each in scan(corpus)["findings"]
    ]
    assert sorted(told) == EXPECTED.read_text("utf-8").splitlines()


def test_a_change_is_told_what_it_makes_new_and_what_it_mends(corpus: Path) -> None:
    git(corpus, "switch", "-q", "-c", "change")
    (corpus / "SECURITY.md").write_text("Write to security@northwind.io.\n")
    (corpus / "services/new").mkdir()
    (corpus / "services/new/Gemfile").write_text("source 'https://rubygems.org'\n")
    (corpus / "package-lock.json").unlink()
    report = scan(corpus, "--base", "main")
    new = Counter(each["rule"] for each in report["findings"] if each.get("change") == "new")
    assert new["dependency-lock-file-present"] == 3
    assert new["code-owners-present"] == 0
    assert "security-policy-present" in {each["rule"] for each in report["base"]["fixed"]}
    existing = {each["rule"] for each in report["findings"] if each.get("change") == "existing"}
    assert {"readme-present", "code-owners-line-matches", "link-inside-repository"} & existing == {
        "readme-present",
        "code-owners-line-matches",
    }


def test_a_link_that_a_change_adds_is_new(corpus: Path) -> None:
    git(corpus, "switch", "-q", "-c", "change")
    (corpus / "secrets").symlink_to("../../elsewhere")
    report = scan(corpus, "--base", "main")
    assert [(each["rule"], each["location"]["path"]) for each in report["findings"] if each.get("change") == "new"] == [
        ("link-inside-repository", "secrets")
    ]


def test_nothing_is_missing_from_a_folder_of_it(corpus: Path) -> None:
    rules = {each["rule"] for each in scan(corpus / "services")["findings"]}
    assert not rules & {"readme-present", "security-policy-present", "code-owners-line-matches", "secrets-ignored"}
    assert "package-source-over-tls" in rules


def test_a_folder_that_is_no_repository_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert not scan(tmp_path)["findings"]


def test_many_files_are_seen_quickly(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for folder in range(40):
        (tmp_path / f"f{folder}").mkdir()
        for name in range(200):
            (tmp_path / f"f{folder}" / f"n{name}.py").write_text("")
    (tmp_path / "CODEOWNERS").write_text("".join(f"/f{number}/ @a\n" for number in range(40)))
    started = time.perf_counter()
    report = scan(tmp_path, "--rule", "code-owners-*")
    assert time.perf_counter() - started < 20
    assert report["counts"]["fail"] > 0
