"""A run of the pre-commit hook over files that have not changed says again what it said, without doing it again.

What a run looked at is kept with what it printed: the content of every file it read, every folder it walked, the
command line, the day, the installation. Where all of that is the same, the outcome is, too. Kept for
`scan --given-only` of an ordinary installation alone; whatever is out of the ordinary is scanned.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from policy_engine import __version__
from policy_engine.cache import user_cache, write_atomically

_FORMAT = 1
# A folder that changed this short a while ago may change again without its time telling.
_SETTLED_NS = 2_000_000_000
_SEEN_ENVIRONMENT = ("NO_COLOR", "CI", "COLUMNS", "POLICY_ENGINE_DEBUG", "POLICY_ENGINE_SECRET_KEY")


def replay(arguments: Sequence[str]) -> int | None:
    """Says what a former run of this command line said, and gives its exit code; None where it has to be run."""
    place = _place(arguments)
    if place is None:
        return None
    try:
        with open(place, "rb") as stream:
            kept = json.loads(stream.read())
        if kept["state"] != _state() or not _is_unchanged(kept):
            return None
        printed = bytes.fromhex(kept["printed"])
        code = int(kept["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        sys.stdout.buffer.write(printed)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


def keep(
    arguments: Sequence[str], root: str, folders: Iterable[str], seen: Recorder, printed: bytes, code: int
) -> None:
    """Keeps the outcome of a run. `folders` are those that were walked, relative to `root`."""
    place = _place(arguments)
    if place is None or seen.uncertain:
        return
    times = {}
    for folder in folders:
        found = _time(os.path.join(root, folder))
        # What counts is when the run began: it may take long, and have walked the folder before it changed.
        if found is None or seen.began_ns - found < _SETTLED_NS:
            return
        times[folder] = found
    for name in (".policy-engine.yaml", ".policy-engine.yml", *(_joined(folder, ".gitignore") for folder in times)):
        if (_time(os.path.join(root, name)) or 0) >= seen.began_ns:
            return
        seen.digest_of_file(root, name)
    kept = {
        "state": _state(),
        "root": root,
        "folders": times,
        "files": seen.files,
        "lists": seen.lists,
        "is_file": seen.asked,
        "printed": printed.hex(),
        "code": code,
    }
    write_atomically(place, json.dumps(kept).encode())


class Recorder:
    """A tree that notes what is asked of it, made before the run walks a folder. `uncertain` once something failed in
    a way that may not repeat itself."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self.began_ns = time.time_ns()
        self.files: dict[str, str | None] = {}
        self.lists: dict[str, str] = {}
        self.asked: dict[str, bool] = {}
        self.uncertain = False

    def read(self, path: str) -> bytes:
        try:
            data: bytes = self._tree.read(path)
        except FileNotFoundError:
            self.files[path] = None
            raise
        except Exception:
            self.uncertain = True
            raise
        if path not in self.files:
            self.files[path] = _digest(data)
        return data

    def is_file(self, path: str) -> bool:
        found = self.asked[path] = bool(self._tree.is_file(path))
        return found

    def list(self, folder: str) -> list[str]:
        names: list[str] = self._tree.list(folder)
        self.lists[folder] = _digest("\0".join(names).encode("utf-8", "surrogatepass"))
        return names

    def size(self, path: str) -> int:
        return len(self.read(path))

    def digest_of_file(self, root: str, path: str) -> None:
        self.files.setdefault(path, _digest_at(os.path.join(root, path)))


def _is_unchanged(kept: dict[str, Any]) -> bool:
    root = kept["root"]
    if any(_time(os.path.join(root, folder)) != at for folder, at in kept["folders"].items()):
        return False
    if any(_digest_at(os.path.join(root, path)) != digest for path, digest in kept["files"].items()):
        return False
    if not kept["lists"] and not kept["is_file"]:
        return True
    from policy_engine.tree import WorkTree

    again = Recorder(WorkTree(root))
    for folder in kept["lists"]:
        again.list(folder)
    for path in kept["is_file"]:
        again.is_file(path)
    return bool(again.lists == kept["lists"] and again.asked == kept["is_file"])


def _place(arguments: Sequence[str]) -> str | None:
    """Where the outcome of a command line is kept; None where nothing is."""
    cache = user_cache()
    # Rules lie in the package of an ordinary installation only; in a checkout they may change under our feet.
    if cache is None or not os.path.isdir(os.path.join(os.path.dirname(__file__), "rules")):
        return None
    shown = [sys.stdout.isatty(), *(os.environ.get(name) for name in _SEEN_ENVIRONMENT)]
    asked = json.dumps([_FORMAT, __version__, os.getcwd(), list(arguments), shown])
    return os.path.join(cache, "reruns", f"{_digest(asked.encode())}.json")


def _state() -> list[Any]:
    """The day, and the folders that packages are installed in, as they are now."""
    folders = [[path, _time(path or ".")] for path in sys.path]
    return [time.strftime("%Y-%m-%d"), sys.version, os.path.abspath(__file__), folders]


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _time(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _digest_at(path: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            return _digest(stream.read())
    except OSError:
        return None


def _digest(data: bytes) -> str:
    from hashlib import blake2b

    return blake2b(data, digest_size=16).hexdigest()
