"""Whole repositories of modules, in the shape of the well-known public ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from module_repositories import REPOSITORIES, Files
from policy_engine.partial import PartialDict
from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform import TerraformFormat


def evaluated(files: Files) -> tuple[dict[str, list[Resource]], list[Problem]]:
    """Resources by root module, and all problems."""
    format_ = TerraformFormat()
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    made: dict[str, list[Resource]] = {}
    problems: list[Problem] = []
    for unit in format_.units([path for path in files if format_.claims(path)], tree):
        loaded = format_.load(unit, tree)
        made[unit.name] = list(loaded.resources)
        problems.extend(loaded.problems)
    return made, problems


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
        if isinstance(value, PartialDict):
            yield value.rest
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


# The shares that docs/terraform.md states. What is not known: attributes that the provider makes, data sources, and
# variables that only whoever runs Terraform sets.
@pytest.mark.parametrize(("name", "share"), [("network", 0.62), ("cluster", 0.81), ("google", 0.80)])
def test_most_attributes_of_managed_resources_are_known(name: str, share: float) -> None:
    made, problems = evaluated(REPOSITORIES[name]())
    assert {problem.kind for problem in problems} <= {ProblemKind.LIMITED}
    values = [
        leaf
        for resources in made.values()
        for one in resources
        if "_" in one.type and not one.type.startswith(("data.", "provider."))
        for leaf in leaves(one.value)
    ]
    known = sum(not isinstance(value, Unknown) for value in values)
    assert round(known / len(values), 2) == pytest.approx(share, abs=0.01)


def test_every_example_calls_the_modules_that_are_no_units_of_their_own() -> None:
    made, _ = evaluated(REPOSITORIES["network"]())
    assert set(made) == {*(f"examples/{name}" for name in _examples()), "wrappers"}
    complete = {one.address for one in made["examples/complete"]}
    assert "module.vpc.aws_subnet.private[2]" in complete
    assert 'module.endpoints.aws_vpc_endpoint.this["s3"]' in complete
    assert "module.vpc.aws_nat_gateway.this[0]" in complete


def _examples() -> set[str]:
    return {path.split("/")[1] for path in REPOSITORIES["network"]() if path.startswith("examples/")}


def test_a_flaw_of_an_example_is_told_in_the_example() -> None:
    made, _ = evaluated(REPOSITORIES["cluster"]())
    template = next(
        one
        for one in made["examples/hybrid"]
        if one.address == 'module.eks.module.managed_node_group["default"].aws_launch_template.this[0]'
    )
    ebs = ("block_device_mappings", 0, "ebs", 0, "encrypted")
    assert template.value["block_device_mappings"][0]["ebs"][0]["encrypted"] is False
    trace = template.locate(ebs)
    assert trace.location.path == "examples/hybrid/main.tf"


@pytest.mark.parametrize("name", list(REPOSITORIES))
def test_truncated_files_cost_what_they_hold_and_no_more(name: str) -> None:
    files = REPOSITORIES[name]()
    for part in (0.3, 0.7):
        cut = {path: text[: int(len(text) * part)] for path, text in files.items()}
        started = time.monotonic()
        _, problems = evaluated(cut)
        assert time.monotonic() - started < 20
        assert problems
        assert all(problem.span is not None for problem in problems)
