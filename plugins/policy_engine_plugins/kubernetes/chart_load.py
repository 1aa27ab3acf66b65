"""Loads a chart: what its files say of it, and the objects that helm renders of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Fixed, Location, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument, parse_yaml
from policy_engine_plugins.kubernetes import placeholder, tool
from policy_engine_plugins.kubernetes.chart import (
    LOCK_FILES,
    VALUES_FILE,
    Chart,
    Charts,
    below,
    has_templates,
    read_document,
)
from policy_engine_plugins.kubernetes.chart_copy import ChartCopy, Copied, copy_chart
from policy_engine_plugins.kubernetes.chart_places import TemplatePlaces, ValuesLayer
from policy_engine_plugins.kubernetes.manifest import FORMAT, Manifests
from policy_engine_plugins.kubernetes.render import NAMESPACE, RenderedDocument, render

HOW_TO_GET_HELM = "put helm on the PATH (https://helm.sh/docs/intro/install), or leave it out with --no-render"
_MADE_UP = Unknown("it is made up anew each time that the chart is rendered", present=True)
_RELEASE_NAMESPACE = Unknown("the namespace is chosen where the chart is installed", present=True)


def load(unit: Unit, tree: Tree, value_files: Sequence[tuple[str, bytes]], rendering: bool, left_out: bool) -> Loaded:
    """`left_out` says that there are templates which the unit does not hold, as there is nothing to render them."""
    charts = Charts(unit.paths, tree)
    folder = unit.name.rpartition("/")[0]
    chart = charts.by_folder.get(folder)
    manifests = Manifests()
    if chart is None:
        message = "is no Chart.yaml that can be read: it holds no 'name', so the chart is not evaluated"
        problems = list(parse_yaml(tree.read(unit.name), unit.name, yaml_1_1=True).problems)
        problems = problems or [Problem(unit.name, message)]
        return Loaded((), problems)
    for each in charts.by_folder.values():
        manifests.resources.extend(_own_resources(each, tree))
    place = chart.document.at(("name",))
    if left_out and rendering:
        message = f"the chart '{chart.name}' is not evaluated, as helm is not there to render it: {HOW_TO_GET_HELM}"
        manifests.problems.append(Problem(unit.name, message, place))
    elif left_out:
        message = f"the chart '{chart.name}' is not evaluated, as it was not to be rendered"
        manifests.problems.append(Problem(unit.name, message, place, ProblemKind.LIMITED))
    elif rendering and has_templates(unit.paths):
        if chart.is_library:
            message = f"no chart here uses the library chart '{chart.name}', so its templates are not evaluated"
            manifests.problems.append(Problem(unit.name, message, place, ProblemKind.LIMITED))
        else:
            _add_rendered(manifests, chart, charts, tree, value_files)
    return manifests.loaded(unit.name)


def _add_rendered(
    manifests: Manifests, chart: Chart, charts: Charts, tree: Tree, value_files: Sequence[tuple[str, bytes]]
) -> None:
    helm = tool.find("helm")
    assert helm is not None, "the unit holds templates only where helm is there"
    copy = copy_chart(chart, charts, tree)
    manifests.problems.extend(copy.problems)
    given = [(path, data) for path, data in value_files if _is_for(path, chart, charts)]
    rendered = render(helm, copy, [data for _, data in given])
    for dependency in copy.missing:
        message = f"the dependency '{dependency.name}' is not here and not evaluated; run `helm dependency build`"
        manifests.problems.append(Problem(dependency.document.path, message, dependency.span(), ProblemKind.LIMITED))
    manifests.problems.extend(rendered.problems)
    layers: dict[str, list[ValuesLayer]] = {}
    seen = {document.source for document in rendered.documents}
    for document in rendered.documents:
        name = copy.name_of(document.source)
        if name not in layers:
            layers[name] = _layers(name, copy, tree, given)
        places = TemplatePlaces(copy, rendered, document, layers[name])
        data = document.text.encode()
        parsed = parse_yaml(data, copy.sources.get(document.source, chart.path), yaml_1_1=True)
        for problem in parsed.problems:
            manifests.problems.append(_placed(problem, places))
        for each in parsed.documents:
            if document.again:
                _open_made_up(each, document)
            _open_namespace(each.value, 0)
        manifests.add(parsed.documents, data, places, None)
    if not rendered.problems:
        _tell_switched_off(manifests, copy, seen)


def _placed(problem: Problem, places: TemplatePlaces) -> Problem:
    """A problem of what was rendered, told where that comes from."""
    line = problem.span.start_line if problem.span is not None else 0
    place = places.line(line)
    message = problem.message if problem.kind is ProblemKind.LIMITED else f"renders to what is {problem.message}"
    return Problem(place.path, message, place.span, problem.kind)


def _tell_switched_off(manifests: Manifests, copy: ChartCopy, seen: set[str]) -> None:
    for name, copied in copy.charts.items():
        folder = copy.folder_of(name)
        if not copied.above or (copied.chart is not None and copied.chart.is_library):
            continue
        if any(source.startswith(f"{folder}/") for source in seen):
            continue
        templates = [
            path
            for path in copy.files
            if path.startswith(f"{folder}/templates/") and path.endswith((".yaml", ".yml")) and "/_" not in path
        ]
        if templates:
            title = name.rpartition("/")[2]
            message = f"with these values nothing of the dependency '{title}' is rendered, so it is not evaluated"
            manifests.problems.append(Problem(copied.place.path, message, copied.place.span, ProblemKind.LIMITED))


def _is_for(path: str, chart: Chart, charts: Charts) -> bool:
    """A file of values in a chart's own folder is for that chart; one that lies elsewhere is for all."""
    folder = path.rpartition("/")[0]
    while True:
        if folder == chart.folder:
            return True
        if charts.tree.is_file(below(folder, "Chart.yaml")):
            return False
        if not folder:
            return True
        folder = folder.rpartition("/")[0]


def _layers(name: str, copy: ChartCopy, tree: Tree, given: Sequence[tuple[str, bytes]]) -> list[ValuesLayer]:
    """The files of values that count for a chart, the strongest first."""
    layers: list[ValuesLayer] = []
    prefix: AttributePath = ()
    own: list[ValuesLayer] = []
    while name:
        copied: Copied = copy.charts[name]
        if copied.chart is not None:
            document = read_document(below(copied.chart.folder, VALUES_FILE), tree)
            if document is not None:
                own.append(ValuesLayer(document, prefix))
        if not copied.above:
            for path, data in given:
                for document in parse_yaml(data, path, yaml_1_1=True).documents[:1]:
                    layers.insert(0, ValuesLayer(document, prefix))
        prefix = (copied.alias, *prefix)
        name = copied.above
    return [*layers, *reversed(own)]


def _open_made_up(parsed: YamlDocument, document: RenderedDocument) -> None:
    """What a template makes up by chance is another one with every rendering: it is not known, and stands nowhere."""
    lines = document.text.split("\n")
    waiting: list[tuple[AttributePath, Any]] = [((), parsed.value)]
    while waiting:
        path, value = waiting.pop()
        keys: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in list(keys):
            if isinstance(item, (dict, list)):
                waiting.append(((*path, key), item))
                continue
            whole = parsed.extent((*path, key))
            made_up = [number for number in range(whole.start_line, whole.end_line + 1) if number in document.again]
            if not made_up or not isinstance(item, str):
                continue
            if key == "name":
                value[key] = _steady(item, lines[made_up[0] - 1], document.again[made_up[0]])
            else:
                value[key] = _MADE_UP


def _steady(name: str, line: str, again: str) -> str:
    """The parts that a name which is partly made up begins with: it has to be the same in every scan."""
    same = next((n for n, (one, other) in enumerate(zip(line, again, strict=False)) if one != other), len(line))
    stem = name[: max(same - line.find(name), 0)]
    return stem[: max(stem.rfind("-"), stem.rfind("."), 0)] or "random"


def _open_namespace(value: Any, depth: int) -> None:
    """The namespace that the chart is rendered for is none that it is installed into."""
    keys: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(keys):
        if isinstance(item, str):
            if NAMESPACE in item and (key != "name" or item == NAMESPACE):
                value[key] = _unknown_namespace(item)
        elif isinstance(item, (dict, list)):
            _open_namespace(item, depth + 1)


def _unknown_namespace(text: str) -> Unknown:
    if text == NAMESPACE:
        return _RELEASE_NAMESPACE
    pieces: list[str | None] = []
    for number, piece in enumerate(text.split(NAMESPACE)):
        if number:
            pieces.append(None)
        if piece:
            pieces.append(piece)
    return Unknown(_RELEASE_NAMESPACE.reason, None, (), tuple(pieces), present=True)


# ---- what the chart's own files say ----------------------------------------------------------------------------------


def _own_resources(chart: Chart, tree: Tree) -> list[Resource]:
    """`chart`: Chart.yaml's keys, and `lock`, the dependencies of its lock file; `values`: the keys of values.yaml."""
    for document in {id(each): each for each in (chart.document, *(d.document for d in chart.dependencies))}.values():
        placeholder.fill(document.value, document.path, holds_data=False)
    value: dict[str, Any] = dict(chart.value())
    if chart.dependencies and not value.get("dependencies"):
        value["dependencies"] = [dict(each.document.value["dependencies"][each.path[1]]) for each in chart.dependencies]
    value["lock"] = _lock(chart, tree)
    resources = [_resource("chart", chart.name, chart.document, value, ("name",), _chart_places(chart))]
    values = read_document(below(chart.folder, VALUES_FILE), tree)
    if values is not None and isinstance(values.value, dict):
        placeholder.fill(values.value, values.path, holds_data=False)
        resources.append(_resource("values", chart.name, values, values.value, (), _places(values)))
    return resources


def _resource(
    type_: str,
    name: str,
    document: YamlDocument,
    value: Mapping[str, Any],
    header: AttributePath,
    locate: Callable[[AttributePath], Trace],
) -> Resource:
    place = Location(document.path, document.at(header))
    return Resource(
        FORMAT, type_, f"{type_}/{name}", name, value, place, locate, Location(document.path, document.extent(()))
    )


def _places(document: YamlDocument) -> Callable[[AttributePath], Trace]:
    return lambda path: Trace(Location(document.path, document.at(path)))


def _chart_places(chart: Chart) -> Callable[[AttributePath], Trace]:
    """Dependencies of an old chart stand in a file of their own."""
    other = chart.dependencies[-1].document if chart.dependencies else chart.document
    header = Fixed(Location(chart.path, chart.document.at(("name",))))
    dependencies = Location(other.path, other.at(("dependencies",)))

    def locate(path: AttributePath) -> Trace:
        if path[:1] == ("lock",):
            return Trace(dependencies) if chart.dependencies else header(path)
        document = other if path[:1] == ("dependencies",) else chart.document
        return Trace(Location(document.path, document.at(path)))

    return locate


def _lock(chart: Chart, tree: Tree) -> Any:
    for name in LOCK_FILES:
        document = read_document(below(chart.folder, name), tree)
        if document is not None and isinstance(document.value, dict):
            return document.value
    return None
