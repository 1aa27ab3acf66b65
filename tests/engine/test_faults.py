"""A fault of the engine itself, met in one file, is told and takes nothing else along."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policy_engine.deadline import TimedOut
from policy_engine.errors import RuleError
from policy_engine.evaluated import Evaluated, evaluate_unit
from policy_engine.format import Format
from policy_engine.ruleset import RuleSet
from policy_engine.tree import MemoryTree, Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit

SECRET = "hunter2-in-the-file"


class Failing(Format):
    name = "failing"
    title = "Failing"
    resource_types = ()

    def __init__(self, error: Exception) -> None:
        self.error = error

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        raise self.error


def evaluated(error: Exception) -> Evaluated:
    unit = Unit("failing", "a.yaml", ("a.yaml", "b.yaml"))
    tree = MemoryTree({"a.yaml": b"", "b.yaml": b""})
    return evaluate_unit(Failing(error), unit, tree, RuleSet((), {}, {}), 5)


def problems(error: Exception) -> Sequence[Problem]:
    return evaluated(error).problems


def test_it_makes_the_scan_incomplete_and_quotes_nothing_of_the_file() -> None:
    first, second = problems(KeyError(SECRET))
    assert (first.path, second.path) == ("a.yaml", "b.yaml")
    assert first.kind is ProblemKind.NOT_UNDERSTOOD
    assert first.message.startswith("not evaluated, by a fault of the engine itself (KeyError, engine/test_faults.py:")
    assert SECRET not in first.message


@pytest.mark.parametrize("error", [KeyError("x"), TimedOut(), RecursionError()], ids=repr)
def test_no_line_is_shown_of_a_file_of_which_nobody_could_say_what_is_a_secret(error: Exception) -> None:
    hidden = evaluated(error).hidden
    assert [hidden.line(path, 1, SECRET) for path in ("a.yaml", "b.yaml", "c.yaml")] == ["", "", SECRET]


def test_a_wrong_rule_still_stops_the_run() -> None:
    with pytest.raises(RuleError):
        problems(RuleError("no such check"))


def test_somebody_who_looks_for_it_sees_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICY_ENGINE_DEBUG", "1")
    with pytest.raises(KeyError):
        problems(KeyError("x"))
