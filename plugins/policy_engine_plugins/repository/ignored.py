"""What .gitignore should leave out of a repository, judged by what the repository shows it works with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from msgspec import Struct

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE
from policy_engine.tree import FileTooLarge, Tree
from policy_engine_plugins.repository.codeowners import collapse, glob_part, match_parts
from policy_engine_plugins.repository.names import is_aside
from policy_engine_plugins.repository.places import decode, resource

_MAX = 500
_MAX_LINES = 20_000
_TEMPLATES = (".env.example", ".env.sample", ".env.template", ".env.dist")


class Ignores:
    """The .gitignore files of a project, read when they are asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[str, list[Line]] = {}

    def ignored(self, path: str) -> bool:
        """Whether git would leave out a file of this name, were it there and not tracked."""
        parts = path.split("/")
        # A file below a folder that is left out cannot be taken back in.
        return any(self._decided("/".join(parts[:depth]) + "/") for depth in range(1, len(parts))) or self._decided(
            path
        )

    def _decided(self, path: str) -> bool:
        parts = path.rstrip("/").split("/")
        # The nearest file that says anything decides, and in it the last line.
        for depth in range(len(parts) - 1, -1, -1):
            for line in reversed(self._of("/".join(parts[:depth]))):
                if line.matches(parts[depth:], is_folder=path.endswith("/")):
                    return not line.negated
        return False

    def _of(self, folder: str) -> list[Line]:
        if folder not in self._known:
            path = f"{folder}/.gitignore" if folder else ".gitignore"
            try:
                text = decode(self._tree.read(path)[: 1 << 20])
            except (OSError, FileTooLarge):
                text = ""
            lines = text.split("\n")[:_MAX_LINES]
            self._known[folder] = [line for line in map(_line, lines) if line is not None]
        return self._known[folder]


class Line(Struct, frozen=True):
    """A pattern as git reads it: of the path itself, not of what lies below."""

    parts: tuple[str, ...]
    negated: bool
    folder_only: bool
    anywhere: bool

    def matches(self, names: list[str], *, is_folder: bool) -> bool:
        if self.folder_only and not is_folder:
            return False
        if self.anywhere:
            return _part(self.parts[0], names[-1])
        return match_parts(self.parts, names, to_end=True, same=_part)


def _line(text: str) -> Line | None:
    """None for blank lines, comments, and patterns that match nothing."""
    text = text.removesuffix("\r")
    stripped = text.rstrip(" ")
    # A blank at the end counts only behind a backslash.
    text = stripped + " " if stripped.endswith("\\") and text != stripped else stripped
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    pattern = text[1:] if negated else text
    folder_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    anywhere = "/" not in pattern
    parts = collapse(pattern.removeprefix("/").split("/"))
    if not all(parts):
        return None
    # `**` at the end is everything below.
    if len(parts) > 1 and parts[-1] == "**":
        parts.append("*")
    return Line(tuple(parts), negated, folder_only, anywhere)


@lru_cache(maxsize=4096)
def _part(pattern: str, name: str) -> bool:
    if "[" not in pattern:
        return glob_part(pattern, name)
    if "]" not in pattern[pattern.index("[") + 2 :]:
        return False
    return re.match(translate(pattern.replace("[^", "[!")), name) is not None


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
