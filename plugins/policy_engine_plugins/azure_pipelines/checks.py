"""Checks of what macros and expressions put into texts, and of texts that scripts run as programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.shell_command import evaluates_text
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.variables import AUTHORED, PUSHED, names_in, origins


def pipeline_uses(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each use, in the places asked for, of what is looked for."""
    places = _regex(tuple(parameters["in"]))
    what = parameters["what"]
    for number, use in enumerate(value.get("uses", ())):
        if places.fullmatch(use["path"]) is None:
            continue
        shown = f"${{{{ {use['kind']}s.{use['name']} }}}}" if use["kind"] != "macro" else f"$({use['name']})"
        if what == "parameter":
            if use["kind"] == "parameter" and not use["bounded"]:
                yield Violation(("uses", number), shown)
        elif what == "secret":
            if use["secret"]:
                yield Violation(("uses", number), shown)
        else:
            wanted = AUTHORED if what == "authored" else PUSHED
            written = next((name for name in use["flows"] if name in wanted), None)
            if written is not None:
                through = "" if written == use["name"].lower() else f", which holds {written},"
                yield Violation(("uses", number), shown + through)
    if places.fullmatch("script") is not None:
        script = value.get("script")
        if isinstance(script, Unknown) and not any(script.fragments):
            yield Doubt(script, ("script",))


_VARIABLE = re.compile(r"\$(?:\{(\w+)|(\w+))")


def untrusted_evaluated(value: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that runs, as a program, a variable of the environment with what the author of a
    change writes: `eval`, `sh -c "..."`, `ssh host "..."`, `echo ... | sh`."""
    held = _held(value)
    for number, command in enumerate(value.get("commands", ())):
        if isinstance(command, Unknown) or not evaluates_text(command):
            continue
        if not any(isinstance(word, Unknown) for word in command["words"][1:]):
            continue
        for match in _VARIABLE.finditer(command["text"]):
            name = match[1] or match[2]
            found = held.get(name.upper())
            if isinstance(found, Unknown):
                yield Doubt(found, ("commands", number, "name"))
            elif found is not None:
                same = found.upper().replace(".", "_") == name.upper()
                detail = f"${name}" if same else f"${name}, which holds {found},"
                yield Violation(("commands", number, "name"), detail)
                break


def untrusted_set(value: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each command that sets a variable of the steps that follow to what a stranger writes."""
    held = _held(value)
    for number, command in enumerate(value.get("commands", ())):
        if isinstance(command, Unknown) or "##vso[task.setvariable" not in command["text"]:
            continue
        for match in _VARIABLE.finditer(command["text"]):
            name = match[1] or match[2]
            found = held.get(name.upper())
            if isinstance(found, Unknown):
                yield Doubt(found, ("commands", number))
            elif found in AUTHORED:
                yield Violation(("commands", number), f"${name}")
                break


def _held(step: Mapping[str, Any]) -> dict[str, str | Unknown]:
    """Variables of the environment with a text that the author of a change writes, and those that may have one."""
    held: dict[str, str | Unknown] = {name.upper().replace(".", "_"): name for name in AUTHORED | PUSHED}
    variables = {
        name.lower(): text for holder in (step["pipeline"], step["job"]) for name, text in holder["variables"].items()
    }
    given = step.get("env")
    for name, text in given.items() if isinstance(given, dict) else ():
        held.pop(name.upper(), None)
        if isinstance(text, Unknown):
            held[name.upper()] = text
        for macro in names_in(text) if isinstance(text, str) else ():
            found = next((each for each in origins(macro, variables) if each in AUTHORED | PUSHED), None)
            if found is not None:
                held[name.upper()] = found
    return held


@lru_cache(maxsize=64)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns), re.IGNORECASE)
