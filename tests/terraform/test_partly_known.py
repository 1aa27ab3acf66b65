"""Collections of which a part is known: the known part decides, the rest stays open."""

from __future__ import annotations

import pytest
from terraform_configuration import Loader

from policy_engine.operators import OPERATORS
from policy_engine.partial import PartialDict, PartialList
from policy_engine.path import ABSENT, lookup, parse_path, places
from policy_engine.unknown import Embedded, Unknown

MORE = 'variable "more" {}\n'


def shown(value: object) -> object:
    """The value with `?` for what is not known, and `...` for further entries."""
    if isinstance(value, PartialDict):
        return {**{key: shown(item) for key, item in value.items()}, "...": "?"}
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, PartialList):
        return ("...", *(shown(item) for item in value))
    if isinstance(value, list):
        return [shown(item) for item in value]
    return "?" if isinstance(value, Unknown) else value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('concat(["a"], var.more)', ("...", "a", "?")),
        ('concat(var.more, ["a"], ["b"])', ("...", "?", "a", "b")),
        ("concat(var.more, [])", "?"),
        ('flatten([["a"], var.more])', ("...", "a", "?")),
        ('toset(concat(["a"], var.more))', ("...", "a", "?")),
        ('toset(["a", var.more])', ("...", "a", "?")),
        ('distinct(concat(["a", "b"], var.more))', ("...", "a", "b", "?")),
        ('compact(["a", "", var.more])', ("...", "a", "?")),
        ('setunion(["a"], var.more)', ("...", "a", "?")),
        ('[for x in concat(["a"], var.more) : upper(x)]', ("...", "A", "?")),
        ('[for x in ["a", "b"] : x if x == "a" || var.more]', ("...", "a", "?")),
        ('concat([{ n = "a" }], var.more)[*].n', ("...", "a", "?")),
        ('concat(["a"], var.more)[0]', "a"),
        ('concat(var.more, ["a"])[0]', "?"),
        ('contains(concat(["a"], var.more), "a")', True),
        ('contains(concat(["a"], var.more), "b")', "?"),
        ('length(concat(["a"], var.more))', "?"),
        ('coalescelist(concat(["a"], var.more), ["z"])', ("...", "a", "?")),
        ("merge(var.more, { a = 1 })", {"a": 1, "...": "?"}),
        ("merge({ a = 1, b = 2 }, var.more, { b = 3 })", {"a": "?", "b": 3, "...": "?"}),
        ("merge(var.more, { a = 1 }).a", 1),
        ("merge(var.more, { a = 1 }).b", "?"),
        ('lookup(merge(var.more, { a = 1 }), "a", 0)', 1),
        ('lookup(merge(var.more, { a = 1 }), "b", 0)', "?"),
        ("{ (var.more) = 1, b = 2 }", {"b": 2, "...": "?"}),
        ("{ for k, v in merge(var.more, { a = 1 }) : k => v + 1 }", {"a": 2, "...": "?"}),
        ("keys(merge(var.more, { a = 1 }))", ("...", "a", "?")),
        ("values(merge(var.more, { a = 1 }))", ("...", 1, "?")),
    ],
)
def test_expression_keeps_what_is_known(load: Loader, expression: str, expected: object) -> None:
    value = load(f'{MORE}resource "a" "b" {{\n  v = {expression}\n}}\n')["a.b"].value["v"]
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.other.arn == null", False),
        ("a.other.id != null", True),
        ('a.other.id == ""', False),
        ('a.other.id == "x"', "?"),
        ("a.other.made == null", "?"),
        ('"x-${var.more}" == null', False),
        ('"x-${var.more}" == ""', False),
        ('"x-${var.more}" == "y-1"', False),
        ('"x-${var.more}" == "x-1"', "?"),
        ('"x-${var.more}-x" == "x-x"', False),
        ('"${var.more}-x" != "x-y"', True),
        ('"a${var.more}b${var.more}c" == "a-c"', False),
        ('"a${var.more}b${var.more}c" == "abc"', "?"),
        ('"${var.more}${var.more}" == ""', "?"),
        ("var.more == null", "?"),
        ('concat(["a"], var.more) == null', False),
        ('a.other.arn == null ? "none" : "some"', "some"),
        ('["x-${var.more}"] == ["y"]', False),
    ],
)
def test_what_is_known_of_an_unknown_decides_comparisons(load: Loader, expression: str, expected: object) -> None:
    value = load(f'{MORE}resource "a" "other" {{}}\nresource "a" "b" {{\n  v = {expression}\n}}\n')["a.b"].value["v"]
    assert shown(value) == expected


def test_a_policy_with_further_statements_keeps_the_known_ones(load: Loader) -> None:
    value = load(
        MORE
        + """
        resource "a" "b" {
          v = jsonencode({ Statement = concat([{ Effect = "Allow", Action = "*" }], var.more) })
        }
        """
    )["a.b"].value["v"]
    assert isinstance(value, Embedded)
    assert shown(value.value) == {"Statement": ("...", {"Effect": "Allow", "Action": "*"}, "?")}


def test_blocks_and_instances_are_made_for_the_known_elements_and_one_for_the_rest(load: Loader) -> None:
    found = load(
        MORE
        + """
        resource "a" "b" {
          for_each = merge(var.more, { eu = "x" })
          v        = each.value
          dynamic "rule" {
            for_each = concat([22], var.more)
            content {
              port = rule.value
            }
          }
        }
        resource "a" "c" {
          v = a.b["eu"].v
        }
        """
    )
    assert shown(found['a.b["eu"]'].value) == {"v": "x", "rule": [{"port": 22}, {"port": "?"}]}
    assert shown(found["a.b"].value["v"]) == "?"
    assert found["a.c"].value["v"] == "x"


def test_the_place_of_a_known_element_is_found_behind_what_is_not_known(load: Loader) -> None:
    found = load(MORE + 'resource "a" "b" {\n  v = concat(var.more, ["x", "y"])\n}\n')
    assert found.place("a.b", "v", 2) == '"y"'


REST = Unknown("variable 'more' has no default")
SOME = PartialList(["a", REST, "b"])
MAP = PartialDict({"a": 1}, REST)


@pytest.mark.parametrize(
    ("operator", "value", "operand", "expected"),
    [
        ("length_at_least", SOME, 2, True),
        ("length_at_least", SOME, 3, "?"),
        ("length_at_most", SOME, 1, False),
        ("length_at_most", SOME, 2, "?"),
        ("length_at_least", MAP, 1, True),
        ("contains", SOME, "b", True),
        ("contains", SOME, "c", "?"),
        ("contains", MAP, "a", True),
        ("contains", MAP, "c", "?"),
        ("equals", SOME, ["a"], False),
        ("equals", SOME, ["a", "b"], "?"),
        ("equals", MAP, {"a": 2}, False),
        ("equals", MAP, {"a": 1}, "?"),
    ],
)
def test_operators_decide_only_what_the_rest_cannot_change(
    operator: str, value: object, operand: object, expected: object
) -> None:
    test = OPERATORS[operator].test
    assert test is not None
    assert shown(test(value, operand)) == expected


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        (SOME, "[0]", "a"),
        (SOME, "[2]", "?"),
        (SOME, "[7]", "?"),
        (MAP, "a", 1),
        (MAP, "b", "?"),
        (["a"], "[7]", ABSENT),
    ],
)
def test_paths_into_what_is_partly_known(value: object, path: str, expected: object) -> None:
    assert shown(lookup(value, parse_path(path))) == expected
    assert [shown(found) for _, found in places(value, parse_path(path))] == [expected]


def test_every_value_of_a_partly_known_mapping_includes_the_rest() -> None:
    assert [shown(found) for _, found in places(MAP, parse_path("*"))] == [1, "?"]
