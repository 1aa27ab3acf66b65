"""A configuration as tfparse evaluates it (the Go evaluator that Cloud Custodian ships).

It runs in a process of its own, since it can abort: `python tfparse_values.py` reads folders from standard input and
writes a JSON line for each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any


def theirs(folders: Sequence[str]) -> dict[str, Any]:
    """For each folder {address: attributes}, or the text of what went wrong."""
    found: dict[str, Any] = {}
    waiting = list(folders)
    while waiting:
        done = subprocess.run(
            [sys.executable, __file__],
            input="\n".join(waiting),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        for line in done.stdout.splitlines():
            folder, value = json.loads(line)
            found[folder] = value
        left = [folder for folder in waiting if folder not in found]
        if len(left) == len(waiting) or done.returncode != 0:
            if not left:
                break
            found[left[0]] = "aborted"
            left = left[1:]
        waiting = left
    return found


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
