"""The files a scan may see: a folder on disk, or files in memory. Nothing outside can be reached through it."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from policy_engine.errors import PolicyEngineError

MAX_FILE_BYTES = 32 * 1024 * 1024
HEAD_BYTES = 8192
_PIECE_BYTES = 1 << 16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)


class FileTooLarge(PolicyEngineError):
    """The file is larger than a scan reads. `head` is how it begins, where that is known."""

    def __init__(self, message: str, *, path: str | None = None, head: bytes = b"") -> None:
        super().__init__(message, path=path)
        self.head = head


class Tree(Protocol):
    """Paths are relative to the tree's root, with forward slashes and without `.` or `..` parts; the root is `""`."""

    def read(self, path: str) -> bytes:
        """The file's content. Raises FileNotFoundError, another OSError, or FileTooLarge."""

    def is_file(self, path: str) -> bool: ...

    def list(self, folder: str) -> list[str]:
        """Names of the files (not folders) directly in `folder`, sorted; empty where there is no such folder."""

    def size(self, path: str) -> int:
        """How many bytes the file holds, however large it is; none is read. Raises FileNotFoundError or another
        OSError."""


def join(folder: str, name: str) -> str | None:
    """`name` as seen from `folder`, normalised; None where it would leave the tree."""
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":":
        return None
    parts = [part for part in folder.split("/") if part]
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class WorkTree:
    """A folder on disk. Symbolic links that lead outside are treated as absent."""

    def __init__(self, root: str, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.root = os.path.realpath(root)
        self.max_file_bytes = max_file_bytes
        self._prefix = self.root.rstrip(os.sep) + os.sep
        self._folders: dict[str, str] = {"": self._prefix}

    def _inside(self, path: str) -> str:
        full = self._unfollowed(path)
        if os.path.islink(full):
            full = os.path.realpath(full)
        if not self._is_inside(full):
            raise FileNotFoundError(f"{path} leads outside the scanned folder")
        return full

    def _unfollowed(self, path: str) -> str:
        """The place on disk, with its folder's links followed and its own not."""
        # Folders are followed once: a scan asks for thousands of files of a few of them.
        folder, _, name = path.rpartition("/")
        above = self._folders.get(folder)
        if above is None:
            above = self._followed(folder)
        full = above + name
        return os.path.realpath(full) if name in ("", ".", "..") else full

    def _followed(self, folder: str) -> str:
        unknown: list[str] = []
        while folder not in self._folders:
            unknown.append(folder)
            folder = folder.rpartition("/")[0]
        real = self._folders[folder]
        for each in reversed(unknown):
            name = each.rpartition("/")[2]
            full = real + name
            if name in ("", ".", "..") or os.path.islink(full):
                full = os.path.realpath(os.path.join(self.root, each))
            real = self._folders[each] = full.rstrip(os.sep) + os.sep
        return real

    def _is_inside(self, full: str) -> bool:
        return full == self.root or full.startswith(self._prefix)

    def _open(self, path: str) -> int:
        # O_NONBLOCK: a named pipe must not hang the scan.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        full = self._unfollowed(path)
        if _NO_FOLLOW and self._is_inside(full):
            # Hardly any file is a link, and to ask of each whether it is one takes as long as to open it.
            try:
                return os.open(full, flags | _NO_FOLLOW)
            except OSError:
                if not os.path.islink(full):
                    raise
        return os.open(self._inside(path), flags)

    def read(self, path: str) -> bytes:
        descriptor = self._open(path)
        try:
            # In small pieces: to make room for the largest file that is read takes longer than to read most.
            pieces, left = [], self.max_file_bytes + 1
            while piece := os.read(descriptor, min(left, _PIECE_BYTES)):
                pieces.append(piece)
                left -= len(piece)
        finally:
            os.close(descriptor)
        data = b"".join(pieces)
        if len(data) > self.max_file_bytes:
            raise FileTooLarge(f"larger than {self.max_file_bytes} bytes", path=path, head=data[:HEAD_BYTES])
        return data

    def is_file(self, path: str) -> bool:
        try:
            return os.path.isfile(self._inside(path))
        except (OSError, ValueError):
            return False

    def list(self, folder: str) -> list[str]:
        try:
            with os.scandir(self._inside(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        except (OSError, ValueError):
            return []

    def size(self, path: str) -> int:
        return os.stat(self._inside(path)).st_size


class ReadOnce:
    """A tree whose files are read from the disk once, for stages that look at all of them more than once. What is kept
    of their content is bounded; beyond that it reads again."""

    def __init__(self, tree: Tree, kept_bytes: int = 64 * 1024 * 1024) -> None:
        self._tree = tree
        self._kept: dict[str, bytes] = {}
        self._room = kept_bytes
        self._lists: dict[str, list[str]] = {}
        self._are_files: dict[str, bool] = {}

    def read(self, path: str) -> bytes:
        data = self._kept.get(path)
        if data is None:
            data = self._tree.read(path)
            if len(data) <= self._room:
                self._kept[path] = data
                self._room -= len(data)
        return data

    def is_file(self, path: str) -> bool:
        if path in self._kept:
            return True
        found = self._are_files.get(path)
        if found is None:
            found = self._are_files[path] = self._tree.is_file(path)
        return found

    def list(self, folder: str) -> list[str]:
        names = self._lists.get(folder)
        if names is None:
            names = self._lists[folder] = self._tree.list(folder)
        return names

    def size(self, path: str) -> int:
        return self._tree.size(path)


class InUtf8:
    """A tree whose UTF-16 files, by their mark, are read as if they were UTF-8: a format that looks for `steps:` in the
    bytes finds it. Lines and columns are the same."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def read(self, path: str) -> bytes:
        data = self._tree.read(path)
        if data.startswith(_UTF16):
            with suppress(UnicodeDecodeError):
                return data.decode("utf-16").encode()
        return data

    def is_file(self, path: str) -> bool:
        return self._tree.is_file(path)

    def list(self, folder: str) -> list[str]:
        return self._tree.list(folder)

    def size(self, path: str) -> int:
        return self._tree.size(path)


class MemoryTree:
    """Files given as a mapping from path to content: rule examples, tests, an editor's unsaved buffers."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def is_file(self, path: str) -> bool:
        return path in self.files

    def list(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        names = (path[len(prefix) :] for path in self.files if path.startswith(prefix))
        return sorted(name for name in names if "/" not in name)

    def size(self, path: str) -> int:
        return len(self.read(path))
