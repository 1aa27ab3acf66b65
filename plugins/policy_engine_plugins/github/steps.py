"""Steps, of jobs and of composite actions alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location
from policy_engine.unit import Problem, ProblemKind
from policy_engine.yaml_document import YamlDocument, YamlMapping, YamlSequence
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
        if "uses" in value:
            value["action"] = action_reference(value["uses"])
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
                    document, path, {"action": (*path, "uses"), "index": path}, parents, [e.span for e in found]
                ),
                extent=Location(document.path, document.extent(path)),
            )
        )
    return resources


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
