"""A project as a whole: what is missing from it, and what a change does to that."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from policy_engine.cli import root
from policy_engine.discovery import discover, forced, project_of
from policy_engine.finding import Change
from policy_engine.format import Format
from policy_engine.plugins import Plugins, load_plugins
from policy_engine.project import Project
from policy_engine.report import Report, Status
from policy_engine.reporter import Display
from policy_engine.resource import Resource
from policy_engine.rulebook import Rulebook, load_rulebook
from policy_engine.scan import scan
from policy_engine.settings import Selection, Settings
from policy_engine.span import WHOLE_FILE, Fixed, Location
from policy_engine.tree import MemoryTree, Tree, WorkTree
from policy_engine.unit import Loaded, Unit

RULE = """\
id: notice-present
title: A project says whom to tell
severity: low
controls: [A.6.8]
rationale: Otherwise nobody is told.
targets:
  - format: demo
    resource: project
    require: {path: notice, equals: true}
message: there is no NOTICE
remediation: Write one.
"""


class DemoFormat(Format):
    """Judges a project by its names; takes `.demo` files one by one beside it."""

    name = "demo"
    title = "Demo"
    known_types = ("project",)

    def claims(self, path: str) -> bool:
        return path.endswith(".demo")

    def project_units(self, paths: Sequence[str], project: Project, tree: Tree) -> Iterable[Unit]:
        return [Unit(self.name, ".", tuple(paths), project)]

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        if unit.project is None:
            return Loaded()
        place = Location("NOTICE", WHOLE_FILE)
        value = {"notice": "NOTICE" in unit.project.paths, "links": dict(unit.project.links)}
        return Loaded([Resource("demo", "project", "project", "the project", value, place, Fixed(place))])


@dataclass
class DemoPlugin:
    formats: Sequence[Format] = (DemoFormat(),)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Plugins, Rulebook]]:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "notice-present.yaml").write_text(RULE)
    plugins = load_plugins()
    plugins.formats = {**plugins.formats, "demo": DemoFormat()}
    yield plugins, load_rulebook(plugins, "0", [str(rules)], keep_extra=False)


ONLY = Settings(select=Selection(ids=("notice-present",)))


def scanned(demo: tuple[Plugins, Rulebook], files: dict[str, bytes], *, whole: bool = True) -> Report:
    tree = MemoryTree(files)
    project = Project(tuple(sorted(files))) if whole else None
    return scan(tree, sorted(files), *demo, ONLY, project=project)


def test_what_is_missing_is_found_where_no_file_of_the_format_is(demo: tuple[Plugins, Rulebook]) -> None:
    report = scanned(demo, {"a.txt": b""})
    assert [(one.message, str(one.location)) for one in report.findings] == [("there is no NOTICE", "NOTICE")]
    # Seen by name is not evaluated.
    assert [entry.status for entry in report.ledger.entries] == [Status.NOT_CLAIMED]


def test_nothing_is_missing_from_a_few_given_files(demo: tuple[Plugins, Rulebook]) -> None:
    assert not scanned(demo, {"a.txt": b"", "b.demo": b""}, whole=False).findings


@pytest.mark.parametrize("name", ["sarif", "junit", "github-annotations", "json", "text", "csv", "markdown", "html"])
def test_every_report_tells_a_place_without_a_line(name: str, demo: tuple[Plugins, Rulebook]) -> None:
    report = scanned(demo, {"a.txt": b""})
    reporters = demo[0].reporters
    reporter = reporters.get(name) or next(each for key, each in reporters.items() if "annotation" in key)
    text = reporter.render(report, Display())
    assert "NOTICE" in text
    for wrong in ("NOTICE:0", "line=0", 'line="0"', '"startLine": 0', '"start_line": 0', "\n0 |"):
        assert wrong not in text
    if name == "sarif":
        place = json.loads(text)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["region"] == {"startLine": 1}
    if name == "json":
        again = reporter.read(text.encode(), "x.json", demo[0].framework)
        assert again.findings[0].location == Location("NOTICE", WHOLE_FILE)


def git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "README.md").write_text("x\n")
    (folder / ".gitignore").write_text("*.key\nbuild/\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def compared(demo: tuple[Plugins, Rulebook], folder: Path) -> Report:
    from datetime import date

    from policy_engine.cli.base import base_view
    from policy_engine.workspace import open_workspace

    plugins, rulebook = demo
    opened = open_workspace(str(folder), plugins=plugins, base="main")
    space = replace(opened, rulebook=rulebook, formats_before=plugins.formats)
    found = discover(str(folder), [str(folder)])
    tree = WorkTree(str(folder))
    assert space.revision is not None
    with space.revision:
        view, files = base_view(space, tree, found.paths, [str(folder)], ONLY, date(2027, 1, 1), "new", found.links)
        project = project_of(str(folder), files, found)
        return scan(tree, files, plugins, rulebook, ONLY, policy=view.policy, view=view, project=project)


def test_what_was_missing_before_is_no_new_finding(demo: tuple[Plugins, Rulebook], repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "change")
    (repository / "README.md").write_text("y\n")
    assert [one.change for one in compared(demo, repository).findings] == [Change.EXISTING]


def test_what_a_change_takes_away_is_a_new_finding(demo: tuple[Plugins, Rulebook], repository: Path) -> None:
    (repository / "NOTICE").write_text("x\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    git(repository, "switch", "-q", "-c", "change")
    (repository / "NOTICE").unlink()
    assert [one.change for one in compared(demo, repository).findings] == [Change.NEW]


def test_what_a_change_adds_mends_it(demo: tuple[Plugins, Rulebook], repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "change")
    (repository / "NOTICE").write_text("x\n")
    report = compared(demo, repository)
    assert report.base is not None
    assert [one.message for one in report.base.fixed] == ["there is no NOTICE"]
    assert not [one for one in report.findings if one.counts]


def test_links_of_both_sides_are_known(demo: tuple[Plugins, Rulebook], repository: Path) -> None:
    from policy_engine.revision import Revision

    (repository / "gone").symlink_to("README.md")
    (repository / "kept").symlink_to("README.md")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "links")
    git(repository, "switch", "-q", "-c", "change")
    (repository / "gone").unlink()
    (repository / "kept").unlink()
    (repository / "kept").symlink_to("../outside")
    with Revision(str(repository), "main") as revision:
        changes = revision.changes()
        assert changes.links == {"kept"}
        assert {path: revision.read(path) for path in changes.links_before} == {
            "gone": b"README.md",
            "kept": b"README.md",
        }
    assert discover(str(repository), [str(repository)]).links == {"kept": "../outside"}


def test_a_tracked_file_is_seen_though_gitignore_leaves_it_out(repository: Path) -> None:
    (repository / "tracked.key").write_text("x")
    (repository / "own.key").write_text("x")
    git(repository, "add", "-f", "tracked.key")
    found = discover(str(repository), [str(repository)])
    assert forced(str(repository), found) == ["tracked.key"]


def test_an_ignored_link_is_not_of_the_project(repository: Path) -> None:
    (repository / "x.key").symlink_to("/etc/passwd")
    assert not discover(str(repository), [str(repository)]).links


def test_a_size_is_known_without_reading(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(1 << 30)
    assert WorkTree(str(tmp_path)).size("large") == 1 << 30


def test_the_command_scans_a_repository_as_a_whole_and_a_folder_of_it_not(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub" / "a.yaml").write_text("a: 1\n")
    for path in (repository, repository / "sub"):
        done = CliRunner().invoke(root, ["scan", str(path), "--format", "json", "--fail-on", "never"])
        assert done.exit_code == 0, done.output


EXAMPLES = """\
cases:
  - name: a_link_and_bytes
    files:
      NOTICE: x
      big.bin: {size: 10}
      key.bin: {base64: AAEC}
      out: {link: ../x}
    quiet: true
  - name: none
    files: {a.txt: x}
    fail: {NOTICE: [0]}
"""


def test_examples_have_links_bytes_and_what_is_missing(demo: tuple[Plugins, Rulebook], tmp_path: Path) -> None:
    from policy_engine.harness import prove

    plugins, rulebook = demo
    folder = tmp_path / "rules"
    (folder / "notice-present.test.yaml").write_text(EXAMPLES)
    ran, mistakes = prove(rulebook.find("notice-present"), str(folder), "rules", plugins, rulebook)
    # No undecided one is asked for, as the format knows the type in full.
    assert (ran, mistakes) == (2, [])
