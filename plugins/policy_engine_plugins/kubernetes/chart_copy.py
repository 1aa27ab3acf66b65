"""A private copy of a chart and the charts it uses, in which helm renders it: regular files of the tree, nothing else.

Left out are schemas of values, as they may name files of the network, and dependencies that are not there.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Mapping

from msgspec import Struct, field

from policy_engine.errors import PolicyEngineError
from policy_engine.span import Location
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.kubernetes.chart import CHART_FILE, REQUIREMENTS_FILE, Chart, Charts, Dependency, below

MAX_FILES = 5000
MAX_BYTES = 64 << 20
_MAX_LEVELS = 8
_SCHEMA = "values.schema.json"


class Copied(Struct, frozen=True):
    """A chart of the copy.

    chart  as the tree has it; None for one from an archive
    place  what brings it in: the line that names it as a dependency
    alias  the key of its values in those of the chart above; empty for the topmost
    """

    chart: Chart | None
    place: Location
    alias: str
    above: str


class ChartCopy(Struct):
    """Contents by their paths in the copy, and for each the file of the tree it comes from.

    charts  by helm's name for them: `shop`, `shop/charts/database`
    """

    root: Chart
    files: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    charts: dict[str, Copied] = field(default_factory=dict)
    missing: list[Dependency] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    room: int = MAX_BYTES
    _folders: dict[str, str] = field(default_factory=dict)

    def write(self, folder: str, instead: Mapping[str, bytes] | None = None) -> None:
        for path, data in self.files.items():
            full = os.path.join(folder, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as stream:
                stream.write(data if instead is None else instead.get(path, data))

    def source_of(self, told: str) -> str | None:
        """The path in the copy of a file as helm calls it: `shop/charts/database/templates/x.yaml`."""
        chart, _, rest = told.partition("/templates/")
        while chart not in self.charts and "/templates/" in rest:
            more, _, rest = rest.partition("/templates/")
            chart = f"{chart}/templates/{more}"
        path = f"{self._folders.get(chart, '')}/templates/{rest}"
        return path if path in self.files else None

    def folder_of(self, name: str) -> str:
        """The folder in the copy of a chart, by helm's name for it."""
        return self._folders[name]

    def name_of(self, path: str) -> str:
        """Helm's name for the chart that a path in the copy belongs to."""
        best = self.root.name
        for name, folder in self._folders.items():
            if path.startswith(f"{folder}/") and len(folder) > len(self._folders[best]):
                best = name
        return best


def copy_chart(chart: Chart, charts: Charts, tree: Tree) -> ChartCopy:
    copy = ChartCopy(chart)
    _Copying(copy, charts, tree).add(chart, "chart", chart.name, Copied(chart, _name_place(chart), "", ""), ())
    return copy


def _name_place(chart: Chart) -> Location:
    return Location(chart.path, chart.document.at(("name",)))


class _Copying:
    def __init__(self, copy: ChartCopy, charts: Charts, tree: Tree) -> None:
        self.copy = copy
        self.charts = charts
        self.tree = tree

    def add(self, chart: Chart, at: str, name: str, copied: Copied, above: tuple[str, ...]) -> None:
        copy = self.copy
        copy.charts[name] = copied
        copy._folders[name] = at
        for path in sorted(self.charts._all_of(chart)):
            if path.endswith((f"/{_SCHEMA}", ".tgz", "/NOTES.txt")):
                continue  # notes are for people, and the archives are unpacked
            self._copy(path, f"{at}/{path[len(chart.folder) :].lstrip('/')}")
        present = self._archives(chart, at, name)
        for sub in self.charts.used(chart.folder):
            if sub.folder in (*above, chart.folder) or len(above) >= _MAX_LEVELS:
                message = f"the dependency '{sub.name}' leads back to this chart and is left out"
                where = chart.document.at(("dependencies",))
                copy.problems.append(Problem(chart.path, message, where, ProblemKind.LIMITED))
                continue
            present.add(sub.name)
            for alias in _aliases(chart, sub.name):
                place = self._dependency_place(chart, sub.name) or _name_place(sub)
                inner = Copied(sub, place, alias, name)
                folder = sub.folder.rpartition("/")[2] or sub.name
                self.add(sub, f"{at}/charts/{folder}", f"{name}/charts/{alias}", inner, (*above, chart.folder))
        missing = [each for each in chart.dependencies if each.name not in present]
        if missing:
            copy.missing.extend(missing)
            self._leave_out(at, chart, missing)

    def _copy(self, path: str, at: str) -> None:
        try:
            data = self.tree.read(path)
        except (OSError, PolicyEngineError):
            return  # told where the scan meets it; without it, helm says what is wrong
        self._put(at, data, path)

    def _put(self, at: str, data: bytes, source: str | None) -> bool:
        copy = self.copy
        if len(copy.files) >= MAX_FILES or len(data) > copy.room:
            if not any(problem.kind is ProblemKind.TOO_LARGE for problem in copy.problems):
                message = f"the chart and what it uses are more than {MAX_BYTES >> 20} MiB or {MAX_FILES} files"
                copy.problems.append(Problem(copy.root.path, message, None, ProblemKind.TOO_LARGE))
            return False
        copy.room -= len(data)
        copy.files[at] = data
        if source is not None:
            copy.sources[at] = source
        return True

    def _dependency_place(self, chart: Chart, name: str) -> Location | None:
        for each in chart.dependencies:
            if each.name == name:
                return Location(each.document.path, each.span())
        return None

    def _leave_out(self, at: str, chart: Chart, missing: list[Dependency]) -> None:
        """The copy's Chart.yaml without the dependencies that are not there: helm refuses the chart else."""
        for name in (CHART_FILE, REQUIREMENTS_FILE):
            data = self.copy.files.get(f"{at}/{name}")
            gone = {each.path[1] for each in missing if each.document.path == below(chart.folder, name)}
            if data is not None and gone:
                self.copy.files[f"{at}/{name}"] = without_items(data, "dependencies", {int(index) for index in gone})

    def _archives(self, chart: Chart, at: str, name: str) -> set[str]:
        """Unpacks the charts that are there as archives. Gives their names."""
        found = set()
        folder = below(chart.folder, "charts")
        for file in self.tree.list(folder):
            if file.endswith(".tgz"):
                try:
                    data = self.tree.read(f"{folder}/{file}")
                except (OSError, PolicyEngineError):
                    continue
                unpacked = self._unpack(data, f"{folder}/{file}", f"{at}/charts")
                found |= unpacked
                for each in unpacked:
                    place = self._dependency_place(chart, each) or _name_place(chart)
                    for alias in _aliases(chart, each):
                        self.copy.charts[f"{name}/charts/{alias}"] = Copied(None, place, alias, name)
                        self.copy._folders[f"{name}/charts/{alias}"] = f"{at}/charts/{each}"
        return found

    def _unpack(self, data: bytes, path: str, at: str) -> set[str]:
        """The members of an archive that are regular files with names that stay inside of it."""
        names = set()
        try:
            with tarfile.open(fileobj=io.BytesIO(_inflated(data, self.copy.room)), mode="r:") as archive:
                for member in archive:
                    parts = member.name.split("/")
                    if not member.isreg() or len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
                        continue
                    if parts[-1] == _SCHEMA or "\\" in member.name or "\0" in member.name:
                        continue
                    stream = archive.extractfile(member)
                    if stream is None or not self._put(f"{at}/{member.name}", stream.read(self.copy.room + 1), None):
                        break
                    if len(parts) == 2 and parts[1] == CHART_FILE:
                        names.add(parts[0])
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            message = f"is no chart's archive that can be read ({error})"
            self.copy.problems.append(Problem(path, message))
        return names


def _inflated(data: bytes, most: int) -> bytes:
    import zlib

    stream = zlib.decompressobj(wbits=31)
    try:
        result = stream.decompress(data, most)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if stream.unconsumed_tail:
        raise ValueError(f"it holds more than {most >> 20} MiB")
    return result


def _aliases(chart: Chart, name: str) -> list[str]:
    aliases = [each.alias or each.name for each in chart.dependencies if each.name == name]
    return list(dict.fromkeys(aliases)) or [name]


def without_items(data: bytes, key: str, gone: set[int]) -> bytes:
    """A YAML mapping without some items of one of its lists; every other value keeps the text it is written with."""
    import yaml

    node = yaml.compose(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert isinstance(node, yaml.MappingNode)
    for key_node, value_node in node.value:
        if key_node.value == key and isinstance(value_node, yaml.SequenceNode):
            value_node.value = [item for index, item in enumerate(value_node.value) if index not in gone]
    text: str = yaml.serialize(node, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return text.encode()


FAILED_AT = re.compile(
    r"(?:template: |error at \(|YAML parse error on )(?P<file>[^:()\s]+)(?::(?P<line>\d+))?(?::(?P<column>\d+))?"
)
"""Where helm says that a template is at fault."""
