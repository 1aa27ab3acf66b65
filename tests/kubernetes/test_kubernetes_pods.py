"""Pods in kinds that have more than one, or that have them in a place of their own."""

from __future__ import annotations

import pytest

from kubernetes_reading import resources, shown

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  workflowSpec:
    serviceAccountName: builder
    securityContext: {runAsUser: 8}
    volumes: [{name: node, hostPath: {path: /}}]
    templates:
      - name: main
        steps: [[{name: a, template: build}]]
      - name: build
        securityContext: {runAsUser: 9}
        container: {image: "builder:1", securityContext: {privileged: true}}
        initContainers: [{name: fetch, image: "git:1"}]
        sidecars: [{name: docker, image: "docker:27"}]
      - name: test
        metadata: {labels: {a: b}}
        script: {image: "python:3.13", source: "print(1)"}
"""

RAY = """\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: ray}
spec:
  headGroupSpec:
    template:
      spec: {containers: [{name: head, image: "ray:2"}]}
  workerGroupSpecs:
    - template:
        metadata: {labels: {a: b}}
        spec: {containers: [{name: worker, image: "ray:2"}]}
"""


def test_each_template_of_a_workflow_that_runs_containers_is_a_pod() -> None:
    found = resources(WORKFLOW)
    owner = "CronWorkflow/default/nightly"
    assert sorted(found) == [
        owner,
        f"{owner}/build/containers/-",
        f"{owner}/build/containers/docker",
        f"{owner}/build/init-containers/fetch",
        f"{owner}/build/pod",
        f"{owner}/test/containers/-",
        f"{owner}/test/pod",
    ]
    assert found[f"{owner}/build/containers/-"].name == "build"
    assert found[f"{owner}/build/containers/-"].value["effective"] == {"runAsUser": 9}
    assert found[f"{owner}/test/containers/-"].value["effective"] == {"runAsUser": 8}
    assert found[f"{owner}/test/pod"].value["serviceAccountName"] == "builder"


def test_parts_of_a_workflow_are_shown_where_they_are_written() -> None:
    found = resources(WORKFLOW)
    owner = "CronWorkflow/default/nightly"
    container = found[f"{owner}/build/containers/-"]
    assert shown(WORKFLOW, container, "securityContext", "privileged") == "privileged: true"
    assert shown(WORKFLOW, container, "effective", "runAsUser") == "runAsUser: 9"
    assert shown(WORKFLOW, container, "workload", "metadata", "name") == "name: nightly"
    assert shown(WORKFLOW, found[f"{owner}/build/containers/docker"], "image") == 'image: "docker:27"'
    assert shown(WORKFLOW, found[f"{owner}/build/init-containers/fetch"], "image") == 'image: "git:1"'
    assert shown(WORKFLOW, found[f"{owner}/test/containers/-"], "effective", "runAsUser") == "runAsUser: 8"
    pod = found[f"{owner}/test/pod"]
    assert shown(WORKFLOW, pod, "volumes", 0, "hostPath", "path") == "path: /"
    assert shown(WORKFLOW, pod, "metadata", "labels", "a") == "a: b"


def test_every_pod_template_of_a_custom_kind_is_a_pod() -> None:
    found = resources(RAY)
    owner = "RayCluster/default/ray"
    worker = f"{owner}/workerGroupSpecs.0"
    assert sorted(found) == [
        owner,
        f"{owner}/headGroupSpec/containers/head",
        f"{owner}/headGroupSpec/pod",
        f"{worker}/containers/worker",
        f"{worker}/pod",
    ]
    assert shown(RAY, found[f"{worker}/containers/worker"], "image") == 'image: "ray:2"'
    assert shown(RAY, found[f"{worker}/pod"], "metadata", "labels", "a") == "a: b"


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        # What is laid over the pods that an operator makes has no images.
        ("elastic.example/v1 Elasticsearch", "nodeSets: [{podTemplate: {spec: {containers: [{name: a}]}}}]"),
        ("kyverno.io/v1 ClusterPolicy", "rules: [{validate: {template: {spec: {containers: [{image: '*'}]}}}}]"),
        ("example.org/v1 Odd", "groups: [{template: {spec: {containers: text}}}, {template: []}]"),
        ("argoproj.io/v1alpha1 Workflow", "templates: text"),
        ("argoproj.io/v1alpha1 Workflow", "templates: [text, {container: text}, {sidecars: text}]"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_pod_is_none(kind: str, spec: str) -> None:
    api, name = kind.split()
    assert len(resources(f"apiVersion: {api}\nkind: {name}\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")) == 1
