"""Runs are recorded once and for all: new, fixed and reopened findings, by SQLite and PostgreSQL alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from policy_engine.errors import ConfigError
from policy_engine.history import History, Record, Run, open_history

START = datetime(2026, 1, 1, 2, tzinfo=timezone.utc)


def record(number: int, severity: str = "high", controls: tuple[str, ...] = ("A.8.24", "A.5.34")) -> Record:
    return Record(f"{number:032x}", "rule", severity, controls, "main.tf", number, f"aws_thing.t{number}", "is wrong")


def run(day: int, numbers: range | list[int], repository: str = "shop", *, complete: bool = True) -> Run:
    at = START + timedelta(days=day)
    return Run(repository, at, "c" * 40, "1.0", complete, [record(number) for number in numbers])


@pytest.fixture
def history(database: str) -> History:
    return open_history(database)


def told(history: History, what: Run) -> tuple[list[int], list[int], list[int], int]:
    delta = history.record(what)
    return (
        sorted(one.line for one in delta.new),
        sorted(one.line for one in delta.fixed),
        sorted(one.line for one in delta.reopened),
        delta.open,
    )


def test_new_fixed_and_reopened_are_told_apart(history: History) -> None:
    assert told(history, run(0, [1, 2])) == ([1, 2], [], [], 2)
    assert told(history, run(1, [2, 3])) == ([3], [1], [], 2)
    assert told(history, run(2, [1, 2, 3])) == ([], [], [1], 3)
    assert told(history, run(3, [1, 2, 3])) == ([], [], [], 3)


def test_an_incomplete_run_mends_nothing(history: History) -> None:
    told(history, run(0, [1, 2]))
    assert told(history, run(1, [2], complete=False)) == ([], [], [], 2)


def test_the_last_runs_of_all_repositories_are_told(history: History) -> None:
    history.record(run(0, [1, 2], "one"))
    history.record(run(0, [7], "two"))
    history.record(run(1, [2, 3], "one"))
    (one, two) = history.last_runs()
    assert (one[0], one[2], one[1].open) == ("one", True, 2)
    assert ([each.line for each in one[1].new], [each.line for each in one[1].fixed]) == ([3], [1])
    assert (two[0], [each.line for each in two[1].new]) == ("two", [7])


def test_repositories_are_kept_apart(history: History) -> None:
    told(history, run(0, [1], "one"))
    assert told(history, run(0, [1], "two")) == ([1], [], [], 1)


def test_ages_are_told_by_control(history: History) -> None:
    history.record(run(0, [1, 2]))
    history.record(run(4, [2]))
    (first, second) = history.ages(START + timedelta(days=10))
    assert {first.control, second.control} == {"A.8.24", "A.5.34"}
    assert (first.open, first.median_days, first.oldest_days) == (1, 10.0, 10.0)
    assert (first.fixed, first.median_days_to_fix) == (1, 4.0)


def test_a_reopened_finding_is_as_old_as_its_return(history: History) -> None:
    history.record(run(0, [1]))
    history.record(run(1, []))
    history.record(run(5, [1]))
    assert history.ages(START + timedelta(days=6))[0].oldest_days == 1.0


def test_a_year_of_nights_is_recorded_and_queried_in_seconds(history: History) -> None:
    started = time.monotonic()
    for day in range(365):
        history.record(run(day, range(day, day + 200)))
    assert len(history.runs("shop")) == 365
    (age, _) = history.ages(START + timedelta(days=365))
    assert age.open == 200
    assert age.fixed == 364
    assert time.monotonic() - started < 60


def test_hostile_texts_are_kept_as_text(history: History) -> None:
    odd = Record("f" * 32, "rule", "low", (), "a\udcff\x00';--.tf", 1, "x\n\x1b[31m", "\u202e")
    history.record(Run("shop'; DROP TABLE policy_engine_runs; --", START, "", "1", True, [odd]))
    assert history.record(Run("shop", START, "", "1", True, [odd])).open == 1


_WRITER = """
import sys
sys.path[:0] = {path!r}
from test_history import run
from policy_engine.history import open_history
history = open_history(sys.argv[1])
first = int(sys.argv[2])
print("ready", flush=True)
for day in range(20):
    history.record(run(day, [first + day], sys.argv[3]))
"""


def writer(database: str, first: int, repository: str) -> subprocess.Popen[str]:
    script = _WRITER.format(path=[str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", script, database, str(first), repository], stdout=subprocess.PIPE, text=True
    )


def test_two_at_once_lose_nothing(database: str) -> None:
    writers = [writer(database, first, "shop") for first in (0, 1000)]
    writers += [writer(database, 0, "other")]
    assert [one.wait(timeout=120) for one in writers] == [0, 0, 0]
    for one in writers:
        assert one.stdout is not None
        one.stdout.close()
    history = open_history(database)
    assert len(history.runs("shop")) == 40
    assert len(history.runs("other")) == 20
    total = sum(entry["new"] for entry in history.runs("shop"))
    assert total == 40


def test_a_process_that_is_killed_leaves_the_database_whole(database: str) -> None:
    open_history(database)
    for wait in (0.0, 0.02, 0.05, 0.1):
        process = writer(database, 0, "shop")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    history = open_history(database)
    before = history.runs("shop")
    assert told(history, run(100, [5000]))[0] == [5000]
    assert len(history.runs("shop")) == len(before) + 1


def test_another_schema_version_is_refused_in_one_line(database: str) -> None:
    import sqlalchemy as sa

    history = open_history(database)
    with history.engine.begin() as connection:
        connection.execute(sa.text("UPDATE policy_engine_about SET value = '99'"))
    with pytest.raises(ConfigError, match="has schema version 99, and this policy-engine knows 1"):
        open_history(database)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nosuch://user:geheim@host/db", "databases of this kind are not known"),
        ("postgresql://user:geheim@127.0.0.1:1/db", "cannot be opened"),
        ("/nowhere/history.sqlite", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_had_is_one_line_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_history(url)
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)
