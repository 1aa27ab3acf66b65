"""Checks of a job's steps in their order, and of what an action is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.checks import Wanted, reaches
from policy_engine_plugins.github.publishing import publishing_commands


def action_name(step: Mapping[str, Any]) -> str:
    """`owner/name` or `owner/name/path` of a step's action in lower case; empty where it is none, or not known."""
    action = step.get("action")
    return str(action["name"]).lower() if isinstance(action, dict) and action["kind"] == "repository" else ""


def _inputs(step: Mapping[str, Any]) -> Any:
    """What a step gives its action: a mapping, or an Unknown."""
    given = step.get("with")
    return given if isinstance(given, (dict, Unknown)) else {}


def cache_before_publish(job: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each step that restores a cache in a job that publishes.

    A job publishes where one of its steps uses an action of `publishers` or a command that publishes, and where the
    workflow is started by a release, or only by tags. `caches` tells for each action the input that switches caching
    and what it is without it: {action: {input, default, off}}; the input's value is compared with `off`, and any other
    switches caching on.
    """
    steps = job.get("steps", ())
    publishers = {name.lower() for name in parameters["publishers"]}
    if not _is_release(job["workflow"].get("on")) and not any(
        action_name(step) in publishers or next(publishing_commands(step), None) is not None for step in steps
    ):
        return
    caches = {name.lower(): known for name, known in parameters["caches"].items()}
    for step in steps:
        known = caches.get(action_name(step))
        if known is None:
            continue
        at = ("steps", step["index"])
        inputs = _inputs(step)
        given = inputs if isinstance(inputs, Unknown) else inputs.get(known["input"], known["default"])
        if isinstance(given, Unknown):
            yield Doubt(given, at)
        elif not any(_same(given, off) for off in known["off"]):
            yield Violation(at, action_name(step))


def _same(value: Any, other: Any) -> bool:
    return str(value).lower() == str(other).lower()


def _is_release(on: Any) -> bool:
    if not isinstance(on, dict):
        return False
    if "release" in on:
        return True
    push = on.get("push")
    return isinstance(push, dict) and "tags" in push and "branches" not in push


def foreign_artifact(job: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each step that unpacks another run's artefact into the workspace of a job that runs code there.

    `downloads` names the actions that fetch artefacts of other runs; for those in `elsewhere` that is so only where
    the input named there is given.
    """
    downloads = {name.lower() for name in parameters["downloads"]}
    elsewhere = {name.lower(): key for name, key in parameters.get("elsewhere", {}).items()}
    steps = job.get("steps", ())
    last = max((step["index"] for step in steps if "run" in step or _is_local(step)), default=-1)
    for step in steps:
        name = action_name(step)
        inputs = _inputs(step)
        if step["index"] >= last or (name not in downloads and name not in elsewhere):
            continue
        at = ("steps", step["index"])
        if isinstance(inputs, Unknown):
            yield Doubt(inputs, at)
            continue
        if name in elsewhere and elsewhere[name] not in inputs:
            continue
        path = inputs.get("path")
        if isinstance(path, Unknown):
            # `${{ runner.temp }}/x` is outside of the workspace; another expression may be anywhere.
            texts = [each["text"] for each in step["expressions"] if each["path"] == "with.path"]
            if texts != ["runner.temp"] or not path.fragments or path.fragments[0] is not None:
                yield Doubt(path, at)
        elif path is None or not str(path).startswith(("/", "~", "$RUNNER_TEMP")):
            yield Violation(at, name)


def _is_local(step: Mapping[str, Any]) -> bool:
    action = step.get("action")
    return isinstance(action, dict) and action["kind"] == "local" and action["workspace"]


def stranger_code_run(job: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each local action (`uses: ./..`) behind a step that checks out a stranger's code: it is theirs."""
    wanted = Wanted(tuple(parameters["contexts"]), ())
    foreign: str | Unknown | None = None
    for step in job.get("steps", ()):
        if _is_local(step) and foreign is not None:
            at = ("steps", step["index"], "uses")
            yield Doubt(foreign, at) if isinstance(foreign, Unknown) else Violation(at, foreign)
        if action_name(step) != "actions/checkout":
            continue
        found = list(reaches(step, ["with.ref", "with.repository"], wanted, "flows"))
        told = next((each for each in found if isinstance(each, Violation)), None)
        if told is not None:
            foreign = told.detail
        elif found and foreign is None:
            foreign = next(each.unknown for each in found if isinstance(each, Doubt))


def literal_input(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each input of one of these names that holds a text as it stands in the file."""
    inputs = step.get("with")
    if isinstance(inputs, Unknown):
        yield Doubt(inputs, ("with",))
    if not isinstance(inputs, dict):
        return
    names = {name.lower() for name in parameters["inputs"]}
    for name, value in inputs.items():
        if name.lower() in names and isinstance(value, (str, int)) and not isinstance(value, bool):
            text = str(value)
            if text and not text.startswith(("$", "%")):
                yield Violation(("with", name), name)


def input_given(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation where no input is given whose name begins so."""
    inputs = _inputs(step)
    if isinstance(inputs, Unknown):
        yield Doubt(inputs, ("with",))
    elif not any(str(name).lower().startswith(parameters["prefix"]) for name in inputs):
        yield Violation(("uses",), f"no {parameters['prefix']} input")


def unused_write(job: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each write access that no step of a job can use.

    `needs` tells for each action which scopes it may write. Nothing is said of a job with a step that is not listed
    there: another action may use any scope, and so may a script that can get at the token.
    """
    granted = job.get("grants")
    if isinstance(granted, Unknown):
        yield Doubt(granted, ("permissions",))
    if not isinstance(granted, list) or "uses" in job:
        return
    needs = {name.lower(): set(scopes) for name, scopes in parameters["needs"].items()}
    used: set[str] = set()
    for step in job.get("steps", ()):
        name = action_name(step)
        if "run" in step:
            if _sees_token(step):
                return
            used |= {"id-token"}
        elif name in needs:
            used |= needs[name]
            inputs = _inputs(step)
            if name == "actions/checkout" and (
                isinstance(inputs, Unknown) or str(inputs.get("persist-credentials", "true")).lower() != "false"
            ):
                used |= {"contents"}
        else:
            return
    for number, scope in enumerate(granted):
        if scope["level"] == "write" and scope["name"] not in used:
            yield Violation(("grants", number), scope["name"])


def _sees_token(step: Mapping[str, Any]) -> bool:
    """Whether a script has the job's token in its text or environment."""
    wanted = Wanted(("github.token", "secrets.github_token", "github", "secrets", "secrets.*"), ())
    scopes: Iterable[Mapping[str, Any]] = (step.get("workflow", {}), step.get("job", {}), step)
    for scope in scopes:
        for expression in scope.get("expressions", ()):
            if expression["path"] != "if" and any(wanted.matches(context) for context in expression["contexts"]):
                return True
    return False


def lookalike(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation where the action is one slip of the finger away from a well-known one, and is not one itself."""
    reference = value.get("action", value.get("call"))
    if isinstance(reference, Unknown):
        yield Doubt(reference, ("uses",))
    if not isinstance(reference, dict) or reference["kind"] != "repository":
        return
    name = f"{reference['owner']}/{reference['repository']}"
    known = [each.lower() for each in parameters["known"]]
    if name in known or reference["owner"] in {each.partition("/")[0] for each in known}:
        return
    for each in known:
        if _one_slip(name, each):
            yield Violation(("uses",), each)
            return


def _one_slip(text: str, other: str) -> bool:
    """One letter added, left out, changed, or two neighbours swapped."""
    if abs(len(text) - len(other)) > 1 or text == other:
        return False
    start = 0
    while start < min(len(text), len(other)) and text[start] == other[start]:
        start += 1
    ours, theirs = text[start:], other[start:]
    if len(ours) == len(theirs):
        return ours[1:] == theirs[1:] or (ours[:2] == theirs[1::-1] and ours[2:] == theirs[2:])
    return ours[1:] == theirs if len(ours) > len(theirs) else ours == theirs[1:]
