"""Which files a chart is made of, and what is told where there is no helm."""

from __future__ import annotations

import pytest

from chart_reading import CHART, POD, files, load_all, told, units_of
from policy_engine.tree import MemoryTree
from policy_engine_plugins.kubernetes import KubernetesFormat

HELPER = '{{ define "a" }}{{ .Files.Get "conf/x.txt" }}{{ .Files.Glob "d/*.txt" }}{{ end }}'
TEMPLATED = POD.replace("web:1", "{{ .Values.image }}")


def test_without_helm_a_chart_is_told_as_not_evaluated_and_how_to_get_it(without_tools: None) -> None:
    given = files({"shop/Chart.yaml": CHART, "shop/values.yaml": "image: web:1", "shop/templates/web.yaml": TEMPLATED})
    units, ledger = units_of(MemoryTree(given), sorted(given))
    assert list(units) == ["shop/Chart.yaml"]
    assert ledger == {
        "shop/Chart.yaml": "evaluated",
        "shop/templates/web.yaml": "not_claimed",
        "shop/values.yaml": "evaluated",
    }
    (problem,) = told(KubernetesFormat().load(units["shop/Chart.yaml"], MemoryTree(given)))
    assert problem == (
        "not_understood shop/Chart.yaml:2:1: the chart 'shop' is not evaluated, as helm is not there to render it: put "
        "helm on the PATH (https://helm.sh/docs/intro/install), or leave it out with --no-render"
    )


def test_where_rendering_is_not_wanted_the_scan_counts_as_complete(without_tools: None) -> None:
    format_ = KubernetesFormat().configured({"no-render": True})
    loaded = load_all({"Chart.yaml": CHART, "templates/web.yaml": TEMPLATED}, format_)
    assert told(loaded["Chart.yaml"]) == [
        "limited Chart.yaml:2:1: the chart 'shop' is not evaluated, as it was not to be rendered"
    ]


def test_templates_are_the_charts_and_plain_manifests_beside_them_are_not(helm: str) -> None:
    given = files(
        {
            "shop/Chart.yaml": CHART,
            "shop/Chart.lock": "dependencies: []",
            "shop/values.yaml": "image: web:1",
            "shop/templates/web.yaml": TEMPLATED,
            "shop/templates/plain.yaml": POD,
            "shop/templates/more/_help.tpl": HELPER,
            "shop/conf/x.txt": "x",
            "shop/conf/y.txt": "y",
            "shop/d/z.txt": "z",
            "shop/crds/thing.yaml": POD,
            "other/templates/web.yaml": TEMPLATED,
        }
    )
    units, ledger = units_of(MemoryTree(given), sorted(given))
    assert set(units) == {"shop/Chart.yaml", "shop/crds/thing.yaml"}
    assert set(given) - set(units["shop/Chart.yaml"].paths) == {
        "shop/conf/y.txt",
        "shop/crds/thing.yaml",
        "other/templates/web.yaml",
    }
    assert ledger["other/templates/web.yaml"] == "not_claimed"
    assert ledger["shop/templates/more/_help.tpl"] == "evaluated"


def test_a_chart_that_others_use_is_judged_through_them(helm: str) -> None:
    given = files(
        {
            "shop/Chart.yaml": CHART
            + "dependencies:\n  - {name: base, version: 1.0.0, repository: 'file://../base'}\n",
            "shop/charts/db/Chart.yaml": CHART.replace("shop", "db"),
            "shop/charts/db/templates/web.yaml": TEMPLATED,
            "base/Chart.yaml": CHART.replace("shop", "base"),
            "base/templates/web.yaml": TEMPLATED,
            "alone/Chart.yaml": CHART.replace("shop", "alone"),
        }
    )
    units, _ = units_of(MemoryTree(given), sorted(given))
    assert {name: len(unit.paths) for name, unit in units.items()} == {"alone/Chart.yaml": 1, "shop/Chart.yaml": 5}


def test_charts_that_use_each_other_are_each_judged(helm: str) -> None:
    ring = {
        f"{name}/Chart.yaml": CHART.replace("shop", name)
        + f"dependencies:\n  - {{name: {other}, version: 1.0.0, repository: 'file://../{other}'}}\n"
        for name, other in (("a", "b"), ("b", "a"))
    }
    pods = {f"{name}/templates/pod.yaml": POD.replace("name: web", f"name: {name}") for name in "ab"}
    loaded = load_all({**ring, **pods})
    assert set(loaded) == {"a/Chart.yaml", "b/Chart.yaml"}
    for each in loaded.values():
        assert any("leads back to this chart" in line for line in told(each))
        assert {resource.address for resource in each.resources} >= {"Pod/default/a", "Pod/default/b"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- a list", "holds no 'name'"),
        ("name: [", "not valid YAML"),
        ("version: 1\nname:\n", "holds no 'name'"),
    ],
)
def test_a_broken_chart_file_is_told(helm: str, text: str, wanted: str) -> None:
    (problem,) = told(load_all({"c/Chart.yaml": f"# name\n{text}\n"})["c/Chart.yaml"])
    assert problem.startswith("not_understood c/Chart.yaml")
    assert wanted in problem
