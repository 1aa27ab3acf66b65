"""Work shared out to processes of this machine, where it takes long enough for that to be worth it.

Forked processes have all that this one has read and compiled, and start in a millisecond; a pool of the standard
library takes fifty to be imported and started, which is a tenth of what there is to win in a scan of a second. Where
forking is not safe (not on Linux, or with threads about) the work is done here.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

HEAD_START_S = 0.01
"""What is done by then was not worth sharing out, and is the measure of how long the rest will take."""
LEAST_REST_S = 0.08
MAX_JOBS = 16
_MAX_BATCHES = 8192
"""Their tickets of four bytes fit into a pipe, which holds 64 KiB."""
_END = 0xFFFFFF
"""The ticket that says that a queue has no more of this loop."""


def available_jobs() -> int:
    """How many processes this one may use at the same time."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(MAX_JOBS, len(affinity(0)) if affinity is not None else os.cpu_count() or 1)


def _as_is(result: Any) -> Any:
    return result


class _Line(NamedTuple):
    """What one process reads from another, and what it writes to it."""

    receiving: int
    sending: int

    def send(self, data: bytes | memoryview) -> None:
        with os.fdopen(self.sending, "wb", closefd=False) as stream:
            stream.write(len(data).to_bytes(8, "little"))
            stream.write(data)

    def receive(self) -> bytes | None:
        """What was sent; None where the other process is gone."""
        with io.FileIO(self.receiving, closefd=False) as stream:
            head = _exactly(stream, 8)
            length = int.from_bytes(head, "little")
            data = _exactly(stream, length)
            return data if len(head) == 8 and len(data) == length else None

    def close(self) -> None:
        os.close(self.receiving)
        os.close(self.sending)


def _exactly(stream: io.FileIO, count: int) -> bytes:
    pieces = []
    while count and (piece := stream.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class Team:
    """Processes that go through a program side by side and share its long loops.

    There is one until a loop takes long. Then it is forked, and all go on with the same program: of each further
    `share` every process does a part, and gets the results of all; `conclude` is the last, whose results the first
    process alone has. The others end there, or at the latest with the `with` block, whatever is raised in it: what
    stands in between must have no effect but on this process's own memory. What a process keeps of one loop's items
    (a file it has parsed) serves it in the next, for each starts with its own part of the items, in their order, and
    only then helps out with the others'.
    """

    def __init__(self, jobs: int, *, head_start_s: float | None = None) -> None:
        self._jobs = jobs
        self._head_start_s = head_start_s
        self._others: dict[int, _Line] = {}
        self._first: _Line | None = None
        self._queues: list[tuple[int, int]] = []
        self._own = 0
        self._loop = 0

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        if self._first is not None:
            os._exit(1)
        self._dismiss()

    def share(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The result of each item, in their order; what `work` gives must be picklable. It may keep nothing that it
        learns from one item for another, but to be quicker. Raises what `work` raises."""
        return self._all(work, items, _as_is, _as_is, None, last=False)

    def conclude(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        pack: Callable[[Result], Any] = _as_is,
        unpack: Callable[[Any], Result] = _as_is,
        progress: Callable[[int], None] | None = None,
    ) -> list[Result]:
        """The same, for the last time. After that the team is a single process, and may be forked again.

        pack, unpack  what a result becomes on its way from one process to another, and back
        progress      called with how many are done, roughly
        """
        return self._all(work, items, pack, unpack, progress, last=True)

    def _all(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        pack: Callable[[Result], Any],
        unpack: Callable[[Any], Result],
        progress: Callable[[int], None] | None,
        *,
        last: bool,
    ) -> list[Result]:
        results: list[Result] = []
        if not self._queues:
            for item in self._alone(items):
                if progress is not None:
                    progress(len(results))
                results.append(work(item))
        if len(results) < len(items) or (last and self._queues):
            results += self._together(work, items[len(results) :], pack, unpack, progress, len(results), last=last)
        return results

    def _alone(self, items: Sequence[Item]) -> Iterator[Item]:
        """The items until the rest of them is worth being shared out; then there are other processes."""
        head_start_s = HEAD_START_S if self._head_start_s is None else self._head_start_s
        started = time.monotonic()
        for number, item in enumerate(items):
            if number and self._jobs > 1:
                taken = time.monotonic() - started
                rest = taken / number * (len(items) - number)
                if taken >= head_start_s and rest >= LEAST_REST_S and _may_fork():
                    self._fork()
                    if self._queues:
                        return
            yield item

    def _fork(self) -> None:
        """Where the system refuses more processes or pipes, those that there are do the work."""
        try:
            for _ in range(self._jobs):
                self._queues.append(os.pipe())
            for place in range(1, self._jobs):
                self._fork_one(place)
                if self._first is not None:
                    return
        except OSError:
            if not self._others:
                self._jobs = 1
                self._dismiss()

    def _fork_one(self, place: int) -> None:
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            process = os.fork()
        except OSError:
            for end in ends:
                os.close(end)
            raise
        from_other, to_first, from_first, to_other = ends
        if process:
            os.close(to_first)
            os.close(from_first)
            self._others[process] = _Line(from_other, to_other)
            return
        for line in self._others.values():
            line.close()
        # With these open it would not notice that the first process is gone.
        for _, sending in self._queues:
            os.close(sending)
        os.close(from_other)
        os.close(to_other)
        self._others, self._own = {}, place
        self._first = _Line(from_first, to_first)

    def _together(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        pack: Callable[[Result], Any],
        unpack: Callable[[Any], Result],
        progress: Callable[[int], None] | None,
        before: int,
        *,
        last: bool,
    ) -> list[Result]:
        self._loop += 1
        size = max(1, -(-len(items) // _MAX_BATCHES))
        if self._first is not None:
            return self._helped(self._first, work, items, size, pack, unpack, last=last)
        self._hand_out(-(-len(items) // size))
        done: dict[int, Result] = {}
        for number in self._taken(size, len(items)):
            done[number] = work(items[number])
            if progress is not None:
                progress(min(before + len(done) * (len(self._others) + 1), before + len(items)))
        theirs: dict[int, dict[int, Any]] = {}
        for process, line in list(self._others.items()):
            sent = line.receive()
            if sent is None:
                self._end(process)
            else:
                theirs[process] = _unpickled(sent)
                done.update((number, unpack(packed)) for number, packed in theirs[process].items())
        # What a process did not come to, as it failed or was ended, is done here, and fails here if it must.
        results = [done[number] if number in done else work(item) for number, item in enumerate(items)]
        if last:
            self._dismiss()
        for process, line in list(self._others.items()):
            lacking = [(number, pack(each)) for number, each in enumerate(results) if number not in theirs[process]]
            try:
                line.send(_pickled(lacking))
            except BrokenPipeError:  # it failed on the way
                self._end(process)
        return results

    def _helped(
        self,
        first: _Line,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        size: int,
        pack: Callable[[Result], Any],
        unpack: Callable[[Any], Result],
        *,
        last: bool,
    ) -> list[Result]:
        """The part of a process that is not the first."""
        import pickle

        # Each result is pickled as soon as it is there, for at the end the first process would wait for it. It is sent
        # at the end: nobody reads before, and a pipe does not hold much.
        packed = io.BytesIO()
        pickler = pickle.Pickler(packed, pickle.HIGHEST_PROTOCOL)
        whole = 0
        done: dict[int, Result] = {}
        try:
            for number in self._taken(size, len(items)):
                result = work(items[number])
                pickler.dump((number, pack(result)))
                whole = packed.tell()
                if not last:
                    done[number] = result
        except BaseException:  # noqa: BLE001 - the first process does what is missing, and it is raised there
            first.send(packed.getbuffer()[:whole])
            os._exit(1)
        first.send(packed.getbuffer()[:whole])
        if last:
            os._exit(0)
        received = first.receive()
        if received is None:
            os._exit(1)
        done.update((number, unpack(each)) for number, each in _unpickled(received).items())
        return [done[number] for number in range(len(items))]

    def _hand_out(self, batches: int) -> None:
        """Puts the numbers of batches into the queues, which are full before anybody reads further."""
        share = -(-batches // len(self._queues))
        for place, (_, sending) in enumerate(self._queues):
            numbers = [*range(min(place * share, batches), min((place + 1) * share, batches))]
            tickets = [self._loop << 24 | number for number in (*numbers, *[_END] * len(self._queues))]
            os.write(sending, b"".join(ticket.to_bytes(4, "little") for ticket in tickets))

    def _taken(self, size: int, count: int) -> Iterator[int]:
        """Numbers of items that nobody else has taken. Four bytes are read from a pipe whole or not at all."""
        queues = self._queues[self._own :] + self._queues[: self._own]
        for receiving, _ in queues:
            while ticket := os.read(receiving, 4):
                loop, number = divmod(int.from_bytes(ticket, "little"), 1 << 24)
                if loop != self._loop:
                    continue  # left behind by a process that was ended
                if number == _END:
                    break
                yield from range(number * size, min((number + 1) * size, count))

    def _end(self, process: int) -> None:
        import signal

        self._others.pop(process).close()
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)

    def _dismiss(self) -> None:
        for process in list(self._others):
            self._end(process)
        for queue in self._queues:
            for end in queue:
                os.close(end)
        self._queues = []


def _pickled(results: Sequence[tuple[int, Any]]) -> bytes:
    import pickle

    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
    for result in results:
        pickler.dump(result)
    return stream.getvalue()


def _unpickled(sent: bytes) -> dict[int, Any]:
    import pickle

    stream = io.BytesIO(sent)
    unpickler = pickle.Unpickler(stream)  # noqa: S301 - our own
    results: dict[int, Any] = {}
    while stream.tell() < len(sent):
        number, result = unpickler.load()
        results[number] = result
    return results


def _may_fork() -> bool:
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return False
    try:
        # A library's threads count, too: they would not be there in the new process, and whoever waits for them hangs.
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False
