"""Action metadata: `action.yml` and the steps of a composite action."""

from __future__ import annotations

from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Location
from policy_engine.unit import Problem
from policy_engine.yaml_document import YamlDocument, YamlMapping
from policy_engine_plugins.github.called import Callees
from policy_engine_plugins.github.places import Places
from policy_engine_plugins.github.reference import image_reference
from policy_engine_plugins.github.source import Source
from policy_engine_plugins.github.steps import read_steps
from policy_engine_plugins.github.values import Reader


class ActionReader:
    def __init__(self, document: YamlDocument, source: Source, callees: Callees) -> None:
        self.document = document
        self.callees = callees
        self.reader = Reader(document, source)
        self.root: YamlMapping = document.value

    @property
    def problems(self) -> list[Problem]:
        return self.reader.problems

    def read(self) -> list[Resource]:
        document, root = self.document, self.root
        parts = document.path.split("/")
        address = "/".join(parts[-2:])
        value: dict[str, Any] = {
            key: self.reader.value(item, (key,), root.marks[key][1]) for key, item in root.items() if key != "runs"
        }
        runs = root["runs"]
        value["runs"] = {
            key: self.reader.value(item, ("runs", key), runs.marks[key][1])
            for key, item in runs.items()
            if key != "steps"
        }
        image = value["runs"].get("image")
        if isinstance(image, str) and image.startswith("docker://"):
            value["image"] = image_reference(image.removeprefix("docker://"))
        found = list(self.reader.expressions)
        value["expressions"] = [each.described(()) for each in found]
        places = Places(document, (), {"image": ("runs", "image")}, {}, [each.span for each in found])
        name = value.get("name")
        action = Resource(
            format="github",
            type="action",
            address=address,
            name=name if isinstance(name, str) else address,
            value=value,
            location=Location(document.path, document.at(())),
            locate=places,
            extent=Location(document.path, document.extent(())),
        )
        context = {"composite": True, "inputs": value.get("inputs")}
        steps = read_steps(self.reader, runs.get("steps"), ("runs", "steps"), address, context, {}, self.callees)
        value["runs"]["steps"] = [step.value for step in steps]
        return [action, *steps]
