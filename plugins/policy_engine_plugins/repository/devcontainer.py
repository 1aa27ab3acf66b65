"""Development containers and editor tasks: what runs when somebody merely opens the project.

https://containers.dev/implementors/json_reference/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.unit import Problem
from policy_engine.yaml_document import YamlDocument
from policy_engine_plugins.repository.json_document import parse_json
from policy_engine_plugins.repository.places import fault, from_document, open_value
from policy_engine_plugins.repository.scripts import downloads

COMMANDS = (
    *("initializeCommand", "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"),
    "postAttachCommand",
)
_WIDE = ("--privileged", "--cap-add=ALL", "--cap-add=SYS_ADMIN", "--pid=host", "--network=host", "--net=host")
_WIDE_CAPABILITIES = ("ALL", "SYS_ADMIN", "CAP_SYS_ADMIN")


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    value: Any = document.value
    if not isinstance(value, dict):
        return [], [Problem(path, "the file holds a mapping", document.at(()))]
    name = value.get("name")
    image = {"image": _image(value.get("image")), "pinned": _pinned(value.get("image"))}
    made = {
        "loose": list(_loose(value.get("features"))),
        "wide": list(_wide(value)),
        "socket": list(_socket(value)),
        "faults": [fault(text, at) for at, text in _commands(value)],
    }
    renamed: dict[str, AttributePath] = {"pinned": ("image",), "loose": ("features",)}
    shown = name if isinstance(name, str) else path
    features = from_document("devcontainer_features", "devcontainer", shown, made, document, (), renamed)
    return [
        from_document("devcontainer", "devcontainer", shown, image, document, (), renamed),
        _placed(features, made, document),
    ], []


def _placed(made: Resource, value: Mapping[str, Any], document: YamlDocument) -> Resource:
    """Items of our own lists stand where they were found."""
    from msgspec.structs import replace

    from policy_engine.span import Location, Trace

    def locate(wanted: AttributePath) -> Trace:
        if len(wanted) > 1 and wanted[0] in ("loose", "wide", "socket") and isinstance(wanted[1], int):
            items = value[wanted[0]]
            if wanted[1] < len(items):
                return Trace(Location(document.path, document.at(tuple(items[wanted[1]]["at"]))))
        return made.locate(wanted)

    return replace(made, locate=locate)


def _image(image: Any) -> Any:
    return open_value(image, "variable") if isinstance(image, str) else image


def _pinned(image: Any) -> Any:
    """Whether an image has a version of its own or a digest; unknown where it is filled in."""
    from policy_engine.unknown import Unknown

    if not isinstance(image, str):
        return None
    known = open_value(image, "variable")
    if isinstance(known, Unknown):
        return known.member()
    if "@sha256:" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(re.search(r"\d", tag))


def _loose(features: Any) -> Iterator[dict[str, Any]]:
    """Features without a version, or of any version."""
    for name in features if isinstance(features, dict) else ():
        if name.startswith(("./", "../")) or "@sha256:" in name:
            continue
        tag = name.rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            yield {"name": name, "at": ["features", name]}


def _wide(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if value.get("privileged") is True:
        yield {"name": "privileged", "at": ["privileged"]}
    arguments = value.get("runArgs")
    listed = arguments if isinstance(arguments, list) else []
    for index, each in enumerate(listed):
        pair = f"{each}={listed[index + 1]}" if index + 1 < len(listed) else ""
        if each in _WIDE or pair in _WIDE:
            yield {"name": str(each), "at": ["runArgs", index]}
    capabilities = value.get("capAdd")
    for index, each in enumerate(capabilities if isinstance(capabilities, list) else []):
        if str(each).upper() in _WIDE_CAPABILITIES:
            yield {"name": str(each), "at": ["capAdd", index]}


def _socket(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Mounts of the machine's container engine: whoever has it is administrator of the machine."""
    for key in ("mounts", "runArgs"):
        listed = value.get(key)
        for index, each in enumerate(listed if isinstance(listed, list) else []):
            text = str(each.get("source", "")) if isinstance(each, dict) else str(each)
            if "docker.sock" in text:
                yield {"name": "docker.sock", "at": [key, index]}


def _commands(value: Mapping[str, Any]) -> Iterator[tuple[AttributePath, str]]:
    for key in COMMANDS:
        command = value.get(key)
        if isinstance(command, dict):
            for name, each in command.items():
                yield from (((key, name), f"{key} {text}") for text in downloads(each))
        else:
            yield from (((key,), f"{key} {text}") for text in downloads(command))


def load_tasks(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    value: Any = document.value
    tasks = value.get("tasks") if isinstance(value, dict) else None
    resources = []
    for index, each in enumerate(tasks if isinstance(tasks, list) else []):
        if not isinstance(each, dict):
            continue
        options = each.get("runOptions")
        opened = isinstance(options, dict) and options.get("runOn") == "folderOpen"
        name = str(each.get("label", each.get("taskName", index)))
        made = {"command": each.get("command"), "type": each.get("type"), "on_open": opened}
        renamed: dict[str, AttributePath] = {"on_open": ("runOptions", "runOn")}
        resources.append(from_document("editor_task", f"task/{name}", name, made, document, ("tasks", index), renamed))
    return resources, problems
