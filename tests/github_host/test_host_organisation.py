"""An organisation of a thousand repositories: bounded concurrency, an interruption, and what was read kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pretend_github import TOKEN

HERE = Path(__file__).parent
REPOSITORIES = 1000
WORKERS = 6


@pytest.fixture
def organisation() -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(HERE / "pretend_github.py"), str(REPOSITORIES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server, server.stdout.readline().strip()
        if not server.stdin.closed:
            server.stdin.close()
        server.wait(30)


def snapshots(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.github-snapshot.json")}


def test_a_thousand_repositories_are_read_in_two_goes(
    organisation: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    server, url = organisation
    assert server.stdin is not None
    assert server.stdout is not None
    command = [
        *(sys.executable, "-m", "policy_engine", "scan", "--github-org", "acme", "--github-workers", str(WORKERS)),
        *("--save", "kept", "--format", "json=all.json", "--format", "json=reports/{target}.json"),
    ]
    environment = {**os.environ, "GH_TOKEN": TOKEN, "GITHUB_API_URL": url}

    # The first go is interrupted, as somebody would with Ctrl-C.
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as first:
        until = time.monotonic() + 60
        while len(snapshots(tmp_path)) < 100:
            assert first.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        first.send_signal(signal.SIGINT)
        _, told = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "Traceback" not in told
    kept = snapshots(tmp_path)
    assert 100 <= len(kept) < REPOSITORIES
    for path in kept:
        json.loads(path.read_bytes())  # none is half written
    assert list(tmp_path.rglob(".snapshot-*")) == []

    # The second reads the others, and no snapshot again.
    second = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    after = snapshots(tmp_path)
    assert len(after) == REPOSITORIES + 1
    assert {path: after[path] for path in kept} == kept

    # One report for each, and one for all of it.
    reports = sorted(path.relative_to(tmp_path / "reports") for path in tmp_path.glob("reports/**/*.json"))
    assert len(reports) == REPOSITORIES + 1
    whole = json.loads((tmp_path / "all.json").read_bytes())
    assert len([one for one in whole["ledger"] if one["status"] == "evaluated"]) == REPOSITORIES + 1
    alone = json.loads((tmp_path / "reports/acme/service-0500.json").read_bytes())
    assert alone["passes"]
    for kind in ("findings", "passes"):
        assert all(one in whole[kind] for one in alone[kind])
    assert len((tmp_path / "kept/acme.list").read_text().splitlines()) == REPOSITORIES + 1

    server.stdin.close()
    seen = json.loads(server.stdout.read())
    assert seen["most_at_once"] <= WORKERS
    # Each repository once, a few twice that were under way when the first go ended.
    assert seen["requests"] < 25 * (REPOSITORIES + WORKERS + 1) + 60
