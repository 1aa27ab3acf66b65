"""A revision of a git repository: which files differ from the work tree, and what they held then.

git is asked for objects and for the list of changes alone. What could make it run something is switched off: hooks,
file system monitors, external diffs, text conversions, fetching what is missing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from policy_engine.errors import ConfigError
from policy_engine.tree import MAX_FILE_BYTES, FileTooLarge, Tree

_SAFE = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat",
    "-c", "protocol.allow=never", "-c", "safe.directory=*",
    "-c", "core.quotePath=false", "-c", "diff.external=", "-c", "submodule.recurse=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
# Variables that would lead git to another repository than the one that is scanned.
_STRAY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXTERNAL_DIFF")


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths that differ between a revision and the work tree, relative to the root.

    modified  in both, with another content
    added     in the work tree only, files that git does not track included
    deleted   in the revision only
    renamed   new path to old one; their content may differ too
    """

    modified: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def now(self) -> frozenset[str]:
        """Changed paths of the work tree."""
        return self.modified | self.added | frozenset(self.renamed)

    @property
    def before(self) -> frozenset[str]:
        """Changed paths of the revision."""
        return self.modified | self.deleted | frozenset(self.renamed.values())


class Revision:
    """The merge base of a named revision and HEAD, in the repository that `root` lies in. Close it when done."""

    def __init__(self, root: str, name: str) -> None:
        """Raises ConfigError where there is no repository, no such revision, or no common history."""
        self.root = root
        self.name = name
        top = self._git("rev-parse", "--show-toplevel")
        if top is None:
            raise ConfigError(f"'{root}' is in no git repository; --base needs one")
        prefix = os.path.relpath(os.path.realpath(root), os.path.realpath(os.fsdecode(top.rstrip(b"\n"))))
        self._prefix = "" if prefix == "." else prefix.replace(os.sep, "/") + "/"
        given = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if name.startswith("-") or given is None:
            raise ConfigError(f"the revision '{name}' is not known here; fetch it first, or mind its spelling")
        found = self._git("merge-base", given.strip().decode(), "HEAD")
        if not found:
            raise ConfigError(
                f"'{name}' and HEAD have no common history here; fetch more of it (fetch-depth: 0 on GitHub)"
            )
        self.commit = found.split()[0].decode()
        self._objects: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Revision:
        return self

    def __exit__(self, *_: object) -> None:
        if self._objects is not None:
            for pipe in (self._objects.stdin, self._objects.stdout):
                assert pipe is not None
                pipe.close()
            self._objects.wait()

    def _command(self, *arguments: str) -> list[str]:
        return ["git", *_SAFE, "-C", self.root, *arguments]

    @staticmethod
    def _environment() -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _STRAY}
        return {**kept, **_ENVIRONMENT}

    def _git(self, *arguments: str) -> bytes | None:
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and a revision's name cannot be taken for an option
                self._command(*arguments), env=self._environment(), capture_output=True, check=False, timeout=120
            )
        except FileNotFoundError:
            raise ConfigError("--base needs git, which is not on the PATH") from None
        except subprocess.TimeoutExpired:
            raise ConfigError(f"git {arguments[0]} took longer than two minutes and was given up") from None
        return done.stdout if done.returncode == 0 else None

    def changes(self) -> Changes:
        listed = self._git(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--name-status", "-z",
            "-M", "--end-of-options", self.commit, "--", ".",
        )  # fmt: skip
        untracked = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", ".")
        if listed is None or untracked is None:
            raise ConfigError(f"git cannot tell what has changed since {self.commit[:12]}")
        modified: set[str] = set()
        added: set[str] = set()
        deleted: set[str] = set()
        renamed: dict[str, str] = {}
        fields = iter(listed.split(b"\0"))
        for status in fields:
            if not status:
                break
            path = self._inside(next(fields))
            if status[:1] in b"RC":
                target = self._inside(next(fields))
                if path is None or target is None or status[:1] == b"C":
                    added.update(one for one in (target,) if one is not None)
                    deleted.update(one for one in (path,) if one is not None and status[:1] == b"R")
                else:
                    renamed[target] = path
            elif path is None:
                continue
            elif status == b"A":
                added.add(path)
            elif status == b"D":
                deleted.add(path)
            else:
                modified.add(path)
        for name in untracked.split(b"\0"):
            if name:
                added.add(os.fsdecode(name))  # told from the folder that git runs in
        return Changes(frozenset(modified), frozenset(added), frozenset(deleted), renamed)

    def _inside(self, name: bytes) -> str | None:
        """A path of the repository as seen from the root; None outside of it."""
        path = os.fsdecode(name)
        return path[len(self._prefix) :] if path.startswith(self._prefix) else None

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """A file's content in the revision. Raises FileNotFoundError, or FileTooLarge."""
        if "\n" in path:
            raise FileNotFoundError(f"{path!r} cannot be asked for")
        stdin, stdout = self._pipes()
        stdin.write(os.fsencode(f"{self.commit}:{self._prefix}{path}\n"))
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            if len(header) == 3:
                self._skip(stdout, int(header[2]) + 1)
            raise FileNotFoundError(path)
        size = int(header[2])
        if size > limit:
            self._skip(stdout, size + 1)
            raise FileTooLarge(f"larger than {limit} bytes", path=path)
        return stdout.read(size + 1)[:-1]

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._objects is None:
            self._objects = subprocess.Popen(  # noqa: S603 - no shell, fixed arguments
                self._command("cat-file", "--batch"),
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        assert self._objects.stdin is not None
        assert self._objects.stdout is not None
        return self._objects.stdin, self._objects.stdout

    @staticmethod
    def _skip(stream: IO[bytes], size: int) -> None:
        while size > 0:
            size -= len(stream.read(min(size, 1 << 20))) or size

    def files(self, folder: str) -> list[str]:
        """Paths of the files of the revision in a folder and below."""
        where = self._prefix + folder
        listed = self._git("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit, "--", where)
        found = (self._inside(name) for name in (listed or b"").split(b"\0") if name)
        return [path for path in found if path is not None]


class BaseTree:
    """The files as they were in the revision: those that changed from git, the others from the work tree."""

    def __init__(self, work: Tree, revision: Revision, changes: Changes, limit: int = MAX_FILE_BYTES) -> None:
        self._work = work
        self._revision = revision
        self._before = changes.before
        self._gone = changes.now - changes.before
        self._limit = limit

    def read(self, path: str) -> bytes:
        if path in self._before:
            return self._revision.read(path, self._limit)
        if path in self._gone:
            raise FileNotFoundError(path)
        return self._work.read(path)

    def is_file(self, path: str) -> bool:
        return path in self._before or (path not in self._gone and self._work.is_file(path))

    def list(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        names = {name for name in self._work.list(folder) if prefix + name not in self._gone}
        names.update(path[len(prefix) :] for path in self._before if path.startswith(prefix))
        return sorted(name for name in names if "/" not in name)
