"""What a project is set to where it is hosted: the contract of a host plugin, and how a scan sees what it read.

A host reads the settings of a target (a repository, an organisation) into a snapshot: one file, in a format that the
same plugin registers. A live scan lays that file over the tree and is an ordinary scan from there on; so a live scan,
its repetition from a saved snapshot and a snapshot that is found in a folder are one path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import Tree

if TYPE_CHECKING:
    from datetime import datetime

Tell = Callable[[str], None]
"""Takes one line for the person who waits."""


class HostError(PolicyEngineError):
    """A target that cannot be read at all; the scan goes on without it and is incomplete."""


class HostOption(Struct, frozen=True):
    """One option of a host on the command line, by the name it has there.

    kind     "target": names what to read, repeatable; "group": names something that holds targets (an organisation),
             repeatable; "number" and "text": how to read
    default  of a "number", which is also never less than `least`
    """

    name: str
    help: str
    kind: str
    metavar: str = ""
    default: int | None = None
    least: int = 0


class Reader:
    """A host that is ready to be asked. Reading only: it must have no way to change anything."""

    workers: int = 1
    """How many targets may be read at once, each in a thread of its own."""

    def members(self, group: str) -> Sequence[str]:
        """The targets of a group, itself first, each once. Raises HostError."""
        raise NotImplementedError

    def read(self, target: str) -> bytes:
        """The snapshot of a target. What of it cannot be read is told in the snapshot. Raises HostError where nothing
        of it can."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends what is under way and waits as soon as it can; called from another thread."""


class Host:
    """One kind of host. Subclass it in a light module, and import what reads in `open`."""

    name: str
    title: str
    options: Sequence[HostOption] = ()

    def open(self, values: Mapping[str, Any], tell: Tell) -> Reader:
        """`values` are those of the options that say how to read, by their names. Raises ConfigError."""
        raise NotImplementedError

    def check(self, kind: str, target: str) -> None:
        """Raises ConfigError where a "target" or "group" is not written as one."""

    def place(self, target: str) -> str:
        """The path of a target's snapshot, relative, alone in its folder. Nothing of a name may leave the tree."""
        raise NotImplementedError

    def takes_name(self, path: str) -> bool:
        """Whether a file of this name would be recognised as a snapshot."""
        raise NotImplementedError

    def read_at(self, data: bytes, target: str) -> datetime | None:
        """When a snapshot of the target was read; None where it is none, or one that another try might complete."""
        raise NotImplementedError


class Overlay:
    """A tree with further files laid over it. In place of a file may stand the error that asking for it raises."""

    def __init__(self, tree: Tree, files: Mapping[str, bytes | OSError]) -> None:
        self._tree = tree
        self._files = files

    def read(self, path: str) -> bytes:
        found = self._files.get(path)
        if found is None:
            return self._tree.read(path)
        if isinstance(found, OSError):
            raise found
        return found

    def is_file(self, path: str) -> bool:
        return path in self._files or self._tree.is_file(path)

    def list(self, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        ours = {path[len(prefix) :] for path in self._files if path.startswith(prefix)}
        return sorted({*self._tree.list(folder), *(name for name in ours if "/" not in name)})

    def size(self, path: str) -> int:
        return len(self.read(path)) if path in self._files else self._tree.size(path)


def read_each(
    reader: Reader, targets: Iterable[str], keep: Callable[[str, bytes], None]
) -> Iterator[tuple[str, bytes | HostError]]:
    """Every target with its snapshot or with why there is none, as they come. Each snapshot is handed to `keep` as soon
    as it is there, so that what was read before an interruption need not be read again."""
    import threading
    from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

    lock = threading.Lock()

    def one(target: str) -> tuple[str, bytes | HostError]:
        try:
            data = reader.read(target)
        except HostError as error:
            return target, error
        with lock:
            keep(target, data)
        return target, data

    waiting = iter(targets)
    pool = ThreadPoolExecutor(max_workers=max(1, reader.workers), thread_name_prefix="host")
    running: set[Future[tuple[str, bytes | HostError]]] = set()
    try:
        while True:
            # No more are handed out than are read, so that an interruption finds no long queue.
            for target in waiting:
                running.add(pool.submit(one, target))
                if len(running) >= reader.workers:
                    break
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                yield each.result()
    finally:
        if running:
            reader.stop()
        pool.shutdown(wait=True, cancel_futures=True)
