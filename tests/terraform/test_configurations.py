"""Folders of configurations give what their `expected.yaml` says: instances, values, unknowns, problems and places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from configuration_cases import Case, evaluate, mistakes, names, read

from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree

NAMES = names()


def settle(case: Case, found: list[str]) -> None:
    """A case that needs what is not built yet has to fail, so that it is taken into use as soon as it is."""
    needs = case.expected.get("needs")
    if needs is None:
        assert not found, "\n".join([case.expected["says"], *found])
    else:
        assert found, f"{case.name} holds now: delete the line 'needs: {needs}' of its expected.yaml"


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 60


@pytest.mark.parametrize("name", [name for name in NAMES if "outcomes" not in read(name).expected])
def test_configuration_gives_what_is_expected(name: str) -> None:
    case = read(name)
    settle(case, list(mistakes(case, evaluate(case))))


@pytest.mark.parametrize("name", [name for name in NAMES if "outcomes" in read(name).expected])
def test_configuration_is_judged_as_expected(name: str, plugins: Plugins, rulebook: Rulebook) -> None:
    case = read(name)
    settle(case, [*mistakes(case, evaluate(case)), *outcomes(case, plugins, rulebook)])


def outcomes(case: Case, plugins: Plugins, rulebook: Rulebook) -> Iterator[str]:
    report = scan(MemoryTree(case.files), sorted(case.files), plugins, rulebook, Settings())
    for want in case.expected["outcomes"]:
        found: list[Any] = [
            one
            for one in report.findings
            if one.rule.id == want["rule"] and want["of"] in (one.address, *(twin.address for twin in one.twins))
        ]
        passed = [
            one
            for one in report.passes
            if one.address == want["of"] and any(rule.id == want["rule"] for rule in one.rules)
        ]
        places = [str(one.location) for one in (*found, *passed)]
        told = [one.outcome.value for one in found] + ["pass"] * len(passed)
        if told != [want["outcome"]]:
            yield f"{want['rule']} of {want['of']} is {told} at {places}"
        elif "at" in want and places != [want["at"]]:
            yield f"{want['rule']} of {want['of']} is told at {places}"


@pytest.mark.parametrize("name", NAMES)
def test_no_order_of_files_matters(name: str) -> None:
    case = read(name)
    turned = Case(case.name, dict(reversed(case.files.items())), case.expected)
    one, other = evaluate(case), evaluate(turned)
    assert repr(one.problems) == repr(other.problems)
    assert {address: repr(made.value) for address, made in one.resources.items()} == {
        address: repr(made.value) for address, made in other.resources.items()
    }
