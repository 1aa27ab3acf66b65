"""Where findings point: each place is compared with what it cuts out of the manifest."""

from __future__ import annotations

import pytest

from kubernetes_reading import cut, resources, shown

MANIFEST = """\
# the shop's front
apiVersion: v1
kind: List
items:
  - apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      labels: {team: shop}
    spec:
      replicas: 2
      template:
        metadata:
          annotations:
            container.apparmor.security.beta.kubernetes.io/app: unconfined
        spec:
          hostNetwork: true
          securityContext:
            runAsNonRoot: true
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: app
              image: web:1
              securityContext:
                privileged: true
                runAsUser: 0
              ports: [{containerPort: 80}]
            - image: proxy
          initContainers:
            - name: first

  - apiVersion: v1
    kind: Service
    metadata:
      name: web
"""

DEPLOYMENT = "Deployment/default/web"
POD = "Deployment/default/web/pod"
APP = "Deployment/default/web/containers/app"
PROXY = "Deployment/default/web/containers/-"


@pytest.mark.parametrize(
    ("address", "path", "text"),
    [
        (DEPLOYMENT, ("spec", "replicas"), "replicas: 2"),
        (DEPLOYMENT, ("metadata", "labels", "team"), "team: shop"),
        (DEPLOYMENT, ("metadata", "namespace"), "metadata"),
        (DEPLOYMENT, (), "apiVersion: apps/v1"),
        (POD, ("hostNetwork",), "hostNetwork: true"),
        (POD, ("hostPID",), "spec"),
        (POD, ("securityContext", "runAsUser"), "securityContext"),
        (POD, ("metadata", "annotations"), "annotations"),
        (POD, ("metadata", "labels"), "metadata"),
        (POD, ("workload", "spec", "replicas"), "replicas: 2"),
        (POD, ("containers", 0, "image"), "image: web:1"),
        (POD, ("containers",), "containers"),
        (APP, ("image",), "image: web:1"),
        (APP, ("ports", 0, "containerPort"), "containerPort: 80"),
        (APP, ("livenessProbe",), "name: app"),
        (APP, ("securityContext", "privileged"), "privileged: true"),
        (APP, ("securityContext", "readOnlyRootFilesystem"), "securityContext"),
        (APP, ("pod", "hostNetwork"), "hostNetwork: true"),
        (APP, ("pod", "metadata", "annotations"), "annotations"),
        (APP, ("pod", "workload", "metadata", "name"), "name: web"),
        (APP, ("workload", "metadata", "name"), "name: web"),
        (APP, ("role",), "containers"),
        (APP, ("effective", "runAsUser"), "runAsUser: 0"),
        (APP, ("effective", "runAsNonRoot"), "runAsNonRoot: true"),
        (APP, ("effective", "seccompProfile", "type"), "type: RuntimeDefault"),
        (APP, ("effective", "runAsGroup"), "securityContext"),
        (
            APP,
            ("effective", "appArmorProfile", "type"),
            "container.apparmor.security.beta.kubernetes.io/app: unconfined",
        ),
        (APP, ("effective",), "securityContext"),
        (PROXY, ("effective", "runAsUser"), "image: proxy"),
        (PROXY, ("securityContext", "privileged"), "image: proxy"),
        ("Deployment/default/web/init-containers/first", ("image",), "name: first"),
    ],
)
def test_an_attribute_is_found_where_it_is_written(address: str, path: tuple[str | int, ...], text: str) -> None:
    assert shown(MANIFEST, resources(MANIFEST)[address], *path) == text


@pytest.mark.parametrize(
    ("address", "text", "line"),
    [
        (DEPLOYMENT, "kind: Deployment", 6),
        (POD, "kind: Deployment", 6),
        (APP, "name: app", 23),
        (PROXY, "image: proxy", 29),
        ("Service/default/web", "kind: Service", 34),
    ],
)
def test_a_resource_is_shown_by_its_header(address: str, text: str, line: int) -> None:
    span = resources(MANIFEST)[address].location.span
    assert (cut(MANIFEST, span), span.start_line) == (text, line)


@pytest.mark.parametrize(
    ("address", "first", "last"),
    [
        (DEPLOYMENT, "apiVersion: apps/v1", "- name: first"),
        (POD, "template:", "- name: first"),
        (APP, "name: app", "ports: [{containerPort: 80}]"),
        (PROXY, "image: proxy", "image: proxy"),
        ("Service/default/web", "apiVersion: v1", "name: web"),
    ],
)
def test_an_extent_reaches_from_the_first_line_to_the_last(address: str, first: str, last: str) -> None:
    extent = resources(MANIFEST)[address].extent
    assert extent is not None
    whole = cut(MANIFEST, extent.span)
    assert whole.startswith(first)
    assert whole.endswith(last)


def test_a_merged_setting_is_found_where_it_is_written() -> None:
    text = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - &base
      name: one
      securityContext:
        privileged: true
    - <<: *base
      name: two
"""
    two = resources(text)["Pod/default/a/containers/two"]
    assert shown(text, two, "securityContext", "privileged") == "privileged: true"
    assert two.location.span.start_line == 11


def test_places_in_later_documents_and_behind_windows_line_ends_are_exact() -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  é: |\n    a\n\n---\n"
        + "apiVersion: v1\nkind: Pod\nspec:\n  hostPID: yes\n"
    )
    text = text.replace("\n", "\r\n")
    pod = resources(text)["Pod/default/-/pod"]
    assert shown(text, pod, "hostPID") == "hostPID: yes"
    assert pod.locate(("hostPID",)).location.span.start_line == 11
