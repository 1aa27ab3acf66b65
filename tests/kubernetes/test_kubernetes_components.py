"""Programs of the control plane that kubeadm's configuration sets up."""

from __future__ import annotations

from kubernetes_reading import resources, shown
from policy_engine.unknown import Unknown

MAPPING = """\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
apiServer:
  extraArgs:
    authorization-mode: RBAC
    profiling: false
etcd: {external: {endpoints: []}}
"""

LIST = """\
apiVersion: controlplane.cluster.x-k8s.io/v1beta1
kind: KubeadmControlPlane
metadata: {name: a}
spec:
  kubeadmConfigSpec:
    clusterConfiguration:
      scheduler: {extraArgs: [{name: profiling, value: "false"}, text]}
      controllerManager: {extraArgs: "${ARGUMENTS}"}
"""


def test_flags_are_those_given_and_the_defaults_of_kubeadm() -> None:
    found = resources(MAPPING)
    owner = "ClusterConfiguration/default/-"
    assert sorted(found) == [
        owner,
        *(f"{owner}/kube-{name}" for name in ("apiserver", "controller-manager", "scheduler")),
    ]
    server = found[f"{owner}/kube-apiserver"]
    assert (server.type, server.name, server.value["program"]) == ("component", "kube-apiserver", "kube-apiserver")
    flags = server.value["flags"]
    assert (flags["authorization-mode"], flags["profiling"], flags["secure-port"]) == ("RBAC", "false", "6443")
    assert "audit-log-path" not in flags
    assert shown(MAPPING, server, "flags", "profiling") == "profiling: false"
    assert shown(MAPPING, server, "flags", "audit-log-path") == shown(MAPPING, server, "program")


def test_lists_of_arguments_are_read_and_what_is_filled_in_later_is_not_known() -> None:
    found = resources(LIST)
    owner = "KubeadmControlPlane/default/a"
    scheduler = found[f"{owner}/kube-scheduler"]
    assert scheduler.value["flags"] == {"bind-address": "127.0.0.1", "profiling": "false"}
    assert shown(LIST, scheduler, "flags", "profiling") == 'value: "false"'
    flags = found[f"{owner}/kube-controller-manager"].value["flags"]
    assert isinstance(flags.get("profiling"), Unknown)


def test_a_configuration_of_another_tool_has_no_components() -> None:
    assert len(resources("apiVersion: example.org/v1\nkind: ClusterConfiguration\napiServer: {}\n")) == 1
    assert len(resources("apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\n")) == 1
