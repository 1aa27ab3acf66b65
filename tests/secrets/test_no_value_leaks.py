"""No value of a secret reaches a report, a cache, a database, a log or a traceback: all of them are searched."""

from __future__ import annotations

import base64
import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from planted import LONG_TAIL, PLANTED, drawn, pem, web_token, with_checksum
from policy_engine.plugins import load_plugins

PROJECT = Path(__file__).parents[2]
WINDOW = 12
FORMATS = tuple(load_plugins().reporters)


class Leaks:
    """Every stretch of twelve characters of the values, as it stands and as outputs may write it."""

    def __init__(self, values: list[str]) -> None:
        self.pieces: dict[bytes, None] = {}
        for value in filter(None, values):
            size = min(WINDOW, len(value))
            for start in range(len(value) - size + 1):
                piece = value[start : start + size]
                for form in (piece, html.escape(piece), json.dumps(piece)[1:-1], piece.encode().hex()):
                    self.pieces[form.encode()] = None
            self.pieces[base64.b64encode(value.encode())[: len(value)]] = None
        self.beginnings = {piece[:WINDOW] for piece in self.pieces}

    def in_data(self, data: bytes) -> list[bytes]:
        # One pass over the data for the beginnings of all pieces, which are thousands; then the few that are left.
        windows = (data[start : start + WINDOW] for start in range(len(data)))
        there = self.beginnings.intersection(windows)
        return [piece for piece in self.pieces if (len(piece) < WINDOW or piece[:WINDOW] in there) and piece in data]


def _project(folder: Path) -> Leaks:
    """A repository of planted secrets, some of them where rules of other formats point at the same line."""
    values = []
    for number, each in enumerate((*PLANTED, *LONG_TAIL)):
        place = folder / f"part{number}" / each.path
        place.parent.mkdir(parents=True)
        place.write_text(each.text)
        values.append(each.value)
        if each.kind in ("private-key", "google-service-account-key"):
            values.extend(line for line in each.text.replace("\\n", "\n").splitlines() if len(line) == 64)
    token, other, third = with_checksum("ghp_"), with_checksum("gho_"), f"sk_live_{drawn(24)}"
    password, session, key = f"kP4!{drawn(12)}", web_token(), pem()
    values += [token, other, third, password, session, *key.splitlines()[1:-1]]
    (folder / "main.tf").write_text(
        f'provider "aws" {{\n  secret_key = "{token}"\n}}\n'
        f'resource "aws_s3_bucket" "{third}" {{ bucket = "{other}" }}\n'
        f'resource "aws_db_instance" "a" {{\n  storage_encrypted = false # {token}\n  password = "{password}"\n}}\n'
    )
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "a.yml").write_text(
        f"on: push # {other}\njobs:\n  {third}:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - {{uses: actions/checkout@{token}, with: {{a: {session}}}}}\n"
        f"      - run: echo '{password}' {token} ${{{{ github.event.issue.title }}}}\n"
    )
    (folder / "pod.yaml").write_text(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {third}}}\nspec:\n  containers:\n"
        f"    - {{name: a, image: 'r.net/{other}:latest', env: [{{name: DB_PASSWORD, value: '{password}'}}]}}\n"
        f"    - {{name: b, image: b, securityContext: {{privileged: true}}}} # {token} {password}\n"
    )
    (folder / "broken.tf").write_text(f'resource "{token}" {{\n  x = "{other}\n  {password} = = \n')
    (folder / "broken.yaml").write_text(f"apiVersion: v1\nkind: Pod\na: [{token}, '{session}\nb: \"{password}\n")
    (folder / "wide.txt").write_bytes("\r\n".join(["größe", f"t = '{token}'", key]).encode("utf-16"))
    (folder / "latin.ini").write_bytes(f"größe\npassword = {password}ß\n".encode("latin-1"))
    (folder / "several.env").write_text(
        f"A_TOKEN={token} B={other}{third}\nURL=https://u:{password}@h.net/ {session}\n"
    )
    return Leaks(values)


def _run(folder: Path, environment: Mapping[str, str], *arguments: str, module: bool = False) -> tuple[int, bytes]:
    command = (
        [sys.executable, "-m", "policy_engine"] if module else [str(Path(sys.executable).parent / "policy-engine")]
    )
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def _in_rules(path: Path, leaks: Leaks) -> list[bytes]:
    """What the library's compiled rules hold of their own: the beginnings that all tokens of a kind have."""
    return leaks.in_data(b"".join(_compiled().values())) if path.suffix == ".vscdb" else []


@cache
def _compiled() -> Mapping[str, bytes]:
    """The files of the library's cache, which take it seconds to make."""
    from kingfisher_sdk import Rules

    with tempfile.TemporaryDirectory() as made:
        Rules(cache_dir=made)
        return {str(each.relative_to(made)): each.read_bytes() for each in _files(Path(made))}


def _fill(cache: Path) -> None:
    for name, data in _compiled().items():
        place = cache / "policy-engine" / "kingfisher" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Leaks]:
    folder = tmp_path_factory.mktemp("repository")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (folder / "README.md").write_text("a project\n")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "empty"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    leaks = _project(folder)
    (folder / ".policy-engine.yaml").write_text("fail_on: low\n")
    return folder, leaks


def test_the_search_finds_what_is_there(repository: tuple[Path, Leaks]) -> None:
    folder, leaks = repository
    assert all(leaks.in_data(path.read_bytes()) for path in folder.glob("part*/*"))


@pytest.mark.parametrize("more", [(), ("--base", "main"), ("--verbose",), ("--rule", "*-in-file")], ids=" ".join)
def test_no_report_holds_a_value(repository: tuple[Path, Leaks], tmp_path: Path, more: tuple[str, ...]) -> None:
    folder, leaks = repository
    cache, reports = tmp_path / "cache", tmp_path / "reports"
    reports.mkdir()
    options = [part for name in FORMATS for part in ("--format", f"{name}={reports / name}")]
    if more:  # once with a cache that is empty at first
        _fill(cache)
    environment = {"XDG_CACHE_HOME": str(cache), "POLICY_ENGINE_DEBUG": "1", "TMPDIR": str(tmp_path)}
    code, told = _run(folder, environment, "scan", ".", "--format", "text", *options, *more)
    assert code == 1, told
    assert b"Traceback" not in told
    written = {path.name: path.read_bytes() for path in _files(reports)}
    assert set(FORMATS) <= {path.name for path in reports.iterdir()}
    found = json.loads(written["json"])["findings"]
    kinds = {each["address"].split("#")[-1] for each in found if each["format"] == "text" and each["outcome"] == "fail"}
    assert len(kinds) > 50
    assert leaks.in_data(told) == []
    for name, data in written.items():
        assert (name, leaks.in_data(data)) == (name, [])
    for path in _files(cache):
        assert (path, leaks.in_data(path.read_bytes())) == (path, _in_rules(path, leaks))


def test_a_report_made_from_a_kept_scan_holds_no_value(repository: tuple[Path, Leaks], tmp_path: Path) -> None:
    folder, leaks = repository
    _run(folder, {}, "scan", ".", "--format", f"json={tmp_path / 'scan.json'}")
    for name in ("html", "markdown", "text"):
        _, told = _run(folder, {}, "report", str(tmp_path / "scan.json"), "--format", name)
        assert leaks.in_data(told) == []


def test_the_history_holds_no_value(repository: tuple[Path, Leaks], tmp_path: Path) -> None:
    folder, leaks = repository
    database = tmp_path / "history.sqlite"
    for at in ("2027-01-30T02:00:00Z", "2027-01-31T02:00:00Z"):
        code, told = _run(folder, {}, "nightly", "--db", str(database), "--at", at, "--format", "json")
        assert code in (0, 3), told
        assert leaks.in_data(told) == []
    for path in tmp_path.glob("history.sqlite*"):
        assert leaks.in_data(path.read_bytes()) == []
    assert b"settings.py#stripe-key" in database.read_bytes()


def test_the_hook_keeps_no_value(repository: tuple[Path, Leaks], tmp_path: Path) -> None:
    """What a hook printed is kept to be said again."""
    folder, leaks = repository
    site, cache = tmp_path / "site", tmp_path / "cache"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "policy_engine", site / "policy_engine", ignore=ignored)
    shutil.copytree(PROJECT / "rules", site / "policy_engine" / "rules")
    shutil.copytree(PROJECT / "plugins" / "policy_engine_plugins", site / "policy_engine_plugins", ignore=ignored)
    copy = tmp_path / "repository"
    shutil.copytree(folder, copy)
    for place in copy.glob("broken*"):
        place.unlink()  # an incomplete scan is not kept
    for place, _, _ in os.walk(copy):
        os.utime(place, (time.time() - 100, time.time() - 100))
    names = sorted(str(path.relative_to(copy)) for path in copy.glob("part*/*"))[:20]
    _fill(cache)
    environment = {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(cache)}
    first = _run(copy, environment, "scan", "--given-only", *names, module=True)
    kept = list((cache / "policy-engine" / "reruns").glob("*.json"))
    assert kept, first
    assert _run(copy, environment, "scan", "--given-only", *names, module=True) == first
    for path in _files(cache):
        assert (path, leaks.in_data(path.read_bytes())) == (path, _in_rules(path, leaks))
        printed = bytes.fromhex(json.loads(path.read_text())["printed"]) if path in kept else b""
        assert leaks.in_data(printed) == []


def test_running_out_of_time_tells_no_value(repository: tuple[Path, Leaks], tmp_path: Path) -> None:
    folder, leaks = repository
    settings = tmp_path / "settings.yaml"
    settings.write_text("limits: {timeout_s: 0.01}\n")
    environment = {"POLICY_ENGINE_DEBUG": "1"}
    report = tmp_path / "report.json"
    options = ("--config", str(settings), "--format", "text", "--format", f"json={report}", "--verbose")
    _, told = _run(folder, environment, "scan", ".", *options)
    assert b"Traceback" not in told
    assert leaks.in_data(told) == []
    assert leaks.in_data(report.read_bytes()) == []


def test_a_fault_of_our_own_tells_no_value(repository: tuple[Path, Leaks], tmp_path: Path) -> None:
    """Even where a detector breaks in the middle of a value, its traceback has none of it."""
    folder, leaks = repository
    (tmp_path / "sitecustomize.py").write_text(
        "from policy_engine_plugins.secrets import checksum\n"
        "def base62_crc32(body):\n"
        "    return int(checksum.decoded(body)) and body.missing\n"
        "checksum.base62_crc32 = base62_crc32\n"
    )
    code, told = _run(folder, {"POLICY_ENGINE_DEBUG": "1", "PYTHONPATH": str(tmp_path)}, "scan", ".")
    assert code != 0
    assert leaks.in_data(told) == []
