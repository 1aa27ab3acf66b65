"""Variables: which of them the author of a change writes, which are secrets, and what `$(macros)` a text holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_engine.unknown import Unknown

MACRO = re.compile(r"\$\(([A-Za-z_][\w.\-]{0,200})\)")
_RUNTIME = re.compile(r"\$\[(.{0,2000}?)\]\s*$", re.DOTALL)
_RUNTIME_NAME = re.compile(r"variables(?:\.([A-Za-z_]\w*(?:\.\w+)*)|\[\s*'([^']{1,200})'\s*\])")
_PREDEFINED = ("build.", "system.", "agent.", "pipeline.", "environment.", "checks.", "release.", "strategy.")
_SECRET = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|secret|token|(?:api|access|private|account|storage|master|shared)_?key|credential|connection_?string|\bpat)s?$"
)
MAX_NESTING = 10
MAX_NAMES = 200
MAX_TEXT = 20_000

# Texts that whoever opens a pull request writes. From the list of predefined variables,
# https://learn.microsoft.com/azure/devops/pipelines/build/variables
AUTHORED = frozenset(
    {
        "build.sourceversionauthor",
        "build.sourceversionmessage",
        "build.requestedfor",
        "build.queuedby",
        "system.pullrequest.sourcebranch",
        "system.pullrequest.sourcebranchname",
        "system.pullrequest.sourcerepositoryuri",
    }
)


# In a pull request these are refs/pull/1/merge: whoever may push a branch writes them, and nobody else.
PUSHED = frozenset({"build.sourcebranch", "build.sourcebranchname"})


def not_known(name: str) -> Unknown:
    lower = name.lower()
    if lower in AUTHORED or lower in PUSHED:
        return Unknown(f"'{name}' is written by the author of a change, and known only when the pipeline runs")
    if lower.startswith(_PREDEFINED):
        return Unknown(f"'{name}' is known only when the pipeline runs")
    return Unknown(f"the variable '{name}' is not set in the pipeline's files")


def is_secret(name: str, variables: Mapping[str, Any]) -> bool:
    """Whether a variable is a secret by its name: one that the files do not set, or the token of the job."""
    lower = name.lower()
    if lower == "system.accesstoken":
        return True
    if lower in variables or lower.startswith(_PREDEFINED):
        return False
    return _SECRET.search(name.replace(".", "_").replace("-", "_")) is not None


def origins(name: str, variables: Mapping[str, Any]) -> list[str]:
    """The variables that a macro's text comes from in the end, itself where the files do not set it."""
    found: list[str] = []
    seen = {name.lower()}
    waiting = [name.lower()]
    while waiting and len(seen) < MAX_NAMES:
        here = waiting.pop()
        value = variables.get(here)
        if not isinstance(value, str):
            found.append(here)
            continue
        others = {other.lower() for other in names_in(value)} - seen
        seen |= others
        waiting.extend(sorted(others))
    return sorted(found)


def names_in(value: str) -> list[str]:
    """The variables that a variable's value is made of, by macros or by a runtime expression."""
    names = [match[1] for match in MACRO.finditer(value)]
    runtime = _RUNTIME.match(value.strip())
    if runtime:
        names.extend(match[1] or match[2] for match in _RUNTIME_NAME.finditer(runtime[1]))
    return names


def expand(text: Any, variables: Mapping[str, Any]) -> Any:
    """A text with its macros filled in, or an Unknown that keeps the known pieces."""
    if not isinstance(text, str) or "$(" not in text:
        return text
    return _expand(text, variables, (), {})


def _expand(text: str, variables: Mapping[str, Any], within: tuple[str, ...], done: dict[str, Any]) -> Any:
    pieces: list[str | None] = []
    unknown: Unknown | None = None
    position = size = 0
    for match in MACRO.finditer(text):
        _add(pieces, text[position : match.start()])
        position = match.end()
        name = match[1].lower()
        value = done[name] if name in done else _value(match[1], variables, within, done)
        if isinstance(value, Unknown):
            unknown = value if unknown is None else unknown
            pieces.append(None)
        else:
            _add(pieces, value)
            size += len(value)
        if size > MAX_TEXT:
            return Unknown("the text with its variables filled in is too long")
    _add(pieces, text[position:])
    if unknown is None:
        return "".join(piece or "" for piece in pieces)
    return Unknown(unknown.reason, unknown.origin, fragments=tuple(pieces))


def _value(name: str, variables: Mapping[str, Any], within: tuple[str, ...], done: dict[str, Any]) -> Any:
    lower = name.lower()
    value = variables.get(lower)
    if value is None or (isinstance(value, str) and "$[" in value):
        value = not_known(name)
    elif lower in within or len(within) >= MAX_NESTING:
        value = Unknown(f"the variable '{name}' refers to itself")
    elif isinstance(value, str) and "$(" in value:
        value = _expand(value, variables, (*within, lower), done)
    if not isinstance(value, Unknown):
        value = str(value)
    done[lower] = value
    return value


def _add(pieces: list[str | None], text: str) -> None:
    if text and pieces and pieces[-1] is not None:
        pieces[-1] += text
    elif text:
        pieces.append(text)
