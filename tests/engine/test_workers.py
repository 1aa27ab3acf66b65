"""Work that is shared out comes to the same as work that is not, in the same order, whatever becomes of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_engine.cli import root
from policy_engine.workers import spread


def linux_only(test: Callable[..., None]) -> Callable[..., None]:
    test = pytest.mark.usefixtures("forking")(test)
    test = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")(test)
    return pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")(test)


HERE = os.getpid()


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner of these tests has a thread of its own, which would keep anything from being forked."""
    monkeypatch.setattr("policy_engine.workers._may_fork", lambda: True)


def shared(work: Callable[[int], tuple[int, int]], count: int = 40, jobs: int = 3) -> list[tuple[int, int]]:
    """Each item takes a while, so that the rest is worth sharing out as soon as the first one is done."""

    def slow(item: int) -> tuple[int, int]:
        time.sleep(0.01)
        return work(item)

    return spread(slow, range(count), jobs, pack=list, unpack=lambda sent: (sent[0], sent[1]), head_start_s=0.0)


def squared(item: int) -> tuple[int, int]:
    return item * item, os.getpid()


@linux_only
def test_results_keep_the_order_of_their_items_and_come_from_several_processes() -> None:
    results = shared(squared)
    assert [result for result, _ in results] == [item * item for item in range(40)]
    assert len({process for _, process in results}) > 1


@linux_only
def test_more_items_than_a_pipe_holds_numbers() -> None:
    results = spread(
        lambda item: time.sleep(0.001 if item < 200 else 0) or item,
        range(30_000),
        2,
        pack=lambda result: result,
        unpack=lambda sent: sent,
        head_start_s=0.0,
    )
    assert results == list(range(30_000))


def test_one_job_is_this_process() -> None:
    assert {process for _, process in shared(squared, jobs=1)} == {HERE}


def test_what_takes_no_time_is_not_shared_out() -> None:
    results = spread(squared, range(50), 4, pack=list, unpack=tuple)  # type: ignore[arg-type]
    assert {process for _, process in results} == {HERE}


def test_nothing_is_forked_beside_threads() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert {process for _, process in shared(squared)} == {HERE}
    finally:
        done.set()
        other.join()


@linux_only
def test_what_a_process_leaves_undone_is_done_here() -> None:
    def killed(item: int) -> tuple[int, int]:
        if os.getpid() != HERE and item > 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return squared(item)

    assert [result for result, _ in shared(killed)] == [item * item for item in range(40)]


@linux_only
def test_an_error_is_raised_as_if_nothing_had_been_shared_out() -> None:
    def wrong(item: int) -> tuple[int, int]:
        if item == 30:
            raise LookupError(f"item {item}")
        return squared(item)

    with pytest.raises(LookupError, match="item 30"):
        shared(wrong)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # nobody is left behind


@linux_only
def test_an_interrupted_run_leaves_no_process_behind() -> None:
    def interrupted(item: int) -> tuple[int, int]:
        if os.getpid() == HERE and item > 5:
            raise KeyboardInterrupt
        return squared(item)

    with pytest.raises(KeyboardInterrupt):
        shared(interrupted)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is worth sharing out."""
    monkeypatch.setattr("policy_engine.workers.HEAD_START_S", 0.0)
    monkeypatch.setattr("policy_engine.workers.LEAST_REST_S", 0.0)
    monkeypatch.setattr(spread, "__kwdefaults__", {**spread.__kwdefaults__, "head_start_s": 0.0})


@linux_only
@pytest.mark.usefixtures("eager")
def test_a_scan_says_the_same_however_many_share_it(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / f"service_{number}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(
            "FROM debian:12\n"
            "# policy-engine: ignore[image-sudo-not-used] the tool wants it\n"
            "RUN sudo make\n"
            f"ENV API_TOKEN=tk{number:02}Zq8Lr3Vn5Wd1Xc7\n"
        )
        (folder / "deploy.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: [\n")
    printed = [
        CliRunner().invoke(root, ["scan", str(tmp_path), "--format", "json", "--jobs", jobs]).stdout
        for jobs in ("1", "2", "5")
    ]
    assert printed[0].count('"fail"') > 12
    assert printed[0] == printed[1] == printed[2]


@linux_only
@pytest.mark.usefixtures("eager")
def test_a_change_comes_to_the_same_however_many_share_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True)

    def write(numbers: range, user: str) -> None:
        for number in numbers:
            (tmp_path / f"{number}.dockerfile").write_text(f"FROM debian:12\nRUN sudo make\nUSER {user}\n")
            (tmp_path / f"pod{number}.yaml").write_text(
                f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\n"
                f"spec: {{containers: [{{name: {user}, image: debian}}]}}\n"
            )

    git("init", "-q")
    write(range(150), "app")
    git("add", "-A")
    git("commit", "-q", "-m", "base")
    write(range(100, 160), "root")
    arguments = ["scan", str(tmp_path), "--base", "HEAD", "--format", "json", "--jobs"]
    printed = [CliRunner().invoke(root, [*arguments, jobs]).stdout for jobs in ("1", "2", "5")]
    assert printed[0].count('"new"') > 60
    assert printed[0] == printed[1] == printed[2]
