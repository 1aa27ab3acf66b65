"""Commands that print a variable which is named like a secret into the log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.shared_list import asked_once
from policy_engine.unknown import Unknown

_PRINTING = ("echo", "printf")
_USE = re.compile(r"\$(?:\{(\w{1,100})(:?\+)?|(\w{1,100}))")
_SECRET = re.compile(r"(?i)(?:TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|PRIVATE_KEY)")
# What is said about a secret, or where it lies, is none.
_ABOUT = re.compile(
    r"(?i)_(?:FILE|PATH|URL|URI|NAME|ID|DIR|FOLDER|ENDPOINT|HOST|USER|TYPE|LENGTH|SIZE|COUNT|VERSION|TTL|SCOPE|ARN|REF"
    r"|HEADER|ISSUER|AUDIENCE|STATUS|EXISTS|AGE|DATE|EXPIR\w*|PROVIDER|STORE|MANAGER|VAULT)S?(?:_\w+)?$"
)
_SINGLE_QUOTED = re.compile(r"'[^']*'")
# Told to the machine that runs the job, so that it hides the value.
_MASKING = ("issecret=true", "::add-mask::")


def judge(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterable[Violation | Doubt]:
    """A violation at each `echo` or `printf` whose output goes to the log and that takes such a variable."""
    commands: Any = value.get("commands")
    if isinstance(commands, Unknown):
        return (Doubt(commands, ("commands",)),)
    numbers = asked_once(commands, _printing) if isinstance(commands, list) else ()
    # Most scripts print nothing.
    return _judged(numbers, commands, value.get(parameters["script"])) if numbers else ()


def _judged(numbers: Iterable[int], commands: Sequence[Any], lines: Any) -> Iterator[Violation | Doubt]:
    script: str | None = None
    for number in numbers:
        command = commands[number]
        if isinstance(command, Unknown):
            yield Doubt(command, ("commands", number))
            continue
        name, text = command["name"], command["text"]
        script = _joined(lines) if script is None else script
        if _is_substituted(text, script):
            continue
        printed = _secret(_outside_quotes(text))
        if printed is not None and isinstance(name, Unknown):
            yield Doubt(name, ("commands", number))
        elif printed is not None:
            yield Violation(("commands", number), f"${printed}")


def _printing(commands: Sequence[Any]) -> list[int]:
    """The commands that may print what they are given into the log."""
    found = []
    for number, command in enumerate(commands):
        if not isinstance(command, Unknown):
            name, text = command["name"], command["text"]
            if command["redirects"] or command["piped_to"] or not (isinstance(name, Unknown) or name in _PRINTING):
                continue
            if "executed_by" in command or any(mark in text for mark in _MASKING):
                continue
        found.append(number)
    return found


def _secret(text: str) -> str | None:
    for match in _USE.finditer(text):
        name = match[1] or match[3]
        if not match[2] and _SECRET.search(name) and not _ABOUT.search(name):
            return name
    return None


def _outside_quotes(text: str) -> str:
    """The text without what single quotes keep the shell from reading; a `'` in a double-quoted text is no quote."""
    return text if '"' in text.partition("'")[0] else _SINGLE_QUOTED.sub("''", text)


def _joined(script: Any) -> str:
    lines = script if isinstance(script, list) else [script]
    return "\n".join(line for line in lines if isinstance(line, str))


def _is_substituted(text: str, script: str) -> bool:
    """Whether it stands in `$(...)` or `<(...)`: its output goes into a word, not into the log."""
    return re.search(r"(?:[$<]\(|`)\s*" + re.escape(text), script) is not None
