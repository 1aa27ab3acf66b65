"""What all modules of one configuration share: its files, the budget, and the names that are being evaluated."""

from __future__ import annotations

from policy_engine.tree import Tree
from policy_engine.unit import Problem
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.manifest import Manifest, read_manifest
from policy_engine_plugins.terraform.module import Module, configuration_files, read_module
from policy_engine_plugins.terraform.scope import Budget
from policy_engine_plugins.terraform.syntax import Attribute, Block

MAX_MODULES = 2000


class Workspace:
    """The evaluation of one root module with all that it calls.

    folder    the root module's, which is where Terraform would be run
    active    the names whose values are being found, with where they are declared, outermost first
    cyclic    what names are that turned out to need themselves
    modules   how many module instances have been made
    """

    def __init__(self, folder: str, tree: Tree, files: Files) -> None:
        self.folder = folder
        self.tree = tree
        self.files = files
        self.budget = Budget()
        self.problems: list[Problem] = []
        self.active: dict[str, Attribute | Block] = {}
        self.cyclic: dict[str, Unknown] = {}
        self.modules = 0
        self._read: dict[str, Module] = {}
        self._manifest: Manifest | None = None

    def called_module(self, folder: str) -> Module | None:
        """The module in a folder, without variable files, which count for the root alone; None where no file of one is
        there."""
        module = self._read.get(folder)
        if module is None:
            paths = configuration_files(folder, self.tree)
            if not paths:
                return None
            module = self._read[folder] = read_module(folder, paths, self.tree, self.files)
            self.problems.extend(module.problems)
        return module

    @property
    def manifest(self) -> Manifest:
        if self._manifest is None:
            self._manifest = read_manifest(self.folder, self.tree)
            self.problems.extend(self._manifest.problems)
        return self._manifest
