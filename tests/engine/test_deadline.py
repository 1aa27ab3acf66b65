"""What takes too long is given up and told as that, wherever it was at that moment."""

from __future__ import annotations

import time

import pytest

from policy_engine.deadline import TimedOut, deadline
from policy_engine.format import Format
from policy_engine.ruleset import RuleSet
from policy_engine.scan import evaluate_unit
from policy_engine.tree import MemoryTree, Tree
from policy_engine.unit import Loaded, ProblemKind, Unit


class Slow:
    """Python 3.11 makes a RuntimeError of what is raised in here: a class is being made."""

    def __set_name__(self, owner: type, name: str) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            pass


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


def test_a_unit_that_runs_out_of_time_is_told_as_that() -> None:
    unit = Unit("made", "a", ("a",))
    result = evaluate_unit(Made(), unit, MemoryTree({"a": b""}), RuleSet([], {}), 0.05)
    assert [problem.kind for problem in result.problems] == [ProblemKind.TIMED_OUT]
