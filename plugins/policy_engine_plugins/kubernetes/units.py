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
from policy_engine_plugins.kubernetes.kustomize import patch_files
from policy_engine_plugins.kubernetes.recognition import recognises_manifest

FORMAT = "kubernetes"


def units(
    paths: Sequence[str], tree: Tree, value_files: Sequence[tuple[str, bytes]], rendering: bool
) -> Iterator[Unit]:
    """One for each chart that no other one uses, and one for each other file; a Kustomize patch has its kustomization
    with it, which says that it is one. Templates of a chart belong to it, and are in its unit where it is rendered."""
    rest = list(paths)
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
    rest = [path for path in rest if _is_manifest(path, tree)]
    patches = patch_files(rest, tree)
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
