"""Loads a kustomization: the objects that kustomize builds of it, or its files one by one where it cannot be built."""

from __future__ import annotations

import copy
import re
from typing import Any

from msgspec.structs import replace

from policy_engine.resource import Resource
from policy_engine.span import Location, Trace
from policy_engine.tree import Tree, join
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.yaml_document import YamlDocument, parse_yaml
from policy_engine_plugins.kubernetes import placeholder
from policy_engine_plugins.kubernetes.kustomization import Kustomization, Kustomizations, items
from policy_engine_plugins.kubernetes.kustomize_build import ORIGIN, build, find_tool
from policy_engine_plugins.kubernetes.kustomize_places import BuiltPlaces, Patches, Source, objects
from policy_engine_plugins.kubernetes.manifest import FORMAT, KubernetesObject, Manifests

_HASH = re.compile(r"-[a-z0-9]{10}$")


def load(unit: Unit, tree: Tree, rendering: bool) -> Loaded:
    kustomizations = Kustomizations([unit.name], tree)
    root = kustomizations.given.get(unit.name.rpartition("/")[0])
    manifests = Manifests()
    if root is None:
        manifests.read(unit.name, tree.read(unit.name))
        return manifests.loaded(unit.name)
    reached = kustomizations.reached(root)
    for each in reached:
        if each.path in unit.paths:
            manifests.resources.append(_resource(each))
    if not rendering or root.is_component:
        return manifests.loaded(unit.name)
    if find_tool() is None:
        message = (
            "is judged file by file and not as it is built, as neither kustomize nor kubectl is there: put one on the "
            "PATH (https://kubectl.docs.kubernetes.io/installation/kustomize)"
        )
        manifests.problems.append(Problem(unit.name, message, root.document.at(()), ProblemKind.LIMITED))
        return manifests.loaded(unit.name)
    built = build(root, kustomizations, unit.paths, tree)
    manifests.problems.extend(built.problems)
    if built.output is None:
        _add_files(manifests, root, kustomizations, tree)
    else:
        _Building(manifests, root, reached, kustomizations, tree).add(built.output)
    return manifests.loaded(unit.name)


def _resource(each: Kustomization) -> Resource:
    document = each.document
    value = copy.deepcopy(each.value())
    placeholder.fill(value, each.path, holds_data=False)
    place = Location(each.path, document.at(("kind",) if "kind" in each.value() else ()))
    name = each.folder.rpartition("/")[2] or "-"
    return Resource(
        FORMAT,
        "Kustomization",
        "Kustomization/default/-",
        name,
        value,
        place,
        lambda path: Trace(Location(each.path, document.at(path))),
        Location(each.path, document.extent(())),
    )


def _add_files(manifests: Manifests, root: Kustomization, kustomizations: Kustomizations, tree: Tree) -> None:
    for path, role in sorted(kustomizations.files(root).items()):
        if role in ("resource", "patch"):
            manifests.read(path, tree.read(path), root.path if role == "patch" else None)


class _Building:
    def __init__(
        self,
        manifests: Manifests,
        root: Kustomization,
        reached: list[Kustomization],
        kustomizations: Kustomizations,
        tree: Tree,
    ) -> None:
        self.manifests = manifests
        self.root = root
        self.reached = reached
        self.tree = tree
        self.patches = Patches(reached, tree)
        self.resource_files = [path for path, role in sorted(kustomizations.files(root).items()) if role == "resource"]
        self.sources: dict[str, list[Source]] = {}
        self.taken: set[int] = set()

    def add(self, output: bytes) -> None:
        parsed = parse_yaml(output, self.root.path, yaml_1_1=True)
        for problem in parsed.problems:
            message = f"is built into what is {problem.message}"
            self.manifests.problems.append(Problem(self.root.path, message, self.root.document.at(()), problem.kind))
        for document in parsed.documents:
            if not isinstance(document.value, dict):
                continue
            origin = _take_origin(document.value)
            base = self._base(document.value, origin)
            generator = None if base is not None else self._generator(document.value, origin)
            places = BuiltPlaces(base, generator, self.patches, self.reached)

            def named(each: KubernetesObject, base: Source | None = base, origin: Any = origin) -> KubernetesObject:
                """By the name that the base has: overlays that put something before it speak of the same object."""
                if base is not None:
                    return replace(each, name=base.name) if base.name else each
                return replace(each, name=_HASH.sub("", each.name))

            self.manifests.add([document], output, places, None, named=named)

    def _base(self, value: dict[str, Any], origin: Any) -> Source | None:
        """The object of a file that a built one began as."""
        if isinstance(origin, dict) and "configuredIn" in origin:
            return None
        paths = self.resource_files
        if isinstance(origin, dict) and isinstance(origin.get("path"), str):
            path = join(self.root.folder, origin["path"])
            paths = [path] if path is not None else paths
        metadata = value.get("metadata")
        name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
        best: Source | None = None
        for path in paths:
            if path not in self.sources:
                self.sources[path] = list(objects(path, self.tree))
            for source in self.sources[path]:
                if source.kind != value.get("kind") or id(source) in self.taken or source.name not in name:
                    continue
                if best is None or len(source.name) > len(best.name):
                    best = source
        if best is not None:
            self.taken.add(id(best))
        return best

    def _generator(self, value: dict[str, Any], origin: Any) -> Location:
        """The entry of the kustomization that an object was generated by; where it is not told, the kustomization."""
        metadata = value.get("metadata")
        name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
        key = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}.get(str(value.get("kind")), "")
        wanted = None
        if isinstance(origin, dict) and isinstance(origin.get("configuredIn"), str):
            wanted = join(self.root.folder, origin["configuredIn"])
        for each in self.reached:
            if wanted is not None and each.path != wanted:
                continue
            for index, item in enumerate(items(each.value(), key)):
                if isinstance(item, dict) and isinstance(item.get("name"), str) and item["name"] in name:
                    return Location(each.path, each.document.at((key, index, "name")))
        return Location(self.root.path, self.root.document.at(()))


def _take_origin(value: dict[str, Any]) -> Any:
    """Takes kustomize's own note of where an object began off it, and gives it."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or ORIGIN not in annotations:
        return None
    text = annotations.pop(ORIGIN)
    if not annotations:
        value["metadata"].pop("annotations")
    documents: tuple[YamlDocument, ...] = parse_yaml(str(text).encode(), "").documents
    return documents[0].value if documents else None
