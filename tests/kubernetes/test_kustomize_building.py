"""Kustomizations built by a real kustomize: what comes of them, and where it comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from chart_reading import POD, by_address, files, load_all, told, units_of
from policy_engine.finding import Outcome
from policy_engine.plugins import Plugins
from policy_engine.resource import Resource
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Selection, Settings
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine_plugins.kubernetes import KubernetesFormat
from policy_engine_plugins.kubernetes.tool import run

CORPUS = Path(__file__).parent.parent / "corpus" / "kustomizations" / "shop"
PRODUCTION, STAGING = "overlays/production/kustomization.yaml", "overlays/staging/kustomization.yaml"
APP, PROXY = "containers/app", "containers/proxy"


def corpus() -> dict[str, bytes]:
    return {str(path.relative_to(CORPUS)): path.read_bytes() for path in sorted(CORPUS.rglob("*")) if path.is_file()}


def overlay(name: str) -> dict[str, Resource]:
    loaded = load_all(corpus())[name]
    assert told(loaded) == []
    return by_address(loaded)


def place(resource: Resource, *path: str | int) -> str:
    return str(resource.locate(path).location)


def test_bases_are_judged_through_the_overlays_that_use_them(kustomize: str) -> None:
    units, ledger = units_of(MemoryTree(corpus()), sorted(corpus()))
    assert set(units) == {PRODUCTION, STAGING}
    assert set(ledger.values()) == {"evaluated"}
    assert "base/motd.txt" in units[STAGING].paths


def test_without_a_tool_files_are_judged_one_by_one_and_that_is_told(without_tools: None) -> None:
    loaded = load_all(corpus())
    assert {"base/deployment.yaml", "overlays/production/host.yaml", PRODUCTION, STAGING} <= set(loaded)
    (line,) = told(loaded[STAGING])
    assert line.startswith(
        f"limited {STAGING}:1:1: is judged file by file and not as it is built, as neither kustomize"
    )


@pytest.mark.parametrize("name", ["production", "staging"])
def test_what_is_judged_is_what_kustomize_itself_gives(kustomize: str, name: str) -> None:
    tree = WorkTree(str(CORPUS))
    units, _ = units_of(tree, sorted(corpus()))
    loaded = KubernetesFormat().load(units[f"overlays/{name}/kustomization.yaml"], tree)
    ours = [
        resource.value for resource in loaded.resources if resource.type not in ("pod", "container", "Kustomization")
    ]
    done = subprocess.run([kustomize, "build", str(CORPUS / "overlays" / name)], capture_output=True, check=True)
    assert ours == list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize(
    ("address", "path", "wanted"),
    [
        ("", ("kind",), "base/deployment.yaml:2:1"),
        ("", ("metadata", "name"), f"{PRODUCTION}:5:1"),
        ("", ("metadata", "namespace"), f"{PRODUCTION}:4:1"),
        ("", ("metadata", "labels", "app"), "base/deployment.yaml:6:5"),
        ("", ("metadata", "labels", "stage"), f"{PRODUCTION}:13:3"),
        ("", ("spec", "replicas"), f"{PRODUCTION}:10:5"),
        ("", ("spec", "strategy"), "base/deployment.yaml:7:1"),
        ("pod", ("hostNetwork",), "overlays/production/host.yaml:8:7"),
        (APP, ("image",), f"{PRODUCTION}:7:5"),
        (APP, ("ports", 0, "containerPort"), "base/deployment.yaml:22:15"),
        (APP, ("env", 0, "valueFrom", "configMapKeyRef", "key"), "base/deployment.yaml:20:61"),
        (PROXY, ("image",), f"{PRODUCTION}:27:17"),
        (PROXY, ("securityContext", "privileged"), "base/deployment.yaml:26:13"),
        (PROXY, ("securityContext", "runAsUser"), "base/deployment.yaml:25:11"),
        (PROXY, ("pod", "hostNetwork"), "overlays/production/host.yaml:8:7"),
    ],
)
def test_what_is_built_is_placed_where_it_was_written(
    kustomize: str, address: str, path: tuple[str | int, ...], wanted: str
) -> None:
    found = overlay(PRODUCTION)
    assert place(found["Deployment/shop/web" + (f"/{address}" if address else "")], *path) == wanted


def test_what_a_component_patches_in_is_placed_there(kustomize: str) -> None:
    container = overlay(STAGING)["Deployment/default/web/containers/app"]
    trace = container.locate(("securityContext", "capabilities", "add", 0))
    assert str(trace.location) == "components/debug/kustomization.yaml:10:11"
    assert [str(each) for each, _ in trace.related] == ["base/deployment.yaml:2:1"]


def test_what_is_generated_is_placed_at_its_entry_and_has_a_steady_name(kustomize: str) -> None:
    found = overlay(STAGING)
    assert place(found["Secret/default/database-staging"], "data", "PASSWORD") == f"{STAGING}:7:5"
    assert place(found["ConfigMap/default/settings-staging"], "data", "LEVEL") == "base/kustomization.yaml:7:5"


def test_one_flaw_of_a_base_is_one_finding(kustomize: str, plugins: Plugins, rulebook: Rulebook) -> None:
    settings = Settings(select=Selection(ids=("container-not-privileged",)))
    report = scan(MemoryTree(corpus()), sorted(corpus()), plugins, rulebook, settings)
    (finding,) = (each for each in report.findings if each.outcome is Outcome.FAIL)
    assert str(finding.location) == "base/deployment.yaml:26:13"
    assert {finding.address, *(twin.address for twin in finding.twins)} == {
        "Deployment/shop/web/containers/proxy",
        "Deployment/default/web/containers/proxy",
    }


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("resources: [pod.yaml, 'https://example.org/x.yaml']", "'https://example.org/x.yaml' is elsewhere"),
        ("resources: [pod.yaml, 'github.com/a/b//c?ref=v1']", "'github.com/a/b//c?ref=v1' is elsewhere"),
        ("resources: [pod.yaml, 'git@example.org:a/b']", "is elsewhere and is not fetched"),
        ("resources: [pod.yaml, /etc]", "'/etc' leads outside"),
        ("resources: [pod.yaml, ../../..]", "'../../..' leads outside"),
        ("resources: [pod.yaml, ../gone]", "'../gone' is not there"),
        ("resources: [pod.yaml]\npatches: [{path: /etc/passwd}]", "'/etc/passwd' leads outside"),
        ("resources: [pod.yaml]\npatches: [{path: 'http://example.org/x'}]", "is elsewhere"),
        ("resources: [pod.yaml]\nconfigMapGenerator: [{name: a, files: [/etc/passwd]}]", "leads outside"),
        ("resources: [pod.yaml]\nsecretGenerator: [{name: a, envs: [.env]}]", "'.env' is not there"),
        ("resources: [pod.yaml]\nhelmCharts: [{name: x, repo: 'https://example.org'}]", "'helmCharts' fetches"),
        ("resources: [pod.yaml]\ngenerators: [plugin.yaml]", "names a plugin, which is not run"),
        (
            "resources: [pod.yaml]\ngenerators:\n  - |\n    apiVersion: builtin\n    kind: ConfigMapGenerator\n"
            "    metadata: {name: x}\n    files: ['https://example.org/x']",
            "names a plugin",
        ),
        ("transformers:\n  - |\n    apiVersion: a/v1\n    kind: X\nresources: [pod.yaml]", "names a plugin"),
    ],
)
def test_nothing_is_fetched_run_or_read_from_outside_and_the_rest_is_judged(
    kustomize: str, entry: str, wanted: str
) -> None:
    given = {
        "a/kustomization.yaml": entry,
        "a/pod.yaml": POD,
        "a/plugin.yaml": "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n"
        "    config.kubernetes.io/function: |\n      exec: {path: ./x.sh}\n",
    }
    loaded = load_all(given)["a/kustomization.yaml"]
    (line,) = told(loaded)
    assert line.startswith("limited a/kustomization.yaml:")
    assert wanted in line
    assert "Pod/default/web" in by_address(loaded)


def test_what_cannot_be_built_is_told_and_judged_file_by_file(kustomize: str) -> None:
    given = files(
        {
            "a/kustomization.yaml": "resources: [pod.yaml, pod.yaml]\npatches: [{path: patch.yaml}]",
            "a/pod.yaml": POD,
            "a/patch.yaml": POD.replace("web:1", "web:2"),
        }
    )
    loaded = load_all(dict(given))["a/kustomization.yaml"]
    (line,) = told(loaded)
    assert line.startswith(
        "not_understood a/kustomization.yaml:1:1: cannot be built, so its files are judged one by one: "
    )
    assert {"Pod/default/web", "Pod/default/web#2"} <= set(by_address(loaded))


OUTSIDE = "../../outside"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"resources: [pod.yaml]\nBases: [{OUTSIDE}]\n", "'Bases' is not spelt as kustomize documents it: 'bases'"),
        (f"resources: [pod.yaml]\nRESOURCES: [{OUTSIDE}]\n", "'RESOURCES' is not spelt"),
        (f"resources: [pod.yaml]\ncomponent\u017f: [{OUTSIDE}]\n", "is not spelt as kustomize documents it"),
        ("resources: [pod.yaml]\nComponents: ['https://example.org/a//b']\n", "'Components' is not spelt"),
        ("resources: [pod.yaml]\npatches: [{Path: 'https://example.org/x'}]\n", "'Path' is not spelt"),
        ("resources: [pod.yaml]\nconfigMapGenerator: [{name: a, FILES: [x]}]\n", "'FILES' is not spelt"),
        ("resources: [pod.yaml]\nopenapi: {PATH: x}\n", "'PATH' is not spelt"),
        ("resources: [pod.yaml]\npatches: [{<<: {path: x}}]\n", "it merges a mapping into itself"),
        (f"resources: [{OUTSIDE}]\nresources: [pod.yaml]\n", "'resources' is given twice"),
        (f"resources: [pod.yaml]\n<<: {{bases: [{OUTSIDE}]}}\n", "it merges a mapping into itself"),
        (f"resources: [pod.yaml]\n---\nresources: [{OUTSIDE}]\n", "it is not one YAML document"),
    ],
)
def test_a_kustomization_that_may_be_read_in_two_ways_is_not_built(
    kustomize: str, text: str, wanted: str, tmp_path: Path
) -> None:
    loaded = load_all({"a/kustomization.yaml": text, "a/pod.yaml": POD})["a/kustomization.yaml"]
    (line,) = (line for line in told(loaded) if line.startswith("not_understood") and ": is not built" in line)
    assert wanted in line
    assert "Pod/default/web" in by_address(loaded)


def test_what_is_left_out_of_a_list_stays_in_another_that_repeats_it(kustomize: str) -> None:
    text = "resources: &r [pod.yaml, ../gone]\nbases: *r\n"
    loaded = load_all({"a/kustomization.yaml": text, "a/pod.yaml": POD})["a/kustomization.yaml"]
    assert "Pod/default/web" in by_address(loaded)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_patch_that_is_written_inline_is_placed_however_lines_end(kustomize: str, end: str) -> None:
    text = (
        "resources: [pod.yaml]\npatches:\n  - target: {kind: Pod}\n    patch: |\n"
        "      - {op: add, path: /spec/hostPID, value: true}\n"
    ).replace("\n", end)
    found = by_address(load_all({"a/kustomization.yaml": text.encode(), "a/pod.yaml": POD})["a/kustomization.yaml"])
    assert place(found["Pod/default/web/pod"], "hostPID") == "a/kustomization.yaml:5:7"


@pytest.mark.parametrize("head", ["kind: Pod\n      metadata: {name: any}", "kind: any\n      metadata: {name: web}"])
def test_a_patch_with_a_target_is_placed_whatever_it_calls_itself(kustomize: str, head: str) -> None:
    text = (
        "resources: [pod.yaml]\npatches:\n  - target: {kind: Pod, name: web}\n    patch: |\n"
        f"      apiVersion: v1\n      {head}\n      spec: {{hostPID: true}}\n"
    )
    found = by_address(load_all({"a/kustomization.yaml": text, "a/pod.yaml": POD})["a/kustomization.yaml"])
    assert place(found["Pod/default/web/pod"], "hostPID") == "a/kustomization.yaml:8:7"


def test_tags_in_a_kustomization_are_no_trouble(kustomize: str) -> None:
    text = "resources: [!Ref pod.yaml]\nnamePrefix: !T a-\n"
    assert load_all({"a/kustomization.yaml": text, "a/pod.yaml": POD})["a/kustomization.yaml"].resources


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            'E1127 22:45:27.780981   16899 run.go:72] "command failed" err="accumulating components: x"\n',
            "accumulating",
        ),
        ('E1127 22:45:27.780981   16899 run.go:72] "command failed" err=<\n\ttrouble with y: `\n\tz\n >\n', "trouble"),
        ("# Warning: 'bases' is deprecated.\nError: no matches\n", "no matches"),
    ],
)
def test_what_a_tool_says_is_told_without_its_log(said: str, shown: str, tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text(f"#!/bin/sh\n/bin/cat >&2 <<'END'\n{said}END\nexit 1\n")
    script.chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run(str(script), [], str(folder), without_network=False).error.startswith(shown)


def test_kustomizations_that_use_each_other_are_told(kustomize: str) -> None:
    ring = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    loaded = load_all(ring)
    assert set(loaded) == set(ring)
    assert all("cycle" in line for each in loaded.values() for line in told(each))


def test_the_objects_of_flux_have_only_the_name_in_common(kustomize: str) -> None:
    text = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./a}\n"
    )
    loaded = load_all({"kustomization.yaml": text})["kustomization.yaml"]
    assert list(by_address(loaded)) == ["Kustomization/default/apps"]
