"""What .gitignore should leave out of a repository, judged by what the repository shows it works with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE
from policy_engine.tree import FileTooLarge, Tree
from policy_engine_plugins.repository.names import is_aside
from policy_engine_plugins.repository.places import decode, resource

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_MAX = 500
_TEMPLATES = (".env.example", ".env.sample", ".env.template", ".env.dist")


class Ignores:
    """The .gitignore files of a project, read when they are asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[str, GitIgnoreSpec | None] = {}

    def ignored(self, path: str) -> bool:
        """Whether git would leave out a file of this name, were it there and not tracked."""
        parts = path.split("/")
        # A file below a folder that is left out cannot be taken back in.
        return any(self._decided("/".join(parts[:depth]) + "/") for depth in range(1, len(parts))) or self._decided(
            path
        )

    def _decided(self, path: str) -> bool:
        parts = path.rstrip("/").split("/")
        # The nearest file that says anything decides.
        for depth in range(len(parts) - 1, -1, -1):
            folder = "/".join(parts[:depth])
            spec = self._spec(folder)
            if spec is not None:
                include = spec.check_file(path[len(folder) + 1 :] if folder else path).include
                if include is not None:
                    return include
        return False

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._known:
            self._known[folder] = self._read(f"{folder}/.gitignore" if folder else ".gitignore")
        return self._known[folder]

    def _read(self, path: str) -> GitIgnoreSpec | None:
        try:
            text = decode(self._tree.read(path)[: 1 << 20])
        except (OSError, FileTooLarge):
            return None
        from pathspec import GitIgnoreSpec

        kept = []
        for line in text.splitlines():
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError:
                continue  # git passes over what it cannot read, too.
            kept.append(line)
        return GitIgnoreSpec.from_lines(kept)


def of_project(project: Project, tree: Tree) -> Iterator[Resource]:
    wanted: dict[str, str] = {}
    states: set[str] = set()
    for path in project.paths:
        folder, _, name = path.rpartition("/")
        if name in _TEMPLATES and not is_aside(path):
            wanted[f"{folder}/.env" if folder else ".env"] = f"{name} is to be copied to it"
        elif name in (".terraform.lock.hcl", "backend.tf") and not is_aside(path):
            states.add(folder)
    for folder in states:
        wanted[f"{folder}/terraform.tfstate" if folder else "terraform.tfstate"] = "Terraform writes its state there"
    ignores = Ignores(tree)
    for path, why in sorted(wanted.items())[:_MAX]:
        value = {"path": path, "why": why, "ignored": ignores.ignored(path)}
        place = ".gitignore"
        yield resource("ignored", f"ignored/{path}", path, value, place, WHOLE_FILE)
