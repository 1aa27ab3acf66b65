"""Local actions and workflows behind `uses: ./`: found in the tree, read once, and never in a circle."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github import GithubFormat
from policy_engine_plugins.github.called import MAX_DEPTH, MAX_FILES, reached, root_of

PATH = ".github/workflows/ci.yml"
RUNS = "runs:\n  using: composite\n  steps:\n"
SCRIPT = f"inputs: {{x: {{}}}}\n{RUNS}    - run: echo ${{{{ inputs.x }}}}\n      shell: bash\n"


def load(files: dict[str, str], path: str = PATH) -> Loaded:
    tree = MemoryTree({name: text.encode() for name, text in files.items()})
    units = list(GithubFormat().units([path], tree))
    assert [unit.name for unit in units] == [path]
    return GithubFormat().load(units[0], tree)


def callee(files: dict[str, str], path: str = PATH) -> Any:
    return next(each.value["callee"] for each in load(files, path).resources if "callee" in each.value)


def workflow(uses: str) -> str:
    return f"on: push\njobs:\n  a:\n    steps:\n      - uses: {uses}\n"


@pytest.mark.parametrize(
    ("uses", "place"),
    [
        ("./tools/greet", "tools/greet/action.yml"),
        ("./tools/greet/", "tools/greet/action.yml"),
        ("./tools/../tools/greet", "tools/greet/action.yml"),
        ("$/tools/greet", "tools/greet/action.yml"),
        ("./", "action.yaml"),
        ("'./tools/greet'", "tools/greet/action.yml"),
    ],
)
def test_a_local_action_is_found(uses: str, place: str) -> None:
    files = {PATH: workflow(uses), "tools/greet/action.yml": SCRIPT, "action.yaml": SCRIPT}
    assert callee(files) == {"path": place, "scripts": {"x": f"{place}:5"}}


@pytest.mark.parametrize("uses", ["./missing", "../outside", "./../../etc", "./tools/greet/action.yml"])
def test_an_action_that_is_not_there_is_unknown(uses: str) -> None:
    assert isinstance(callee({PATH: workflow(uses)}), Unknown)


def test_a_project_in_a_folder_has_its_own_root() -> None:
    files = {f"shop/{PATH}": workflow("./act"), "shop/act/action.yml": SCRIPT, "act/action.yml": RUNS}
    assert callee(files, f"shop/{PATH}")["path"] == "shop/act/action.yml"
    assert (root_of(PATH), root_of(f"shop/{PATH}"), root_of("shop/act/action.yml")) == ("", "shop", "")


def test_inputs_are_followed_through_variables_and_further_calls() -> None:
    files = {
        PATH: "on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n",
        ".github/workflows/x.yml": (
            "on: {workflow_call: {inputs: {one: {type: string}, two: {type: string}, three: {type: string}}}}\n"
            "env: {ONE: '${{ inputs.one }}'}\njobs:\n  a:\n    steps:\n"
            "      - run: echo ${{ env.ONE }}\n"
            "      - uses: ./act\n        with: {x: '${{ inputs.two }}', y: '${{ inputs.three }}'}\n"
        ),
        "act/action.yml": SCRIPT,
    }
    assert set(callee(files)["scripts"]) == {"one", "two"}


def test_a_circle_of_calls_ends() -> None:
    a = f"{RUNS}    - uses: ./b\n      with: {{x: '${{{{ inputs.x }}}}'}}\n"
    b = f"{RUNS}    - uses: ./a\n      with: {{x: '${{{{ inputs.x }}}}'}}\n    - run: echo ${{{{ inputs.x }}}}\n"
    files = {PATH: workflow("./a"), "a/action.yml": a, "b/action.yml": b}
    assert callee(files) == {"path": "a/action.yml", "scripts": {"x": "a/action.yml:5"}}


def test_a_long_chain_of_calls_is_cut_off() -> None:
    files = {PATH: workflow("./a0")}
    for n in range(MAX_DEPTH + 5):
        files[f"a{n}/action.yml"] = f"{RUNS}    - uses: ./a{n + 1}\n"
    assert callee(files)["path"] == "a0/action.yml"


def test_a_unit_holds_the_files_that_its_workflow_calls() -> None:
    files = {
        PATH: workflow("./a"),
        "a/action.yml": f"{RUNS}    - uses: ./b\n",
        "b/action.yml": SCRIPT,
        "c/action.yml": RUNS,
    }
    tree = MemoryTree({name: text.encode() for name, text in files.items()})
    assert list(GithubFormat().units([PATH, "b/action.yml"], tree)) == [
        Unit("github", PATH, (PATH, "a/action.yml", "b/action.yml")),
        Unit("github", "b/action.yml", ("b/action.yml",)),
    ]


def test_the_files_that_a_workflow_reaches_are_bounded() -> None:
    many = "".join(f"      - uses: ./a{n}\n" for n in range(MAX_FILES * 2))
    files = {PATH: f"on: push\njobs:\n  a:\n    steps:\n{many}"}
    files |= {f"a{n}/action.yml": RUNS for n in range(MAX_FILES * 2)}
    assert len(reached(MemoryTree({name: text.encode() for name, text in files.items()}), PATH)) == MAX_FILES - 1


def test_a_broken_action_does_not_hide_its_caller() -> None:
    loaded = load({PATH: workflow("./a"), "a/action.yml": "runs: [\n"})
    assert not loaded.problems
    assert [each.type for each in loaded.resources] == ["workflow", "job", "step"]
