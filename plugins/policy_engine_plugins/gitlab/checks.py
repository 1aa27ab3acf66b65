"""Checks of scripts: what strangers write is not run as a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.variables import AUTHORED, names_in

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "su", "runuser"})
_INTERPRETERS = re.compile(r"(?:python|perl|ruby|node|php)[\d.]*")
MAX_NESTING = 5


def untrusted_evaluated(value: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that runs, as a program, a text with what the author of a change writes in it:
    `eval`, `sh -c "..."`, `ssh host "..."`, `echo ... | sh`. A variable that such a program only gets in its
    environment, or within single quotes, is read as text and is no flaw."""
    variables = value["job"].get("environment_variables", {})
    for number, command in enumerate(value["commands"]):
        if isinstance(command, Unknown) or not _evaluates(command):
            continue
        if not any(isinstance(word, Unknown) for word in command["words"][1:]):
            continue
        for name in names_in(command["text"]):
            found = _source(name, variables, 0)
            if isinstance(found, Unknown):
                yield Doubt(found, ("commands", number, "name"))
            elif found:
                shown = f"${name}" if found == name else f"${name}, which holds ${found},"
                yield Violation(("commands", number, "name"), shown)
                break


def _evaluates(command: Mapping[str, Any]) -> bool:
    name = command["name"]
    if isinstance(command.get("executed_by"), str):
        return True
    if not isinstance(name, str):
        return False
    options = [option for option in command["options"] if isinstance(option, str)]
    if name in _SHELLS:
        return any(not option.startswith("--") and option.endswith("c") for option in options)
    if _INTERPRETERS.fullmatch(name):
        return any(option in ("-c", "-e", "-r", "--eval") for option in options)
    return name == "eval" or (name == "ssh" and len(command["operands"]) > 1)


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
