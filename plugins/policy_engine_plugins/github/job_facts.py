"""What a job's steps come to together, told once for each job and step: rules on single steps ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.github.publishing import PUBLISHERS, publishing_commands

# Programs that use the token which actions/checkout leaves behind, with the first operands that do; all where none is
# named.
_GIT_PROGRAMS: Mapping[str, frozenset[str]] = {
    "git": frozenset({"push", "pull", "fetch", "clone", "submodule", "ls-remote", "lfs", "remote"}),
    "git-lfs": frozenset(),
    "goreleaser": frozenset({"release"}),
    "semantic-release": frozenset(),
    "lerna": frozenset({"version", "publish"}),
    "mkdocs": frozenset({"gh-deploy"}),
    "mike": frozenset({"deploy"}),
    "gh-pages": frozenset(),
}
_GIT_ACTIONS = frozenset(
    {
        "stefanzweifel/git-auto-commit-action",
        "endbug/add-and-commit",
        "peter-evans/create-pull-request",
        "ad-m/github-push-action",
        "changesets/action",
        "cycjimmy/semantic-release-action",
        "jamesives/github-pages-deploy-action",
        "tj-actions/changed-files",
        "goreleaser/goreleaser-action",
        "helm/chart-releaser-action",
        "googleapis/release-please-action",
    }
)


def action_name(step: Mapping[str, Any]) -> str:
    """`owner/name` or `owner/name/path` of a step's action in lower case; empty where it is none, or not known."""
    action = step.get("action")
    return str(action["name"]).lower() if isinstance(action, dict) and action["kind"] == "repository" else ""


def is_workspace_action(step: Mapping[str, Any]) -> bool:
    """Whether a step uses an action of the folder that is checked out (`./path`)."""
    action = step.get("action")
    return isinstance(action, dict) and action["kind"] == "local" and action["workspace"]


def add_facts(job: dict[str, Any], on: Any) -> None:
    """Adds to a job:

    publishes          whether it publishes packages or releases, or runs only for releases
    uses_git_token     whether one of its steps uses the token that a checkout leaves behind
    uploads_workspace  whether one of them uploads the whole workspace, hidden folders too
    and to each step `followed_by_code`: whether a later one runs a script or an action of the workspace.
    """
    steps: Sequence[dict[str, Any]] = job["steps"]
    job["publishes"] = _is_release(on) or any(
        action_name(step) in PUBLISHERS or next(publishing_commands(step), None) is not None for step in steps
    )
    job["uses_git_token"] = _any(_uses_git_token(step) for step in steps)
    job["uploads_workspace"] = _any(_uploads_workspace(step) for step in steps)
    code = False
    for step in reversed(steps):
        step["followed_by_code"] = code
        code = code or "run" in step or is_workspace_action(step)


def _is_release(on: Any) -> bool:
    if not isinstance(on, dict):
        return False
    push = on.get("push")
    return "release" in on or (isinstance(push, dict) and "tags" in push and "branches" not in push)


def _any(answers: Any) -> bool | Unknown:
    doubt: bool | Unknown = False
    for answer in answers:
        if answer is True:
            return True
        if isinstance(answer, Unknown):
            doubt = answer
    return doubt


def _uses_git_token(step: Mapping[str, Any]) -> bool | Unknown:
    if action_name(step) in _GIT_ACTIONS:
        return True
    commands = step.get("commands", ())
    if isinstance(commands, Unknown):
        return commands
    return _any(_is_git_command(command) for command in commands)


def _is_git_command(command: Any) -> bool | Unknown:
    if isinstance(command, Unknown):
        return command
    name = command["name"]
    operands = _GIT_PROGRAMS.get(name) if isinstance(name, str) else None
    return operands is not None and (not operands or any(word in operands for word in command["operands"][:3]))


def _uploads_workspace(step: Mapping[str, Any]) -> bool | Unknown:
    uploaded = step.get("upload")
    if not uploaded:
        return False
    hidden, paths = uploaded["hidden"], uploaded["paths"]
    if isinstance(hidden, Unknown):
        return hidden
    if str(hidden).lower() != "true":
        return False
    return paths if isinstance(paths, Unknown) else "." in paths
