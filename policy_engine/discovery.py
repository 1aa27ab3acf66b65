"""Finds the files of a scan: what is there, and what was left out by which line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, field

from policy_engine.errors import ConfigError
from policy_engine.project import Project
from policy_engine.report import Entry, Status
from policy_engine.settings import Exclude

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

ALWAYS_SKIPPED = frozenset({".git", ".hg", ".svn"})
# Trees of generated or fetched files that no change is made in. They are told in the ledger like every exclusion.
TOOL_FOLDERS = frozenset({"node_modules", ".terraform", ".venv", ".tox", ".mypy_cache", ".ruff_cache", "__pycache__"})
TOOL_FOLDER = "a folder of fetched or generated files"


class Discovered(Struct, frozen=True):
    """`paths` are relative to the root and sorted; `left_out` are the ledger's entries for what was not walked;
    `folders` are those that were; `links` are symbolic links that nothing leaves out, and what each leads to."""

    paths: Sequence[str]
    left_out: Sequence[Entry]
    folders: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)


def find_root(path: str) -> str:
    """The folder that paths are told relative to: the nearest one, from `path` upwards, that is a repository's; else
    the path itself (or its folder)."""
    start = os.path.realpath(path if os.path.isdir(path) else os.path.dirname(path) or ".")
    folder = start
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent


def discover(
    root: str, paths: Sequence[str], excludes: Sequence[Exclude] = (), *, gitignore: bool = True
) -> Discovered:
    """Files at or below `paths` (as given on a command line). A file named itself is taken even where .gitignore leaves
    it out, but not where the settings do: a pre-commit run names every changed file.

    Raises ConfigError for a path that does not exist or lies outside the root.
    """
    walk = _Walk(root, excludes, gitignore=gitignore)
    for given in paths:
        # realpath of the folder alone: a symbolic link is itself met and told, not followed.
        full = os.path.join(
            os.path.realpath(os.path.dirname(os.path.abspath(given))), os.path.basename(os.path.abspath(given))
        )
        if given in (".", "./") or not os.path.basename(os.path.abspath(given)):
            full = os.path.realpath(given)
        if not os.path.lexists(full):
            raise ConfigError(f"'{given}' does not exist; name a file or a folder to scan")
        relative = os.path.relpath(full, root).replace(os.sep, "/")
        if relative == ".." or relative.startswith("../"):
            raise ConfigError(f"'{given}' lies outside the root '{root}'; choose another with --root")
        walk.add("" if relative == "." else relative)
    return walk.result()


def is_repository(root: str) -> bool:
    """Whether the folder is the top of a repository, and what is in it therefore a whole project."""
    return os.path.exists(os.path.join(root, ".git"))


def forced(root: str, found: Discovered, excludes: Sequence[Exclude] = ()) -> list[str]:
    """Files of a repository that git tracks although a .gitignore leaves them out, which therefore has no say in them.
    Those that the settings leave out are not among them; without git there are none to be known."""
    if not any(entry.status is Status.EXCLUDED and ".gitignore:" in entry.detail for entry in found.left_out):
        return []
    import subprocess

    from policy_engine.revision import SAFE_CONFIG, environment

    listed = ("ls-files", "--cached", "--ignored", "--exclude-standard", "-z", "--", ".")
    try:
        done = subprocess.run(  # noqa: S603 - no shell, fixed arguments
            ["git", "--no-pager", "--literal-pathspecs", "-C", root, *listed],  # noqa: S607
            env=environment(SAFE_CONFIG),
            capture_output=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    excluded_by = excluder(excludes)
    paths = (os.fsdecode(raw) for raw in done.stdout.split(b"\0") if raw)
    return [path for path in paths if _is_to_scan(root, path) and excluded_by(path) is None]


def _is_to_scan(root: str, path: str) -> bool:
    full = os.path.join(root, path)
    return TOOL_FOLDERS.isdisjoint(path.split("/")[:-1]) and os.path.isfile(full) and not os.path.islink(full)


def project_of(root: str, paths: Sequence[str], found: Discovered) -> Project | None:
    """The project that a scan of all of `root` sees; None where that is no repository."""
    return Project(tuple(paths), found.links) if is_repository(root) else None


def excluder(excludes: Sequence[Exclude]) -> Callable[[str], str | None]:
    """Tells where the exclude stands that leaves a file out, itself or a folder above it; None where none does."""
    if not excludes:
        return lambda _path: None
    patterns = _Patterns([(each.pattern, each.origin) for each in excludes])

    @cache
    def of_folder(folder: str) -> str | None:
        if not folder:
            return None
        above = of_folder(folder.rpartition("/")[0])
        if above is not None:
            return above
        excluded, origin = patterns.match(f"{folder}/")
        return origin if excluded else None

    def of_file(path: str) -> str | None:
        parts = path.split("/")
        # From the top: a stranger's folders may nest deeper than Python recurses.
        for depth in range(1, len(parts)):
            origin = of_folder("/".join(parts[:depth]))
            if origin is not None:
                return origin
        excluded, origin = patterns.match(path)
        return origin if excluded else None

    return of_file


class _Walk:
    def __init__(self, root: str, excludes: Sequence[Exclude], *, gitignore: bool) -> None:
        self.root = root
        self.gitignore = gitignore
        self.excludes = _Patterns([(each.pattern, each.origin) for each in excludes]) if excludes else None
        self.found: set[str] = set()
        self.left_out: dict[str, Entry] = {}
        self.folders: set[str] = set()
        self.links: dict[str, str] = {}

    def result(self) -> Discovered:
        left_out = [self.left_out[path] for path in sorted(self.left_out)]
        return Discovered(sorted(self.found), left_out, sorted(self.folders), self.links)

    def add(self, path: str) -> None:
        full = os.path.join(self.root, path)
        if not os.path.islink(full) and os.path.isdir(full):
            self._folder(path, self._inherited(path))
            return
        self._file(path, os.path.islink(full), os.path.isfile(full), [])

    def _inherited(self, path: str) -> list[tuple[str, _Patterns]]:
        """Ignore files of the folders above the one that is walked."""
        chain: list[tuple[str, _Patterns]] = []
        parts = path.split("/") if path else []
        for depth in range(len(parts)):
            above = "/".join(parts[:depth])
            patterns = self._ignore_file(above)
            if patterns is not None:
                chain.append((above, patterns))
        return chain

    def _ignore_file(self, folder: str) -> _Patterns | None:
        if not self.gitignore:
            return None
        shown = f"{folder}/.gitignore" if folder else ".gitignore"
        full = os.path.join(self.root, shown)
        try:
            if os.path.islink(full):
                return None
            with open(full, "rb") as stream:
                lines = stream.read(1 << 20).decode("utf-8", "replace").splitlines()
        except OSError:
            return None
        listed = [(line, f"{shown}:{number}") for number, line in enumerate(lines, 1)]
        return _Patterns([(line, origin) for line, origin in listed if line.strip() and not line.startswith("#")])

    def _folder(self, top: str, inherited: list[tuple[str, _Patterns]]) -> None:
        # A stack of our own: a stranger's folders may nest deeper than Python recurses.
        waiting = [(top, inherited)]
        while waiting:
            folder, chain = waiting.pop()
            self.folders.add(folder)
            try:
                with os.scandir(os.path.join(self.root, folder)) as entries:
                    listed = list(entries)
            except OSError as error:
                self.left_out[f"{folder}/"] = Entry(f"{folder}/", Status.UNREADABLE, detail=error.strerror or "")
                continue
            own = self._ignore_file(folder) if any(entry.name == ".gitignore" for entry in listed) else None
            if own is not None:
                chain = [*chain, (folder, own)]
            for entry in listed:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    self._file(path, entry.is_symlink(), entry.is_file(follow_symlinks=False), chain)
                elif entry.name not in ALWAYS_SKIPPED:
                    reason = TOOL_FOLDER if entry.name in TOOL_FOLDERS else self._excluded(path + "/", chain)
                    if reason is None:
                        waiting.append((path, chain))
                    else:
                        self.left_out[path + "/"] = Entry(path + "/", Status.EXCLUDED, detail=reason)

    def _file(self, path: str, is_link: bool, is_regular: bool, chain: list[tuple[str, _Patterns]]) -> None:
        if is_link:
            reason: str | None = "a symbolic link, not followed"
            if self._excluded(path, chain) is None:
                with suppress(OSError):
                    self.links[path] = os.readlink(os.path.join(self.root, path))
        elif not is_regular:
            reason = "not a regular file"
        else:
            reason = self._excluded(path, chain)
        if reason is None:
            self.found.add(path)
        else:
            self.left_out[path] = Entry(path, Status.EXCLUDED, detail=reason)

    def _excluded(self, path: str, chain: Iterable[tuple[str, _Patterns]]) -> str | None:
        if self.excludes is not None:
            excluded, origin = self.excludes.match(path)
            if excluded:
                return origin
        decision: str | None = None
        for folder, patterns in chain:
            inside = path[len(folder) + 1 :] if folder else path
            excluded, origin = patterns.match(inside)
            if excluded is not None:
                decision = origin if excluded else None
        return decision


class _Patterns:
    """Patterns in .gitignore syntax, each with its origin. The last one that matches decides."""

    def __init__(self, listed: Sequence[tuple[str, str]]) -> None:
        self._listed = listed
        self._spec: GitIgnoreSpec | None = None

    def match(self, path: str) -> tuple[bool | None, str]:
        """(True, origin) where excluded, (False, origin) where taken back in by `!`, (None, "") where none matches."""
        if not self._listed:
            return None, ""
        if self._spec is None:
            from pathspec import GitIgnoreSpec

            try:
                self._spec = GitIgnoreSpec.from_lines([pattern for pattern, _ in self._listed])
            except ValueError as error:
                raise ConfigError(f"an exclude pattern cannot be read: {error}", path=self._listed[0][1]) from error
        result = self._spec.check_file(path)
        if result.include is None or result.index is None:
            return None, ""
        return result.include, self._listed[result.index][1]
