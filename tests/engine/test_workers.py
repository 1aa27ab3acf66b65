"""Work that is shared out comes to the same as work that is not, in the same order, whatever becomes of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_engine.cli import root
from policy_engine.workers import Team


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

    with Team(jobs, head_start_s=0.0) as team:
        return team.conclude(slow, range(count), pack=list, unpack=lambda sent: (sent[0], sent[1]))


def squared(item: int) -> tuple[int, int]:
    return item * item, os.getpid()


@linux_only
def test_results_keep_the_order_of_their_items_and_come_from_several_processes() -> None:
    results = shared(squared)
    assert [result for result, _ in results] == [item * item for item in range(40)]
    assert len({process for _, process in results}) > 1


@linux_only
def test_more_items_than_a_pipe_holds_numbers() -> None:
    with Team(2, head_start_s=0.0) as team:
        results = team.share(lambda item: time.sleep(0.001 if item < 200 else 0) or item, range(30_000))
        assert team.share(lambda item: item, results) == list(range(30_000))


def test_one_job_is_this_process() -> None:
    assert {process for _, process in shared(squared, jobs=1)} == {HERE}


def test_what_takes_no_time_is_not_shared_out() -> None:
    with Team(4) as team:
        assert {process for _, process in team.share(squared, range(50))} == {HERE}


def test_nothing_is_forked_beside_threads() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert {process for _, process in shared(squared)} == {HERE}
    finally:
        done.set()
        other.join()


def _refused() -> int:
    raise BlockingIOError(11, "Resource temporarily unavailable")


@linux_only
@pytest.mark.parametrize("allowed", [0, 1])
def test_a_system_that_refuses_processes_gets_the_work_done_by_those_there_are(
    allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    forks = iter([os.fork] * allowed)
    monkeypatch.setattr("os.fork", lambda: next(forks, _refused)())
    open_before = os.listdir("/proc/self/fd")
    results = shared(squared)
    assert [result for result, _ in results] == [item * item for item in range(40)]
    assert len({process for _, process in results}) == allowed + 1
    assert os.listdir("/proc/self/fd") == open_before


@linux_only
def test_a_system_that_refuses_pipes_gets_the_work_done_by_one() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_before = os.listdir("/proc/self/fd")
    free = (number for number in range(soft) if str(number) not in open_before)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(islice(free, 5, None)), hard))  # room for two pipes
    try:
        assert {process for _, process in shared(squared, jobs=8)} == {HERE}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir("/proc/self/fd") == open_before


@linux_only
def test_all_processes_have_what_a_shared_loop_came_to_and_go_on_with_it() -> None:
    with Team(3, head_start_s=0.0) as team:
        first = team.share(lambda item: time.sleep(0.01) or (item, os.getpid()), range(40))
        total = sum(item for item, _ in first)
        second = team.share(lambda item: (item + total, os.getpid()), range(4))
        assert team.share(squared, []) == []
        third = team.conclude(lambda item: (item, second, os.getpid()), range(40), pack=list, unpack=tuple)
    assert [item for item, _ in second] == [780, 781, 782, 783]
    assert len({process for _, process in first}) == 3
    assert all(known == second for _, known, _ in third)
    assert {process for *_, process in third} <= {process for _, process in first}
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@linux_only
def test_a_process_starts_each_loop_with_its_own_part_of_the_items() -> None:
    with Team(2, head_start_s=0.0) as team:
        loops = [team.share(lambda item: time.sleep(0.005) or (item, os.getpid()), range(60)) for _ in range(2)]
    # The other process took over what the first one had not come to when it was forked.
    ends = [(loop[5][1], loop[-1][1]) for loop in loops]
    assert ends == [(HERE, ends[0][1])] * 2
    assert ends[0][1] != HERE


@linux_only
def test_a_process_that_is_gone_is_missed_in_no_later_loop() -> None:
    def killed(item: int) -> int:
        if os.getpid() != HERE and item > 30:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.005)
        return item

    with Team(2, head_start_s=0.0) as team:
        assert team.share(killed, range(60)) == list(range(60))
        assert team.share(killed, range(30)) == list(range(30))
        assert team.conclude(killed, range(30), pack=str, unpack=int) == list(range(30))


@linux_only
def test_what_is_raised_between_loops_is_raised_once(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with pytest.raises(LookupError), Team(3, head_start_s=0.0) as team:
        assert team.share(lambda item: time.sleep(0.01) or item, range(40)) == list(range(40))
        raise LookupError
    with told.open("a") as stream:
        stream.write("once\n")
    assert told.read_text() == "once\n"
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@linux_only
def test_a_team_may_be_needed_again_after_its_end() -> None:
    with Team(2, head_start_s=0.0) as team:
        for _ in range(2):
            found = team.conclude(lambda n: time.sleep(0.01) or (n, os.getpid()), range(30), pack=list, unpack=tuple)
            assert [item for item, _ in found] == list(range(30))
            assert len({process for _, process in found}) == 2


@linux_only
def test_what_a_process_leaves_undone_is_done_here() -> None:
    def killed(item: int) -> tuple[int, int]:
        if os.getpid() != HERE and item > 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return squared(item)

    assert [result for result, _ in shared(killed)] == [item * item for item in range(40)]


@linux_only
def test_what_a_process_cannot_send_is_done_here() -> None:
    def odd(item: int) -> tuple[int, object]:
        return item * item, (lambda: item) if item == 30 else os.getpid()

    def slow(item: int) -> tuple[int, object]:
        time.sleep(0.02 if os.getpid() == HERE else 0.01)  # so that another process comes to the odd one
        return odd(item)

    with Team(3, head_start_s=0.0) as team:
        results = team.conclude(slow, range(40), pack=list, unpack=lambda sent: (sent[0], sent[1]))
    assert [result for result, _ in results] == [item * item for item in range(40)]


@linux_only
def test_results_larger_than_a_pipe_arrive_and_share_what_they_shared() -> None:
    name = "x" * 100_000
    with Team(2, head_start_s=0.0) as team:
        results = team.conclude(
            lambda item: time.sleep(0.01) or (item, os.getpid(), name),
            range(40),
            pack=lambda result: (*result[:2], result[2] * (1 + result[0] % 2), [name]),
            unpack=lambda sent: sent,
        )
    assert [result[0] for result in results] == list(range(40))
    sent = [result for result in results if result[1] != HERE]
    assert sent and all(len(result[2]) == 100_000 * (1 + result[0] % 2) for result in sent)
    assert len({id(result[3][0]) for result in sent}) == 1


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
