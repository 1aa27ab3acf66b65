"""Plans: what they know is judged, and told where the configuration sets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Problem
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform import TerraformFormat
from policy_engine_plugins.terraform.plan import without_keys
from policy_engine_plugins.terraform.plan_references import split

# Made by Terraform 1.11 from the configuration below with `-var acl=public-read`.
PLANNED = (Path(__file__).parent / "plans" / "real.json").read_text(encoding="utf-8")
CONFIGURATION = {
    "main.tf": (Path(__file__).parent / "plans" / "main.tf").read_text(encoding="utf-8"),
    "mod/main.tf": (Path(__file__).parent / "plans" / "mod" / "main.tf").read_text(encoding="utf-8"),
}


def load(files: dict[str, str], plan: str = "plan.json") -> tuple[dict[str, Resource], list[Problem]]:
    format_ = TerraformFormat()
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    for unit in format_.units(list(files), tree):
        if unit.name == plan:
            loaded = format_.load(unit, tree)
            return {one.address: one for one in loaded.resources}, list(loaded.problems)
    raise AssertionError("the plan is no unit")


def test_every_planned_instance_is_a_resource() -> None:
    resources, problems = load({"plan.json": PLANNED})
    assert list(resources) == [
        "terraform_data.first",
        'terraform_data.linked["large"]',
        'terraform_data.linked["small"]',
        "module.inner[0].terraform_data.this",
        "module.inner[1].terraform_data.this",
    ]
    assert not problems
    assert {one.type for one in resources.values()} == {"terraform_data"}


def test_what_is_known_after_apply_is_unknown_and_says_what_it_derives_from() -> None:
    resources, _ = load({"plan.json": PLANNED})
    linked = resources['terraform_data.linked["large"]'].value["input"]
    assert linked["size"] == 8
    assert isinstance(linked["other"], Unknown)
    assert linked["other"].refers_to == ("terraform_data.first",)
    passed = resources["module.inner[1].terraform_data.this"].value["input"]["of"]
    assert passed.refers_to == ("terraform_data.first",)
    own = resources["terraform_data.first"].value["output"]
    assert own.refers_to == ("terraform_data.first",)


def test_a_planned_value_is_told_at_its_place_in_the_configuration() -> None:
    resources, _ = load({"plan.json": PLANNED, **CONFIGURATION})
    trace = resources["terraform_data.first"].locate(("input", "acl"))
    assert str(trace.location) == "main.tf:10:13"
    place, phrase = trace.related[-1]
    assert (place.path, phrase) == ("plan.json", "planned so here")
    span = place.span
    assert PLANNED.splitlines()[span.start_line - 1][span.start_column - 1 : span.end_column - 1] == (
        '"acl":"public-read"'
    )


def test_without_the_configuration_the_place_is_in_the_plan() -> None:
    resources, _ = load({"plan.json": PLANNED})
    location = resources["module.inner[0].terraform_data.this"].locate(("input", "name")).location
    span = location.span
    line = PLANNED.splitlines()[span.start_line - 1]
    assert line[span.start_column - 1 : span.end_column - 1] == '"name":"n0"'


def test_what_the_plan_marks_sensitive_is_not_for_showing() -> None:
    resources, _ = load({"plan.json": PLANNED})
    linked = resources['terraform_data.linked["large"]']
    assert linked.locate(("input", "token")).sensitive
    assert linked.locate(("input",)).sensitive
    assert not linked.locate(("input", "size")).sensitive


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format_version": "9.0", "planned_values": {}}', "a plan of format version '9.0' is not known; 0 and 1 are"),
        ('{"format_version": "1.0", "planned_values": []}', "it is not laid out as a plan is"),
        (
            '{"format_version": "1.0", "planned_values": {"root_module": {"resources": [{}]}}}',
            "a planned resource has no address or no type",
        ),
        ('{"format_version": "1.0", "planned_values": {', "no valid JSON"),
        ('{"format_version": "1.0", "planned_values": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_plan_is_told(text: str, message: str) -> None:
    resources, problems = load({"plan.json": text})
    assert not resources
    assert len(problems) == 1
    assert message in problems[0].message


def test_hostile_nesting_ends() -> None:
    module: dict[str, Any] = {}
    for _ in range(200):
        module = {"child_modules": [module]}
    load({"plan.json": json.dumps({"format_version": "1.0", "planned_values": {"root_module": module}})})


@pytest.mark.parametrize(
    ("address", "plain", "calls"),
    [
        ("aws_a.b", "aws_a.b", ()),
        ("aws_a.b[0]", "aws_a.b", ()),
        ('module.a["x.y"].aws_b.c["]"]', "module.a.aws_b.c", ('a["x.y"]',)),
        ('module.a["\\"]."].module.b[1].data.c.d', "module.a.module.b.data.c.d", ('a["\\"]."]', "b[1]")),
    ],
)
def test_addresses_are_taken_apart(address: str, plain: str, calls: tuple[str, ...]) -> None:
    assert without_keys(address) == plain
    assert split(address)[0] == calls
