"""The front door: says again what a former run said where nothing has changed, else opens the command line."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:2] == ["scan", "--given-only"]:
        from policy_engine.rerun import replay

        code = replay(arguments)
        if code is not None:
            sys.exit(code)
    # A run is short and keeps nearly all it makes, from its imports on: collecting cycles would take a third of the
    # time of a large one.
    gc.disable()
    from policy_engine.cli import main as command_line

    try:
        command_line(arguments)
    except SystemExit as done:
        if sys.gettrace() is not None or sys.getprofile() is not None:
            raise  # whoever watches the run wants to see it end
        _leave(done.code)


def _leave(code: object) -> None:
    """Ends the process without taking apart what the run has made, object by object: after a large scan that alone
    takes a tenth of its time. What was registered to happen at the end happens."""
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0)
