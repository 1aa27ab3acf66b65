"""Runs one command that reads what strangers wrote: without network, with little memory, time and room.

A script of its own, run by the interpreter alone (`python -I -S sandbox.py`): it imports nothing of this project, and
what it limits is its own process, which becomes the command.

    sandbox.py NETWORK MEMORY_BYTES CPU_S FILE_BYTES COMMAND...     NETWORK: "none" or "any"
"""

import ctypes
import os
import resource
import signal
import sys

NOT_ISOLATED = 97
"""The exit code where the network was to be cut off and cannot be here."""

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SET_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38


def _cut_off_network(libc: ctypes.CDLL) -> bool:
    try:
        return bool(libc.unshare(_NEW_NETWORK) == 0 or libc.unshare(_NEW_USER | _NEW_NETWORK) == 0)
    except AttributeError:
        return False  # not Linux


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):
        if what != resource.RLIMIT_AS:
            raise  # macOS knows no limit of the address space


def main() -> None:
    network, memory, cpu, size = sys.argv[1], *map(int, sys.argv[2:5])
    libc = ctypes.CDLL(None, use_errno=True)
    if not _cut_off_network(libc) and network == "none":
        sys.exit(NOT_ISOLATED)
    if sys.platform == "linux":
        libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, cpu)
    _limit(resource.RLIMIT_FSIZE, size)
    _limit(resource.RLIMIT_NOFILE, 256)
    _limit(resource.RLIMIT_DATA, memory)
    # Go reserves far more addresses than it uses.
    _limit(resource.RLIMIT_AS, memory + (16 << 30))
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606 - without a shell is what is wanted


if __name__ == "__main__":
    main()
