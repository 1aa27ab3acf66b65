"""Expressions give what Terraform gives; the table's values were taken from Terraform itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy_engine.tree import MemoryTree
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.evaluate import evaluate
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.functions.encoding import encode_json
from policy_engine_plugins.terraform.instance import ModuleInstance
from policy_engine_plugins.terraform.lexical import SyntaxFault
from policy_engine_plugins.terraform.module import Module
from policy_engine_plugins.terraform.parser import parse_expression
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown
from policy_engine_plugins.terraform.workspace import Workspace

TABLE = Path(__file__).parent / "expressions.txt"


def rows() -> Iterator[tuple[str, str, str]]:
    """Each expression with Terraform's result and ours, which are the same unless the table says otherwise."""
    expression = expected = ours = ""
    for line in [*TABLE.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("    = "):
            expected = ours = line[6:]
        elif line.startswith("    ours = "):
            ours = line[11:]
        else:
            if expected:
                yield expression, expected, ours
            expression, expected = line, ""


def result_of(text: str) -> str:
    source = Source("console", text)
    module = ModuleInstance(Module(""), Workspace("", MemoryTree({}), Files()))
    try:
        value = evaluate(parse_expression(source), module.scope(source))
    except (EvaluationError, SyntaxFault):
        return "refused"
    except NotKnown as missing:
        return f"UNKNOWN {missing.unknown.reason}"
    return f"UNKNOWN {value.reason}" if isinstance(value, Unknown) else encode_json(value)


@pytest.mark.parametrize(("expression", "ours"), [pytest.param(row[0], row[2], id=row[0]) for row in rows()])
def test_expression_gives(expression: str, ours: str) -> None:
    assert result_of(expression) == ours


def test_the_table_is_large_enough_to_mean_something() -> None:
    found = list(rows())
    assert len(found) > 600
    assert sum(expected == ours for _, expected, ours in found) / len(found) > 0.95


def test_where_we_differ_we_mostly_say_that_we_do_not_know() -> None:
    wrong = [row for row in rows() if row[1] != row[2] and not row[2].startswith("UNKNOWN")]
    # Digits beyond the sixteenth, and expressions that Terraform refuses without a need.
    assert len(wrong) <= 12


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("timestamp()", "the present time is not known"),
        ("uuid()", "uuid() is made by chance"),
        ('bcrypt("x")', "bcrypt salts its result by chance"),
        ("terraform.workspace", "terraform.workspace is chosen when Terraform runs"),
        ('abspath("x")', "where the module lies on disk is not known"),
        ('regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")', "a regular expression that is too complex"),
        ('provider::aws::arn_parse("x")', "the function provider::aws::arn_parse belongs to a provider"),
    ],
)
def test_what_only_a_run_can_tell_is_unknown(expression: str, reason: str) -> None:
    assert result_of(expression).startswith(f"UNKNOWN {reason}")
