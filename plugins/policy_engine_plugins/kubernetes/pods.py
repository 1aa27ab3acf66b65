"""The pods that an object holds: its pod template, those of custom kinds, and the steps of Argo workflows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.resource import AttributePath
from policy_engine_plugins.kubernetes.workload import at, template_path

_MAX_PODS = 64
_MAX_DEPTH = 8
_MAX_VISITED = 2000

# Their patterns look like pods and are none.
_PATTERN_GROUPS = ("kyverno.io", "gatekeeper.sh")
_TEMPLATE_KEYS = ("template", "podTemplate", "podTemplateSpec")

_WORKFLOWS: Mapping[str, AttributePath] = {
    "ClusterWorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
}
# What a template of a workflow takes from the workflow unless it says so itself.
_SHARED = (
    "automountServiceAccountToken",
    "priorityClassName",
    "securityContext",
    "serviceAccountName",
    "volumes",
)
_OF_THE_WORKFLOW = ("hostNetwork",)


class HeldPod(Struct, frozen=True):
    """A pod in an object; every path is one in the object.

    spec     its keys as a pod spec has them
    template where the whole of it stands, and its `metadata`
    base     where the keys of `spec` stand
    moved    keys, or items of a list, that stand elsewhere
    name     its own name, None where it goes by that of the object
    """

    spec: dict[str, Any]
    template: AttributePath
    base: AttributePath
    moved: Mapping[AttributePath, AttributePath] = field(default_factory=dict)
    name: str | None = None

    def place(self, wanted: AttributePath) -> AttributePath:
        if wanted[:1] == ("metadata",):
            return (*self.template, *wanted)
        for length in (2, 1):
            if wanted[:length] in self.moved:
                return (*self.moved[wanted[:length]], *wanted[length:])
        return (*self.base, *wanted)


def further_pods(kind: str, api_version: str, value: Mapping[str, Any]) -> Iterator[HeldPod]:
    """The pods of an object that has no pod template in the usual place."""
    group = api_version.partition("/")[0]
    if "." not in group or group.endswith(".k8s.io"):
        return
    if group == "argoproj.io" and kind in _WORKFLOWS:
        yield from _workflow_pods(_WORKFLOWS[kind], value)
    elif template_path(kind, api_version, value) is None and not group.endswith(_PATTERN_GROUPS):
        yield from _templates(value)


def _templates(value: Mapping[str, Any]) -> Iterator[HeldPod]:
    """Pod templates anywhere in `spec`. One that only changes what an operator makes has containers without images."""
    waiting: deque[tuple[AttributePath, Any]] = deque()
    if isinstance(value, dict):
        waiting.append((("spec",), dict.get(value, "spec")))
    seen: set[int] = set()
    found = 0
    while waiting and found < _MAX_PODS and len(seen) < _MAX_VISITED:
        path, item = waiting.popleft()
        if not isinstance(item, (dict, list)) or id(item) in seen or len(path) > _MAX_DEPTH:
            continue
        seen.add(id(item))
        containers = at(item, ("spec", "containers"))
        if path[-1] in _TEMPLATE_KEYS and isinstance(item, dict) and _have_images(containers):
            found += 1
            yield HeldPod(dict.__getitem__(item, "spec"), path, (*path, "spec"), name=_path_name(path))
            continue
        steps: Any = item.items() if isinstance(item, dict) else enumerate(item)
        waiting.extend(((*path, step), inner) for step, inner in steps if isinstance(inner, (dict, list)))


def _have_images(containers: Any) -> bool:
    return (
        isinstance(containers, list)
        and bool(containers)
        and all(isinstance(one, dict) and dict.get(one, "image") is not None for one in containers)
    )


def _path_name(path: AttributePath) -> str:
    return ".".join(str(step) for step in path[1:-1]) or str(path[-1])


def _workflow_pods(base: AttributePath, value: Mapping[str, Any]) -> Iterator[HeldPod]:
    spec = at(value, base)
    templates = at(spec, ("templates",))
    for index, template in enumerate(templates if isinstance(templates, list) else ()):
        if isinstance(template, dict):
            pod = _workflow_pod(base, spec, (*base, "templates", index), template)
            if pod is not None:
                yield pod


def _workflow_pod(
    base: AttributePath, spec: dict[str, Any], path: AttributePath, template: dict[str, Any]
) -> HeldPod | None:
    containers: list[tuple[AttributePath, dict[str, Any]]] = [
        ((key,), dict.__getitem__(template, key))
        for key in ("container", "script")
        if isinstance(dict.get(template, key), dict)
    ]
    for place in (("containerSet", "containers"), ("sidecars",)):
        items = at(template, place)
        containers += [
            ((*place, index), item)
            for index, item in enumerate(items if isinstance(items, list) else ())
            if isinstance(item, dict)
        ]
    if not containers:
        return None
    made: dict[str, Any] = {"containers": [container for _, container in containers]}
    moved: dict[AttributePath, AttributePath] = {("containers",): path}
    moved.update((("containers", index), (*path, *place)) for index, (place, _) in enumerate(containers))
    if isinstance(dict.get(template, "initContainers"), list):
        made["initContainers"] = dict.__getitem__(template, "initContainers")
    for key in (*_SHARED, *_OF_THE_WORKFLOW):
        if key in _SHARED and dict.__contains__(template, key):
            made[key] = dict.__getitem__(template, key)
        elif dict.__contains__(spec, key):
            made[key] = dict.__getitem__(spec, key)
            moved[(key,)] = (*base, key)
    name = dict.get(template, "name")
    return HeldPod(made, path, path, moved, name if isinstance(name, str) else None)
