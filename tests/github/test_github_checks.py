"""The checks of expressions: what a stranger writes must not reach a script."""

from __future__ import annotations

import pytest

from policy_engine.check import Violation
from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine_plugins.github import GithubFormat
from policy_engine_plugins.github.checks import expression_uses, untrusted_input

PATH = ".github/workflows/ci.yml"


def step(run: str) -> dict[str, object]:
    head = "on: issues\nenv:\n  TITLE: ${{ github.event.issue.title }}\n"
    text = f"{head}jobs:\n  a:\n    steps:\n      - run: {run}\n"
    loaded = GithubFormat().load(Unit("github", PATH, (PATH,)), MemoryTree({PATH: text.encode()}))
    assert not loaded.problems
    return dict(next(each for each in loaded.resources if each.type == "step").value)


@pytest.mark.parametrize(
    ("run", "detail"),
    [
        ("echo ${{ github.event.issue.title }}", "github.event.issue.title"),
        ("echo ${{ github.event.issue['title'] }}", "github.event.issue.title"),
        ("echo ${{ github.event.commits[0].message }}", "github.event.commits.*.message"),
        ("echo '${{ toJSON(github.event) }}'", "github.event"),
        ("echo ${{ format('{0}', github.head_ref) }}", "github.head_ref"),
        ("echo ${{ env.TITLE }}", "env.title, which holds github.event.issue.title"),
        ('echo "$TITLE"', None),
        ("echo ${{ github.event.issue.number }}", None),
        ("echo ${{ github.sha }} ${{ github.ref == github.head_ref }}", None),
        ("echo ${{ contains(github.event.issue.title, 'x') && 'yes' || 'no' }}", None),
    ],
)
def test_untrusted_text_in_a_script(run: str, detail: str | None) -> None:
    found = list(untrusted_input(step(run), {"in": ["run"]}))
    assert [each.detail for each in found if isinstance(each, Violation)] == ([] if detail is None else [detail])


def test_each_expression_is_told_at_its_own_place() -> None:
    value = step("echo ${{ github.head_ref }} ${{ github.sha }} ${{ github.event.comment.body }}")
    found = list(untrusted_input(value, {"in": ["run"]}))
    assert [each.path for each in found] == [("expressions", 0), ("expressions", 2)]


def test_contexts_in_named_places_are_found() -> None:
    value = step("curl -H ${{ secrets.TOKEN }} ${{ toJSON(secrets) }} ${{ secrets.A == '' }}")
    contexts = {"in": ["run"], "contexts": ["secrets", "secrets.*"]}
    assert len(list(expression_uses(value, contexts))) == 3
    assert len(list(expression_uses(value, {**contexts, "flows": True}))) == 2
    assert list(expression_uses(value, {**contexts, "in": ["env.*"]})) == []
