"""Checks of scripts: what strangers write is not run as a program, and what a dotenv report may not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.shared_list import asked_once
from policy_engine.shell_command import evaluates_text
from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.variables import AUTHORED, AUTHORED_LINES, names_in

_SECRET_SET = re.compile(
    r"(?i)(?:^|[\s\"'])(\w{0,60}(?:TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY))=[\"']?(?:\$|`)"
)
MAX_NESTING = 5


def untrusted_evaluated(value: Mapping[str, Any], _parameters: Mapping[str, Any]) -> Iterable[Violation | Doubt]:
    """A violation at each command that runs, as a program, a text with what the author of a change writes in it:
    `eval`, `sh -c "..."`, `ssh host "..."`, `echo ... | sh`. A variable that such a program only gets in its
    environment, or within single quotes, is read as text and is no flaw."""
    commands = value["commands"]
    numbers = asked_once(commands, _evaluating)
    # Few scripts have such a command.
    return _untrusted(numbers, commands, value["job"].get("environment_variables", {})) if numbers else ()


def _untrusted(
    numbers: Iterable[int], commands: Sequence[Any], variables: Mapping[str, Any]
) -> Iterator[Violation | Doubt]:
    for number in numbers:
        for name in names_in(commands[number]["text"]):
            found = _source(name, variables, 0)
            if isinstance(found, Unknown):
                yield Doubt(found, ("commands", number, "name"))
            elif found:
                shown = f"${name}" if found == name else f"${name}, which holds ${found},"
                yield Violation(("commands", number, "name"), shown)
                break


def _evaluating(commands: Sequence[Any]) -> list[int]:
    """The commands that may run, as a program, a text of which not everything is known."""
    return [
        number
        for number, command in enumerate(commands)
        if not isinstance(command, Unknown)
        and evaluates_text(command)
        and any(isinstance(word, Unknown) for word in command["words"][1:])
    ]


def _source(name: str, variables: Mapping[str, Any], depth: int) -> str | Unknown | None:
    """The variable with a stranger's text that this one holds, itself perhaps; an Unknown where it may hold one."""
    if name in variables and depth < MAX_NESTING:
        held = variables[name]
        if isinstance(held, Unknown):
            return held
        for other in names_in(held)[:20] if isinstance(held, str) else ():
            found = _source(other, variables, depth + 1) if other != name else None
            if found is not None:
                return found
        return None
    return name if name in AUTHORED else None


def dotenv_report(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterable[Violation | Doubt]:
    """A violation at each command that writes into a dotenv report of the job: a secret, or a text of several lines by
    the author of a change."""
    commands = value["commands"]
    written = asked_once(commands, _written_files)
    # Few scripts write into a file of a known name.
    return _reported(written, commands, _dotenv_files(value["job"]), parameters["what"]) if written else ()


def _written_files(commands: Sequence[Any]) -> list[tuple[int, list[str]]]:
    """The commands that write into files, each with the names of those."""
    found = []
    for number, command in enumerate(commands):
        if isinstance(command, Unknown):
            continue
        targets = [redirect["target"] for redirect in command["redirects"] if ">" in redirect["operator"]]
        if command["name"] == "tee":
            targets += command["operands"]
        names = [_file(target) for target in targets if isinstance(target, str)]
        if names:
            found.append((number, names))
    return found


def _reported(
    written: Iterable[tuple[int, list[str]]], commands: Sequence[Any], files: frozenset[str] | Unknown, what: str
) -> Iterator[Violation | Doubt]:
    for number, names in written:
        command = commands[number]
        if not isinstance(files, Unknown) and files.isdisjoint(names):
            continue
        if what == "secret":
            match = _SECRET_SET.search(command["text"])
            found = match[1] if match else None
        else:
            found = next((f"${name}" for name in names_in(command["text"]) if name in AUTHORED_LINES), None)
        if found is not None and isinstance(files, Unknown):
            yield Doubt(files, ("commands", number))
        elif found is not None:
            yield Violation(("commands", number), found)


def _dotenv_files(job: Mapping[str, Any]) -> frozenset[str] | Unknown:
    found: Any = job
    for key in ("artifacts", "reports", "dotenv"):
        if isinstance(found, Unknown):
            return found
        found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, Unknown):
        return found
    return frozenset(_file(each) for each in (found if isinstance(found, list) else [found]) if isinstance(each, str))


def _file(name: str) -> str:
    return name.removeprefix("./")
