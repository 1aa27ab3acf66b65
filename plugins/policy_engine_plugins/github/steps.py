"""Steps, of jobs and of composite actions alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Span
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import Mark, YamlDocument, YamlMapping, YamlSequence
from policy_engine_plugins.github.called import Callees
from policy_engine_plugins.github.places import Places
from policy_engine_plugins.github.reference import action_reference
from policy_engine_plugins.github.values import Reader


def read_steps(
    reader: Reader,
    steps: Any,
    base: AttributePath,
    owner: str,
    context: Mapping[str, Any],
    parents: Mapping[str, Places],
    callees: Callees,
) -> list[Resource]:
    """The steps at `base` of the document. `owner` is the address they stand under; `context` goes into each value."""
    document = reader.document
    if steps is None:
        return []
    if type(steps) is not YamlSequence:
        reader.problems.append(_shape(document, base, "'steps' is not a list"))
        return []
    resources = []
    taken: dict[str, int] = {}
    siblings: dict[str, Mapping[str, Any]] = {}
    for number, step in enumerate(steps):
        path = (*base, number)
        if type(step) is not YamlMapping:
            reader.problems.append(_shape(document, path, "a step is not a mapping"))
            continue
        before = len(reader.expressions)
        value = reader.value(step, path, steps.marks[number])
        found = reader.expressions[before:]
        key = _key(value)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] > 1:
            key = f"{key}#{taken[key]}"
        value.update(context, index=number, expressions=[each.described(path) for each in found])
        scripted: Callable[[AttributePath], Span | None] | None = None
        if isinstance(step.get("run"), str):
            scripted = add_commands(value, step["run"], reader, step.marks["run"][1])
        if "uses" in value:
            value["action"] = action_reference(value["uses"], reader.source.comment_after(step.marks["uses"][1]))
            add_callee(value, value["action"], callees)
            if (uploaded := upload(value)) is not None:
                value["upload"] = uploaded
        value["siblings"] = siblings
        if isinstance(value.get("id"), str):
            siblings[value["id"].lower()] = value
        name = value.get("name")
        resources.append(
            Resource(
                format="github",
                type="step",
                address=f"{owner}/steps/{key}",
                name=name if isinstance(name, str) else key,
                value=value,
                location=Location(document.path, document.at(path)),
                locate=Places(
                    document,
                    path,
                    {
                        "action": (*path, "uses"),
                        "callee": (*path, "uses"),
                        "upload": (*path, "with", "path"),
                        "index": path,
                        "commands": (*path, "run"),
                        "writes": (*path, "run"),
                    },
                    parents,
                    [e.span for e in found],
                    scripted=scripted,
                ),
                extent=Location(document.path, document.extent(path)),
            )
        )
    return resources


def add_callee(value: dict[str, Any], reference: Any, callees: Callees) -> None:
    """What a local `uses` calls, under `callee`."""
    if isinstance(reference, dict) and reference["kind"] == "local":
        value["callee"] = callees.describe(reference["path"])


def add_commands(
    value: dict[str, Any], text: str, reader: Reader, mark: Mark
) -> Callable[[AttributePath], Span | None] | None:
    """The commands of a step's script, under `commands`, and what it hands to later steps, under `writes`; how their
    places are found. Neither is there for a script in another language."""
    from policy_engine_plugins.github.script import read_run, writes

    run = read_run(value, text)
    if isinstance(run, Unknown):
        value["commands"] = value["writes"] = run
    if run is None or isinstance(run, Unknown):
        return None
    value["commands"], value["writes"] = run.script.values, writes(run)
    numbers = [each["command"] for each in value["writes"]]

    def place(path: AttributePath) -> Span | None:
        if path[0] == "writes":
            known = len(path) > 1 and isinstance(path[1], int) and path[1] < len(numbers)
            path = ("commands", numbers[int(path[1])]) if known else ()
        stretch = run.script.place(path[1:])
        return reader.source.stretch(mark, text, *stretch) if stretch else None

    return place


_UPLOADS = ("actions/upload-artifact", "actions/upload-pages-artifact")
_OLD_UPLOAD = re.compile(r"[1-3](?:\.|$)|4\.[0-3](?:\.|$)")
_WORKSPACE = ("${{github.workspace}}", "$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}")


def upload(step: Mapping[str, Any]) -> dict[str, Any] | None:
    """{paths, hidden} of a step that uploads an artefact: the paths tidied up, the workspace as `.`; whether files and
    folders whose names begin with a dot go along. They do where asked for, and in versions before 4.4."""
    action, inputs = step["action"], step.get("with")
    if not isinstance(action, dict) or action["name"].lower() not in _UPLOADS:
        return None
    if isinstance(inputs, Unknown):
        return {"paths": inputs, "hidden": inputs}
    given = inputs if isinstance(inputs, dict) else {}
    hidden: Any = given.get("include-hidden-files", False)
    if action["name"].lower() == _UPLOADS[0] and _OLD_UPLOAD.match(str(action.get("version", ""))):
        hidden = True
    return {"paths": _paths(given.get("path"), step), "hidden": hidden}


def _paths(path: Any, step: Mapping[str, Any]) -> Any:
    if isinstance(path, Unknown):
        # The workspace is where it is in every run: what is uploaded is known as far as everything else is.
        own = [each["text"] for each in step["expressions"] if each["path"] == "with.path"]
        if any(text != "github.workspace" for text in own) or None not in path.fragments:
            return path
        path = "".join("${{github.workspace}}" if piece is None else piece for piece in path.fragments)
    if not isinstance(path, str):
        return []
    tidy = []
    for line in path.splitlines():
        text = line.strip()
        for name in _WORKSPACE:
            text = "." + text.removeprefix(name) if text.startswith(name) else text
        text = text.removeprefix("./") if text not in (".", "./") else "."
        if text:
            tidy.append(text.rstrip("/") or "/")
    return tidy


def _key(step: Mapping[str, Any]) -> str:
    """What tells a step from its neighbours without counting them."""
    for key in ("id", "name"):
        if isinstance(step.get(key), str):
            return str(step[key])
    uses = step.get("uses")
    if isinstance(uses, str):
        return uses.rpartition("@")[0] or uses
    return "run"


def _shape(document: YamlDocument, path: AttributePath, message: str) -> Problem:
    return Problem(document.path, message, document.at(path), ProblemKind.NOT_UNDERSTOOD)
