"""Kustomizations of a tree: what each names, which use which, and which files one is built from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.tree import Tree, join
from policy_engine.yaml_document import YamlDocument
from policy_engine_plugins.kubernetes.chart import below, read_document
from policy_engine_plugins.kubernetes.kustomize import FILE_NAMES

REMOTE = re.compile(
    r"://|::|^[\w.+-]+@[\w.-]+:|[?&](?:ref|version|timeout|submodules)=|^(?:github|gitlab|bitbucket)\.(?:com|org)[/:]|^gh:"
    r"|^[\w-]+(?:\.[\w-]+)+/.+//"
)
_FOLDERS = ("resources", "bases", "components")
_FILES = ("crds", "configurations", "patchesStrategicMerge")
_PLUGINS = ("generators", "transformers", "validators")
_WITH_PATH = ("patches", "patchesJson6902", "replacements")
_GENERATORS = ("configMapGenerator", "secretGenerator")
HELM_KEYS = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_MAX_KUSTOMIZATIONS = 500


class Named(Struct, frozen=True):
    """Something that a kustomization names; `path` is where.

    role    `resource`, `patch` or `other`
    target  the tree's file or folder; None where it lies outside, or elsewhere than in a tree
    """

    text: str
    path: AttributePath
    role: str
    target: str | None

    @property
    def is_remote(self) -> bool:
        return REMOTE.search(self.text) is not None


class Kustomization(Struct, frozen=True):
    folder: str
    document: YamlDocument

    @property
    def path(self) -> str:
        return self.document.path

    def value(self) -> dict[str, Any]:
        value: dict[str, Any] = self.document.value
        return value

    @property
    def is_component(self) -> bool:
        """A component changes what uses it; alone it has nothing to change."""
        return self.value().get("kind") == "Component"

    def named(self) -> Iterator[Named]:
        """Every file and folder that it names."""
        value = self.value()
        for key in (*_FOLDERS, *_FILES, *_PLUGINS):
            role = "resource" if key in _FOLDERS else "patch" if key == "patchesStrategicMerge" else "other"
            for index, item in enumerate(items(value, key)):
                if isinstance(item, str) and "\n" not in item:
                    yield self._named(item, (key, index), role)
        for key in _WITH_PATH:
            for index, item in enumerate(items(value, key)):
                if isinstance(item, dict) and isinstance(item.get("path"), str):
                    yield self._named(item["path"], (key, index, "path"), "other" if key == "replacements" else "patch")
        openapi = value.get("openapi")
        if isinstance(openapi, dict) and isinstance(openapi.get("path"), str):
            yield self._named(openapi["path"], ("openapi", "path"), "other")
        for key in _GENERATORS:
            for index, item in enumerate(items(value, key)):
                if isinstance(item, dict):
                    for part in ("files", "envs"):
                        for number, text in enumerate(items(item, part)):
                            if isinstance(text, str):
                                name = text.partition("=")[2] if part == "files" and "=" in text else text
                                yield self._named(name, (key, index, part, number), "other")
                    if isinstance(item.get("env"), str):
                        yield self._named(item["env"], (key, index, "env"), "other")

    def _named(self, text: str, path: AttributePath, role: str) -> Named:
        return Named(text, path, role, None if REMOTE.search(text) else join(self.folder, text))


def items(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def is_kustomization_name(path: str) -> bool:
    return path.rpartition("/")[2] in FILE_NAMES


def read_kustomization(path: str, tree: Tree) -> Kustomization | None:
    """None for what only has the name of one: Flux has objects of the same kind."""
    document = read_document(path, tree)
    if document is None or not isinstance(document.value, dict):
        return None
    api = document.value.get("apiVersion")
    if api is not None and not str(api).startswith("kustomize.config.k8s.io/"):
        return None
    return Kustomization(path.rpartition("/")[0], document)


class Kustomizations:
    """The kustomizations among the given files, and those that they use."""

    def __init__(self, paths: Iterable[str], tree: Tree) -> None:
        self.tree = tree
        self.given: dict[str, Kustomization] = {}
        self._read: dict[str, Kustomization | None] = {}
        for path in sorted(paths):
            if is_kustomization_name(path):
                found = self.at(path.rpartition("/")[0])
                if found is not None:
                    self.given[found.folder] = found

    def at(self, folder: str) -> Kustomization | None:
        """The kustomization of a folder."""
        if folder not in self._read:
            path = next((below(folder, name) for name in FILE_NAMES if self.tree.is_file(below(folder, name))), None)
            self._read[folder] = None if path is None else read_kustomization(path, self.tree)
        return self._read[folder]

    def used(self, kustomization: Kustomization) -> list[Kustomization]:
        found = {}
        for each in kustomization.named():
            if each.role == "resource" and each.target is not None and not self.tree.is_file(each.target):
                other = self.at(each.target)
                if other is not None:
                    found[other.folder] = other
        return [found[folder] for folder in sorted(found)]

    def roots(self) -> list[Kustomization]:
        """Those that are built themselves: no other one uses them. Of a ring, all are; a component
        is none."""
        used = {folder: [other.folder for other in self.used(each)] for folder, each in self.given.items()}
        called = {other for others in used.values() for other in others}
        roots = [folder for folder in sorted(used) if folder not in called]
        reached: set[str] = set()
        waiting = list(roots)
        while waiting:
            folder = waiting.pop()
            if folder not in reached:
                reached.add(folder)
                waiting.extend(used.get(folder, ()))
        roots.extend(folder for folder in sorted(used) if folder not in reached)
        return [self.given[folder] for folder in sorted(roots) if not self.given[folder].is_component]

    def reached(self, root: Kustomization) -> list[Kustomization]:
        """A kustomization and all that it is built from, the nearest first."""
        found = {root.folder: root}
        waiting = [root]
        while waiting and len(found) < _MAX_KUSTOMIZATIONS:
            for other in self.used(waiting.pop(0)):
                if other.folder not in found:
                    found[other.folder] = other
                    waiting.append(other)
        return list(found.values())

    def files(self, root: Kustomization) -> dict[str, str]:
        """The files that one is built from, each with the role it has in it."""
        found: dict[str, str] = {}
        for each in self.reached(root):
            found[each.path] = "kustomization"
            for named in each.named():
                if named.target is not None and self.tree.is_file(named.target):
                    found.setdefault(named.target, named.role)
        return found
