"""A time limit for work on one file."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WHILE_IMPORTING_S = 0.01
"""An import under way is not cut off: half a module is worse than a moment more."""
AGAIN_S = 5.0
"""What is raised in a finaliser is lost, so the bell rings again; late enough for whoever heard it to tidy up."""


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

    def ring(_signal: int, frame: FrameType | None) -> None:
        if _importing(frame):
            signal.setitimer(signal.ITIMER_REAL, WHILE_IMPORTING_S)
            return
        clock.rang = True
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        raise TimedOut

    def lost(what: sys.UnraisableHookArgs) -> None:
        """Python tells of an exception in a finaliser on the terminal; this one is no fault."""
        if what.exc_type is not TimedOut:
            told(what)

    told, sys.unraisablehook = sys.unraisablehook, lost
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield clock
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = told


@contextmanager
def not_counted() -> Iterator[None]:
    """What is set up once for all files is the fault of none: the time it takes is not the file's."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
