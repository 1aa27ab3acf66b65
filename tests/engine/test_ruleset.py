"""Targets that cannot apply to a resource are left out before they are judged, and no others."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from making import UNKNOWN, context, resource
from policy_engine.condition import compile_condition
from policy_engine.evaluation import evaluate
from policy_engine.guard import guard_of
from policy_engine.partial import PartialDict
from policy_engine.resource import ResourceGraph
from policy_engine.rule import Rule, Severity, Target
from policy_engine.ruleset import RuleSet
from policy_engine.shared_list import SharedList
from policy_engine.truth import Truth, kleene_all, kleene_any, kleene_not
from policy_engine.unknown import Unknown

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
    {"path": "kind", "matches": "^(?:curl|wget)$"},
    {"path": "kind", "matches": ["^cu", "x{2}"]},
    {"path": "kind", "not_matches": "^cu"},
    {"any": [{"path": "kind", "equals": "curl"}, {"path": "kind", "matches": "^w"}]},
    {"any": [{"path": "kind", "equals": "curl"}, [{"path": "kind", "in": ["wget"]}, {"path": "other", "equals": 1}]]},
    {"any": [{"path": "kind", "equals": "curl"}, {"path": "kind", "exists": True}]},
]
VALUES: list[dict[str, Any]] = [
    {},
    {"kind": None},
    {"kind": "curl"},
    {"kind": "CURL"},
    {"kind": "wget", "other": 1},
    {"kind": True},
    {"kind": False},
    {"kind": "true"},
    {"kind": "curl" * 10_000},
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
    selected = {active.rule.id for active in rules.for_resource(made, context(value))[0]}
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
        (CONDITIONS[14], True),
        (CONDITIONS[15], True),
        (CONDITIONS[17], True),
        (CONDITIONS[18], True),
        (CONDITIONS[5], False),
        (CONDITIONS[12], False),
        (CONDITIONS[13], False),
        (CONDITIONS[16], False),
        (CONDITIONS[19], False),
    ],
)
def test_a_guard_is_a_comparison_that_the_condition_needs(when: Any, guarded: bool) -> None:
    assert (guard_of(when) is not None) is guarded


@pytest.mark.parametrize("condition", CONDITIONS[1:], ids=repr)
def test_a_quantifier_says_what_its_items_say_one_by_one(condition: Any) -> None:
    by_itself = compile_condition(condition, {})
    for chosen in [(), *combinations(VALUES, 1), *combinations(VALUES, 2), *combinations(VALUES[:6], 4)]:
        value = {"items": list(chosen)}
        answers = [by_itself.test(item, context(item)) for item in chosen]
        for head, expected in (
            ("some", kleene_any(iter(answers))),
            ("none", kleene_not(kleene_any(iter(answers)))),
            ("every", kleene_all(iter(answers))),
        ):
            quantified = compile_condition({head: "items", "satisfies": condition}, {})
            assert quantified.test(value, context(value)) == expected, (head, chosen)
            if expected is not (head != "some"):
                deciding = None if isinstance(expected, Unknown) else head != "every"
                blamed = {witness.path[:2] for witness in quantified.witness(value, context(value), _decided(expected))}
                assert blamed == {("items", i) for i, answer in enumerate(answers) if _decided(answer) is deciding}
        filtered = compile_condition(
            {"every": "items", "where": condition, "satisfies": {"path": "other", "exists": True}}, {}
        )
        pairs = list(zip(chosen, answers, strict=True))
        if not any(isinstance(answer, Unknown) or isinstance(item, PartialDict) for item, answer in pairs):
            wanted = all(answer is False or item.get("other") is not None for item, answer in pairs)
            assert filtered.test(value, context(value)) is wanted, chosen


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_rules_under_the_same_condition_come_out_as_each_by_itself(value: dict[str, Any]) -> None:
    rules = [rule(f"{name}-{number:02}", when) for number, when in enumerate(CONDITIONS) for name in ("one", "other")]

    def said(chosen: list[Rule]) -> list[tuple[str, str, str]]:
        judged = evaluate(RuleSet(chosen, {}), ResourceGraph([resource(value)]), lambda _location: "")
        found = [(finding.rule.id, finding.outcome.value, finding.message) for finding in judged.findings]
        return sorted(found + [(each.id, "pass", "") for passed in judged.passes for each in passed.rules])

    assert said(rules) == sorted(each for one in rules for each in said([one]))
    actives = RuleSet(rules, {}).for_resource(resource(value), context(value))[0]
    assert len({active.when for active in actives}) == len({repr(active.target.when) for active in actives})


def _decided(answer: Truth) -> bool | None:
    return None if isinstance(answer, Unknown) else answer


def test_what_a_shared_list_decides_is_judged_once_for_all_that_share_it() -> None:
    def about(name: str, require: Any, when: Any = None) -> Rule:
        target = Target("demo", ("thing",), require, when)
        return Rule(name, "t", Severity.LOW, ("A.8.9",), "r", (target,), "m", "r", f"{name}.yaml")

    no_curl = {"none": "commands", "satisfies": {"path": "name", "equals": "curl"}}
    no_wget = {"none": "commands", "satisfies": {"path": "name", "equals": "wget"}}
    rules = RuleSet(
        [
            about("no-curl", no_curl),
            about("no-wget", no_wget),
            about("no-wget-there", no_wget, {"path": "kind", "exists": False}),
            about("no-curl-or-kind", {"any": [no_curl, {"path": "kind", "exists": True}]}),
        ],
        {},
    )

    def asked(value: dict[str, Any]) -> tuple[list[str], list[str]]:
        actives, satisfied = rules.for_resource(resource(value), context(value))
        return sorted(active.rule.id for active in actives), sorted(satisfied)

    commands = SharedList([{"name": "curl"}])
    for _ in range(2):
        assert asked({"commands": commands}) == (["no-curl", "no-curl-or-kind", "no-wget-there"], ["no-wget"])
    assert asked({"commands": SharedList([])}) == (["no-curl-or-kind", "no-wget-there"], ["no-curl", "no-wget"])
    doubtful = asked({"commands": SharedList([{"name": UNKNOWN}, {"name": "wget"}])})
    assert doubtful == (["no-curl", "no-curl-or-kind", "no-wget", "no-wget-there"], [])
    plain = {"commands": [{"name": "curl"}]}
    assert asked(plain) == (["no-curl", "no-curl-or-kind", "no-wget", "no-wget-there"], [])
