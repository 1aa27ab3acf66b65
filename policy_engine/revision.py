"""A revision of a git repository: which files differ from the work tree, and what they held then.

git is asked for objects and for the list of changes alone. What could make it run something is switched off: hooks,
file system monitors, content filters, external diffs, text conversions, fetching what is missing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import IO

from msgspec import Struct, field

from policy_engine.errors import ConfigError
from policy_engine.policy import KINDS
from policy_engine.settings import FILE_NAMES
from policy_engine.tree import MAX_FILE_BYTES, FileTooLarge, Tree

# As variables of the environment rather than `-c`: these hold for names with `=` in them, too.
SAFE_CONFIG = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.quotePath": "false",
    "diff.external": "",
    "policyengine.heard": "true",
    "protocol.allow": "never",
    "safe.directory": "*",
    "submodule.recurse": "false",
}
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# All others of git's variables could lead it to another repository than the one that is scanned.
_KEPT = frozenset({"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"})
_FILTER_KEYS = (".clean", ".smudge", ".process", ".required")
_SUBMODULE = b"160000"
_LINK = b"120000"
_TOP = ("rev-parse", "--show-toplevel")
_SETTINGS = ("config", "--list", "--name-only", "-z", "--includes")
_FILES = ("ls-files", "-t", "--cached", "--others", "--exclude-standard", "-z", "--", ".")
_ASKED_TOGETHER = (*FILE_NAMES, *KINDS)


class Changes(Struct, frozen=True):
    """Paths of files that differ between a revision and the work tree, relative to the root. Symbolic links are none.

    modified    in both, with another content
    added       in the work tree only, files that git does not track included
    deleted     in the revision only
    renamed     new path to old one; their content may differ too
    submodules  submodules that were added, or are at another commit
    tracked     all that git tracks now, changed or not: no .gitignore speaks of these
    objects     git's name of what each changed file of the revision held
    links       symbolic links of the work tree that are new or lead elsewhere now
    links_before  those of the revision that are gone or lead elsewhere now
    """

    modified: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    submodules: frozenset[str] = frozenset()
    tracked: frozenset[str] = frozenset()
    objects: Mapping[str, str] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    links_before: frozenset[str] = frozenset()

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
        self._objects: subprocess.Popen[bytes] | None = None
        self._known: dict[str, str | None] = {}
        self._begun: dict[tuple[str, ...], subprocess.Popen[bytes]] = {}
        self._environment = environment(SAFE_CONFIG)
        try:
            self._prefix, self.commit = self._find()
        except BaseException:
            self.__exit__()
            raise

    def _find(self) -> tuple[str, str]:
        """Where the root lies in its repository, and the merge base."""
        commit = f"{self.name}^{{commit}}"
        named = ("rev-parse", "--verify", "--quiet", "--end-of-options", commit)
        merge_base = ("merge-base", "--end-of-options", commit, "HEAD")
        self._begin(_TOP, _SETTINGS, named, merge_base)
        top = self._git(*_TOP)
        if top is None:
            raise ConfigError(f"'{self.root}' is in no git repository; --base needs one")
        prefix = os.path.relpath(os.path.realpath(self.root), os.path.realpath(os.fsdecode(top.rstrip(b"\n"))))
        prefix = prefix.replace(os.sep, "/")
        if prefix == ".." or prefix.startswith("../"):
            raise ConfigError(
                f"git says that the files of '{self.root}' are elsewhere (core.worktree); --base cannot compare"
            )
        filters_off = self._filters_off()
        if self.name.startswith("-") or self._git(*named) is None:
            raise ConfigError(f"the revision '{self.name}' is not known here; fetch it first, or mind its spelling")
        self._environment = environment({**SAFE_CONFIG, **filters_off})
        found = self._git(*merge_base)
        if not found:
            raise ConfigError(
                f"'{self.name}' and HEAD have no common history here; fetch more of it (fetch-depth: 0 on GitHub)"
            )
        return "" if prefix == "." else f"{prefix}/", found.split()[0].decode()

    def __enter__(self) -> Revision:
        return self

    def __exit__(self, *_: object) -> None:
        while self._begun:
            _, process = self._begun.popitem()
            process.kill()
            process.communicate()
        if self._objects is not None:
            for pipe in (self._objects.stdin, self._objects.stdout):
                assert pipe is not None
                pipe.close()
            self._objects.wait()
            self._objects = None

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "--no-pager", "--literal-pathspecs", "-C", self.root, *arguments]

    def _begin(self, *questions: tuple[str, ...]) -> None:
        """Has git work on questions that `_git` will put, side by side and while this process goes on."""
        for question in questions:
            self._begun[question] = self._start(*question)

    def _git(self, *arguments: str) -> bytes | None:
        process = self._begun.pop(arguments, None) or self._start(*arguments)
        try:
            said, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise ConfigError(f"git {arguments[0]} took longer than two minutes and was given up") from None
        return said if process.returncode == 0 else None

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - no shell, and a revision's name cannot be taken for an option
                self._command(*arguments), env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError:
            raise ConfigError("--base needs git, which is not on the PATH") from None

    def _filters_off(self) -> dict[str, str]:
        """Settings that empty every content filter there is: git would run them to compare a file of the work tree."""
        listed = self._git(*_SETTINGS)
        if listed is None:
            raise ConfigError(f"the configuration of the git repository of '{self.root}' cannot be read")
        names = listed.split(b"\0")
        if b"policyengine.heard" not in names:
            raise ConfigError("--base needs git 2.31 or newer, which can be told to run nothing of a repository")
        off: dict[str, str] = {}
        for raw in names:
            name = os.fsdecode(raw)
            if name.startswith("filter.") and name.endswith(_FILTER_KEYS):
                off[name] = "false" if name.endswith(".required") else ""
        return off

    def begin_comparing(self) -> None:
        """Has git look for changes while this process goes on; `changes` waits for what it says."""
        self._begin(self._differing(), _FILES)

    def _differing(self) -> tuple[str, ...]:
        return (
            "diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative",
            "--ignore-submodules=dirty", "-M", "--end-of-options", self.commit, "--", ".",
        )  # fmt: skip

    def changes(self) -> Changes:
        listed = self._git(*self._differing())
        files = self._git(*_FILES)
        if listed is None or files is None:
            raise ConfigError(f"git cannot tell what has changed since {self.commit[:12]}")
        collected = _Collected()
        fields = iter(listed.split(b"\0"))
        for header in fields:
            if not header:
                break
            mode_before, mode_now, object_before, _, status = header.lstrip(b":").split(b" ")
            before = now = self._inside(next(fields))
            if status[:1] in b"RC":
                now = self._inside(next(fields))
            collected.take(
                before if _is_file(mode_before) and status[:1] not in b"AC" else None,
                now if _is_file(mode_now) and status[:1] != b"D" else None,
                object_before.decode(),
            )
            if mode_now == _SUBMODULE and now is not None:
                collected.submodules.add(now)
            if mode_now == _LINK and now is not None and status[:1] != b"D":
                collected.links.add(now)
            if mode_before == _LINK and before is not None and status[:1] not in b"AC":
                collected.links_before[before] = object_before.decode()
        # Told from the folder that git runs in. A folder stands for a repository inside this one.
        for line in os.fsdecode(files).split("\0"):
            tag, _, path = line.partition(" ")
            if path and not path.endswith("/"):
                (collected.added if tag == "?" else collected.tracked).add(path)
        self._known.update(collected.objects)
        self._known.update(collected.links_before)
        return collected.changes()

    def _inside(self, name: bytes) -> str | None:
        """A path of the repository as seen from the root; None outside of it."""
        path = os.fsdecode(name)
        return path[len(self._prefix) :] if path.startswith(self._prefix) else None

    def read(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """A file's content in the revision. Raises FileNotFoundError, FileTooLarge, or ConfigError where the clone
        lacks what the file held."""
        if path not in self._known:
            self._look_up(path)
        name = self._known[path]
        if name is None:
            raise FileNotFoundError(path)
        stdin, stdout = self._pipes()
        try:
            stdin.write(f"{name}\n".encode())
            stdin.flush()
            header = stdout.readline().split()
        except OSError:
            header = []
        if len(header) != 3 or header[1] != b"blob":
            raise ConfigError(f"'{path}' as of {self.commit[:12]} is not in this clone; fetch it (no partial clone)")
        size = int(header[2])
        if size > limit:
            self._skip(stdout, size + 1)
            raise FileTooLarge(f"larger than {limit} bytes", path=path)
        return stdout.read(size + 1)[:-1]

    def size(self, path: str) -> int:
        """Of a changed file of the revision. Raises FileNotFoundError where it is none."""
        name = self._known.get(path)
        if name is None:
            raise FileNotFoundError(path)
        told = self._git("cat-file", "-s", name)
        if told is None:
            raise ConfigError(f"'{path}' as of {self.commit[:12]} is not in this clone; fetch it (no partial clone)")
        return int(told)

    def _look_up(self, path: str) -> None:
        # Policy files are asked for one after the other, and a process costs more than the answer.
        wanted = {path, *_ASKED_TOGETHER} - set(self._known)
        self._known.update(dict.fromkeys(wanted))
        self._known.update(self._list(*sorted(wanted)))

    def _list(self, *paths: str) -> Iterable[tuple[str, str]]:
        """Files of the revision at or below paths, with git's names of what they hold. No symbolic links."""
        where = [f"{self._prefix}{path}".rstrip("/") for path in paths]
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", self.commit, "--", *(each for each in where if each))
        if listed is None:
            raise ConfigError(
                f"the files of {self.commit[:12]} are not all in this clone; fetch them (no partial clone)"
            )
        for line in listed.split(b"\0"):
            header, _, raw = line.partition(b"\t")
            path = self._inside(raw)
            # Names that git itself refuses to check out stand in no honest tree.
            if header and path is not None and _is_file(header) and ".." not in path.split("/"):
                yield path, header.split()[2].decode()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._objects is None:
            self._objects = subprocess.Popen(  # noqa: S603 - no shell, fixed arguments
                self._command("cat-file", "--batch"),
                env=self._environment,
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
        found = dict(self._list("" if folder == "." else folder))
        self._known.update(found)
        return sorted(found)


class _Collected:
    def __init__(self) -> None:
        self.modified: set[str] = set()
        self.added: set[str] = set()
        self.deleted: set[str] = set()
        self.submodules: set[str] = set()
        self.tracked: set[str] = set()
        self.renamed: dict[str, str] = {}
        self.objects: dict[str, str] = {}
        self.links: set[str] = set()
        self.links_before: dict[str, str] = {}

    def take(self, before: str | None, now: str | None, object_before: str) -> None:
        """One line of the list of changes: None where the file is not there, or is none."""
        if before is not None:
            self.objects[before] = object_before
        if before is None and now is not None:
            self.added.add(now)
        elif before is not None and now is None:
            self.deleted.add(before)
        elif before is not None and now is not None:
            if before == now:
                self.modified.add(now)
            else:
                self.renamed[now] = before

    def changes(self) -> Changes:
        return Changes(
            frozenset(self.modified),
            frozenset(self.added),
            frozenset(self.deleted),
            self.renamed,
            frozenset(self.submodules),
            frozenset(self.tracked),
            self.objects,
            frozenset(self.links),
            frozenset(self.links_before),
        )


def _is_file(mode: bytes) -> bool:
    return mode.startswith(b"100")


def environment(config: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    kept |= _ENVIRONMENT
    kept["GIT_CONFIG_COUNT"] = str(len(config))
    for number, (name, value) in enumerate(config.items()):
        kept[f"GIT_CONFIG_KEY_{number}"] = name
        kept[f"GIT_CONFIG_VALUE_{number}"] = value
    return kept


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

    def size(self, path: str) -> int:
        if path in self._before:
            return self._revision.size(path)
        if path in self._gone:
            raise FileNotFoundError(path)
        return self._work.size(path)
