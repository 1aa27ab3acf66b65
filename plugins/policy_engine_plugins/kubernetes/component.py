"""Programs of the control plane that kubeadm starts: what its configuration says of their flags, and its defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.kubernetes.kustomize import OpenMapping
from policy_engine_plugins.kubernetes.workload import at

_CONFIGURATIONS: Mapping[tuple[str, str], AttributePath] = {
    ("kubeadm.k8s.io", "ClusterConfiguration"): (),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"): ("spec", "kubeadmConfigSpec", "clusterConfiguration"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlaneTemplate"): (
        "spec",
        "template",
        "spec",
        "kubeadmConfigSpec",
        "clusterConfiguration",
    ),
}
_PROGRAMS: Mapping[str, AttributePath] = {
    "kube-apiserver": ("apiServer",),
    "kube-controller-manager": ("controllerManager",),
    "kube-scheduler": ("scheduler",),
    "etcd": ("etcd", "local"),
}
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/
_PKI = "/etc/kubernetes/pki"
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "kube-apiserver": {
        "authorization-mode": "Node,RBAC",
        "client-ca-file": f"{_PKI}/ca.crt",
        "enable-admission-plugins": "NodeRestriction",
        "etcd-cafile": f"{_PKI}/etcd/ca.crt",
        "etcd-certfile": f"{_PKI}/apiserver-etcd-client.crt",
        "etcd-keyfile": f"{_PKI}/apiserver-etcd-client.key",
        "kubelet-client-certificate": f"{_PKI}/apiserver-kubelet-client.crt",
        "kubelet-client-key": f"{_PKI}/apiserver-kubelet-client.key",
        "secure-port": "6443",
        "service-account-key-file": f"{_PKI}/sa.pub",
        "tls-cert-file": f"{_PKI}/apiserver.crt",
        "tls-private-key-file": f"{_PKI}/apiserver.key",
    },
    "kube-controller-manager": {
        "bind-address": "127.0.0.1",
        "root-ca-file": f"{_PKI}/ca.crt",
        "service-account-private-key-file": f"{_PKI}/sa.key",
        "use-service-account-credentials": "true",
    },
    "kube-scheduler": {"bind-address": "127.0.0.1"},
    "etcd": {
        "cert-file": f"{_PKI}/etcd/server.crt",
        "client-cert-auth": "true",
        "key-file": f"{_PKI}/etcd/server.key",
        "listen-client-urls": "https://127.0.0.1:2379,https://ADDRESS:2379",
        "listen-peer-urls": "https://ADDRESS:2380",
        "peer-cert-file": f"{_PKI}/etcd/peer.crt",
        "peer-client-cert-auth": "true",
        "peer-key-file": f"{_PKI}/etcd/peer.key",
        "trusted-ca-file": f"{_PKI}/etcd/ca.crt",
    },
}


class Component(Struct, frozen=True):
    """A program of the control plane; `path` is where the configuration speaks of it, or would."""

    program: str
    flags: Mapping[str, Any]
    path: AttributePath
    _places: Mapping[str, AttributePath]

    def place(self, wanted: AttributePath) -> AttributePath:
        if len(wanted) > 1 and wanted[0] == "flags":
            return self._places.get(str(wanted[1]), self.path)
        return self.path


def components(kind: str, api_version: str, value: Mapping[str, Any]) -> Iterator[Component]:
    base = _CONFIGURATIONS.get((api_version.partition("/")[0], kind))
    configuration = at(value, base) if base is not None else None
    if base is None or not isinstance(configuration, dict):
        return
    for program, place in _PROGRAMS.items():
        if program == "etcd" and at(configuration, ("etcd", "external")) is not None:
            continue  # it is set up elsewhere
        path = (*base, *place)
        arguments = at(configuration, (*place, "extraArgs"))
        flags: dict[str, Any] = dict(_DEFAULTS[program])
        places: dict[str, AttributePath] = {}
        for name, given, where in _given(arguments, (*path, "extraArgs")):
            flags[name] = given
            places[name] = where
        if type(arguments) is Unknown:
            yield Component(program, OpenMapping(flags, arguments), path, places)
        else:
            yield Component(program, flags, path, places)


def _given(arguments: Any, path: AttributePath) -> Iterator[tuple[str, Any, AttributePath]]:
    """A mapping until v1beta3, a list of names and values since v1beta4."""
    if isinstance(arguments, dict):
        for name in list(arguments):
            yield str(name), _text(dict.__getitem__(arguments, name)), (*path, name)
    elif isinstance(arguments, list):
        for index, item in enumerate(arguments):
            name = dict.get(item, "name") if isinstance(item, dict) else None
            if isinstance(name, str):
                yield name, _text(dict.get(item, "value")), (*path, index, "value")


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, Unknown)) else "" if value is None else str(value)
