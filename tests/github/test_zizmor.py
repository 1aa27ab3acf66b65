"""zizmor and the rules here agree on the same workflows, audit by audit and line by line, save for what
`differences.yaml` explains; and every audit on its list has a rule or a reason."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
import yaml

from policy_engine.discovery import discover
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import WorkTree

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDERS = {"compared": HERE / "compared", "corpus": HERE.parent / "corpus" / "github"}
EXPLAINED: list[dict[str, str]] = yaml.safe_load((HERE / "differences.yaml").read_text(encoding="utf-8"))
ZIZMOR = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
needs_zizmor = pytest.mark.skipif(ZIZMOR is None, reason="zizmor is not installed")


@cache
def page() -> str:
    return (ROOT / "docs" / "workflow-rules.md").read_text(encoding="utf-8")


@cache
def audits() -> Mapping[str, tuple[str, ...]]:
    """Each audit of the page with the rules named beside it."""
    rows = [line.split("|")[1:4] for line in page().splitlines() if line.startswith("| `")]
    cells = [
        [cell.strip() for cell in row] for row in rows if len(row) == 3 and not row[0].strip().startswith(PREFIXES)
    ]
    return {audit.strip("`"): tuple(re.findall(r"`([a-z0-9-]+)`", rules)) for audit, rules, _ in cells}


PREFIXES = ("`workflow-", "`action-", "`pipeline-", "`image-")


def workflow_rules() -> set[str]:
    """Every rule that judges workflows, wherever it lies."""
    files = [path for path in (ROOT / "rules").rglob("*.yaml") if not path.stem.endswith(".test")]
    return {
        path.stem for path in files if re.search(r"format: github$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_every_rule_on_the_page_is_there_and_every_workflow_rule_is_on_the_page() -> None:
    named = set(re.findall(r"`((?:workflow|action|pipeline|image)-[a-z0-9-]+)`", page()))
    assert named == workflow_rules()
    every = {path.stem for path in (ROOT / "rules").rglob("*.yaml")}
    assert {rule for rules in audits().values() for rule in rules} <= every


def test_an_audit_without_a_rule_has_a_reason() -> None:
    for audit, why in re.findall(r"^\| `([a-z-]+)` \| none \| (.*?) \|$", page(), re.MULTILINE):
        assert len(why) > 5, audit


@needs_zizmor
def test_every_audit_that_zizmor_has_is_on_the_page() -> None:
    assert ZIZMOR is not None
    # Its program holds the address of each audit's documentation.
    found = re.findall(rb"docs\.zizmor\.sh/audits/#([a-z-]+)", Path(ZIZMOR).read_bytes())
    missing = {name.decode() for name in found if not any(name.decode().startswith(audit) for audit in audits())}
    assert len(found) > 30
    assert not missing


@dataclass(frozen=True)
class Told:
    """A finding: what told it, where, and the lines it spans."""

    name: str
    path: str
    first: int
    last: int

    def meets(self, other: Told) -> bool:
        return self.path == other.path and self.first <= other.last and other.first <= self.last


@cache
def zizmor_findings(folder: Path) -> list[list[Told]]:
    """Each finding as its places, the first being the one that zizmor points at."""
    assert ZIZMOR is not None
    options = [
        "--offline",
        "--persona",
        "auditor",
        "--no-progress",
        "--no-ignores",
        "--no-exit-codes",
        "--format",
        "json",
    ]
    ran = subprocess.run([ZIZMOR, *options, str(folder)], capture_output=True, text=True, check=True)
    found = []
    for finding in json.loads(ran.stdout):
        places = sorted(finding["locations"], key=lambda place: place["symbolic"]["kind"] != "Primary")
        found.append([_told(finding["ident"], place, folder) for place in places])
    return found


def _told(audit: str, place: dict, folder: Path) -> Told:
    path = place["symbolic"]["key"]["Local"]["verbatim_path"]
    where = place["concrete"]["location"]
    last = where["end_point"]["row"] + (where["end_point"]["column"] > 0)
    return Told(audit, str(Path(path).relative_to(folder)), where["start_point"]["row"] + 1, last)


def our_findings(folder: Path, plugins: Plugins, rulebook: Rulebook) -> list[Told]:
    found = discover(str(folder), [str(folder)])
    report = scan(WorkTree(str(folder)), found.paths, plugins, rulebook, Settings())
    judged = {rule for rules in audits().values() for rule in rules}
    return [
        Told(each.rule.id, each.location.path, each.location.span.start_line, each.location.span.end_line)
        for each in report.findings
        if each.rule.id in judged
    ]


def differences(name: str, plugins: Plugins, rulebook: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Who alone tells what, and where: (zizmor or ours, audit or rule, file:line)."""
    theirs, ours = zizmor_findings(FOLDERS[name]), our_findings(FOLDERS[name], plugins, rulebook)
    broken = {"broken/.github/workflows/expression.yml", "broken/.github/workflows/syntax.yml"}
    for places in theirs:
        first = places[0]
        rules = audits()[first.name]
        known = not rules or first.path in broken
        exact = [first, *(place for place in places if place.first == place.last)]
        if not known and not any(each.name in rules and each.meets(place) for each in ours for place in exact):
            yield "zizmor", first.name, f"{first.path}:{first.first}"
    for each in ours:
        mine = [audit for audit, rules in audits().items() if each.name in rules]
        known = not mine or each.path in broken
        if not known and not any(places[0].name in mine and each.meets(place) for places in theirs for place in places):
            yield "ours", each.name, f"{each.path}:{each.first}"


@needs_zizmor
def test_what_differs_from_zizmor_is_explained(plugins: Plugins, rulebook: Rulebook) -> None:
    used = set()
    unexplained = []
    for name in FOLDERS:
        for alone, told, place in sorted(set(differences(name, plugins, rulebook))):
            number = next(
                (n for n, each in enumerate(EXPLAINED) if _explains(each, alone, told, f"{name}/{place}")), None
            )
            if number is None:
                unexplained.append(f"{alone} {told} {name}/{place}")
            else:
                used.add(number)
    assert not unexplained, "\n" + "\n".join(unexplained)
    assert not [each for number, each in enumerate(EXPLAINED) if number not in used]


def _explains(explanation: Mapping[str, str], alone: str, told: str, place: str) -> bool:
    if explanation["alone"] != alone or explanation["told"] != told:
        return False
    return any(fnmatch(place, pattern) for pattern in str(explanation["place"]).split())


@needs_zizmor
def test_both_agree_on_most_of_what_they_tell(plugins: Plugins, rulebook: Rulebook) -> None:
    covered = [places for name in FOLDERS for places in zizmor_findings(FOLDERS[name]) if audits()[places[0].name]]
    alone = [one for name in FOLDERS for one in differences(name, plugins, rulebook) if one[0] == "zizmor"]
    assert len(covered) > 200
    assert len({one[1] for one in alone}) < len(audits())
