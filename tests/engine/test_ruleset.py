"""Targets that cannot apply to a resource are left out before they are judged, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from making import UNKNOWN, context, resource
from policy_engine.condition import compile_condition
from policy_engine.guard import guard_of
from policy_engine.partial import PartialDict
from policy_engine.rule import Rule, Severity, Target
from policy_engine.ruleset import RuleSet

CONDITIONS: list[Any] = [
    None,
    {"path": "kind", "equals": "curl"},
    {"path": "kind", "in": ["curl", "wget"]},
    {"path": "kind", "equals": True},
    {"path": "kind", "exists": True},
    {"path": "kind", "exists": False},
    {"path": "kind", "not_equals": "curl"},
    {"path": "kind", "default": "curl", "equals": "curl"},
    {"path": "kind", "ignore_case": True, "equals": "curl"},
    {"path": "kind.inner", "equals": "curl"},
    [{"path": "other", "exists": False}, {"path": "kind", "equals": "curl"}],
    {"all": [{"path": "kind", "exists": True, "not_equals": "wget"}]},
    {"any": [{"path": "kind", "equals": "curl"}, {"path": "other", "exists": True}]},
    {"not": {"path": "kind", "equals": "curl"}},
]
VALUES: list[dict[str, Any]] = [
    {},
    {"kind": None},
    {"kind": "curl"},
    {"kind": "CURL"},
    {"kind": "wget", "other": 1},
    {"kind": True},
    {"kind": "true"},
    {"kind": ["curl"]},
    {"kind": {"inner": "curl"}},
    {"kind": UNKNOWN},
    PartialDict({"other": "x"}, UNKNOWN),
]


def rule(name: str, when: Any) -> Rule:
    target = Target("demo", ("thing",), {"path": "never", "exists": True}, when)
    return Rule(name, "t", Severity.LOW, ("A.8.9",), "r", (target,), "m", "r", f"{name}.yaml")


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_only_what_does_not_apply_is_left_out(value: dict[str, Any]) -> None:
    rules = RuleSet([rule(f"rule-{number:02}", when) for number, when in enumerate(CONDITIONS)], {})
    made = resource(value)
    selected = {active.rule.id for active in rules.for_resource(made)}
    for number, when in enumerate(CONDITIONS):
        applies = when is None or compile_condition(when, {}).test(value, context(value))
        if applies is not False:
            assert f"rule-{number:02}" in selected, when


@pytest.mark.parametrize(
    ("when", "guarded"),
    [
        (CONDITIONS[1], True),
        (CONDITIONS[4], True),
        (CONDITIONS[10], True),
        (CONDITIONS[5], False),
        (CONDITIONS[13], False),
    ],
)
def test_a_guard_is_a_comparison_that_the_condition_needs(when: Any, guarded: bool) -> None:
    assert (guard_of(when) is not None) is guarded
