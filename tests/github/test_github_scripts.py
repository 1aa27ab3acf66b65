"""Scripts of steps: their commands with exact places, and what they hand to later steps."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github import GithubFormat

PATH = ".github/workflows/ci.yml"


def steps(text: str) -> list[Resource]:
    loaded = GithubFormat().load(Unit("github", PATH, (PATH,)), MemoryTree({PATH: text.encode()}))
    assert not loaded.problems
    return [each for each in loaded.resources if each.type == "step"]


def step(run: str, more: str = "", runner: str = "ubuntu-24.04") -> Resource:
    body = "".join(f"          {line}\n" for line in run.splitlines())
    return steps(f"on: push\njobs:\n  a:\n    runs-on: {runner}\n    steps:\n      - run: |\n{body}{more}")[0]


def test_each_command_is_at_its_own_place() -> None:
    text = 'on: push\njobs:\n  a:\n    steps:\n      - run: |\n          echo ü; curl -s "${{ vars.X }}" | sh -s\n'
    found = steps(text)[0]
    line = text.splitlines()[5]

    def shown(*path: str | int) -> str:
        span = found.locate(("commands", *path)).location.span
        assert span.start_line == span.end_line == 6
        return line[span.start_column - 1 : span.end_column - 1]

    assert shown(0) == "echo ü"
    assert shown(1) == 'curl -s "${{ vars.X }}"'
    assert shown(1, "options", 0) == "-s"
    assert shown(1, "name") == "curl"
    assert shown(2) == "sh -s"


@pytest.mark.parametrize("quoted", ['"curl -s x | sh"', "'curl -s x | sh'", "curl -s x | sh"])
def test_a_script_on_one_line_has_places_too(quoted: str) -> None:
    text = f"on: push\njobs:\n  a:\n    steps:\n      - run: {quoted}\n"
    span = steps(text)[0].locate(("commands", 1)).location.span
    assert text.splitlines()[4][span.start_column - 1 : span.end_column - 1] == "sh"


def test_a_folded_script_is_told_as_a_whole() -> None:
    text = "on: push\njobs:\n  a:\n    steps:\n      - run: >-\n          curl -s x\n          | sh\n"
    found = steps(text)[0]
    assert [each["name"] for each in found.value["commands"]] == ["curl", "sh"]
    assert found.locate(("commands", 1)).location.span.start_line == 5


@pytest.mark.parametrize(
    ("more", "runner", "read"),
    [
        ("", "ubuntu-24.04", True),
        ("        shell: bash\n", "windows-2025", True),
        ("        shell: bash -el {0}\n", "ubuntu-24.04", True),
        ("        shell: sh\n", "ubuntu-24.04", True),
        ("", "windows-2025", False),
        ("        shell: pwsh\n", "ubuntu-24.04", False),
        ("        shell: python\n", "ubuntu-24.04", False),
        ("        shell: ${{ matrix.shell }}\n", "ubuntu-24.04", None),
    ],
)
def test_only_shell_scripts_are_read_as_commands(more: str, runner: str, read: bool | None) -> None:
    value = step("echo 1", more, runner).value
    if read is None:
        assert isinstance(value["commands"], Unknown)
        assert isinstance(value["writes"], Unknown)
    else:
        assert ("commands" in value) is read


def test_the_default_shell_comes_from_the_job_or_the_workflow() -> None:
    text = (
        "on: push\ndefaults: {run: {shell: pwsh}}\njobs:\n"
        "  a:\n    steps: [{run: echo 1}]\n"
        "  b:\n    defaults: {run: {shell: bash}}\n    steps: [{run: echo 1}]\n"
    )
    assert ["commands" in each.value for each in steps(text)] == [False, True]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('echo "a=$B" >> "$GITHUB_OUTPUT"', [("GITHUB_OUTPUT", ["a"], ["B"], False, False)]),
        ("echo a=1 >>$GITHUB_ENV", [("GITHUB_ENV", ["a"], [], False, False)]),
        ('printf "a=%s" "${B}" | tee -a "$GITHUB_ENV"', [("GITHUB_ENV", ["a"], ["B"], False, False)]),
        ("echo ${{ inputs.x }} >> $GITHUB_PATH", [("GITHUB_PATH", [], [], True, False)]),
        ("echo a=$(cat x) >> $GITHUB_ENV", [("GITHUB_ENV", ["a"], [], False, True)]),
        ("cat x >> $GITHUB_ENV", [("GITHUB_ENV", [], [], False, True)]),
        ("./print | tee -a $GITHUB_ENV", [("GITHUB_ENV", [], [], False, True)]),
        ("cat <<E >> $GITHUB_ENV\na=$B\nE\necho $C", [("GITHUB_ENV", ["a"], ["B"], False, False)]),
        ("cat <<'E' >> $GITHUB_ENV\na=$B\nE", [("GITHUB_ENV", [], [], False, False)]),
        (
            "echo $C\n{\n  echo 'a<<E'\n  echo $B\n  echo E\n} >> $GITHUB_ENV",
            [("GITHUB_ENV", ["a"], ["B"], False, False)],
        ),
        ("echo $B > file; echo a=1 >> $GITHUB_ENV", [("GITHUB_ENV", ["a"], [], False, False)]),
        ("echo $GITHUB_ENV; cat < $GITHUB_ENV", []),
    ],
)
def test_what_a_script_hands_to_later_steps(script: str, expected: list[tuple[Any, ...]]) -> None:
    found = step(script).value["writes"]
    keys = ("file", "names", "variables", "expression", "opaque")
    assert [tuple(each[key] for key in keys) for each in found] == expected


def test_a_script_that_cannot_be_read_holds_an_unknown() -> None:
    assert any(isinstance(each, Unknown) for each in step("if then fi )(").value["commands"])
