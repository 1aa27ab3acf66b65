"""The resources of a manifest: objects, pods and containers, their addresses and their values."""

from __future__ import annotations

import textwrap

import pytest

from kubernetes_reading import load, resources
from policy_engine.unit import ProblemKind

SHOP = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata:
      labels: {app: web}
    spec:
      hostNetwork: false
      initContainers:
        - name: migrate
          image: web:1
      containers:
        - name: app
          image: web:1
        - name: proxy
          image: envoy:1
      ephemeralContainers:
        - name: debug
          image: busybox:1
---
# nothing here
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports: [{port: 80}]
"""


def test_a_manifest_gives_its_objects_pods_and_containers_in_order() -> None:
    assert [(resource.type, resource.address) for resource in resources(SHOP).values()] == [
        ("Namespace", "Namespace/shop"),
        ("Deployment", "Deployment/shop/web"),
        ("pod", "Deployment/shop/web/pod"),
        ("container", "Deployment/shop/web/containers/app"),
        ("container", "Deployment/shop/web/containers/proxy"),
        ("container", "Deployment/shop/web/init-containers/migrate"),
        ("container", "Deployment/shop/web/ephemeral-containers/debug"),
        ("Service", "Service/default/web"),
    ]


def test_an_objects_value_is_the_object() -> None:
    found = resources(SHOP)
    assert found["Service/default/web"].value == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}]},
    }
    assert {resource.format for resource in found.values()} == {"kubernetes"}


def test_a_pod_is_its_spec_with_its_metadata_and_its_workload() -> None:
    found = resources(SHOP)
    pod, workload = found["Deployment/shop/web/pod"], found["Deployment/shop/web"]
    assert pod.value["hostNetwork"] is False
    assert pod.value["metadata"] == {"labels": {"app": "web"}}
    assert pod.value["workload"] is workload.value
    assert pod.name == "web"


def test_a_container_knows_its_pod_its_workload_and_its_role() -> None:
    found = resources(SHOP)
    container = found["Deployment/shop/web/containers/app"]
    assert container.name == "app"
    assert container.value["image"] == "web:1"
    assert container.value["pod"] is found["Deployment/shop/web/pod"].value
    assert container.value["workload"] is found["Deployment/shop/web"].value
    roles = {resource.name: resource.value["role"] for resource in found.values() if resource.type == "container"}
    assert roles == {"app": "container", "proxy": "container", "migrate": "init", "debug": "ephemeral"}


SPEC = "{containers: [{name: app, image: web}]}"


@pytest.mark.parametrize(
    ("api_version", "kind", "rest"),
    [
        ("v1", "Pod", f"spec: {SPEC}"),
        ("apps/v1", "Deployment", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("apps/v1", "ReplicaSet", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("v1", "ReplicationController", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("apps/v1", "StatefulSet", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("apps/v1", "DaemonSet", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("batch/v1", "Job", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("batch/v1", "CronJob", f"spec: {{jobTemplate: {{spec: {{template: {{spec: {SPEC}}}}}}}}}"),
        ("v1", "PodTemplate", f"template: {{spec: {SPEC}}}"),
        ("argoproj.io/v1alpha1", "Rollout", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("apps.openshift.io/v1", "DeploymentConfig", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("serving.knative.dev/v1", "Service", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("serving.knative.dev/v1", "Revision", f"spec: {SPEC}"),
        ("apps.kruise.io/v1alpha1", "CloneSet", f"spec: {{template: {{spec: {SPEC}}}}}"),
        ("keda.sh/v1alpha1", "ScaledJob", f"spec: {{jobTargetRef: {{template: {{spec: {SPEC}}}}}}}"),
    ],
)
def test_every_kind_of_workload_is_opened(api_version: str, kind: str, rest: str) -> None:
    found = resources(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: web}}\n{rest}\n")
    assert [(resource.type, resource.address) for resource in found.values()] == [
        (kind, f"{kind}/default/web"),
        ("pod", f"{kind}/default/web/pod"),
        ("container", f"{kind}/default/web/containers/app"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{template: {{spec: {SPEC}}}}}\n",
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: web}\nspec: {template: {spec: {containers: [a]}}}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
    ],
)
def test_objects_without_a_pod_give_none(text: str) -> None:
    assert len(resources(text)) == 1


@pytest.mark.parametrize(
    ("kind", "metadata", "address"),
    [
        ("ConfigMap", "{name: a}", "ConfigMap/default/a"),
        ("ConfigMap", "{name: a, namespace: b}", "ConfigMap/b/a"),
        ("ClusterRole", "{name: a}", "ClusterRole/a"),
        ("PersistentVolume", "{name: a}", "PersistentVolume/a"),
        ("Job", "{generateName: load-}", "Job/default/load-*"),
        ("ConfigMap", "{name: 12}", "ConfigMap/default/12"),
        ("ConfigMap", "{}", "ConfigMap/default/-"),
        ("ConfigMap", "[]", "ConfigMap/default/-"),
        ("ConfigMap", "text", "ConfigMap/default/-"),
        ("ConfigMap", "{name: [a], namespace: {}}", "ConfigMap/-/-"),
        ("ConfigMap", "", "ConfigMap/default/-"),
    ],
)
def test_addresses_are_kind_namespace_and_name(kind: str, metadata: str, address: str) -> None:
    assert list(resources(f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}\n")) == [address]


def test_an_address_given_twice_is_told_apart_by_order() -> None:
    one = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {SPEC}\n"
    assert [address for address in resources(f"{one}---\n{one}") if "containers" in address] == [
        "Pod/default/a/containers/app",
        "Pod/default/a#2/containers/app",
    ]


def test_an_address_is_bounded() -> None:
    (address,) = resources("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + "a" * 100_000 + "}\n")
    assert len(address) < 300


def test_lists_are_opened_down_to_their_objects() -> None:
    text = """\
    apiVersion: v1
    kind: List
    items:
      - apiVersion: v1
        kind: Service
        metadata: {name: a}
      - apiVersion: v1
        kind: PodList
        items:
          - metadata: {name: b}
            spec: {containers: [{name: app}]}
          -
    ---
    {"apiVersion": "template.openshift.io/v1", "kind": "Template", "metadata": {"name": "t"},
     "objects": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}}]}
    """
    assert list(resources(textwrap.dedent(text))) == [
        "Service/default/a",
        "Pod/default/b",
        "Pod/default/b/pod",
        "Pod/default/b/containers/app",
        "Secret/default/c",
    ]


def test_a_json_manifest_is_read() -> None:
    found = resources('{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "a"},\n\t"spec": {}\n}\n')
    assert list(found) == ["Pod/default/a", "Pod/default/a/pod"]


def test_documents_that_are_no_objects_are_passed_over_quietly() -> None:
    assert resources("a: 1\n---\n- apiVersion: v1\n  kind: Pod\n---\ntext\n---\nkind: Pod\n---\napiVersion: v1\n") == {}


def test_old_booleans_and_octals_are_read_as_kubernetes_does() -> None:
    text = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: a, labels: {quoted: "yes"}}
    spec:
      hostPID: yes
      hostIPC: off
      volumes: [{name: s, secret: {secretName: s, defaultMode: 0644}}]
    """
    pod = resources(textwrap.dedent(text))["Pod/default/a/pod"]
    assert (pod.value["hostPID"], pod.value["hostIPC"]) == (True, False)
    assert pod.value["volumes"][0]["secret"]["defaultMode"] == 0o644
    assert pod.value["metadata"]["labels"] == {"quoted": "yes"}


def test_anchors_and_merges_give_each_container_its_own_values() -> None:
    text = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: a}
    spec:
      containers:
        - &base
          name: one
          securityContext: &safe {privileged: false}
        - <<: *base
          name: two
        - name: three
          securityContext: *safe
    """
    found = resources(textwrap.dedent(text))
    for name in ("one", "two", "three"):
        assert found[f"Pod/default/a/containers/{name}"].value["securityContext"] == {"privileged": False}


POD_AND = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            POD_AND + "spec: {containers: text}\n",
            "4:8: Pod 'a': spec.containers is not a list, so its containers are not seen",
        ),
        (
            POD_AND + "spec: {containers: [text]}\n",
            "4:21: Pod 'a': spec.containers[0] is not a mapping, so this container is not seen",
        ),
        (POD_AND + "spec: [1]\n", "4:1: Pod 'a': spec is not a mapping, so its pod is not seen"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template: 3\n",
            "5:3: Deployment 'a': spec.template is not a mapping, so its pod is not seen",
        ),
        (
            POD_AND + "spec: ${SPEC}\n",
            "4:1: Pod 'a': spec is not known (${SPEC} is filled in by a later tool), so its pod is not seen",
        ),
        ("apiVersion: v1\nkind: List\nitems: text\n", "3:1: 'items' is not a list, so its objects are not seen"),
        (
            "apiVersion: v1\nkind: List\nitems:\n- text\n",
            "4:3: is passed over: an item of a list that is no object",
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n- a: 1\n",
            "4:3: is passed over: an item of a list without 'apiVersion' and 'kind'",
        ),
        ("apiVersion: v1\nkind: [Pod]\n", "2:1: is passed over: 'kind' is not text"),
        (
            "apiVersion: v1\nkind: ${KIND}\n",
            "2:1: is passed over: what kind of object '${KIND}' is, is not known",
        ),
    ],
)
def test_what_is_not_seen_is_told_and_leaves_the_scan_complete(text: str, message: str) -> None:
    loaded = load(text + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {}\n")
    assert [str(problem) for problem in loaded.problems] == [f"manifest.yaml:{message}"]
    assert loaded.problems[0].kind is ProblemKind.LIMITED
    assert loaded.resources[-1].address == "Pod/default/b/pod"


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "{}",
        "{containers: }",
        "{containers: []}",
        "{containers: [{}]}",
        "{containers: [{name: [1]}, {name: }, {name: 5}], securityContext: text}",
        "{containers: [{name: a, securityContext: [1], env: text, args: {a: b}, command: 1, envFrom: 2}]}",
        "{containers: [{name: a, env: [text, {name: [a]}, {value: 1}, {name: b, value: {}}], args: [1, [2], '$(b)']}]}",
        "{containers: [{pod: x, workload: y, role: z, effective: w, name: a}], metadata: no, workload: no}",
    ],
)
def test_odd_shapes_are_kept_as_values_and_harm_nothing(spec: str) -> None:
    found = resources(f"{POD_AND}spec: {spec}\n")
    for resource in found.values():
        assert resource.locate(("effective", "runAsNonRoot")).location.path == "manifest.yaml"
        assert resource.locate(("pod", "metadata", 3)).location.span.start_line in (2, 3, 4, 1)
    if "containers: [{pod" in spec:
        assert found["Pod/default/a/containers/a"].value["role"] == "container"
