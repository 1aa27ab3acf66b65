"""Checks of what actions are given, and of what a job may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.checks import Wanted, reaches
from policy_engine_plugins.github.job_facts import action_name, is_workspace_action


def _inputs(step: Mapping[str, Any]) -> Any:
    """What a step gives its action: a mapping, or an Unknown."""
    given = step.get("with")
    return given if isinstance(given, (dict, Unknown)) else {}


def restores_cache(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation where a step restores a cache.

    `caches` tells for each action the input that switches caching and what it is without it: {action: {input, default,
    off}}; the input's value is compared with `off`, and any other switches caching on.
    """
    known = parameters["caches"].get(action_name(step))
    if known is None:
        return
    inputs = _inputs(step)
    given = inputs if isinstance(inputs, Unknown) else inputs.get(known["input"], known["default"])
    if isinstance(given, Unknown):
        # `type=gha,scope=${{ ... }}` is not known, and still no word that switches caching off.
        written = max((piece for piece in given.fragments if piece), key=len, default="").lower()
        if not written or any(written in str(off).lower() for off in known["off"]):
            yield Doubt(given, ("with", known["input"]))
        else:
            yield Violation((), action_name(step))
    elif not any(str(given).lower() == str(off).lower() for off in known["off"]):
        yield Violation((), action_name(step))


def foreign_artifact(step: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation where a step unpacks another run's artefact into the workspace.

    `downloads` names the actions that fetch artefacts of other runs; for those in `elsewhere` that is so only where
    the input named there is given.
    """
    name, inputs = action_name(step), _inputs(step)
    elsewhere = parameters.get("elsewhere", {})
    if name not in parameters["downloads"] and name not in elsewhere:
        return
    if isinstance(inputs, Unknown):
        yield Doubt(inputs, ("with",))
        return
    if name in elsewhere and elsewhere[name] not in inputs:
        return
    path = inputs.get("path")
    if isinstance(path, Unknown):
        # `${{ runner.temp }}/x` is outside of the workspace; another expression may be anywhere.
        texts = [each["text"] for each in step["expressions"] if each["path"] == "with.path"]
        if texts != ["runner.temp"] or not path.fragments or path.fragments[0] is not None:
            yield Doubt(path, ("with", "path"))
    elif path is None or not str(path).startswith(("/", "~", "$RUNNER_TEMP")):
        yield Violation((), name)


def stranger_code_run(job: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each local action (`uses: ./..`) behind a step that checks out a stranger's code: it is theirs."""
    wanted = Wanted(tuple(parameters["contexts"]), ())
    foreign: str | Unknown | None = None
    for step in job.get("steps", ()):
        if is_workspace_action(step) and foreign is not None:
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
