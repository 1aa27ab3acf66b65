"""The rule language: what conditions say, of what is known and of what is not, and what they blame."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import UNKNOWN, blamed, context, resource, truth
from policy_engine.check import Check, Doubt, Judge, Violation, deferred
from policy_engine.condition import ConditionError, compile_condition
from policy_engine.partial import PartialDict, PartialList
from policy_engine.path import Several, lookup, names_only, only_place, parse_path, places
from policy_engine.shared_list import SharedList
from policy_engine.truth import kleene_all
from policy_engine.unknown import Embedded, Unknown
from policy_engine.value_test import value_test

PARTIAL = Unknown("depends on var.tag", fragments=("nginx:", None))
COMPUTED = Unknown("known only after apply", refers_to=("key.main",), present=True)
ABSENT: dict[str, Any] = {}


class PlacedList(list[Any]):
    """A list of a format's own, that is not made of items alone."""

    def __init__(self) -> None:
        super().__init__(["FTP"])


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        ({"equals": True}, {"a": True}, True),
        ({"equals": True}, {"a": "true"}, True),
        ({"equals": 443}, {"a": "443"}, True),
        ({"equals": 443}, {"a": 443.0}, True),
        ({"equals": True}, {"a": 1}, False),
        ({"equals": True}, {"a": UNKNOWN}, "unknown"),
        ({"equals": True}, ABSENT, False),
        ({"not_equals": True}, ABSENT, True),
        ({"equals": "redis:7"}, {"a": PARTIAL}, False),
        ({"equals": "nginx:7"}, {"a": PARTIAL}, "unknown"),
        ({"equals": [1, 2]}, {"a": [1, 2]}, True),
        ({"equals": [1, 2]}, {"a": [1, UNKNOWN]}, "unknown"),
        ({"in": ["a", "b"]}, {"a": "b"}, True),
        ({"not_in": ["a", "b"]}, {"a": "c"}, True),
        ({"in": ["redis:6", "redis:7"]}, {"a": PARTIAL}, False),
        ({"matches": "^v[0-9]+$"}, {"a": "v12"}, True),
        ({"matches": ["^x", "^v"]}, {"a": "v12"}, True),
        ({"not_matches": "^v"}, {"a": "x"}, True),
        ({"starts_with": "nginx"}, {"a": PARTIAL}, True),
        ({"starts_with": "redis"}, {"a": PARTIAL}, False),
        ({"starts_with": "nginx:1"}, {"a": PARTIAL}, "unknown"),
        ({"ends_with": ":latest"}, {"a": PARTIAL}, "unknown"),
        ({"contains": "b"}, {"a": ["a", "b"]}, True),
        ({"contains": "b"}, {"a": ["a", UNKNOWN]}, "unknown"),
        ({"contains": "a"}, {"a": ["a", UNKNOWN]}, True),
        ({"not_contains": "a"}, {"a": ["a", UNKNOWN]}, False),
        ({"contains": ["x", "b"]}, {"a": "abc"}, True),
        ({"at_least": 7}, {"a": "8"}, True),
        ({"at_least": 7}, {"a": 6.5}, False),
        ({"at_least": 7}, {"a": "many"}, False),
        ({"at_least": 7}, ABSENT, False),
        ({"at_least": 1, "at_most": 5}, {"a": 6}, False),
        ({"at_least": 1, "default": 3}, ABSENT, True),
        ({"equals": False, "default": True}, {"a": None}, False),
        ({"exists": True}, {"a": None}, False),
        ({"null": True}, {"a": None}, True),
        ({"null": True}, ABSENT, False),
        ({"empty": True}, {"a": []}, True),
        ({"empty": True}, {"a": 0}, False),
        ({"exists": True}, {"a": UNKNOWN}, "unknown"),
        ({"exists": True}, {"a": COMPUTED}, True),
        ({"empty": False}, {"a": PARTIAL}, True),
        ({"empty": False}, {"a": PartialList([UNKNOWN])}, "unknown"),
        ({"empty": False}, {"a": PartialList([UNKNOWN, 1])}, True),
        ({"empty": True}, {"a": PartialDict({}, UNKNOWN)}, "unknown"),
        ({"empty": True}, {"a": PartialDict({"b": 1}, UNKNOWN)}, False),
        ({"length_at_least": 2}, {"a": [1]}, False),
        ({"version_at_least": "1.2"}, {"a": "1.10"}, True),
        ({"version_at_least": "1.2"}, {"a": "1.1.9"}, False),
        ({"version_at_least": "15.4"}, {"a": "15"}, "unknown"),
        ({"covers_cidr": "0.0.0.0/0"}, {"a": ["10.0.0.0/8", "0.0.0.0/0"]}, True),
        ({"covers_cidr": ["0.0.0.0/0", "::/0"]}, {"a": "::/0"}, True),
        ({"covers_cidr": "0.0.0.0/0"}, {"a": "not a network"}, False),
        ({"within_cidr": "10.0.0.0/8"}, {"a": ["10.1.0.0/16", "11.0.0.0/8"]}, False),
        ({"overlaps_cidr": "10.1.0.0/16"}, {"a": "10.0.0.0/8"}, True),
        ({"covers_port": 22}, {"a": "20-25"}, True),
        ({"covers_port": [22, 3389]}, {"a": ["80", "443"]}, False),
        ({"covers_port": 22}, {"a": "*"}, True),
        ({"equals": "http", "ignore_case": True}, {"a": "HTTP"}, True),
        ({"contains": "http", "ignore_case": True}, {"a": PlacedList()}, False),
        ({"contains": "http", "ignore_case": True}, {"a": PartialList(["HTTP", UNKNOWN])}, True),
        ({"contains": "http", "ignore_case": True}, {"a": PartialList(["ftp", UNKNOWN])}, "unknown"),
        ({"is": "number"}, {"a": True}, False),
    ],
)
def test_comparisons(comparison: dict[str, Any], value: Any, expected: Any) -> None:
    assert truth({"path": "a", **comparison}, value) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"all": [{"path": "yes", "equals": 1}, {"path": "open", "equals": 1}]}, "unknown"),
        ({"all": [{"path": "no", "equals": 1}, {"path": "open", "equals": 1}]}, False),
        ({"any": [{"path": "yes", "equals": 1}, {"path": "open", "equals": 1}]}, True),
        ({"any": [{"path": "no", "equals": 1}, {"path": "open", "equals": 1}]}, "unknown"),
        ({"not": {"path": "open", "equals": 1}}, "unknown"),
        ({"not": {"path": "no", "equals": 1}}, True),
        ([{"path": "yes", "equals": 1}, {"path": "no", "equals": 0}], True),
    ],
)
def test_and_or_not_follow_kleene(condition: Any, expected: Any) -> None:
    assert truth(condition, {"yes": 1, "no": 0, "open": UNKNOWN}) == expected


COMMANDS: list[Any] = [
    {"path": "name", "equals": "helm"},
    [{"path": "name", "in": ["kubectl", "oc"]}, {"path": "operands", "contains": ["apply", 1]}],
    [{"path": "name", "matches": "^kube"}, {"path": "operands", "contains": "delete"}],
    {"all": [{"path": "name", "exists": True}, {"path": "operands", "exists": False}]},
    {"path": "operands", "contains": "--all"},
    {"not": {"path": "name", "not_equals": "terraform"}},
]


@pytest.mark.parametrize(
    "name", ["helm", "kubectl", "oc", "terraform", "", None, UNKNOWN, PARTIAL, 7, ["helm"], ABSENT]
)
@pytest.mark.parametrize("operands", [["apply"], ["1"], ["delete", "--all"], [], None, UNKNOWN, ["get", UNKNOWN], [1]])
def test_one_of_many_ways_is_found_by_the_name_it_asks_for(name: Any, operands: Any) -> None:
    value = {"operands": operands} if name is ABSENT else {"name": name, "operands": operands}
    answers = [truth(way, value) for way in COMMANDS]
    expected = True if True in answers else "unknown" if "unknown" in answers else False
    assert truth({"any": COMMANDS}, value) == truth({"any": COMMANDS}, dict(reversed(value.items()))) == expected


RULES = [{"port": 22, "from": ["10.0.0.0/8"]}, {"port": 443, "from": ["0.0.0.0/0", "10.0.0.0/8"]}]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"every": "rules", "satisfies": {"path": "port", "in": [22, 443]}}, True),
        ({"every": "rules[].from[]", "not_equals": "0.0.0.0/0"}, False),
        ({"some": "rules", "satisfies": {"path": "port", "equals": 443}}, True),
        (
            {
                "none": "rules",
                "where": {"path": "port", "equals": 22},
                "satisfies": {"path": "from", "contains": "0.0.0.0/0"},
            },
            True,
        ),
        ({"every": "nothing", "satisfies": {"path": "x", "equals": 1}}, True),
        ({"some": "nothing", "satisfies": {"path": "x", "equals": 1}}, False),
        ({"every": "open", "satisfies": {"path": "x", "equals": 1}}, "unknown"),
        ({"every": "labels.*", "not_equals": "b"}, False),
        ({"path": "rules.port", "at_least": 22}, True),
        ({"path": "rules.port", "equals": 22}, False),
        ({"path": "rules[0].port", "equals": 22}, True),
        ({"path": "rules[9].port", "exists": False}, True),
    ],
)
def test_quantifiers_and_paths(condition: Any, expected: Any) -> None:
    assert truth(condition, {"rules": RULES, "open": UNKNOWN, "labels": {"x": "a", "y": "b"}}) == expected


def test_one_known_bad_item_fails_whatever_the_rest() -> None:
    condition = {"every": "items", "not_equals": "bad"}
    assert truth(condition, {"items": ["good", UNKNOWN]}) == "unknown"
    assert truth(condition, {"items": ["bad", UNKNOWN]}) is False
    assert blamed(condition, {"items": ["good", UNKNOWN, "bad"]}) == [("items", 2)]


def test_a_list_that_several_resources_share_is_judged_once() -> None:
    asked: list[Any] = []

    def ask(value: Any, _parameters: Any, _context: Any) -> list[Violation]:
        asked.append(value)
        return []

    shared = SharedList([{"name": "a"}, {"name": "b"}])
    value = {"items": shared}
    some_b = compile_condition({"some": "items", "satisfies": {"path": "name", "equals": "b"}}, {})
    no_b = compile_condition({"none": "items", "satisfies": {"path": "name", "equals": "b"}}, {})
    checked = compile_condition({"every": "items", "satisfies": {"check": "ask"}}, {"ask": Check("ask", ask, {}, "")})
    assert some_b.test(value, context(value)) is True
    assert no_b.test(value, context(value)) is False
    assert checked.test(value, context(value)) is True
    assert asked == [{"name": "a"}, {"name": "b"}]
    shared.pop()  # nobody does that; it shows what is looked at again
    assert some_b.test(value, context(value)) is True
    assert no_b.test(value, context(value)) is False
    assert checked.test(value, context(value)) is True
    assert asked == [{"name": "a"}, {"name": "b"}, {"name": "a"}], "a check may look at more than the list"


def test_a_single_value_is_the_only_item() -> None:
    assert truth({"some": "Action", "equals": "*"}, {"Action": "*"}) is True


def test_paths_go_on_into_a_json_document() -> None:
    condition = {"some": "policy.Statement", "satisfies": {"path": "Action", "equals": "*"}}
    assert truth(condition, {"policy": '{"Statement": [{"Action": "*"}]}'}) is True
    assert truth(condition, {"policy": Embedded("...", {"Statement": [{"Action": UNKNOWN}]})}) == "unknown"
    assert truth(condition, {"policy": "{broken"}) == "unknown"


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ({"path": "a.b", "equals": 1}, {"a": {"b": 2}}, [("a", "b")]),
        ({"path": "a.b", "equals": 1}, {"a": {}}, [("a", "b")]),
        ({"all": [{"path": "a", "equals": 1}, {"path": "b", "equals": 1}]}, {"a": 0, "b": 0}, [("a",), ("b",)]),
        ({"any": [{"path": "a", "equals": 1}, {"path": "b", "equals": 1}]}, {"a": 0, "b": 0}, [("a",)]),
        ({"not": {"path": "a", "equals": 1}}, {"a": 1}, [("a",)]),
        ({"path": "a", "not_contains": "x"}, {"a": ["y", "x", "x"]}, [("a", 1), ("a", 2)]),
        ({"every": "a", "satisfies": {"path": "b", "equals": 1}}, {"a": [{"b": 1}, {"b": 2}]}, [("a", 1, "b")]),
        ({"none": "a[].b[]", "equals": 2}, {"a": [{"b": [1, 2]}, {"b": [2]}]}, [("a", 0, "b", 1), ("a", 1, "b", 0)]),
        ({"some": "a", "satisfies": {"path": "b", "equals": 1}}, {"a": [{"b": 3}]}, [("a",)]),
        ({"path": "a.b", "equals": 1}, {"a": [{"b": 1}, {"b": 2}]}, [("a", 1, "b")]),
        ({"path": "a", "equals": 1, "blame": "c"}, {"a": 2, "c": 0}, [("c",)]),
        ({"path": "doc.x", "equals": 1}, {"doc": '{"x": 2}'}, [("doc", "x")]),
    ],
)
def test_each_flaw_is_blamed_at_its_attribute(condition: Any, value: Any, expected: Any) -> None:
    assert blamed(condition, value) == expected


BLOCK = {
    "some_related": "block",
    "on": {"theirs": "bucket", "ours": "name"},
    "satisfies": {"path": "on", "equals": True},
}


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("logs", "logs", True),
        ("other", "logs", False),
        (Unknown("after apply", refers_to=("thing.a",)), "logs", True),
        (Unknown("after apply", refers_to=("thing.b",)), "logs", False),
        (UNKNOWN, "logs", "unknown"),
        (["x", "logs"], "logs", True),
    ],
)
def test_related_resources_are_found_by_reference_or_by_name(theirs: Any, ours: Any, expected: Any) -> None:
    block = resource({"bucket": theirs, "on": True}, "block", "block.a")
    assert truth(BLOCK, {"name": ours}, block) == expected


def test_a_related_resource_must_satisfy_the_condition() -> None:
    off = resource({"bucket": "logs", "on": False}, "block", "block.a")
    assert truth(BLOCK, {"name": "logs"}, off) is False
    assert truth({**BLOCK, "satisfies": {"path": "on", "equals": False}}, {"name": "logs"}, off) is True
    nothing = {"no_related": "block", "on": {"theirs": "bucket", "ours": "name"}}
    assert truth(nothing, {"name": "logs"}, off) is False
    assert truth(nothing, {"name": "other"}, off) is True


def test_named_checks_give_violations_and_doubts() -> None:
    def limit(value: Any, parameters: Any, _context: Any) -> Any:
        for number, item in enumerate(value["items"]):
            if isinstance(item, Unknown):
                yield Doubt(item, ("items", number))
            elif item > parameters["max"]:
                yield Violation(("items", number), f"{item} is too much")

    checks = {"limit": Check("limit", limit, {"type": "object"})}
    condition = {"check": "limit", "with": {"max": 3}}
    assert truth(condition, {"items": [1, 2]}, checks=checks) is True
    assert truth(condition, {"items": [1, UNKNOWN]}, checks=checks) == "unknown"
    assert truth(condition, {"items": [1, UNKNOWN, 4]}, checks=checks) is False
    value = {"items": [5, UNKNOWN, 4]}
    compiled = compile_condition(condition, checks)
    flaws = list(compiled.witness(value, context(value), False))
    assert [(flaw.path, flaw.detail) for flaw in flaws] == [
        (("items", 0), "5 is too much"),
        (("items", 2), "4 is too much"),
    ]


@pytest.mark.parametrize(
    ("condition", "message", "path"),
    [
        ({"path": "a"}, "a comparison is missing", ()),
        ({"equals": 1}, "found nothing", ()),
        ({"path": "a", "every": "b", "equals": 1}, "found 'path' and 'every'", ()),
        ({"all": [{"path": "a..b", "equals": 1}]}, "a name is missing", ("all", 0, "path")),
        ({"path": "a[].b", "equals": 1}, "fans out", ("path",)),
        ({"check": "lmit"}, "did you mean 'limit'", ("check",)),
        ({"some_related": "x"}, "needs 'on'", ()),
    ],
)
def test_mistakes_are_told_with_their_place(condition: Any, message: str, path: Any) -> None:
    with pytest.raises(ConditionError) as raised:
        compile_condition(condition, {"limit": Check("limit", lambda *_: (), {})})
    assert message in str(raised.value)
    assert raised.value.path == path


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 5), st.sampled_from(["a", "b", "ab", ""]))
LEAVES = st.sampled_from(
    [
        {"equals": 1},
        {"not_equals": "a"},
        {"in": [1, "a"]},
        {"not_in": ["b", 2]},
        {"exists": True},
        {"empty": False},
        {"at_least": 2},
        {"starts_with": "a"},
        {"contains": "b"},
        {"equals": 3, "default": 3},
    ]
)
PATHS = st.sampled_from(["x", "y", "z"])
CONDITIONS = st.recursive(
    st.builds(lambda path, leaf: {"path": path, **leaf}, PATHS, LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda item: {"not": item}, inner),
        st.builds(lambda head, leaf: {head: "items", **leaf}, st.sampled_from(["every", "some", "none"]), LEAVES),
    ),
    max_leaves=8,
)


@given(condition=CONDITIONS, x=SCALARS, y=SCALARS, items=st.lists(SCALARS, max_size=3), hidden=st.integers(0, 5))
def test_learning_an_unknown_never_changes_a_decided_outcome(
    condition: Any, x: Any, y: Any, items: list[Any], hidden: int
) -> None:
    known = {"x": x, "y": y, "items": items}
    vague = {
        "x": UNKNOWN if hidden & 1 else x,
        "y": UNKNOWN if hidden & 2 else y,
        "items": [UNKNOWN, *items[1:]] if hidden & 4 and items else items,
    }
    before = truth(condition, vague)
    if before != "unknown":
        assert truth(condition, known) == before


@pytest.mark.parametrize(
    ("start", "expected"),
    [("arn:aws:s3:::", False), (None, "unknown"), ("*", "unknown"), (" [", "unknown"), ("", "unknown")],
)
def test_text_of_which_a_part_is_known_is_the_only_item(start: str | None, expected: object) -> None:
    value = {"Resource": Unknown("a variable", fragments=(start, None))}
    assert truth({"some": "Resource", "equals": "*x"}, value) == expected


NESTED: list[Any] = [
    {},
    {"a": None},
    {"a": "x"},
    {"a": '{"b": {"c": "x"}}'},
    {"a": Embedded("{}", {"b": "x"})},
    {"a": UNKNOWN},
    {"a": Unknown("half known", fragments=("x", None))},
    {"a": Unknown("a list perhaps", fragments=("[", None))},
    {"a": {}},
    {"a": {"b": None}},
    {"a": {"b": "x", "c": 1}},
    {"a": {"b": ["x", "y"]}},
    {"a": {"b": []}},
    {"a": {"b": UNKNOWN}},
    {"a": {"b": Unknown("half known", fragments=("x", None))}},
    {"a": {"b": {"c": "x"}}},
    {"a": {"b": [{"c": "x"}, {"c": UNKNOWN}, {}]}},
    {"a": [{"b": "x"}]},
    {"a": [{"b": "x"}, {"b": {"c": "y"}}]},
    {"a": PartialDict({"b": {"c": "x"}}, UNKNOWN)},
    {"a": {"b": PartialDict({}, UNKNOWN)}},
    {"a": {"b": PartialList(["x", UNKNOWN])}},
    PartialDict({}, UNKNOWN),
    [],
    "x",
]


@pytest.mark.parametrize("path", ["a", "a.b", "a.b.c", "a.b[1]"])
@pytest.mark.parametrize("value", NESTED, ids=repr)
def test_a_path_from_mapping_to_mapping_leads_where_the_general_way_does(value: Any, path: str) -> None:
    steps = parse_path(path)
    names = names_only(steps)
    only = None if names is None else only_place(value, names)
    assert only is None or [only] == list(places(value, steps))
    for comparison in (
        {"equals": "x"},
        {"exists": True},
        {"empty": False},
        {"contains": "x"},
        {"default": "x", "in": ["x"]},
    ):
        compiled = compile_condition({"path": path, **comparison}, {})
        test_value = value_test(comparison)
        assert test_value is not None
        found = lookup(value, steps)
        each = [test_value[0](one) for one in found] if isinstance(found, Several) else [test_value[0](found)]
        expected = kleene_all(each)
        answer = compiled.test(value, context({}))
        assert answer == expected, comparison
        flaws = [at for at, one in places(value, steps) if test_value[0](one) is False]
        if answer is False:
            assert [witness.path for witness in compiled.witness(value, context({}), False)] == flaws


def test_the_code_of_a_check_is_loaded_once_and_when_first_called() -> None:
    loaded = []

    @deferred
    def odd() -> Judge:
        loaded.append("odd")
        return lambda value, parameters: [Violation(("n",), parameters["word"])] if value["n"] % 2 else ()

    condition = compile_condition({"check": "odd", "with": {"word": "odd"}}, {"odd": Check("odd", odd, {})})
    assert loaded == []
    assert [condition.test({"n": n}, context({})) for n in (1, 2, 3)] == [False, True, False]
    assert loaded == ["odd"]
