"""A configuration as tfparse evaluates it (the Go evaluator that Cloud Custodian ships).

It runs in a process of its own, since it can abort: `python tfparse_values.py` reads folders from standard input and
writes a JSON line for each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

_LONGEST_S = 5


def theirs(folders: Sequence[str]) -> dict[str, Any]:
    """For each folder {address: attributes}, or the text of what went wrong."""
    found: dict[str, Any] = {}
    waiting = list(folders)
    while waiting:
        command = [sys.executable, __file__]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdin and process.stdout
            process.stdin.write("\n".join(waiting))
            process.stdin.close()
            while line := _line(process):
                folder, value = json.loads(line)
                found[folder] = value
        waiting = [folder for folder in waiting if folder not in found]
        if waiting:  # it ended at the first of these: aborted, or stopped because it took too long
            found[waiting.pop(0)] = "aborted"
    return found


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    timer = threading.Timer(_LONGEST_S, process.kill)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


def _resources(parsed: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for blocks in parsed.values():
        for block in blocks if isinstance(blocks, list) else ():
            meta = block.get("__tfmeta", {})
            if meta.get("type") == "resource":
                yield meta["path"], {key: value for key, value in block.items() if key not in ("__tfmeta", "id")}


def main() -> None:
    import tfparse

    for folder in sys.stdin.read().splitlines():
        try:
            value: Any = dict(_resources(tfparse.load_from_path(folder)))
        except Exception as error:
            value = str(error).splitlines()[0]
        print(json.dumps([folder, value]), flush=True)


if __name__ == "__main__":
    main()
