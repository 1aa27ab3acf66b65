"""Files as real projects have them: everything is understood or told, placed exactly, and the same every time."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_engine.cli import root
from policy_engine.discovery import discover
from policy_engine.plugins import Plugins
from policy_engine.report import Report, Status
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine.unit import ProblemKind

CORPUS = Path(__file__).parent / "corpus"
BROKEN = {
    "terraform": ["broken/unclosed.tf", "broken_expression/main.tf"],
    "kubernetes": ["broken/indentation.yaml"],
    "github": ["broken/.github/workflows/expression.yml", "broken/.github/workflows/syntax.yml"],
    "dockerfile": ["broken/Dockerfile"],
    "compose": ["broken/docker-compose.yml"],
    "gitlab": ["broken/.gitlab-ci.yml", "broken_job/.gitlab-ci.yml"],
    "azure_pipelines": ["broken/azure-pipelines.yml", "broken_expression/azure-pipelines.yml"],
    "cloudformation": ["broken/comma.json", "broken/conditions.yaml", "broken/resource.yaml"],
    "repository": ["broken/package.json", "broken/pom.xml", "broken/pyproject.toml"],
}
FORMATS = list(BROKEN)


@pytest.fixture
def without_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither helm nor kustomize nor kubectl is there: what they say is no matter here."""
    monkeypatch.setenv("PATH", str(tmp_path))


def scanned(folder: Path, plugins: Plugins, rulebook: Rulebook) -> Report:
    found = discover(str(folder), [str(folder)])
    return scan(WorkTree(str(folder)), found.paths, plugins, rulebook, Settings())


@pytest.mark.parametrize("name", FORMATS)
def test_thirty_files_are_understood_and_only_broken_ones_are_not(
    name: str, plugins: Plugins, rulebook: Rulebook
) -> None:
    report = scanned(CORPUS / name, plugins, rulebook)
    broken = {problem.path for problem in report.problems if problem.kind is not ProblemKind.LIMITED}
    assert sorted(broken) == BROKEN[name]
    assert report.ledger.count(Status.EVALUATED) >= 30
    assert report.counts()["fail"] > 10


def spanned(files: dict[str, bytes], plugins: Plugins, rulebook: Rulebook) -> tuple[set[object], set[object]]:
    """What is found, and what is not understood, each with its place."""
    report = scan(MemoryTree(files), sorted(files), plugins, rulebook, Settings())
    own = [each for each in report.findings if each.format not in ("repository", "text")]
    findings = {(each.rule.id, each.outcome, each.location, each.address, each.path, each.snippet) for each in own}
    return findings, {(each.path, each.span, each.message) for each in report.problems}


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "Windows lines": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, the other way round": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("name", ["azure_pipelines", "cloudformation", "compose", "dockerfile", "gitlab", "kubernetes"])
def test_how_a_file_is_encoded_changes_no_finding_and_no_place(
    name: str, written: str, plugins: Plugins, rulebook: Rulebook, without_tools: None
) -> None:
    plain = {
        str(path.relative_to(CORPUS / name)): path.read_bytes()
        for path in sorted((CORPUS / name).rglob("*"))
        if path.is_file()
    }
    other = {path: WRITTEN[written](data.decode()) for path, data in plain.items()}
    assert spanned(other, plugins, rulebook) == spanned(plain, plugins, rulebook)


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_at_a_place_that_is_there(name: str, plugins: Plugins, rulebook: Rulebook) -> None:
    report = scanned(CORPUS / name, plugins, rulebook)
    for finding in report.findings:
        lines = re.split(r"\r\n|\r|\n", (CORPUS / name / finding.location.path).read_text(encoding="utf-8"))
        span = finding.location.span
        first = lines[span.start_line - 1]
        end = span.end_column - 1 if span.end_line == span.start_line else len(first)
        assert first[span.start_column - 1 : end].strip(), (finding.rule.id, finding.location)


@pytest.mark.parametrize("name", FORMATS)
def test_two_scans_give_the_same_bytes(name: str) -> None:
    arguments = ["scan", str(CORPUS / name), "--format", "sarif"]
    first, second = (CliRunner().invoke(root, arguments).stdout_bytes for _ in range(2))
    assert first == second
    assert json.loads(first)["version"] == "2.1.0"


@pytest.mark.parametrize("name", FORMATS)
def test_blank_lines_above_and_another_folder_change_no_fingerprint(
    name: str, plugins: Plugins, rulebook: Rulebook, tmp_path: Path
) -> None:
    before = scanned(CORPUS / name, plugins, rulebook)
    moved = tmp_path / "elsewhere" / name
    shutil.copytree(CORPUS / name, moved)
    for path in moved.rglob("*"):
        if path.is_file() and path.suffix not in (".json",):
            path.write_bytes(b"\n" * 5 + path.read_bytes())
    after = scanned(moved, plugins, rulebook)
    assert [each.fingerprint for each in after.findings] == [each.fingerprint for each in before.findings]
    assert len({each.fingerprint for each in before.findings}) == len(before.findings)
    assert [each.location.span.start_line for each in after.findings if not each.location.path.endswith(".json")] == [
        each.location.span.start_line + 5 for each in before.findings if not each.location.path.endswith(".json")
    ]
