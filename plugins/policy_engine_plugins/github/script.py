"""The shell script of a step: its commands, and what they write into the runner's files for later steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath
from policy_engine.shell import HOLE, Script, read_script
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.template import Part, split

FILES = ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT")
"""Variables that name a file which later steps get their environment, their programs and their inputs from."""
FOLDERS = ("RUNNER_TEMP", "RUNNER_TOOL_CACHE", "GITHUB_WORKSPACE", "GITHUB_ACTION_PATH", "HOME", "PWD")
"""Variables that name a folder of the runner: which one is not known, but what kind of thing they are is."""

_RUNNER = Unknown("a variable of the runner")
_SHELL_DECIDES = Unknown("which shell reads the script is decided at run time")
_NAMED = re.compile(r"\$\{?([A-Za-z_]\w*)")
_SUBSTITUTED = re.compile(r"\$\(|`|<\(")
_KEY = re.compile(r"""(?:^|[\s"'])([A-Za-z_][\w-]*)(?:=|<<)""")


class RunScript(Struct, frozen=True):
    """A script that was read, and its text as it stands in the file."""

    text: str
    script: Script

    def place(self, path: AttributePath) -> tuple[int, int] | None:
        return self.script.place(path)


def masked(text: str) -> tuple[str, list[Part]]:
    """The text with every expression made a hole of its length, so that places stay the same; and the expressions."""
    parts, _ = split(text)
    pieces = [part.text if part.node is None else HOLE * (part.end - part.start) for part in parts]
    return "".join(pieces), [part for part in parts if part.node is not None]


def shell_of(step: Mapping[str, Any]) -> Any:
    """What reads the script: `bash -e` by default, PowerShell on Windows; an Unknown where that is not known."""
    chosen = step.get("shell")
    for scope in (step.get("job", {}), step.get("workflow", {})):
        if chosen is None and isinstance(scope, dict):
            defaults = scope.get("defaults")
            run = defaults.get("run") if isinstance(defaults, dict) else defaults
            chosen = run.get("shell") if isinstance(run, dict) else run
    if chosen is not None:
        return chosen
    runner = step.get("job", {}).get("runner")
    if isinstance(runner, list) and runner and all("windows" in str(label).lower() for label in runner):
        return "pwsh"
    return ""


def read_run(step: Mapping[str, Any], text: str) -> RunScript | Unknown | None:
    """The script of a step; None where it is of another language than the shell's."""
    shell = shell_of(step)
    if isinstance(shell, Unknown):
        return _SHELL_DECIDES
    name = str(shell).split(" ")[0].rpartition("/")[2]
    if name not in ("", "bash", "sh", "dash", "zsh"):
        return None
    hollow, _ = masked(text)
    pipefail = shell == "bash" or "pipefail" in str(shell)
    variables: dict[str, str | Unknown] = {name: f"${name}" for name in (*FILES, *FOLDERS)}
    for scope in (step.get("workflow", {}), step.get("job", {}), step):
        given = scope.get("env")
        if isinstance(given, dict):
            for key, value in given.items():
                variables[key] = value if isinstance(value, Unknown) else _text(value)
    return RunScript(text, read_script(hollow, variables, _RUNNER, pipefail=pipefail))


def _text(value: Any) -> str | Unknown:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else _RUNNER


def writes(run: RunScript) -> list[dict[str, Any]]:
    """What the script writes into the files for later steps: {file, command, names, variables, expression, opaque}.

    `command` is the number of the command that writes; `names` are the keys that are set, as far as they are written
    down; `variables` those of the environment that go in, `expression` whether a `${{ }}` does, `opaque` whether the
    output of a command does.
    """
    found = []
    for number, command in enumerate(run.script.commands):
        if command is None:
            continue
        target = next((file for file in FILES if _goes_into(run.script.values[number], file)), None)
        if target is None:
            continue
        feeding = list(_feeding(run, number))
        text = "\n".join(part for _, part in feeding)
        names = {name for name in _NAMED.findall(text) if name not in FILES}
        found.append(
            {
                "file": target,
                "command": number,
                "names": sorted(set(_KEY.findall(text))),
                "variables": sorted(names),
                "expression": "${{" in text,
                "opaque": bool(_SUBSTITUTED.search(text)) or any(_prints_files(value) for value, _ in feeding),
            }
        )
    return found


def _prints_files(value: Any) -> bool:
    """Whether a command writes more than what stands in its own words."""
    if value is None:
        return False
    if value["name"] in ("echo", "printf", ":", "", "tee"):
        return False
    return value["name"] != "cat" or any(word != "-" for word in value["operands"])


def _goes_into(value: Any, file: str) -> bool:
    """Whether a command writes into a file, by a redirect or through `tee`."""
    if isinstance(value, Unknown):
        return False
    if any(str(each["target"]) == f"${file}" and ">" in each["operator"] for each in value["redirects"]):
        return True
    return value["name"] == "tee" and any(word == f"${file}" for word in value["words"])


def _feeding(run: RunScript, number: int) -> Iterator[tuple[Any, str]]:
    """What a command writes, as commands with their text in the file: the command, what is piped into it, the heredoc
    below it (which is no command), and for a block (`{ ...; } >> file`) its other commands."""
    commands = run.script.commands
    command = commands[number]
    assert command is not None
    yield run.script.values[number], run.text[command.start : command.end]
    line_end = run.text.find("\n", command.end)
    rest = run.text[command.end : line_end if line_end >= 0 else len(run.text)]
    if "<<" in rest or "<<" in run.text[command.start : command.end]:
        yield None, _heredoc(run.text, command.end)
    block = _closes_block(run.text, command.end)
    for before in range(number - 1, max(-1, number - 1 - MAX_FEEDING), -1):
        earlier, later = commands[before], commands[before + 1]
        if earlier is None or later is None:
            break
        gap = run.text[earlier.end : later.start].strip()
        piped = gap.startswith("|") and not gap.startswith("||")
        if not piped and (not block or gap.endswith(_OPENS_BLOCK) or earlier.redirects):
            break
        yield run.script.values[before], run.text[earlier.start : earlier.end]


MAX_FEEDING = 100
"""Commands before one that writes which are looked at for what it writes."""
_OPENS_BLOCK = ("{", "(", "do", "then", "else")


def _closes_block(text: str, position: int) -> bool:
    rest = text[position : position + 200].lstrip(" \t\n;\"'")
    return rest.startswith(("}", ")", "done", "fi"))


_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


def _heredoc(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    match = _HEREDOC.search(text, start)
    if match is None or match[1]:
        return ""
    body = text.find("\n", match.end())
    if body < 0:
        return ""
    end = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t]*$", re.MULTILINE).search(text, body + 1)
    return text[body : end.start() if end else len(text)]


def referenced(text: str, names: Sequence[str]) -> str | None:
    """The first of these variables that a piece of script reads."""
    wanted = {name.lower(): name for name in names}
    return next((wanted[name.lower()] for name in _NAMED.findall(text) if name.lower() in wanted), None)
