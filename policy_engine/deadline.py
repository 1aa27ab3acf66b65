"""A time limit for work on one file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimedOut(BaseException):
    """The time was up. Not an Exception, so that no handler inside the guarded work takes it for a fault of its own."""


class Clock:
    """`rang` once the time was up. Python makes a RuntimeError of whatever is raised while a class is made, as happens
    where a library is imported on the way: then this alone tells what it was."""

    rang = False


@contextmanager
def deadline(seconds: float) -> Iterator[Clock]:
    """Raises TimedOut inside the block once `seconds` of wall time have passed.

    Needs interval timers and the main thread (Linux and macOS, the usual run); elsewhere there is no limit, and the
    limits on bytes and depth stand alone.
    """
    clock = Clock()
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield clock
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        clock.rang = True
        raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield clock
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
