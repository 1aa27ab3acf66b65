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
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

HEAD_START_S = 0.03
"""What is done by then was not worth sharing out, and is the measure of how long the rest will take."""
LEAST_REST_S = 0.08
MAX_JOBS = 16
_MAX_BATCHES = 8192
"""Their numbers of four bytes fit into a pipe, which holds 64 KiB."""


def available_jobs() -> int:
    """How many processes this one may use at the same time."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(MAX_JOBS, len(affinity(0)) if affinity is not None else os.cpu_count() or 1)


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    *,
    pack: Callable[[Result], Any],
    unpack: Callable[[Any], Result],
    progress: Callable[[int], None] | None = None,
    head_start_s: float = HEAD_START_S,
) -> list[Result]:
    """The result of each item, in their order. `work` may keep nothing that it learns from one item for another.

    pack, unpack  what a result becomes on its way from one process to another, and back
    progress      called with how many are done, roughly
    Raises what `work` raises.
    """
    results: list[Result] = []
    started = time.monotonic()
    for number, item in enumerate(items):
        if number and jobs > 1:
            taken = time.monotonic() - started
            rest = taken / number * (len(items) - number)
            if taken >= head_start_s and rest >= LEAST_REST_S and _may_fork():
                return [*results, *_shared(work, items[number:], jobs, pack, unpack, progress, number)]
        if progress is not None:
            progress(number)
        results.append(work(item))
    return results


def _may_fork() -> bool:
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return False
    try:
        # A library's threads count, too: they would not be there in the new process, and whoever waits for them hangs.
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _shared(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    pack: Callable[[Result], Any],
    unpack: Callable[[Any], Result],
    progress: Callable[[int], None] | None,
    before: int,
) -> list[Result]:
    import pickle
    import signal

    size = -(-len(items) // _MAX_BATCHES)
    batches = range(-(-len(items) // size))
    # Whoever is free takes the next number out of this pipe; it is full before anybody reads.
    tickets, to_tickets = os.pipe()
    os.write(to_tickets, b"".join(number.to_bytes(4, "little") for number in batches))
    done: dict[int, Result] = {}
    running: dict[int, int] = {}
    try:
        for _ in range(min(jobs, len(batches)) - 1):
            receiving, sending = os.pipe()
            process = os.fork()
            if process == 0:
                _serve(work, items, size, tickets, to_tickets, sending, pack)
            os.close(sending)
            running[process] = receiving
        os.close(to_tickets)
        to_tickets = -1
        for number in _taken(tickets, size, len(items)):
            done[number] = work(items[number])
            if progress is not None:
                progress(min(before + len(done) * (len(running) + 1), before + len(items)))
        for process, receiving in list(running.items()):
            with os.fdopen(receiving, "rb", closefd=False) as pipe:
                sent = pipe.read()
            os.close(running.pop(process))
            os.waitpid(process, 0)
            stream = io.BytesIO(sent)
            unpickler = pickle.Unpickler(stream)  # noqa: S301 - our own
            while stream.tell() < len(sent):
                number, packed = unpickler.load()
                done[number] = unpack(packed)
    finally:
        os.close(tickets)
        if to_tickets >= 0:
            os.close(to_tickets)
        for process, receiving in running.items():
            os.close(receiving)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    # What a process did not come to, as it failed or was ended, is done here, and fails here if it must.
    return [done[number] if number in done else work(item) for number, item in enumerate(items)]


def _taken(tickets: int, size: int, count: int) -> Any:
    """Numbers of items that nobody else has taken. Four bytes are read from a pipe whole or not at all."""
    while ticket := os.read(tickets, 4):
        first = int.from_bytes(ticket, "little") * size
        yield from range(first, min(first + size, count))


def _serve(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    size: int,
    tickets: int,
    to_tickets: int,
    sending: int,
    pack: Callable[[Result], Any],
) -> None:
    """The life of a process. Touches nothing of its parent's (buffers, files to remove at the end); never returns."""
    import pickle

    code = 1
    try:
        os.close(to_tickets)
        # Each result is pickled as soon as it is there, for at the end the parent would wait for it. It is sent at the
        # end: nobody reads before, and a pipe does not hold much. What two results share is in there once.
        done = io.BytesIO()
        whole = 0
        pickler = pickle.Pickler(done, pickle.HIGHEST_PROTOCOL)
        try:
            for number in _taken(tickets, size, len(items)):
                pickler.dump((number, pack(work(items[number]))))
                whole = done.tell()
        finally:
            with os.fdopen(sending, "wb") as stream:
                stream.write(done.getbuffer()[:whole])
        code = 0
    finally:
        os._exit(code)
