"""Kubernetes manifests, in YAML or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy_engine.tree import Tree
    from policy_engine.unit import Comment, Loaded, Unit


class KubernetesFormat(Format):
    """Resources are every object (type: its kind), and of each workload its `pod` and every `container`.

    pod        the pod spec's keys; `metadata` is the pod template's, `workload` the whole object
    container  the container's keys; `pod` is the value above, `workload` the whole object, `role` one of `container`,
               `init` and `ephemeral`, and `effective` the security context that the container runs with, once the
               pod's has been inherited. `$(VAR)` in its command, args and env is replaced as far as it is known.

    In a Kustomize patch every key that is not written is an Unknown, as it stands in the object that is patched.
    """

    name = "kubernetes"
    title = "Kubernetes"
    example_path = "manifest.yaml"

    def claims(self, path: str) -> bool:
        return path.lower().endswith((".yaml", ".yml", ".json")) and "/.github/" not in f"/{path}"

    def recognises(self, path: str, data: bytes) -> bool:
        # Most YAML and JSON files of a repository leave here.
        if b"apiVersion" not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return False
        from policy_engine_plugins.kubernetes.recognition import recognises

        return recognises(path, data)

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """One for each file; a Kustomize patch has its kustomization with it, which says that it is one."""
        from policy_engine.unit import Unit
        from policy_engine_plugins.kubernetes.kustomize import patch_files

        patches = patch_files(paths, tree)
        for path in paths:
            files = sorted({path, patches.get(path, path)})
            yield Unit(self.name, path, tuple(files))

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.kubernetes.manifest import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine.yaml_document import comments

        return comments(data, path)


@hookimpl
def register_formats() -> list[Format]:
    return [KubernetesFormat()]
