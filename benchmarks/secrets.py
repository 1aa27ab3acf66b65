"""Finds secrets side by side with detect-secrets and Checkov: how fast, how many of the planted, how much for nothing.

`python benchmarks/secrets.py --detect-secrets PATH --checkov PATH`, each executable from an environment of its own.
The folder is a part of Python's own library, which has no secrets, and one file for each made-up secret of the tests.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from run import ENVIRONMENT, compare

PROJECT = Path(__file__).parent.parent
ORDINARY, PLANTED = "ordinary", "planted"
ALLOWED = (0, 1, 3)

Found = list[tuple[str, int]]
"""File and line of each finding."""


def write(folder: Path, files: int) -> tuple[int, int]:
    """Gives the lines of ordinary code, and the number of planted files."""
    sys.path.insert(0, str(PROJECT / "tests" / "secrets"))
    from planted import LONG_TAIL
    from planted import PLANTED as planted

    library = Path(sysconfig.get_paths()["stdlib"])
    lines = 0
    for source in sorted(library.glob("*.py"))[:files]:
        target = folder / ORDINARY / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        lines += target.read_bytes().count(b"\n")
    for number, each in enumerate((*planted, *LONG_TAIL)):
        place = folder / PLANTED / str(number) / each.path
        place.parent.mkdir(parents=True)
        place.write_text(each.text)
    return lines, len(planted) + len(LONG_TAIL)


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    if done.returncode not in ALLOWED:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr[-500:]}")
    return took, done.stdout


def ours(text: str) -> Found:
    found = json.loads(text)["findings"]
    return [(one["location"]["path"], one["location"]["start_line"]) for one in found if one["outcome"] == "fail"]


def of_detect_secrets(text: str) -> Found:
    return [(path, one["line_number"]) for path, listed in json.loads(text)["results"].items() for one in listed]


def of_checkov(text: str) -> Found:
    told = json.loads(text[text.index("{") :])
    failed = told.get("results", {}).get("failed_checks", [])
    return [(one["file_path"].lstrip("/"), one["file_line_range"][0]) for one in failed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detect-secrets", help="path of a detect-secrets executable")
    parser.add_argument("--checkov", help="path of a checkov executable")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=60, help="how many files of Python's library")
    given = parser.parse_args()
    engine = str(Path(sys.executable).parent / "policy-engine")
    scan = [engine, "scan", ".", "--rule", "*-in-file", "--format", "json"]
    others: list[tuple[str, list[str], Callable[[str], Found]]] = []
    if given.detect_secrets:
        others.append(("detect-secrets", [given.detect_secrets, "scan", "--all-files", "."], of_detect_secrets))
    if given.checkov:
        command = [given.checkov, "-d", ".", "--framework", "secrets", "--compact", "--quiet", "-o", "json"]
        others.append(("Checkov", command, of_checkov))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines, planted = write(folder, given.files)
        tell("policy-engine", ours(timed(scan, folder)[1]), lines, planted)
        for name, command, read in others:
            tell(name, read(timed(command, folder)[1]), lines, planted)
            mine, theirs = compare(
                lambda: timed(scan, folder)[0],
                lambda command=command: timed(command, folder)[0],  # type: ignore[misc]
                given.rounds,
            )
            print(f"{'':<16}{mine:.2f} s, {name} {theirs:.2f} s: {theirs / mine:.1f} times faster")


def tell(name: str, found: Found, lines: int, planted: int) -> None:
    files = {path for path, _ in found if path.split("/")[0] == PLANTED}
    wrong = sum(path.split("/")[0] == ORDINARY for path, _ in found)
    print(f"{name:<16}{len(files)} of {planted} planted found; {wrong} findings in {lines:,} lines of ordinary code")


if __name__ == "__main__":
    main()
