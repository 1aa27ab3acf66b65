"""Whole configurations give what Terraform itself plans for them: every instance, every value, every unknown."""

from __future__ import annotations

from typing import Any

import pytest
from module_cases import FOLDER, UNKNOWN, cases, read

from policy_engine.operators import find_unknown
from policy_engine.partial import PartialDict, PartialList
from policy_engine.tree import MemoryTree
from policy_engine.unit import Problem
from policy_engine.unknown import Embedded, Unknown
from policy_engine_plugins.terraform import TerraformFormat


def evaluated(files: dict[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    format_ = TerraformFormat()
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    paths = [path for path, text in files.items() if format_.claims(path) and format_.recognises(path, text.encode())]
    made: dict[str, Any] = {}
    problems: list[Problem] = []
    for unit in format_.units(paths, tree):
        loaded = format_.load(unit, tree)
        made.update({one.address: one.value for one in loaded.resources if one.type == "terraform_data"})
        problems.extend(loaded.problems)
    return made, problems


def shown(value: Any) -> Any:
    """As the expectations write values: collections of which something is not known are the Unknowns they hold."""
    if isinstance(value, (PartialDict, PartialList, Unknown)):
        return UNKNOWN
    if isinstance(value, Embedded) and find_unknown(value.value) is not None:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


# Terraform leaves these open while it plans; every value that the unknown part may have gives the same all the same.
DECIDED = {
    "unknown/logic_decides_where_it_can": {
        "terraform_data.r": {"and_false": False, "or_true": True, "false_and": False}
    }
}

NAMES = [str(case.relative_to(FOLDER).with_suffix("")) for case in cases()]


def test_there_are_enough_cases() -> None:
    assert len(NAMES) >= 60


@pytest.mark.parametrize("name", NAMES)
def test_case_gives_what_terraform_plans(name: str) -> None:
    files, expected = read(FOLDER / f"{name}.txt")
    assert expected is not None, "run tests/terraform/module_cases.py to record what Terraform makes of it"
    made, problems = evaluated(files)
    if "error" in expected:
        assert problems, expected["error"]
        return
    assert not problems
    for address, decided in DECIDED.get(name, {}).items():
        expected[address].update(decided)
    assert {address: shown(value.get("input")) for address, value in made.items()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_files_does_not_matter(name: str) -> None:
    files, _ = read(FOLDER / f"{name}.txt")
    turned = dict(reversed(files.items()))
    assert repr(evaluated(turned)) == repr(evaluated(files))
