"""Variables: which a job sees, and what a text with variables in it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from policy_engine.unknown import Unknown

_USE = re.compile(r"\$\$|\$(?:\{(\w+)\}|(\w+))")
MAX_NESTING = 20
MAX_TEXT = 20_000

# What the author of a merge request, or whoever can push a branch, writes. From GitLab's list of predefined variables,
# https://docs.gitlab.com/ci/variables/predefined_variables/
AUTHORED = (
    "CI_COMMIT_AUTHOR",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_DESCRIPTION",
    "CI_COMMIT_MESSAGE",
    "CI_COMMIT_REF_NAME",
    "CI_COMMIT_TAG",
    "CI_COMMIT_TAG_MESSAGE",
    "CI_COMMIT_TITLE",
    "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME",
    "CI_MERGE_REQUEST_DESCRIPTION",
    "CI_MERGE_REQUEST_LABELS",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
    "CI_MERGE_REQUEST_TITLE",
    "GITLAB_USER_NAME",
)
AUTHORED_LINES = (
    *("CI_COMMIT_DESCRIPTION", "CI_COMMIT_MESSAGE", "CI_COMMIT_TAG_MESSAGE", "CI_MERGE_REQUEST_DESCRIPTION"),
)
"""Those that may have several lines."""
_PREDEFINED = ("CI_", "GITLAB_", "CHAT_", "RUNNER_")


def value_of(entry: Any) -> Any:
    """What a variable holds, written as text or with its description."""
    if isinstance(entry, dict):
        return entry.get("value", "")
    return entry


def shell_value(variables: Mapping[str, Any], name: str) -> str | Unknown:
    """What a job's shell gets for a variable, given what the job sees."""
    value = value_of(variables[name]) if name in variables else not_known(name)
    if isinstance(value, Unknown) or (isinstance(value, str) and "$" not in value):
        return value
    if isinstance(value, (int, float)):
        return str(value).lower()
    return not_known(name)


@lru_cache(maxsize=1024)
def not_known(name: str) -> Unknown:
    if name in AUTHORED:
        return Unknown(f"${name} is written by the author of a merge request, and known only when the pipeline runs")
    if name == "CI" or name.startswith(_PREDEFINED):
        return Unknown(f"${name} is known only when the pipeline runs")
    return Unknown(f"the variable ${name} is not set in the pipeline's files")


def expand(text: Any, variables: Mapping[str, Any]) -> Any:
    """The text with its variables filled in, or an Unknown that keeps the known pieces."""
    if not isinstance(text, str) or "$" not in text:
        return text
    return _expand(text, variables, (), {})


def _expand(text: str, variables: Mapping[str, Any], within: tuple[str, ...], done: dict[str, Any]) -> Any:
    pieces: list[str | None] = []
    unknown: Unknown | None = None
    position = size = 0
    for match in _USE.finditer(text):
        _add(pieces, text[position : match.start()])
        position = match.end()
        name = match[1] or match[2]
        if name is None:
            _add(pieces, "$")
            continue
        value = done[name] if name in done else _variable(name, variables, within, done)
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


def _variable(name: str, variables: Mapping[str, Any], within: tuple[str, ...], done: dict[str, Any]) -> Any:
    if name in within or len(within) >= MAX_NESTING:
        return Unknown(f"the variable ${name} refers to itself")
    value = value_of(variables[name]) if name in variables else not_known(name)
    if isinstance(value, str) and "$" in value:
        value = _expand(value, variables, (*within, name), done)
    if not isinstance(value, Unknown):
        value = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    done[name] = value
    return value


def _add(pieces: list[str | None], text: str) -> None:
    if text and pieces and pieces[-1] is not None:
        pieces[-1] += text
    elif text:
        pieces.append(text)


def names_in(text: str) -> list[str]:
    return [match[1] or match[2] for match in _USE.finditer(text) if match[1] or match[2]]
