"""Kubernetes manifests, in YAML or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.option import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class KubernetesFormat(Format):
    """Resources are every object (type: its kind), and of each workload its `pod` and every `container`. A custom kind
    that has pod templates has them too, and an Argo workflow a pod for each of its templates.

    pod        the pod spec's keys; `metadata` is the pod template's, `workload` the whole object
    container  the container's keys; `pod` is the value above, `workload` the whole object, `role` one of `container`,
               `init` and `ephemeral`, and `effective` the security context that the container runs with, once the
               pod's has been inherited. `$(VAR)` in its command, args and env is replaced as far as it is known.
               `image_name` is the last part of its image's path, without tag; null where it is not known.
               `program` is the program that the command line starts, null where the image decides, and `flags` what
               its flags say: `--anonymous-auth=false` is `flags.anonymous-auth`, one without a value is `true`.

    component  a program of the control plane that kubeadm's configuration sets up: `program` and `flags` as above, with
               kubeadm's own defaults; `workload` the whole object

    chart      of a Helm chart: the keys of its Chart.yaml, and `lock`, the content of its lock file
    values     of a Helm chart: the keys of its values.yaml

    A chart's objects are those that `helm template` renders, placed at the template's line; see docs/charts.md.
    In a Kustomize patch every key that is not written is an Unknown, as it stands in the object that is patched.
    """

    name = "kubernetes"
    title = "Kubernetes"
    example_path = "manifest.yaml"

    options = (
        Option(
            "helm-values",
            "values of charts, as helm's own option; one in a chart's folder is for that chart alone; repeatable.",
            "files",
        ),
        Option("no-render", "run neither helm nor kustomize; charts are not evaluated.", "switch"),
    )

    def __init__(self, value_files: Sequence[tuple[str, bytes]] = (), rendering: bool = True) -> None:
        self._value_files = tuple(value_files)
        self._rendering = rendering

    def configured(self, values: Mapping[str, Any]) -> Format:
        return KubernetesFormat(values.get("helm-values", ()), not values.get("no-render"))

    def claims(self, path: str) -> bool:
        if path.lower().endswith((".yaml", ".yml", ".json")):
            return "/.github/" not in f"/{path}"
        if path.endswith("Kustomization"):
            return path.rpartition("/")[2] == "Kustomization"
        return (path.endswith(".tpl") and "templates/" in path) or (path.endswith(".tgz") and "charts/" in path)

    def recognises(self, path: str, data: bytes) -> bool:
        # Most YAML and JSON files of a repository leave here.
        if b"apiVersion" not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            if path.endswith(("Chart.yaml", ".tgz", *KUSTOMIZATIONS)) or "templates/" in path:
                from policy_engine_plugins.kubernetes.recognition import recognises

                return recognises(path, data)
            return False
        from policy_engine_plugins.kubernetes.recognition import recognises

        return recognises(path, data)

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """One for each chart, one for each kustomization, and one for each other file."""
        from policy_engine_plugins.kubernetes.units import units

        return units(paths, tree, self._value_files, self._rendering)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        if unit.name.rpartition("/")[2] == "Chart.yaml":
            from policy_engine_plugins.kubernetes import chart_load
            from policy_engine_plugins.kubernetes.units import leaves_out

            return chart_load.load(unit, tree, self._value_files, self._rendering, leaves_out(unit, tree))
        if unit.name.rpartition("/")[2] in KUSTOMIZATIONS:
            from policy_engine_plugins.kubernetes import kustomize_load

            return kustomize_load.load(unit, tree, self._rendering)
        from policy_engine_plugins.kubernetes.manifest import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        if b"{{" in data and "templates/" in path:
            from policy_engine_plugins.kubernetes.template_comments import comments as template_comments

            return template_comments(data, path)
        if path.endswith(".tgz"):
            return ()  # what others wrote in a chart that was fetched sets nothing aside here
        from policy_engine.yaml_document import comments

        return comments(data, path)


@hookimpl
def register_formats() -> list[Format]:
    return [KubernetesFormat()]
