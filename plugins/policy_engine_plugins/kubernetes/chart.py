"""Helm charts of a tree: what their Chart.yaml says, which charts use which, and which files are whose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from policy_engine.errors import PolicyEngineError
from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine.tree import Tree, join
from policy_engine.yaml_document import YamlDocument

CHART_FILE = "Chart.yaml"
VALUES_FILE = "values.yaml"
REQUIREMENTS_FILE = "requirements.yaml"
LOCK_FILES = ("Chart.lock", "requirements.lock")
_OWN_FILES = (CHART_FILE, VALUES_FILE, REQUIREMENTS_FILE, *LOCK_FILES, ".helmignore")
_FILES = re.compile(rb"""\.Files\.(?:Get|GetBytes|Lines|Glob)\s+["`]([^"`\n]{1,200})["`]""")
_MAX_LEVELS = 8


class Dependency(Struct, frozen=True):
    """A chart that another one depends on; `path` is where its name stands in `document`."""

    name: str
    alias: str
    version: Any
    repository: str
    document: YamlDocument
    path: AttributePath

    @property
    def folder(self) -> str | None:
        """For one in the same tree: its folder as seen from the chart's."""
        return self.repository.removeprefix("file://") if self.repository.startswith("file://") else None

    def span(self) -> Span:
        return self.document.at(self.path)


class Chart(Struct, frozen=True):
    folder: str
    document: YamlDocument
    name: str
    is_library: bool
    dependencies: tuple[Dependency, ...]

    @property
    def path(self) -> str:
        return below(self.folder, CHART_FILE)

    def value(self) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.document.value
        return value


def below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def is_chart_file(path: str) -> bool:
    return path.rpartition("/")[2] == CHART_FILE


def is_template(path: str) -> bool:
    return "templates" in path.split("/")[:-1]


def is_archive(path: str) -> bool:
    """Whether it may be a packed chart that another one has at hand."""
    return path.endswith(".tgz") and path.rpartition("/")[0].rpartition("/")[2] == "charts"


def read_chart(folder: str, tree: Tree) -> Chart | None:
    """None where it has no Chart.yaml, or one that does not say its name."""
    document = read_document(below(folder, CHART_FILE), tree)
    if document is None or not isinstance(document.value, dict):
        return None
    name = document.value.get("name")
    if not isinstance(name, str):
        return None
    dependencies = list(_dependencies(document))
    if document.value.get("apiVersion") == "v1":
        requirements = read_document(below(folder, REQUIREMENTS_FILE), tree)
        if requirements is not None:
            dependencies.extend(_dependencies(requirements))
    is_library = document.value.get("type") == "library"
    return Chart(folder, document, name, is_library, tuple(dependencies))


def read_document(path: str, tree: Tree) -> YamlDocument | None:
    """The first document of a file; None where there is none that can be read."""
    from policy_engine.yaml_document import parse_yaml

    try:
        data = tree.read(path)
    except (OSError, PolicyEngineError):
        return None
    documents = parse_yaml(data, path, yaml_1_1=True).documents
    return documents[0] if documents else None


def _dependencies(document: YamlDocument) -> Iterable[Dependency]:
    value = document.value
    listed = value.get("dependencies") if isinstance(value, dict) else None
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            alias, repository = item.get("alias"), item.get("repository")
            yield Dependency(
                item["name"],
                alias if isinstance(alias, str) else "",
                item.get("version"),
                repository if isinstance(repository, str) else "",
                document,
                ("dependencies", index, "name"),
            )


class Charts:
    """The charts among the given files, and how they use each other."""

    def __init__(self, paths: Iterable[str], tree: Tree) -> None:
        self.tree = tree
        self.paths = frozenset(paths)
        self.by_folder: dict[str, Chart] = {}
        self.broken: list[str] = []
        for path in sorted(self.paths):
            if is_chart_file(path):
                folder = path.rpartition("/")[0]
                chart = read_chart(folder, tree)
                if chart is None:
                    self.broken.append(folder)
                else:
                    self.by_folder[folder] = chart
        self._below: dict[str, list[str]] = {}
        for path in self.paths:
            owner = self._owner(path)
            if owner is not None:
                self._below.setdefault(owner, []).append(path)

    def _owner(self, path: str) -> str | None:
        """The folder of the innermost chart that a file lies in."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self.by_folder:
                return folder
        return None

    def templates(self) -> set[str]:
        """The given files that are templates of a chart."""
        found: set[str] = set()
        for folder, paths in self._below.items():
            prefix = below(folder, "templates/")
            found.update(path for path in paths if path.startswith(prefix))
        return found

    def roots(self) -> list[Chart]:
        """The charts that are installed themselves: no other one uses them. Of a ring of charts, all are."""
        used: dict[str, list[str]] = {folder: [sub.folder for sub in self.used(folder)] for folder in self.by_folder}
        reached: set[str] = set()
        called = {sub for subs in used.values() for sub in subs}
        roots = [folder for folder in sorted(used) if folder not in called]
        waiting = list(roots)
        while waiting:
            folder = waiting.pop()
            if folder not in reached:
                reached.add(folder)
                waiting.extend(used[folder])
        roots.extend(folder for folder in sorted(used) if folder not in reached)
        return [self.by_folder[folder] for folder in sorted(roots)]

    def used(self, folder: str) -> list[Chart]:
        """The charts of the tree that a chart uses: those in its `charts` folder, and those it names by their path."""
        found = {}
        prefix = below(folder, "charts/")
        for other in self.by_folder:
            if other.startswith(prefix) and "/" not in other[len(prefix) :]:
                found[other] = self.by_folder[other]
        for dependency in self.by_folder[folder].dependencies:
            target = self.local(folder, dependency)
            if target is not None and target.folder != folder:
                found[target.folder] = target
        return [found[name] for name in sorted(found)]

    def local(self, folder: str, dependency: Dependency) -> Chart | None:
        target = join(folder, dependency.folder) if dependency.folder is not None else None
        return None if target is None else self.by_folder.get(target)

    def own_files(self, chart: Chart) -> set[str]:
        """What says what the chart is, without its templates."""
        return {below(chart.folder, name) for name in _OWN_FILES if self.tree.is_file(below(chart.folder, name))}

    def files(self, chart: Chart) -> set[str]:
        """All files that the chart's rendering rests on, those of the charts it uses among them."""
        found: set[str] = set()
        waiting = [(chart, 0)]
        seen = set()
        while waiting:
            each, level = waiting.pop()
            if each.folder in seen or level > _MAX_LEVELS:
                continue
            seen.add(each.folder)
            found |= self._all_of(each)
            waiting.extend((sub, level + 1) for sub in self.used(each.folder))
        return found

    def _all_of(self, chart: Chart) -> set[str]:
        found = self.own_files(chart)
        top = below(chart.folder, "templates")
        folders = {top}
        for path in self._below.get(chart.folder, ()):
            if path.startswith(f"{top}/"):
                folder = path.rpartition("/")[0]
                while folder not in folders:
                    folders.add(folder)
                    folder = folder.rpartition("/")[0]
        for folder in folders:
            found.update(f"{folder}/{name}" for name in self.tree.list(folder))
        archives = below(chart.folder, "charts")
        found.update(f"{archives}/{name}" for name in self.tree.list(archives) if name.endswith(".tgz"))
        for path in [path for path in found if path.startswith(f"{top}/")]:
            found |= self._read_by(path, chart)
        return found

    def _read_by(self, path: str, chart: Chart) -> set[str]:
        """Files of the chart that a template reads by name, or by a pattern of names."""
        try:
            data = self.tree.read(path)
        except (OSError, PolicyEngineError):
            return set()
        found = set()
        for match in _FILES.finditer(data):
            name = match.group(1).decode("utf-8", "replace")
            plain = re.split(r"[*?\[{]", name, maxsplit=1)[0]
            inside = join(chart.folder, plain if plain == name else plain.rpartition("/")[0])
            if inside is None or not f"{inside}/".startswith(f"{chart.folder}/" if chart.folder else ""):
                continue
            if plain == name:
                if self.tree.is_file(inside):
                    found.add(inside)
            else:
                found.update(below(inside, each) for each in self.tree.list(inside))
        return found


def has_templates(paths: Sequence[str]) -> bool:
    """Whether there is anything to render."""
    return any(is_template(path) or is_archive(path) for path in paths)
