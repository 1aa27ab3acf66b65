"""The walk-through of the documentation, run as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "management-system.md"
END = "--- end of the output"


def steps() -> list[tuple[str, str]]:
    """Each command with the output that the page shows below it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif line.startswith("> "):
                command, _ = found[-1]
                found[-1] = (f"{command}\n{line[2:]}", "")
            else:
                command, output = found[-1]
                found[-1] = (command, f"{output}{line}\n")
    return found


def fits(shown: str, output: str) -> bool:
    """`...` stands for anything; on a line of its own for any lines."""
    pattern = re.escape(shown).replace(re.escape("...\n"), "\0").replace(re.escape("..."), "[^\n]*")
    pattern = re.sub(r"(^|(?<=\\\n))\0", "(?:[^\n]*\n)*?", pattern).replace("\0", "[^\n]*\n")
    return re.fullmatch(pattern, output) is not None


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "shop", project)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    commits = ["-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "x"]
    for command in (["init", "-q"], ["add", "."], commits):
        subprocess.run(["git", *command], cwd=project, check=True, env=environment)
    # The marker keeps the exit code, as a later command of the page asks for it.
    script = "exec 2>&1\n" + "".join(f"{command}\ncode=$?; echo '{END}'; (exit $code)\n" for command, _ in steps())
    done = subprocess.run(
        ["bash"], input=script, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    outputs = done.stdout.split(f"{END}\n")
    assert len(outputs) == len(steps()) + 1, done.stdout
    for (command, shown), output in zip(steps(), outputs, strict=False):
        assert fits(shown, output), f"{command}\n--- shown\n{shown}\n--- printed\n{output}"


def test_what_differs_does_not_fit() -> None:
    assert fits("a ... c\n...\nz\n", "a b c\nx\ny\nz\n")
    assert fits("...\nz\n", "z\n")
    assert not fits("a ... c\n", "a b d\n")
    assert not fits("a\n", "a\nb\n")
    assert not fits("", "x\n")
    assert len(steps()) > 20
