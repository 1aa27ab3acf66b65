"""Nothing in a pipeline makes the reader raise, hang, reach outside the tree or point outside the file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure_reading import FORMAT, cut, load
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine.unit import ProblemKind, Unit

GOOD = "- script: good\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:\n- template: azure-pipelines.yml\n" + GOOD, "uses itself"),
        ("steps:\n- script: ${{ eq( }}\n" + GOOD, "in an expression"),
        ("steps:\n- ${{ if eq( }}:\n  - script: x\n" + GOOD, "in a condition"),
        ("steps:\n- ${{ each x of y }}:\n  - script: x\n" + GOOD, "a loop reads"),
        ("steps:\n- text\n" + GOOD, "a step is not a mapping"),
        ("steps:\n- bash: {a: b}\n" + GOOD, "what 'bash' holds is not a text"),
        ("steps:\n- task: {a: b}\n" + GOOD, "what 'task' holds is not a text"),
        ("steps:\n- template: ${{ parameters.x }}\n" + GOOD, "which template is used is not known"),
        ("steps:\n- script: [a, b]\n" + GOOD, "a script is text, and this is none"),
        ("steps:\n- bash: {a: b}\n" + GOOD, "a script is text, and this is none"),
        ("steps:\n- task: Bash@3\n  inputs: {targetType: inline, script: [a]}\n" + GOOD, "a script is text, and this"),
        ("steps: {a: b}\n", "'steps' is not a list"),
        ("steps: text\n", "'steps' is not a list"),
        ("stages: 7\n", "'stages' is not a list"),
        ("jobs:\n- job: a\n  steps: {b: c}\n- job: b\n  steps:\n  " + GOOD, "'steps' is not a list"),
        ("steps:\n- task: {a: b}\n  inputs: {a: b}\n" + GOOD, "a task is named by a text"),
        ("steps:\n- task:\n" + GOOD, "a task is named by a text"),
        ("jobs:\n- text\n- job: a\n  steps:\n  " + GOOD, "a job is not a mapping"),
        ("jobs:\n- name: b\n- job: a\n  steps:\n  " + GOOD, "is a 'job', a 'deployment' or a 'template'"),
        ("stages:\n- 7\n- stage: s\n  jobs:\n  - job: a\n    steps:\n    " + GOOD, "a stage is not a mapping"),
        ("extends: base.yml\n", "'extends' names a 'template'"),
        ("- a\n", "holds a mapping"),
        ("", "is empty"),
        ("steps: [\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_at_its_place_and_the_rest_is_judged(text: str, message: str) -> None:
    loaded = load(text)
    told = [problem for problem in loaded.problems if message in problem.message]
    assert told, [str(problem) for problem in loaded.problems]
    assert all(problem.kind in (ProblemKind.NOT_UNDERSTOOD, ProblemKind.LIMITED) for problem in told)
    if "good" in text:
        assert any(each.value.get("script") == "good" for each in loaded.resources)


@pytest.mark.parametrize("name", ["''", "", "~"])
def test_a_job_may_have_no_name(name: str) -> None:
    loaded = load(f"jobs:\n- job: {name}\n  steps:\n  {GOOD}- job: b\n  steps:\n  - script: x\n")
    assert not loaded.problems
    assert [each.value["script"] for each in loaded.resources if each.type == "step"] == ["good", "x"]


def test_every_scalar_is_a_script() -> None:
    loaded = load("steps:\n- bash: 7\n- bash: true\n- bash:\n- bash: 1.5\n")
    assert not loaded.problems
    assert [each.value["script"] for each in loaded.resources if each.type == "step"] == ["7", "True", "", "1.5"]
    assert [len(each.value["commands"]) for each in loaded.resources if each.type == "step"] == [1, 1, 0, 1]


def test_a_broken_template_is_told_and_the_others_are_judged() -> None:
    files = {"azure-pipelines.yml": "steps:\n- template: a.yml\n" + GOOD, "a.yml": "steps: [\n"}
    loaded = load(files)
    assert [problem.path for problem in loaded.problems] == ["a.yml"]
    assert any(each.value.get("script") == "good" for each in loaded.resources)


def test_a_job_without_a_name_is_a_job() -> None:
    loaded = load("jobs:\n- job: ''\n  steps:\n  " + GOOD)
    assert loaded.problems == []
    assert any(each.value.get("script") == "good" for each in loaded.resources)


def test_a_step_counts_for_what_it_costs() -> None:
    numbers = ", ".join(map(str, range(100)))
    loops = "".join("  " * depth + f"- ${{{{ each x{depth} in parameters.list }}}}:\n" for depth in range(4))
    text = f"parameters:\n- {{name: list, type: object, default: [{numbers}]}}\nsteps:\n{loops}" + "  " * 4 + GOOD
    started = time.process_time()
    loaded = load(text)
    assert time.process_time() - started < 20
    assert "comes to too much" in loaded.problems[0].message
    assert 1000 < len(loaded.resources) < 10_000


def test_templates_in_a_circle_end() -> None:
    files = {
        "azure-pipelines.yml": "steps:\n- template: a.yml\n" + GOOD,
        "a.yml": "steps:\n- template: b.yml\n",
        "b.yml": "steps:\n- template: a.yml\n- script: last\n",
    }
    loaded = load(files)
    assert ["uses itself" in problem.message for problem in loaded.problems] == [True]
    assert [each.value["script"] for each in loaded.resources if each.type == "step"] == ["last", "good"]


@pytest.mark.parametrize("name", ["../x.yml", "/../x.yml", "..\\x.yml", "C:/x.yml", "/etc/passwd", "~/x.yml"])
def test_nothing_outside_the_tree_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("steps:\n- script: secret\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "azure-pipelines.yml").write_text(f"steps:\n- template: '{name}'\n{GOOD}")
    tree = WorkTree(str(project))
    (unit,) = FORMAT.units(["azure-pipelines.yml"], tree)
    assert unit.paths == ("azure-pipelines.yml",)
    assert [each.value["script"] for each in FORMAT.load(unit, tree).resources if each.type == "step"] == ["good"]


LOOPS = "parameters:\n- name: l\n  default: [" + "a," * 100 + "]\nsteps:\n"
NESTED = "".join("  " * n + "- ${{ each x in parameters.l }}:\n" for n in range(6)) + "  " * 6 + "- script: x\n"


@pytest.mark.parametrize(
    "files",
    [
        {"azure-pipelines.yml": LOOPS + NESTED},
        {
            "azure-pipelines.yml": "steps:\n" + "- template: t0.yml\n" * 20,
            **{f"t{n}.yml": "steps:\n" + f"- template: t{n + 1}.yml\n" * 20 for n in range(10)},
            "t10.yml": "steps:\n- script: x\n",
        },
        {
            "azure-pipelines.yml": "variables:\n"
            + "".join(f"  v{n}: {f'$(v{n + 1})' * 50}\n" for n in range(30))
            + "steps:\n- script: $(v0)\njobs: []\n"
        },
        {"azure-pipelines.yml": "variables:\n  a: $(b)\n  b: $(a)\nsteps:\n- script: $(a)\n"},
        {"azure-pipelines.yml": "steps:\n- script: ${{ " + "not(" * 5000 + "true" + ")" * 5000 + " }}\n"},
        {"azure-pipelines.yml": "steps:\n- script: '" + "${{ " * 50_000 + "'\n"},
        {"azure-pipelines.yml": "steps:\n- script: '" + "$(a)" * 50_000 + "'\n"},
        {
            "azure-pipelines.yml": "steps:\n- template: t.yml\n  parameters: {p: '" + "x" * 100_000 + "'}\n",
            "t.yml": "parameters: {p: ''}\nsteps:\n" + "- script: ${{ parameters.p }} a\n" * 5000,
        },
    ],
    ids=["loops", "templates", "variables", "circle", "calls", "open", "macros", "long"],
)
def test_hostile_pipelines_are_bounded(files: dict[str, str]) -> None:
    started = time.process_time()
    loaded = load(files)
    for resource in loaded.resources[:50]:
        if resource.type == "step" and "commands" in resource.value:
            _ = resource.value["commands"]
    assert time.process_time() - started < 20


PIECES = [
    *("steps:", "jobs:", "stages:", "parameters:", "variables:", "pool:", "resources:", "extends:", "template: a.yml"),
    *("- script: x", "- task: A@1", "inputs:", "- job: a", "- deployment: b", "strategy:", "runOnce:", "deploy:"),
    *("${{ if eq(1, 1) }}:", "${{ else }}:", "${{ each x in y }}:", "${{ parameters.x }}", "$(a.b)", "environment:"),
    *(": ", "- ", "\n", "\n  ", "\n    ", "---\n", "[", "]", "{", "}", "'", '"', "|\n", "#", "null", "1", "é", "\t"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_and_every_place_is_in_it(text: str) -> None:
    tree = MemoryTree({"azure-pipelines.yml": text.encode()})
    loaded = FORMAT.load(Unit("azure-pipelines", "azure-pipelines.yml", ("azure-pipelines.yml",)), tree)
    for resource in loaded.resources:
        cut(text, resource.location)
        for key in resource.value:
            cut(text, resource.locate((key, 0)).location)
            cut(text, resource.locate((key, "x", "y")).location)
