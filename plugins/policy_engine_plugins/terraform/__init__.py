"""Terraform and OpenTofu configurations as an input format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit

SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")


class TerraformFormat(Format):
    name = "terraform"
    title = "Terraform"
    example_path = "main.tf"

    def claims(self, path: str) -> bool:
        return path.endswith(SUFFIXES) and not path.startswith(".terraform/") and "/.terraform/" not in path

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """One unit a folder, as Terraform reads all files of a folder as one module."""
        folders = sorted({path.rpartition("/")[0] for path in paths})
        for folder in folders:
            prefix = f"{folder}/" if folder else ""
            names = {name for name in tree.list(folder) if name.endswith(SUFFIXES) or is_variables_file(name)}
            names.update(path[len(prefix) :] for path in paths if path.rpartition("/")[0] == folder)
            yield Unit(self.name, folder or ".", tuple(prefix + name for name in sorted(names)))

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.terraform.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine_plugins.terraform.comments import comments

        return comments(path, data)


def is_variables_file(name: str) -> bool:
    """Whether Terraform reads the file without being told to."""
    return name in ("terraform.tfvars", "terraform.tfvars.json") or name.endswith((".auto.tfvars", ".auto.tfvars.json"))


@hookimpl
def register_formats() -> Iterable[Format]:
    return [TerraformFormat()]
