"""How the files of a tree group into units: charts, kustomizations, and single manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_engine.tree import Tree
from policy_engine.unit import Unit
from policy_engine_plugins.kubernetes import tool
from policy_engine_plugins.kubernetes.chart import (
    CHART_FILE,
    Charts,
    below,
    has_templates,
    is_archive,
    is_chart_file,
    is_template,
)
from policy_engine_plugins.kubernetes.kustomization import Kustomizations, is_kustomization_name
from policy_engine_plugins.kubernetes.kustomize import patch_files
from policy_engine_plugins.kubernetes.kustomize_build import find_tool
from policy_engine_plugins.kubernetes.recognition import recognises_manifest

FORMAT = "kubernetes"


def units(
    paths: Sequence[str], tree: Tree, value_files: Sequence[tuple[str, bytes]], rendering: bool
) -> Iterator[Unit]:
    """One for each chart and each kustomization that no other one uses, with all files it is made of, and one for each
    other file. Where there is nothing to render or build with, the templates of a chart are in no unit, and each file
    of a kustomization is in one of its own; a patch then has its kustomization with it, which says that it is one."""
    rest = list(paths)
    taken: set[str] = set()
    if any(is_chart_file(path) for path in paths):
        charts = Charts(paths, tree)
        rendered = rendering and tool.find("helm") is not None
        for folder in sorted(charts.broken):
            yield Unit(FORMAT, below(folder, CHART_FILE), (below(folder, CHART_FILE),))
        for chart in charts.roots():
            files = charts.files(chart)
            if not rendered:
                files = {path for path in files if not (is_template(path) or is_archive(path))}
            given = {path for path, _ in value_files if tree.is_file(path)} if rendered else set()
            yield Unit(FORMAT, chart.path, tuple(sorted(files | given)))
        taken = charts.templates() if rendered else set()
        rest = [path for path in rest if path not in taken]
    if any(is_kustomization_name(path) for path in rest):
        kustomizations = Kustomizations(rest, tree)
        built = rendering and find_tool() is not None
        for root in kustomizations.roots():
            reached = kustomizations.files(root)
            if not built:
                reached = {path: role for path, role in reached.items() if role == "kustomization"}
            taken |= {path for path, role in reached.items() if role != "other"}
            yield Unit(FORMAT, root.path, tuple(sorted(reached)))
        for each in kustomizations.given.values():
            if each.path not in taken:
                taken.add(each.path)
                yield Unit(FORMAT, each.path, (each.path,))
        rest = [path for path in rest if path not in taken]
    rest = [path for path in rest if _is_manifest(path, tree)]
    kept = [path for path in paths if is_kustomization_name(path)] if not (rendering and find_tool()) else []
    patches = patch_files([*rest, *kept], tree)
    for path in rest:
        files = {path, patches.get(path, path)}
        yield Unit(FORMAT, path, tuple(sorted(files)))


def _is_manifest(path: str, tree: Tree) -> bool:
    """Whether a file is one on its own; a template of a chart and what else belongs to charts alone is not."""
    if is_archive(path) or is_chart_file(path) or path.endswith(".tpl"):
        return False
    if not is_template(path):
        return True
    return recognises_manifest(path, tree.read(path))


def leaves_out(unit: Unit, tree: Tree) -> bool:
    """Whether there are templates of a chart that its unit does not hold."""
    if has_templates(unit.paths):
        return False
    folders = {path.rpartition("/")[0] for path in unit.paths if is_chart_file(path)}
    return any(
        name.endswith((".yaml", ".yml", ".tpl", ".tgz"))
        for folder in folders
        for kind in ("templates", "charts")
        for name in tree.list(below(folder, kind))
    )
