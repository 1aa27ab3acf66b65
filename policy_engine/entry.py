"""The front door: says again what a former run said where nothing has changed, else opens the command line."""

from __future__ import annotations

import sys


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:2] == ["scan", "--given-only"]:
        from policy_engine.rerun import replay

        code = replay(arguments)
        if code is not None:
            sys.exit(code)
    from policy_engine.cli import main as command_line

    command_line(arguments)
