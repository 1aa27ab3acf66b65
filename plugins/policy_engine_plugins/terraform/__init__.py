"""Terraform and OpenTofu configurations as an input format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.option import Option
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit

if TYPE_CHECKING:
    from policy_engine_plugins.terraform.call_graph import CallGraph
    from policy_engine_plugins.terraform.files import Files

SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")


class TerraformFormat(Format):
    name = "terraform"
    title = "Terraform"
    example_path = "main.tf"
    options = (
        Option("var-file", "values of the root modules' variables, as Terraform's own option; repeatable.", "files"),
        Option("tf-var-env", "take values of variables from TF_VAR_ environment variables.", "environment", "TF_VAR_"),
    )

    def __init__(
        self, var_files: Sequence[tuple[str, bytes]] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._var_files = tuple(var_files)
        self._environment = environment or {}

    def configured(self, values: Mapping[str, Any]) -> Format:
        return TerraformFormat(values.get("var-file", ()), values.get("tf-var-env"))

    def claims(self, path: str) -> bool:
        if not path.endswith((*SUFFIXES, ".json")) or path.endswith(".tfvars.json"):
            return False
        return not path.startswith(".terraform/") and "/.terraform/" not in path

    def knows_by_name(self, path: str) -> bool:
        return path.endswith(SUFFIXES)

    def recognises(self, path: str, data: bytes) -> bool:
        """Configurations by their names; a plan is a JSON file that says so."""
        if path.endswith(SUFFIXES):
            return True
        return b'"planned_values"' in data and b'"format_version"' in data

    def units(self, paths: Sequence[str], tree: Tree) -> Iterable[Unit]:
        """One unit a root module: the files of its folder, which Terraform reads as one module, and of the modules it
        calls. A module is a unit of its own only where none of the folders calls it."""
        from policy_engine_plugins.terraform.call_graph import CallGraph

        given: dict[str, set[str]] = {}
        plans = [path for path in paths if not path.endswith(SUFFIXES)]
        for path in paths:
            if not path.endswith(SUFFIXES):
                continue
            folder, _, name = path.rpartition("/")
            given.setdefault(folder, set()).add(name)
        graph = CallGraph(given, tree, self._files, self._var_files, self._environment)
        for folder in graph.roots():
            named = {f"{folder}/{name}" if folder else name for name in given[folder]}
            yield Unit(self.name, folder or ".", tuple(sorted(named | self._root_paths(folder, graph, tree))))
        for path in plans:
            from policy_engine_plugins.terraform.module import configuration_of

            above = configuration_of(path, tree)
            others = set() if above is None else self._root_paths(above, graph, tree)
            yield Unit(self.name, path, tuple(sorted({path, *others})))

    def _root_paths(self, folder: str, graph: CallGraph, tree: Tree) -> set[str]:
        prefix = f"{folder}/" if folder else ""
        names = (name for name in tree.list(folder) if name.endswith(SUFFIXES) or is_variables_file(name))
        given = (path for path, _ in self._var_files)
        return {*(prefix + name for name in names), *given, *graph.paths(folder)}

    def reads_beyond(self, unit: Unit, tree: Tree) -> bool:
        """A function such as file() or fileset() reaches above the module only through `..`."""
        from policy_engine_plugins.terraform.files import reads_above

        return reads_above(unit.paths, tree)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.terraform.load import load

        return load(unit, tree, self._files, self._var_files, self._environment)

    @cached_property
    def _files(self) -> Files:
        from policy_engine_plugins.terraform.files import Files

        return Files()

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        if ".terraform/" in path:
            return ()  # what others wrote in a module that was fetched sets nothing aside here
        from policy_engine_plugins.terraform.comments import comments

        return comments(path, data)


def is_variables_file(name: str) -> bool:
    """Whether Terraform reads the file without being told to."""
    return name in ("terraform.tfvars", "terraform.tfvars.json") or name.endswith((".auto.tfvars", ".auto.tfvars.json"))


@hookimpl
def register_formats() -> Iterable[Format]:
    return [TerraformFormat()]
