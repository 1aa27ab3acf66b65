"""Workflow and action files as resources: normalised, with exact places, whatever is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github import GithubFormat

WORKFLOW = """\
name: CI
on: [push, pull_request]
permissions:
  contents: read
  packages: write
env:
  TITLE: ${{ github.event.issue.title }}
jobs:
  build:
    runs-on: ${{ matrix.os }}
    permissions: read-all
    strategy:
      matrix:
        os: [ubuntu-24.04, windows-2025]
        include:
          - os: macos-15
    container: node:20@sha256:abc
    services:
      db:
        image: ghcr.io/acme/db:15
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - name: Say
        run: |
          echo "é" ${{ github.head_ref }}
          echo '${{ github.sha }}'
      - run: "make ${{ inputs.target }}"
      - run: make
      - uses: ./tools/local
      - uses: docker://alpine:3.20
      - uses: acme/tool/sub@11bd71901bbe5b1630ceea73d27597364c9af683
  call:
    uses: acme/flows/.github/workflows/x.yml@main
    if: github.ref == 'refs/heads/main'
"""


def load(text: str, path: str = ".github/workflows/ci.yml") -> Loaded:
    return GithubFormat().load(Unit("github", path, (path,)), MemoryTree({path: text.encode()}))


def resources(text: str, path: str = ".github/workflows/ci.yml") -> dict[str, Resource]:
    return {each.address: each for each in load(text, path).resources}


def slice_of(text: str, resource: Resource, *path: str | int) -> str:
    span = resource.locate(path).location.span
    assert span.start_line == span.end_line
    return text.splitlines()[span.start_line - 1][span.start_column - 1 : span.end_column - 1]


def test_addresses_name_what_they_hold_and_count_nothing() -> None:
    assert list(resources(WORKFLOW)) == [
        "ci.yml",
        "ci.yml/jobs/build",
        "ci.yml/jobs/build/container",
        "ci.yml/jobs/build/services/db",
        "ci.yml/jobs/build/steps/actions/checkout",
        "ci.yml/jobs/build/steps/Say",
        "ci.yml/jobs/build/steps/run",
        "ci.yml/jobs/build/steps/run#2",
        "ci.yml/jobs/build/steps/./tools/local",
        "ci.yml/jobs/build/steps/docker://alpine:3.20",
        "ci.yml/jobs/build/steps/acme/tool/sub",
        "ci.yml/jobs/call",
    ]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("push", {"push": {}}),
        ("[push, pull_request]", {"push": {}, "pull_request": {}}),
        ("{push: , pull_request: {branches: [main]}}", {"push": {}, "pull_request": {"branches": ["main"]}}),
    ],
)
def test_triggers_have_one_form(on: str, expected: Any) -> None:
    assert resources(f"on: {on}\njobs: {{}}\n")["ci.yml"].value["on"] == expected


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ("permissions: write-all", {"declared": True, "write": ["*"]}),
        ("permissions: read-all", {"declared": True, "write": []}),
        ("permissions: {}", {"declared": True, "write": []}),
        ("permissions: {contents: write, issues: read}", {"declared": True, "write": ["contents"]}),
    ],
)
def test_the_token_is_what_permissions_make_it(permissions: str, expected: Any) -> None:
    assert resources(f"on: push\n{permissions}\njobs: {{}}\n")["ci.yml"].value["token"] == expected


def test_an_undeclared_token_is_unknown_and_a_job_replaces_its_workflows() -> None:
    found = resources("on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, permissions: {}}\n")
    assert isinstance(found["ci.yml/jobs/a"].value["token"]["write"], Unknown)
    assert found["ci.yml/jobs/b"].value["token"] == {"declared": True, "write": []}


def test_runner_labels_come_from_a_literal_matrix() -> None:
    assert resources(WORKFLOW)["ci.yml/jobs/build"].value["runner"] == ["ubuntu-24.04", "windows-2025", "macos-15"]
    dynamic = (
        "on: push\njobs:\n  a:\n    runs-on: ${{ matrix.os }}\n    strategy: {matrix: '${{ fromJSON(inputs.m) }}'}\n"
    )
    assert isinstance(resources(dynamic)["ci.yml/jobs/a"].value["runner"], Unknown)
    for written in ("[self-hosted, linux]", "{group: x, labels: [self-hosted, linux]}"):
        found = resources(f"on: push\njobs:\n  a: {{runs-on: {written}}}\n")
        assert found["ci.yml/jobs/a"].value["runner"] == ["self-hosted", "linux"]


def test_references_are_taken_apart() -> None:
    found = resources(WORKFLOW)
    steps = "ci.yml/jobs/build/steps"
    assert found[f"{steps}/actions/checkout"].value["action"] == {
        "kind": "repository",
        "name": "actions/checkout",
        "owner": "actions",
        "repository": "checkout",
        "path": "",
        "ref": "v4",
        "pin": "version",
        "version": "4",
        "comment": "",
        "plain": True,
    }
    assert found[f"{steps}/acme/tool/sub"].value["action"]["pin"] == "commit"
    assert found[f"{steps}/./tools/local"].value["action"]["kind"] == "local"
    assert found[f"{steps}/docker://alpine:3.20"].value["action"]["tag"] == "3.20"
    assert found["ci.yml/jobs/call"].value["call"]["pin"] == "ref"
    assert found["ci.yml/jobs/build/container"].value["image"]["pin"] == "digest"
    assert found["ci.yml/jobs/build/services/db"].value["image"] == {
        "registry": "ghcr.io",
        "repository": "acme/db",
        "tag": "15",
        "digest": "",
        "pin": "tag",
    }


@pytest.mark.parametrize(
    ("address", "path", "expected"),
    [
        ("ci.yml", ("token", "write"), "permissions"),
        ("ci.yml", ("expressions", 0), "${{ github.event.issue.title }}"),
        ("ci.yml/jobs/build", ("token", "write"), "permissions: read-all"),
        ("ci.yml/jobs/build", ("runner",), "runs-on: ${{ matrix.os }}"),
        ("ci.yml/jobs/build", ("workflow", "permissions", "packages"), "packages: write"),
        ("ci.yml/jobs/build", ("timeout-minutes",), "build"),
        ("ci.yml/jobs/build/steps/actions/checkout", ("action", "pin"), "uses: actions/checkout@v4"),
        ("ci.yml/jobs/build/steps/actions/checkout", ("with", "persist-credentials"), "persist-credentials: false"),
        ("ci.yml/jobs/build/steps/actions/checkout", ("job", "runs-on"), "runs-on: ${{ matrix.os }}"),
        ("ci.yml/jobs/build/steps/Say", ("expressions", 0), "${{ github.head_ref }}"),
        ("ci.yml/jobs/build/steps/Say", ("expressions", 1), "${{ github.sha }}"),
        ("ci.yml/jobs/build/steps/run", ("expressions", 0), "${{ inputs.target }}"),
        ("ci.yml/jobs/build/services/db", ("image", "pin"), "image: ghcr.io/acme/db:15"),
        ("ci.yml/jobs/build/container", ("image", "pin"), "container: node:20@sha256:abc"),
        ("ci.yml/jobs/call", ("call", "pin"), "uses: acme/flows/.github/workflows/x.yml@main"),
        ("ci.yml/jobs/call", ("expressions", 0), "github.ref == 'refs/heads/main'"),
    ],
)
def test_places_slice_the_source(address: str, path: tuple[str | int, ...], expected: str) -> None:
    assert slice_of(WORKFLOW, resources(WORKFLOW)[address], *path) == expected


def test_the_example_itself_has_no_problems() -> None:
    assert list(load(WORKFLOW).problems) == []


def test_composite_actions_have_steps_of_their_own() -> None:
    head = "name: x\ndescription: y\nruns:\n  using: composite\n"
    text = f"{head}  steps:\n    - run: echo ${{{{ inputs.a }}}}\n      shell: bash\n"
    found = resources(text, "tools/local/action.yml")
    assert list(found) == ["local/action.yml", "local/action.yml/steps/run"]
    assert found["local/action.yml/steps/run"].value["composite"] is True
    assert slice_of(text, found["local/action.yml/steps/run"], "expressions", 0) == "${{ inputs.a }}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1 problems"),
        ("- a\n", "a workflow file holds a mapping"),
        ("on: push\n", "a workflow needs 'jobs'"),
        ("on: push\njobs: [a]\n", "a workflow needs 'jobs'"),
        ("jobs: {}\n", "a workflow needs 'on'"),
        ("on: push\njobs: {a: b}\n", "job 'a' is not a mapping"),
        ("on: push\njobs: {a: {steps: x}}\n", "'steps' is not a list"),
        ("on: push\njobs: {a: {steps: [x]}}\n", "a step is not a mapping"),
        ("on: push\njobs: {a: {steps: [{run: 'x ${{ y'}]}}\n", "is not closed with '}}'"),
        ("on: push\njobs: {a: {if: 'a ==', steps: []}}\n", "a value is wanted"),
        ("on: push\njobs: {a: {services: x, container: [1], runs-on: [], strategy: 1}}\n", "nothing"),
        ("on: push\njobs: {a: {steps: [{uses: 7}, {uses: }, {with: [1]}]}}\n", "nothing"),
        ("on: push\npermissions: [a]\nenv: x\njobs: {a: {permissions: 3, env: [1]}}\n", "nothing"),
        ("on: [\n", "line"),
    ],
)
def test_wrong_shapes_are_told_and_never_raise(text: str, message: str) -> None:
    problems = [str(problem) for problem in load(text).problems]
    if message == "nothing":
        assert problems == []
    elif message in ("1 problems", "line"):
        assert len(problems) == 1
    else:
        assert any(message in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        (".github/workflows/a.yml", True),
        ("sub/.github/workflows/a.yaml", True),
        (".github/workflows/sub/a.yml", False),
        (".github/dependabot.yml", False),
        ("tools/action.yml", True),
        ("deploy/web.yaml", False),
    ],
)
def test_files_are_claimed_by_name(path: str, claimed: bool) -> None:
    assert GithubFormat().claims(path) is claimed
