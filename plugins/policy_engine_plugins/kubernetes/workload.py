"""What Kubernetes' kinds are: which of them hold pods and where, and which live outside namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.resource import AttributePath

# Where the pod template stands: a mapping with `metadata` and the pod's `spec`. An empty path is the object itself.
_TEMPLATES: Mapping[str, AttributePath] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
    "DeploymentConfig": ("spec", "template"),
    "Rollout": ("spec", "template"),
}
_KNATIVE = "serving.knative.dev/"
_KNATIVE_TEMPLATES: Mapping[str, AttributePath] = {
    "Service": ("spec", "template"),
    "Configuration": ("spec", "template"),
    "Revision": (),
}
# Where operators put a pod template of their own.
_USUAL_PLACES: tuple[AttributePath, ...] = (
    ("spec", "template"),
    ("spec", "jobTemplate", "spec", "template"),
    ("spec", "jobTargetRef", "template"),
    ("spec", "podTemplate"),
)
_NATIVE_GROUPS = ("apps", "batch", "extensions")

CONTAINER_LISTS: tuple[tuple[str, str, str], ...] = (
    ("containers", "container", "containers"),
    ("initContainers", "init", "init-containers"),
    ("ephemeralContainers", "ephemeral", "ephemeral-containers"),
)
"""Key in the pod spec, the containers' role, and how their addresses read."""

_CLUSTER_SCOPED = frozenset(
    {
        "AdminNetworkPolicy",
        "APIService",
        "BaselineAdminNetworkPolicy",
        "CertificateSigningRequest",
        "ClusterExternalSecret",
        "ClusterIssuer",
        "ClusterPolicy",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterSecretStore",
        "ClusterTrustBundle",
        "ClusterWorkflowTemplate",
        "ComponentStatus",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "GatewayClass",
        "IngressClass",
        "IPAddress",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PodSecurityPolicy",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SecurityContextConstraints",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersionMigration",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)


def is_cluster_scoped(kind: str) -> bool:
    """Whether objects of the kind live outside namespaces. Custom kinds are taken for namespaced, as most are."""
    return kind in _CLUSTER_SCOPED


def template_path(kind: str, api_version: str, value: Mapping[str, Any]) -> AttributePath | None:
    """Where the pod template of an object stands; None where the kind holds none."""
    if api_version.startswith(_KNATIVE):
        return _KNATIVE_TEMPLATES.get(kind)
    path = _TEMPLATES.get(kind)
    if path is not None:
        return path
    group = api_version.partition("/")[0]
    if "." not in group or group.endswith(".k8s.io"):
        return None
    for path in _USUAL_PLACES:
        containers = at(value, (*path, "spec", "containers"))
        # What is laid over the pods that an operator makes names containers and no images.
        if isinstance(containers, list) and any(at(container, ("image",)) is not None for container in containers):
            return path
    return None


def at(value: Any, path: AttributePath) -> Any:
    """The value written at a path of names; None where there is none or something else stands in the way."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = dict.get(value, step)
    return value
