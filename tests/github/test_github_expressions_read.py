"""What is odd about an expression, and where the text it carries comes from."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policy_engine.check import Doubt, Violation
from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github import GithubFormat
from policy_engine_plugins.github.checks import untrusted_input
from policy_engine_plugins.github.expression import parse
from policy_engine_plugins.github.traits import parsed_contexts, traits

PATH = ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("github.ref == 'x' && '' || 'y'", {"falsy-middle": True}),
        ("github.ref == 'x' && 0 || 1", {"falsy-middle": True}),
        ("github.ref == 'x' && 'y' || ''", {}),
        ("github.ref == 'x' && fromJSON('false') || true", {"falsy-middle": True}),
        ("contains('a b', github.ref)", {"listed-in-text": True}),
        ("contains(fromJSON('[\"a\"]'), github.ref)", {}),
        ("contains(github.ref, 'a')", {}),
        ("secrets[matrix.x]", {"chosen-secret": True}),
        ("secrets['X']", {}),
        ("secrets[format('{0}_KEY', 'A')]", {"chosen-secret": True, "constant": True}),
        ("format('{0}', 'a')", {"constant": True}),
        ("format('{0}', github.ref)", {}),
        ("fromJSON('[1, 2]')", {}),
        ("fromJSON('[1, 2]')[0]", {}),
        ("true", {}),
        ("!true", {"constant": True}),
        ("'a' == 'b'", {"constant": True}),
        ("always() && github.ref", {}),
        ("success()", {}),
        ("matrix[github.job]", {}),
    ],
)
def test_traits_of_an_expression(text: str, expected: dict[str, Any]) -> None:
    assert traits(parse(text)) == expected


@pytest.mark.parametrize("text", ["github[matrix.x]", "a && fromJSON(vars.X) || b", "contains(matrix.x, github.ref)"])
def test_a_trait_that_depends_on_the_run_is_unknown(text: str) -> None:
    assert any(isinstance(known, Unknown) for known in traits(parse(text)).values())


def test_contexts_that_are_taken_apart() -> None:
    assert parsed_contexts(parse("fromJSON(secrets.A).x || fromJSON(format('{0}', env.B)) || secrets.C")) == [
        "secrets.a",
        "env.b",
    ]


def found(text: str) -> list[str]:
    loaded = GithubFormat().load(Unit("github", PATH, (PATH,)), MemoryTree({PATH: text.encode()}))
    assert not loaded.problems
    told = []
    for each in loaded.resources:
        if each.type == "step":
            for one in untrusted_input(each.value, {"outputs": {"Acme/Files": ["*_files"]}}):
                told.append("?" if isinstance(one, Doubt) else one.detail if isinstance(one, Violation) else "")
    return told


def job(steps: str, more: str = "") -> str:
    return f"on: issues\njobs:\n  a:\n    runs-on: ubuntu-24.04\n{more}    steps:\n{steps}"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        (
            job(
                '      - id: one\n        run: echo "t=$T" >> $GITHUB_OUTPUT\n'
                '        env: {T: "${{ github.head_ref }}"}\n'
                "      - run: echo ${{ steps.ONE.outputs.T }} ${{ steps.one.outputs.x }} ${{ steps.two.outputs.t }}\n"
            ),
            ["steps.one.outputs.t, which holds github.head_ref"],
        ),
        (
            job(
                '      - id: one\n        run: echo "t=${{ github.head_ref }}" >> $GITHUB_OUTPUT\n'
                "      - run: echo ${{ steps.one.outputs.t }}\n"
            ),
            ["github.head_ref", "steps.one.outputs.t, which holds github.head_ref"],
        ),
        (
            job(
                "      - id: f\n        uses: acme/files@v1\n"
                "      - run: echo ${{ steps.f.outputs.all_files }} ${{ steps.f.outputs.n }}\n"
            ),
            ["steps.f.outputs.all_files, which holds an output of acme/files"],
        ),
        (
            job(
                "      - run: echo ${{ matrix.title }} ${{ matrix.fixed }}\n",
                "    strategy: {matrix: {title: ['${{ github.event.issue.title }}'], fixed: [a]}}\n",
            ),
            ["matrix.title, which holds github.event.issue.title"],
        ),
        (
            job(
                "      - run: echo ${{ matrix.any.thing }}\n",
                "    strategy: {matrix: '${{ fromJSON(github.event.issue.body) }}'}\n",
            ),
            ["matrix.any.thing, which holds github.event.issue.body"],
        ),
        (
            job(
                "      - run: echo ${{ matrix.name }} ${{ matrix.os }}\n",
                "    strategy: {matrix: {os: [x], include: [{name: '${{ github.head_ref }}'}]}}\n",
            ),
            ["matrix.name, which holds github.head_ref"],
        ),
        (
            "on: issues\njobs:\n  one:\n    outputs: {t: '${{ github.event.issue.title }}', n: '${{ github.sha }}'}\n"
            "    steps: [{run: ./a}]\n  two:\n    needs: one\n    steps:\n"
            "      - run: echo ${{ needs.one.outputs.t }} ${{ needs.one.outputs.n }} ${{ needs.three.outputs.t }}\n",
            ["needs.one.outputs.t, which holds github.event.issue.title"],
        ),
    ],
)
def test_text_is_followed_to_whoever_wrote_it(text: str, details: list[str]) -> None:
    assert found(text) == details


def test_jobs_that_need_each_other_end() -> None:
    text = (
        "on: issues\njobs:\n"
        "  a:\n    needs: b\n    outputs: {t: '${{ needs.b.outputs.t }}'}\n    steps: [{run: ./a}]\n"
        "  b:\n    needs: a\n    outputs: {t: '${{ needs.a.outputs.t }}'}\n"
        "    steps: [{run: 'echo ${{ needs.a.outputs.t }}'}]\n"
    )
    assert found(text) == ["?"]


def test_thousands_of_steps_are_judged_in_bounded_time() -> None:
    steps = "".join(
        f'      - id: s{n}\n        run: echo "t=$T" >> $GITHUB_OUTPUT; echo ${{{{ steps.s{n - 1}.outputs.t }}}}\n'
        for n in range(2000)
    )
    started = time.process_time()
    assert len(found(job(steps, '    env: {T: "${{ github.head_ref }}"}\n'))) == 1999
    assert time.process_time() - started < 20


def test_a_script_of_thousands_of_commands_is_judged_in_bounded_time() -> None:
    block = "".join("          echo a=$T\n" for _ in range(4000))
    text = job("      - run: |\n          {\n" + block + "          } >> $GITHUB_ENV\n")
    pipes = job("      - run: " + "tee $GITHUB_ENV | " * 3000 + "cat\n")
    started = time.process_time()
    assert found(text) == found(pipes) == []
    assert time.process_time() - started < 20
