"""Nothing in a pipeline makes the reader raise, hang, reach outside the tree or point outside the file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitlab_reading import FORMAT, cut, load
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine.unit import ProblemKind, Unit

GOOD = "good: {script: [x], image: node:20}\n"


def chain(count: int) -> str:
    return "".join(f".j{n}: {{extends: .j{n + 1}}}\n" for n in range(count)) + f".j{count}: {{script: [x]}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {extends: a, script: [x]}\n", "extends itself"),
        ("a: {extends: .b}\n.b: {extends: .c}\n.c: {extends: .b}\n", "extends itself"),
        (chain(50) + "a: {extends: .j0}\n", "levels deep"),
        (".a: {script: [!reference [.a, script]]}\nb: {script: [!reference [.a, script]]}\n", "levels deep"),
        ("b: {script: [!reference [.none, script]]}\n", "is not defined"),
        (".x: {a: b}\nb: {script: [!reference [.x, z]]}\n", "there is no 'z'"),
        ("b: {script: [!reference []]}\n", "lists the keys"),
        ("include: .gitlab-ci.yml\n", "includes itself"),
        ("a: text\n", "is not a mapping"),
        ("a: {stage: test}\n", "has neither 'script' nor 'trigger'"),
        ("a: {extends: 7, script: [x]}\n", "not a job's name"),
        ("a: {extends: .b, script: [x]}\n.b: text\n", "is not a job"),
        ("- a\n", "holds a mapping"),
        ("", "is empty"),
        ("a: [\n", "not valid YAML"),
        ("a: *b\n", "alias *b"),
    ],
)
def test_what_is_wrong_is_told_at_its_place_and_the_rest_is_judged(text: str, message: str) -> None:
    whole = GOOD + text if text and text[0] not in "-" else text
    loaded = load(whole)
    told = [problem for problem in loaded.problems if message in problem.message]
    assert told, [str(problem) for problem in loaded.problems]
    assert all(problem.kind in (ProblemKind.NOT_UNDERSTOOD, ProblemKind.LIMITED) for problem in told)
    if "not valid" not in message and "alias" not in message and text and text[0] != "-":
        assert any(resource.address.endswith("jobs/good/image") for resource in loaded.resources)


def test_a_broken_included_file_is_told_and_the_others_are_judged() -> None:
    files = {".gitlab-ci.yml": GOOD + "include: [a.yml, b.yml]\n", "a.yml": "x: [\n", "b.yml": "c: {script: [y]}\n"}
    loaded = load(files)
    assert [problem.path for problem in loaded.problems] == ["a.yml"]
    assert {each.name for each in loaded.resources if each.type == "job"} == {"good", "c"}


def test_includes_in_a_circle_end() -> None:
    files = {
        ".gitlab-ci.yml": "include: a.yml\n" + GOOD,
        "a.yml": "include: b.yml\n",
        "b.yml": "include: a.yml\nlast: {script: [x]}\n",
    }
    loaded = load(files)
    assert ["includes itself" in problem.message for problem in loaded.problems] == [True]
    assert {each.name for each in loaded.resources if each.type == "job"} == {"good", "last"}


OUTSIDE = ["../../etc/passwd.yml", "/../../x.yml", "..\\x.yml", "C:/x.yml", "a\x00.yml", "****/x"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_the_tree_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("secret: {script: [x]}\n")
    project = tmp_path / "project"
    project.mkdir()
    quoted = name.replace("\\", "\\\\").replace("\x00", "\\0")
    (project / ".gitlab-ci.yml").write_text(f'include: "{quoted}"\n{GOOD}')
    tree = WorkTree(str(project))
    (unit,) = FORMAT.units([".gitlab-ci.yml"], tree)
    assert unit.paths == (".gitlab-ci.yml",)
    assert not any("secret" in resource.address for resource in FORMAT.load(unit, tree).resources)


@pytest.mark.parametrize(
    "text",
    [
        "job:\n  script: [x]\n  image: $A\n  parallel: {matrix: ["
        + ", ".join("{A: [" + ", ".join(map(str, range(200))) + "]}" for _ in range(200))
        + "]}\n",
        "".join(f".r{n}: [{', '.join([f'!reference [.r{n + 1}]'] * 20)}]\n" for n in range(12))
        + ".r12: [x]\njob: {script: [!reference [.r0]]}\n",
        ".base: {variables: {"
        + ", ".join(f"V{n}: x" for n in range(20_000))
        + "}}\n"
        + "".join(f"j{n}: {{extends: .base, script: [x], variables: {{Y: z}}}}\n" for n in range(3000)),
        "variables: {"
        + ", ".join(f"V{n}: '{f'$V{n + 1}' * 50}'" for n in range(30))
        + "}\njob: {image: $V0, script: [x]}\n",
        "variables: {A: $B, B: $A}\njob: {image: $A, script: [x]}\n",
        "job: {script: [x], rules: [{if: '" + "(" * 3000 + "'}]}\n",
        "job: {script: [x], rules: [{if: '" + "$A && " * 700 + "$A'}]}\n",
        "job: {script: ['" + "a;" * 100_000 + "']}\n",
        "job: {script: " + "[" * 150 + "x" + "]" * 150 + "}\n",
        "include: [" + "{local: a.yml}, " * 3000 + "]\njob: {script: [x]}\n",
    ],
    ids=["matrix", "references", "extends", "variables", "circle", "brackets", "ands", "script", "lists", "includes"],
)
def test_hostile_pipelines_are_bounded(text: str) -> None:
    started = time.process_time()
    loaded = load({".gitlab-ci.yml": text, "a.yml": "include: b.yml\nx: {script: [y]}\n"})
    for resource in loaded.resources:
        if resource.type == "script":
            _ = resource.value["commands"]
    assert time.process_time() - started < 20


PIECES = [
    *("job:", "script:", "extends:", "include:", "image:", "variables:", "default:", "rules:", "services:", "trigger:"),
    *("environment:", "parallel:", "matrix:", "inherit:", "artifacts:", "spec:", "inputs:", ".base", "$A", "${B}"),
    *(
        "$[[ inputs.x ]]",
        "!reference [a, b]",
        "local: a.yml",
        "*x",
        "&x ",
        "<<: *x",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
    ),
    *("---\n", "[", "]", "{", "}", "'", '"', "|\n", "#", "null", "true", "1", "é", "\t", "\x00"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_and_every_place_is_in_it(text: str) -> None:
    tree = MemoryTree({".gitlab-ci.yml": text.encode()})
    loaded = FORMAT.load(Unit("gitlab", ".gitlab-ci.yml", (".gitlab-ci.yml",)), tree)
    for resource in loaded.resources:
        cut(text, resource.location)
        for key in resource.value:
            cut(text, resource.locate((key, 0)).location)
            cut(text, resource.locate((key, "x", "y")).location)
