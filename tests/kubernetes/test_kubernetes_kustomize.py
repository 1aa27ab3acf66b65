"""Kustomize patches: what they say is judged, what they leave out is unknown."""

from __future__ import annotations

import textwrap

import pytest

from kubernetes_reading import FORMAT
from policy_engine.path import lookup, parse_path
from policy_engine.resource import Resource
from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine.unknown import Unknown

PATCH = textwrap.dedent(
    """\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
            - name: app
              image: web:2
              securityContext: {privileged: true}
    """
)


def patched(files: dict[str, str], path: str) -> tuple[Unit, dict[str, Resource]]:
    tree = MemoryTree({name: text.encode() for name, text in files.items()})
    (unit,) = FORMAT.units([path], tree)
    loaded = FORMAT.load(unit, tree)
    assert loaded.problems == []
    return unit, {resource.address: resource for resource in loaded.resources}


@pytest.mark.parametrize(
    ("path", "kustomization", "entry"),
    [
        ("over/web.yaml", "over/kustomization.yaml", "patches: [{path: web.yaml}]"),
        ("over/web.yaml", "over/kustomization.yml", "patches: [{path: ./web.yaml, target: {kind: Deployment}}]"),
        ("over/web.yaml", "over/Kustomization", "patchesStrategicMerge: [other.yaml, web.yaml]"),
        ("over/patches/web.yaml", "over/kustomization.yaml", "patches: [{path: patches/web.yaml}]"),
        ("web.yaml", "kustomization.yaml", "patches: [{patch: inline}, {path: web.yaml}]"),
    ],
)
def test_what_a_patch_leaves_out_is_unknown(path: str, kustomization: str, entry: str) -> None:
    unit, found = patched({path: PATCH, kustomization: f"resources: [base]\n{entry}\n"}, path)
    assert set(unit.paths) == {path, kustomization}
    container = found["Deployment/default/web/containers/app"]
    assert lookup(container.value, parse_path("securityContext.privileged")) is True
    assert lookup(container.value, parse_path("image")) == "web:2"
    for missing in (
        "livenessProbe.httpGet",
        "securityContext.readOnlyRootFilesystem",
        "effective.runAsNonRoot",
        "pod.hostNetwork",
        "pod.securityContext.runAsUser",
        "pod.metadata.annotations",
        "workload.spec.replicas",
        "workload.metadata.namespace",
    ):
        value = lookup(container.value, parse_path(missing))
        assert type(value) is Unknown, missing
        assert value.reason == f"left to the object that this patch changes ({kustomization})"


@pytest.mark.parametrize(
    "kustomization",
    [
        "resources: [web.yaml]\n",
        "patches: [{path: ../web.yaml}]\n",
        "patches: [{path: /web.yaml}, 3, {path: [web.yaml]}]\n",
        "patches: web.yaml\n",
        "patchesStrategicMerge:\n- |\n  web.yaml\n",
        "patches: [{path: web.yaml}\n",
        "[patches]\n",
        "",
    ],
)
def test_what_is_no_patch_is_complete(kustomization: str) -> None:
    unit, found = patched({"over/web.yaml": PATCH, "over/kustomization.yaml": kustomization}, "over/web.yaml")
    assert unit.paths == ("over/web.yaml",)
    assert "livenessProbe" not in found["Deployment/default/web/containers/app"].value


def test_a_kustomization_elsewhere_among_the_scanned_files_counts() -> None:
    tree = MemoryTree(
        {
            "patches/web.yaml": PATCH.encode(),
            "over/prod/kustomization.yaml": b"kind: Kustomization\npatches: [{path: ../../patches/web.yaml}]\n",
        }
    )
    units = {unit.name: unit.paths for unit in FORMAT.units(sorted(tree.files), tree)}
    assert units == {
        "over/prod/kustomization.yaml": ("over/prod/kustomization.yaml",),
        "patches/web.yaml": ("over/prod/kustomization.yaml", "patches/web.yaml"),
    }


def test_places_in_a_patch_are_its_own() -> None:
    files = {"web.yaml": PATCH, "kustomization.yaml": "patches: [{path: web.yaml}]\n"}
    _, found = patched(files, "web.yaml")
    container = found["Deployment/default/web/containers/app"]
    where = container.locate(("securityContext", "privileged")).location
    assert (where.path, where.span.start_line) == ("web.yaml", 10)
    assert container.locate(("effective", "runAsNonRoot")).location.span.start_line == 10
