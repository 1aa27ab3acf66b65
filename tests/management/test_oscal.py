"""OSCAL documents: valid by compliance-trestle, and with nothing that leads nowhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policy_engine.cli import root

STATEMENT = """\
framework: iso27001-2022
organisation: Example
approved: {by: the board, on: "2026-01-15"}
controls:
  A.7.1: {applicable: false, justification: "rooms are rented | see #12"}
  A.8.3: {applicable: true, justification: customers' data, status: implemented, implemented_by: [automation], owner: x}
  A.8.24: {applicable: true, status: planned, documents: [docs/crypto.md]}
"""
ATTESTATIONS = """\
attestations:
  - controls: [A.6.3, A.6.4]
    statement: everybody took the course
    owner: head of people
    date: "2026-03-01"
    valid_until: "2027-02-28"
"""
WAIVERS = """\
waivers:
  - rule: storage-acl-not-public
    path: main.tf
    reason: the public web site
    owner: web team
    approver: the security officer
    created: "2026-01-01"
    expires: "2027-01-01"
  - rule: storage-versioned
    path: x.tf
    reason: gone
    owner: a
    approver: b
    created: "2025-01-01"
    expires: "2025-02-01"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / ".git").mkdir()
    (folder / "main.tf").write_text(
        'resource "aws_s3_bucket" "site" {\n  acl = "public-read"\n}\n'
        'variable "a" {}\nresource "aws_s3_bucket" "logs" {\n  acl = var.a\n}\n'
        'resource "aws_s3_bucket" "good" {\n  acl = "private"\n}\n'
    )
    own = folder / ".policy-engine"
    own.mkdir()
    for name, text in (("soa", STATEMENT), ("attestations", ATTESTATIONS), ("waivers", WAIVERS)):
        (own / f"{name}.yaml").write_text(text)
    made = tmp_path_factory.mktemp("oscal")
    arguments = ["scan", str(folder), "--root", str(folder), "--today", "2026-06-01", "-f", f"oscal={made}"]
    result = CliRunner().invoke(root, arguments, standalone_mode=False)
    assert result.exception is None, result.exception
    return made


def loaded(workspace: Path, pattern: str) -> dict[str, Any]:
    [path] = workspace.glob(pattern)
    document: dict[str, Any] = json.loads(path.read_text())
    [content] = document.values()
    return content  # type: ignore[no-any-return]


def test_compliance_trestle_finds_every_document_valid(workspace: Path) -> None:
    def trestle(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "trestle", *arguments], cwd=workspace, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    trestle("init", "--local")
    told = trestle("validate", "-a")
    assert told.count("VALID: Model") == len(list(workspace.glob("*/*/*.json"))) == 7
    assert "not referenced" not in told
    # The standard takes a relative reference from the document's own place; this tool takes it from the workspace's.
    profile = workspace / "profiles/iso27001-2022/profile.json"
    profile.write_text(profile.read_text().replace('"../../catalogs', '"trestle://catalogs'))
    trestle("author", "profile-resolve", "-n", "iso27001-2022", "-o", "resolved")
    resolved = json.loads((workspace / "catalogs/resolved/catalog.json").read_text())["catalog"]
    ids = {each for each in _values(resolved, "id") if re.fullmatch(r"A\.\d+\.\d+", each)}
    assert len(ids) == 92
    assert "A.7.1" not in ids


def _values(node: Any, key: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key and isinstance(value, str):
                yield value
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)


def test_nothing_leads_nowhere(workspace: Path) -> None:
    for edition in ("2022", "2013"):
        catalog = loaded(workspace, f"catalogs/iso27001-{edition}/*.json")
        results = loaded(workspace, f"assessment-results/iso27001-{edition}/*.json")
        known = set(_values(results, "uuid"))
        for key in ("subject-uuid", "observation-uuid", "risk-uuid"):
            assert set(_values(results, key)) <= known, key
        for party in results["results"][0]["attestations"]:
            assert set(party["responsible-parties"][0]["party-uuids"]) <= known
        assert {each.removeprefix("#") for each in _values(results, "href")} <= known
        assert set(_values(results, "target-id")) <= set(_values(catalog, "id"))
        uuids = list(_values(results, "uuid"))
        assert len(uuids) == len(set(uuids))
        profile = loaded(workspace, f"profiles/iso27001-{edition}/*.json")
        assert profile["imports"][0]["href"].endswith(f"catalogs/iso27001-{edition}/catalog.json")
        assert set(_values(profile, "control-id")) <= set(_values(catalog, "id"))


def test_satisfied_is_said_of_the_rules_objective_alone(workspace: Path) -> None:
    results = loaded(workspace, "assessment-results/iso27001-2022/*.json")["results"][0]
    for finding in results["findings"]:
        assert finding["target"]["type"] == "objective-id"
        assert finding["target"]["target-id"].endswith("_obj")
        status = next(each["value"] for each in finding["props"] if each["name"] == "status")
        assert (finding["target"]["status"]["state"] == "satisfied") == (status == "effective")


def test_risks_and_their_end(workspace: Path) -> None:
    results = loaded(workspace, "assessment-results/iso27001-2022/*.json")["results"][0]
    assert [(each["status"], each["deadline"][:10]) for each in results["risks"]] == [
        ("deviation-approved", "2027-01-01"),
        ("open", "2025-02-01"),
    ]


def test_every_document_names_its_source(workspace: Path) -> None:
    for path in workspace.glob("*/iso*/*.json"):
        assert "Based on ISO/IEC 27001:20" in path.read_text(), path
