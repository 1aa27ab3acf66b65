"""`${{ }}` comes to what the documentation of its functions says, and to unknown where the run decides."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.evaluate import evaluate
from policy_engine_plugins.azure_pipelines.expression import ExpressionError, parse
from policy_engine_plugins.azure_pipelines.scope import Given, Scope

SCOPE = Scope(
    ("azure-pipelines.yml",),
    {"name": Given("web"), "flag": Given(True), "names": Given(["a", "b"]), "map": Given({"Key": "v", "n": {"m": 1}})},
    {"tag": "1.2", "runtime": "$(Build.BuildId)"},
)
UNKNOWN = object()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it''s'", "it's"),
        ("42", 42),
        ("-1.5", -1.5),
        ("1.2.3", "1.2.3"),
        ("0xFF", 255),
        ("true", True),
        ("null", None),
        ("parameters.name", "web"),
        ("PARAMETERS.NAME", "web"),
        ("parameters['name']", "web"),
        ("parameters.names[1]", "b"),
        ("parameters.map.key", "v"),
        ("parameters.map['n'].m", 1),
        ("parameters.map.none", None),
        ("variables.tag", "1.2"),
        ("variables['tag']", "1.2"),
        ("variables.runtime", UNKNOWN),
        ("variables['Build.SourceBranch']", UNKNOWN),
        ("eq(parameters.name, 'WEB')", True),
        ("ne('a', 'b')", True),
        ("eq(parameters.flag, 'true')", True),
        ("and(true, eq(variables['Build.Reason'], 'x'))", UNKNOWN),
        ("and(false, eq(variables['Build.Reason'], 'x'))", False),
        ("or(true, eq(variables['Build.Reason'], 'x'))", True),
        ("or(false, false)", False),
        ("not(true)", False),
        ("xor(true, false)", True),
        ("gt(2, 1)", True),
        ("le('a', 'b')", True),
        ("in('a', 'b', 'A')", True),
        ("in('a', variables['x'], 'a')", True),
        ("notIn('a', 'b')", True),
        ("notIn('a', variables['x'])", UNKNOWN),
        ("contains('ABC', 'bc')", True),
        ("containsValue(parameters.names, 'B')", True),
        ("startsWith('refs/heads/main', 'refs/HEADS')", True),
        ("endsWith('abc', 'BC')", True),
        ("format('{0}-{1} {{x}}', 'a', 2)", "a-2 {x}"),
        ("format('{0')", UNKNOWN),
        ("join(';', parameters.names)", "a;b"),
        ("length('abc')", 3),
        ("lower('AbC')", "abc"),
        ("upper('AbC')", "ABC"),
        ("trim('  a ')", "a"),
        ("replace('a-b', '-', '_')", "a_b"),
        ("split('a,b', ',')", ["a", "b"]),
        ("coalesce('', null, 'x')", "x"),
        ("iif(true, 'a', 'b')", "a"),
        ("convertToJson(parameters.names)", '["a", "b"]'),
        ("counter('a', 1)", UNKNOWN),
        ("succeeded()", UNKNOWN),
        ("dependencies.build.outputs['x.y']", UNKNOWN),
        ("parameters.unknown", UNKNOWN),
    ],
)
def test_an_expression_comes_to(text: str, expected: Any) -> None:
    value = evaluate(parse(text), SCOPE).value
    if expected is UNKNOWN:
        assert isinstance(value, Unknown)
    else:
        assert value == expected
        assert type(value) is type(expected)


@pytest.mark.parametrize("text", ["", "eq(", "eq('a'", "a b", "'open", "eq(,)", "a.", "a[", "(", "+", "(" * 200])
def test_what_is_no_expression_is_told(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_a_comparison_with_what_is_partly_known_may_be_decided() -> None:
    scope = Scope(("x.yml",), {"p": Given(Unknown("x", fragments=("refs/tags/", None)))})
    assert evaluate(parse("eq(parameters.p, 'refs/heads/main')"), scope).value is False
