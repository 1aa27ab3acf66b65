"""GitHub's expression language: what is read, what it comes to, and which contexts reach the result."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.unknown import Unknown
from policy_engine_plugins.github.evaluate import evaluate
from policy_engine_plugins.github.expression import ExpressionError, contexts, flows, parse
from policy_engine_plugins.github.template import known, split


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null", None),
        ("-2.5e3", -2500.0),
        ("0xff", 255.0),
        ("'it''s'", "it's"),
        ("1 < 2 && 2 <= 2", True),
        ("!true || false", False),
        ("!(1 == 2)", True),
        ("'Abc' == 'aBC'", True),
        ("'1' == 1", True),
        ("null == 0", True),
        ("'x' == 0", False),
        ("true == 'true'", False),
        ("'' || 'fallback'", "fallback"),
        ("'a' && 'b'", "b"),
        ("contains('Hello', 'ELL')", True),
        ("contains(fromJSON('[\"a\", \"b\"]'), 'B')", True),
        ("startsWith('release/1', 'release/')", True),
        ("endsWith('a.tf', '.tf')", True),
        ("format('{0}-{1} {{x}}', 'a', 2)", "a-2 {x}"),
        ("join(fromJSON('[1, 2]'), '+')", "1+2"),
        ('fromJSON(\'{"a": {"b": 7}}\').a.b', 7),
        ("fromJSON('{\"a\": 1}')['A']", 1),
        ("matrix.os", "linux"),
        ("matrix.none", None),
    ],
)
def test_what_is_decided_is_evaluated(text: str, value: Any) -> None:
    assert evaluate(parse(text), {"matrix": {"os": "linux"}}) == value


@pytest.mark.parametrize("text", ["github.ref", "github.ref == 'x'", "env.A || 'b'", "hashFiles('*')", "fromJSON('{')"])
def test_what_only_a_run_decides_is_unknown(text: str) -> None:
    assert isinstance(evaluate(parse(text), {}), Unknown)


@pytest.mark.parametrize(
    ("text", "used", "flowing"),
    [
        ("github.event.issue.title", ["github.event.issue.title"], ["github.event.issue.title"]),
        ("github['event']['Issue'].title", ["github.event.issue.title"], ["github.event.issue.title"]),
        ("github.event.commits[0].message", ["github.event.commits.*.message"], ["github.event.commits.*.message"]),
        ("github.event.commits.*.message", ["github.event.commits.*.message"], ["github.event.commits.*.message"]),
        ("github.event[matrix.kind]", ["github.event.*", "matrix.kind"], ["github.event.*"]),
        ("contains(github.head_ref, 'x')", ["github.head_ref"], []),
        ("github.head_ref == 'x'", ["github.head_ref"], []),
        ("github.head_ref || github.ref", ["github.head_ref", "github.ref"], ["github.head_ref", "github.ref"]),
        ("github.head_ref && 'a' || 'b'", ["github.head_ref"], []),
        ("format('{0}', github.head_ref)", ["github.head_ref"], ["github.head_ref"]),
        ("toJSON(secrets)", ["secrets"], ["secrets"]),
        ("!github.head_ref", ["github.head_ref"], []),
    ],
)
def test_contexts_are_told_and_which_of_them_flow(text: str, used: list[str], flowing: list[str]) -> None:
    node = parse(text)
    assert contexts(node) == used
    assert flows(node) == flowing


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "the expression is empty", 0),
        ("a ==", "a value is wanted, found the end", 4),
        ('a == "b"', "texts are in single quotes", 5),
        ("'open", "the text is not closed", 0),
        ("a b", "unexpected 'b'", 2),
        ("f(1, ", "a value is wanted", 5),
        ("a.", "a property is wanted", 2),
        ("a[1", "']' is wanted, found the end", 3),
        ("(" * 5000 + "1" + ")" * 5000, "nested more than 50 deep", 51),
        ("!" * 5000 + "1", "nested more than 50 deep", 51),
        ("a" + ".b" * 5000, "more than 50 dereferences", 101),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError, match=message.replace("[", r"\[")) as raised:
        parse(text)
    assert raised.value.offset == offset


def test_a_closing_brace_inside_a_text_does_not_end_an_expression() -> None:
    parts, faults = split("a ${{ format('}}') }} b")
    assert [part.text for part in parts] == ["a ", "format('}}')", " b"]
    assert faults == []


def test_an_unclosed_expression_is_a_fault_and_the_text_stays() -> None:
    parts, faults = split("a ${{ x")
    assert [part.text for part in parts] == ["a ${{ x"]
    assert (faults[0].message, faults[0].offset) == ("'${{' is not closed with '}}'", 2)


def test_half_known_text_keeps_what_is_known() -> None:
    parts, _ = split("v${{ 1 }}-${{ github.sha }}")
    value = known(parts, {})
    assert isinstance(value, Unknown)
    assert value.fragments == ("v1-", None)
    assert value.reason == "depends on ${{ github.sha }}"
