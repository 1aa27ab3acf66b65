"""What takes too long is given up and told as that, wherever it was at that moment."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pytest

from policy_engine.deadline import TimedOut, deadline, not_counted
from policy_engine.evaluated import evaluate_unit
from policy_engine.format import Format
from policy_engine.ruleset import RuleSet
from policy_engine.tree import MemoryTree, Tree
from policy_engine.unit import Loaded, ProblemKind, Unit


class Dying:
    """What is raised in here is lost: nobody waits for a finaliser."""

    def __del__(self) -> None:
        wait(0.2)


def wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


class Slow:
    """Python 3.11 makes a RuntimeError of what is raised in here: a class is being made."""

    def __set_name__(self, owner: type, name: str) -> None:
        wait(20)


class Made(Format):
    """Makes a class as it loads, as importing a library does."""

    name = "made"

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        type("Owner", (), {"slow": Slow()})
        return Loaded([], [])


def test_the_clock_tells_that_the_time_was_up() -> None:
    with pytest.raises((TimedOut, RuntimeError)), deadline(0.05) as clock:
        type("Owner", (), {"slow": Slow()})
    assert clock.rang


def test_the_clock_says_nothing_of_what_is_done_in_time() -> None:
    with deadline(20) as clock:
        pass
    assert not clock.rang


def test_what_a_finaliser_loses_is_raised_again_and_not_told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policy_engine.deadline.AGAIN_S", 0.3)
    with pytest.raises(TimedOut), deadline(0.05):
        dying = Dying()
        del dying
        wait(20)
    assert capfd.readouterr() == ("", "")


def test_an_import_under_way_is_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nuntil = time.monotonic() + 0.3\nwhile time.monotonic() < until:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TimedOut), deadline(0.05):
        importlib.import_module("slow_to_import")
        wait(20)
    assert "slow_to_import" in sys.modules


def test_what_is_set_up_once_is_not_counted() -> None:
    with deadline(0.3) as clock, not_counted():
        wait(0.5)
    assert not clock.rang
    with pytest.raises(TimedOut), deadline(0.05):
        with not_counted():
            wait(0.2)
        wait(20)
    with not_counted():
        pass  # with no time limit about, there is nothing to hold


def test_a_unit_that_runs_out_of_time_is_told_as_that() -> None:
    unit = Unit("made", "a", ("a",))
    result = evaluate_unit(Made(), unit, MemoryTree({"a": b""}), RuleSet([], {}), 0.05)
    assert [problem.kind for problem in result.problems] == [ProblemKind.TIMED_OUT]
