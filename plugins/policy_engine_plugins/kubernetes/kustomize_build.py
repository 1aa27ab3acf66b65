"""Builds a kustomization with kustomize, or kubectl, in a private copy that names nothing elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from policy_engine.errors import PolicyEngineError
from policy_engine.resource import AttributePath
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.kubernetes import tool
from policy_engine_plugins.kubernetes.kustomization import HELM_KEYS, Kustomization, Kustomizations, items

MAX_FILES = 5000
MAX_BYTES = 64 << 20
ORIGIN = "config.kubernetes.io/origin"
_PLUGINS = ("generators", "transformers", "validators")


def find_tool() -> tuple[str, str] | None:
    """The tool's path, and the verb it builds with."""
    for name, verb in (("kustomize", "build"), ("kubectl", "kustomize")):
        path = tool.find(name)
        if path is not None:
            return path, verb
    return None


@dataclass(slots=True)
class Built:
    """What came of it. `output` is None where it could not be built; `has_origins` where objects tell where they are
    from."""

    output: bytes | None = None
    has_origins: bool = False
    problems: list[Problem] = field(default_factory=list)


def build(root: Kustomization, kustomizations: Kustomizations, paths: Sequence[str], tree: Tree) -> Built:
    found = find_tool()
    assert found is not None, "asked only where there is one"
    path, verb = found
    built = Built()
    files: dict[str, bytes] = {}
    room = MAX_BYTES
    for name in paths:
        try:
            data = tree.read(name)
        except (OSError, PolicyEngineError):
            continue  # told where the scan meets it; kustomize says that it is missing
        room -= len(data)
        if room < 0 or len(files) >= MAX_FILES:
            message = f"what it is built from is more than {MAX_BYTES >> 20} MiB or {MAX_FILES} files"
            built.problems.append(Problem(root.path, message, None, ProblemKind.TOO_LARGE))
            return built
        files[name] = data
    for each in kustomizations.reached(root):
        gone = list(_left_out(each, kustomizations, built.problems))
        if each.path in files:
            files[each.path] = _edited(files[each.path], gone, with_origins=each is root)
    with tempfile.TemporaryDirectory(prefix="policy-engine-") as folder:
        for name, data in files.items():
            full = os.path.join(folder, "tree", name)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as stream:
                stream.write(data)
        arguments = [verb, os.path.join("tree", root.folder)]
        # What would ask the network is left out before, and there is no git to fetch with.
        done = tool.run(path, arguments, folder, without_network=False)
        built.has_origins = not done.error
        if "buildMetadata" in done.error:
            with open(os.path.join(folder, "tree", root.path), "wb") as stream:
                stream.write(_edited(files[root.path], [], with_origins=False))
            done = tool.run(path, arguments, folder, without_network=False)
    if done.error:
        message = f"cannot be built, so its files are judged one by one: {_short(done.error)}"
        built.problems.append(Problem(root.path, message, root.document.at(())))
    else:
        built.output = done.output
    return built


def _left_out(each: Kustomization, kustomizations: Kustomizations, problems: list[Problem]) -> list[AttributePath]:
    """What the copy does not name: what lies elsewhere, is not there, or would run something."""
    gone: list[AttributePath] = []

    def leave_out(path: AttributePath, why: str) -> None:
        gone.append(path)
        message = f"{why}, so it is not evaluated"
        problems.append(Problem(each.path, message, each.document.at(path), ProblemKind.LIMITED))

    value = each.value()
    for key in HELM_KEYS:
        if key in value:
            leave_out((key,), f"'{key}' fetches and renders charts")
    for key in _PLUGINS:
        for index, item in enumerate(items(value, key)):
            if not _is_builtin(each, item, kustomizations.tree):
                leave_out((key, index), f"'{key}' names a plugin, which is not run")
    for named in each.named():
        if named.path[0] in _PLUGINS and named.path[:2] in gone:
            continue
        shown = named.text if len(named.text) <= 100 else named.text[:97] + "..."
        item = named.path[:-1] if named.path[-1] == "path" else named.path
        if named.is_remote:
            leave_out(item, f"'{shown}' is elsewhere and is not fetched")
        elif named.target is None:
            leave_out(item, f"'{shown}' leads outside of what is scanned")
        elif not kustomizations.tree.is_file(named.target):
            inner = kustomizations.at(named.target) if named.role == "resource" else None
            if inner is None:
                leave_out(item, f"'{shown}' is not there")
    return gone


def _is_builtin(each: Kustomization, item: Any, tree: Tree) -> bool:
    """Whether a generator or transformer is one of kustomize's own, and none that renders charts."""
    from policy_engine.tree import join
    from policy_engine.yaml_document import parse_yaml

    if not isinstance(item, str):
        return False
    data = item.encode()
    if "\n" not in item:
        path = join(each.folder, item)
        if path is None:
            return True  # left out as what it is
        try:
            data = tree.read(path)
        except (OSError, PolicyEngineError):
            return False
    documents = parse_yaml(data, each.path).documents
    return bool(documents) and all(
        isinstance(document.value, dict)
        and document.value.get("apiVersion") == "builtin"
        and document.value.get("kind") != "HelmChartInflationGenerator"
        for document in documents
    )


def _edited(data: bytes, gone: Sequence[AttributePath], *, with_origins: bool) -> bytes:
    """A kustomization without some of its entries; every other value keeps the text it is written with."""
    import yaml

    node = yaml.compose(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert isinstance(node, yaml.MappingNode)
    # The last ones first, so that the indexes of the others stay.
    for path in sorted(set(gone), key=lambda path: [(isinstance(step, int), step) for step in path], reverse=True):
        _remove(node, path)
    if with_origins:
        node.value = [pair for pair in node.value if pair[0].value != "buildMetadata"]
        tag = "tag:yaml.org,2002:str"
        wanted = yaml.SequenceNode(
            "tag:yaml.org,2002:seq", [yaml.ScalarNode(tag, "originAnnotations")], flow_style=True
        )
        node.value.append((yaml.ScalarNode(tag, "buildMetadata"), wanted))
    else:
        node.value = [pair for pair in node.value if pair[0].value != "buildMetadata"]
    text: str = yaml.serialize(node, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return text.encode()


def _remove(node: Any, path: AttributePath) -> None:
    for step in path[:-1]:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(value for key, value in node.value if key.value == step)
    last = path[-1]
    if isinstance(last, int):
        del node.value[last]
    else:
        node.value = [pair for pair in node.value if pair[0].value != last]


def _short(error: str) -> str:
    return error if len(error) <= 300 else error[:150] + " ... " + error[-145:]
