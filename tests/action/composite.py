"""Runs the `run` steps of a composite action in order, as GitHub's runner does.

Steps that use another action are noted and not run.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policy_engine_plugins.github.expression import (
    Binary,
    Literal,
    Name,
    Node,
    Not,
    Property,
    parse,
)

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass
class Run:
    """What came of a run: outputs of the action, the summary, what was printed, and which step failed."""

    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    printed: str = ""
    used: list[str] = field(default_factory=list)
    failed: str = ""


def run(
    action: Path,
    workspace: Path,
    runner: Path,
    inputs: Mapping[str, str],
    github: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
) -> Run:
    """`runner` is a folder for RUNNER_TEMP; `github` the context of that name."""
    document = yaml.safe_load(action.read_text(encoding="utf-8"))
    contexts: dict[str, Any] = {
        "github": github,
        "runner": {"temp": str(runner), "os": "Linux", "arch": "X64"},
        "steps": {},
        "inputs": {},
    }
    for name, one in document["inputs"].items():
        contexts["inputs"][name] = inputs.get(name, filled(str(one.get("default", "")), contexts))
    result = Run()
    summary = runner / "summary.md"
    summary.write_text("")
    for number, step in enumerate(document["runs"]["steps"]):
        if "if" in step and not _truth(_value(step["if"], contexts)):
            continue
        if "uses" in step:
            result.used.append(step["uses"].partition("@")[0])
            continue
        assert step["shell"] == "bash"
        output = runner / f"output{number}"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=workspace,
            capture_output=True,
            text=True,
            check=False,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("GIT", "PYTHON"))},
                "GITHUB_ACTION_PATH": str(action.parent),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "RUNNER_TEMP": str(runner),
                "CI": "true",
                **(environment or {}),
                **{name: filled(str(text), contexts) for name, text in step.get("env", {}).items()},
            },
        )
        result.printed += done.stdout + done.stderr
        if "id" in step:
            lines = output.read_text().splitlines()
            assert all("=" in line for line in lines)
            contexts["steps"][step["id"]] = {"outputs": dict(line.split("=", 1) for line in lines)}
        if done.returncode != 0:
            result.failed = step["name"]
            break
    result.summary = summary.read_text()
    for name, one in document["outputs"].items():
        result.outputs[name] = filled(one["value"], contexts)
    return result


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda found: _text(_evaluate(parse(found[1].strip()), contexts)), text)


def _value(text: str, contexts: Mapping[str, Any]) -> Any:
    found = _EXPRESSION.fullmatch(text.strip())
    return _evaluate(parse((found[1] if found else text).strip()), contexts)


def _evaluate(node: Node, contexts: Mapping[str, Any]) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return contexts[node.name]
    if isinstance(node, Property):
        owner = _evaluate(node.object, contexts)
        return owner.get(node.name) if isinstance(owner, Mapping) else None
    if isinstance(node, Not):
        return not _truth(_evaluate(node.operand, contexts))
    assert isinstance(node, Binary), node
    left = _evaluate(node.left, contexts)
    if node.operator == "&&":
        return _evaluate(node.right, contexts) if _truth(left) else left
    if node.operator == "||":
        return left if _truth(left) else _evaluate(node.right, contexts)
    right = _evaluate(node.right, contexts)
    equal = left == right if type(left) is type(right) else _text(left) == _text(right)
    return equal if node.operator == "==" else not equal


def _truth(value: Any) -> bool:
    return value not in (None, False, "", 0)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
