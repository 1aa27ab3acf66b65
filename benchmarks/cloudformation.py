"""Measures scanning CloudFormation templates against Checkov, both taken in turn in one run, as a ratio.

    python benchmarks/cloudformation.py --checkov PATH/TO/bin/checkov

The templates are generated (`cloudformation_templates.py`): YAML with short and long intrinsics, and JSON.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cloudformation_templates import templates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkov", help="Checkov's command, from an environment of its own")
    parser.add_argument("--count", type=int, default=300, help="how many templates (default 300)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is run (default 3)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), arguments.count)
        print(f"{arguments.count} templates, {size / 1e6:.1f} MB")
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(arguments.rounds):
            ours.append(timed([sys.executable, "-m", "policy_engine", "scan", folder, "--format", "json=/dev/null"]))
            # Checkov takes a minute: once is enough.
            if arguments.checkov and number == 0:
                command = [arguments.checkov, "-d", folder, "--framework", "cloudformation", "--quiet", "--compact"]
                theirs.append(timed([*command, "--skip-download", "-o", "json"]))
        mine = statistics.median(ours)
        print(f"policy-engine: {mine:.2f} s ({size / 1e6 / mine:.1f} MB/s, interpreter and rules included)")
        if theirs:
            print(f"Checkov: {theirs[0]:.2f} s, {theirs[0] / mine:.1f} times as long")


def write(folder: Path, count: int) -> int:
    size = 0
    for name, text in templates(count):
        (folder / name).write_text(text, encoding="utf-8")
        size += len(text.encode())
    return size


def timed(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ, check=False)
    seconds = time.perf_counter() - started
    # One finds something, which is what 1 says; anything else is no measurement.
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return seconds


if __name__ == "__main__":
    main()
