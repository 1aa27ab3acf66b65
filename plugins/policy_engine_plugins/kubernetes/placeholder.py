"""Placeholders that a later tool fills in (envsubst, Flux, a template engine): what stands there is not known.

`${NAME}`, `${NAME:=default}`, `$NAME` and `{{ name }}` are placeholders wherever Kubernetes wants a value. They are not
where text of another language is at home, as it has the same signs for its own use:

- `command`, `args`, `script` and the values of `env`: a shell's `${NAME}` and `$NAME` stay text, `{{ }}` does not;
- annotations, and the data of a ConfigMap or Secret: nothing is a placeholder;
- text of several lines: nothing is a placeholder.

Kubernetes' own `$(NAME)` is resolved in `container`.
"""

from __future__ import annotations

import re
from typing import Any

from policy_engine.span import Location, Span
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import Mark, YamlMapping, YamlSequence

# Every alternative stops at the next brace, so that a hostile text is read once and not once for each sign in it.
_BRACES = r"\{\{(?:[^{}\n]|\{[^{}\n]*\})*\}\}"
_TEMPLATE = re.compile(_BRACES)
_ANY = re.compile(
    r"(?P<escaped>\$\$)"
    rf"|\$?{_BRACES}"
    r"|\$\{(?P<name>[^{}\n:=?+-]*)(?::?[=-](?P<default>(?:[^{}\n]|\$\{[^{}\n]*\})*)|[^{}\n]*)\}"
    r"|\$[A-Z_][A-Z0-9_]*(?![A-Za-z0-9_])"
)
_SECRET_NAME = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
_SHELL_KEYS = frozenset({"command", "args", "script"})
_DATA_KEYS = frozenset({"data", "stringData", "binaryData"})
_MAX_LENGTH = 65536
_MAX_NAME = 253


def may_hold_placeholders(data: bytes) -> bool:
    return b"$" in data or b"{{" in data


def is_placeholder(text: str) -> bool:
    return _unknown(text, _ANY, None) is not None


def fill(value: dict[str, Any], path: str | None, *, holds_data: bool) -> dict[int, str]:
    """Replaces every placeholder in an object's value by an Unknown, in place. Gives the written text of each `name`
    that was one, by the id of its mapping: addresses are made of it.

    path        the file, None where the value is written in none
    holds_data  whether `data` and its like at the top hold text that is the user's own (ConfigMap, Secret)
    """
    filling = _Filling(path)
    filling.fill(value, _DATA_KEYS if holds_data else frozenset(), _ANY)
    return filling.names


class _Filling:
    """One walk over an object."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.names: dict[int, str] = {}
        # Aliases share what they stand for: each collection is visited once, however often it is repeated.
        self._seen: set[int] = set()

    def fill(self, value: Any, skipped: frozenset[str], pattern: re.Pattern[str]) -> None:
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if type(value) is YamlMapping:
            for key, item in value.items():
                if isinstance(item, str):
                    # Text in the place of all data is no data.
                    if key not in skipped or key in _DATA_KEYS:
                        self._replace(value, key, item, _TEMPLATE if key in _SHELL_KEYS else pattern)
                elif key == "env" and type(item) is YamlSequence:
                    self._fill_env(item)
                elif isinstance(item, (dict, list)) and key != "annotations" and key not in skipped:
                    self.fill(item, frozenset(), _TEMPLATE if key in _SHELL_KEYS else pattern)
        elif type(value) is YamlSequence:
            for index, item in enumerate(value):
                if isinstance(item, str):
                    self._replace(value, index, item, pattern)
                elif isinstance(item, (dict, list)):
                    self.fill(item, frozenset(), pattern)

    def _fill_env(self, variables: YamlSequence) -> None:
        for index, variable in enumerate(variables):
            if type(variable) is YamlMapping:
                text = variable.get("value")
                if isinstance(text, str):
                    self._replace(variable, "value", text, _TEMPLATE)
                self.fill(variable, frozenset({"value"}), _ANY)
            elif isinstance(variable, str):
                self._replace(variables, index, variable, _ANY)

    def _replace(self, container: Any, key: str | int, text: str, pattern: re.Pattern[str]) -> None:
        if "$" not in text and "{{" not in text:
            return
        mark = container.marks[key]
        place = None if self.path is None else (self.path, mark[1] if isinstance(key, str) else mark)
        unknown = _unknown(text, pattern, place)
        if unknown is not None:
            container[key] = unknown
            if key == "name":
                self.names[id(container)] = text[:_MAX_NAME]


def _unknown(text: str, pattern: re.Pattern[str], place: tuple[str, Mark] | None) -> Unknown | None:
    """None where nothing in the text is a placeholder."""
    if len(text) > _MAX_LENGTH or "\n" in text:
        return None
    pieces: list[str | None] = []
    reason = ""
    known = position = 0
    while True:
        match = pattern.search(text, position)
        if match is None:
            break
        position = match.end()
        if match.groupdict().get("escaped"):
            # `$${NAME}` is the tools' own way to write a `${NAME}` that stays.
            position += 1 if text[position : position + 1] == "{" else 0
            continue
        if match.start() > known:
            pieces.append(text[known : match.start()])
        pieces.append(None)
        known = position
        reason = reason or _reason(match)
    if not pieces:
        return None
    if known < len(text):
        pieces.append(text[known:])
    origin = Location(place[0], Span(*place[1])) if place is not None else None
    # A value that is nothing but a placeholder may become anything, text or not.
    partly = len(pieces) > 1
    return Unknown(reason, origin, (), tuple(pieces) if partly else (), present=any(pieces))


def _reason(match: re.Match[str]) -> str:
    groups = match.groupdict()
    name, default = groups.get("name"), groups.get("default")
    if name is None:
        text = match.group()
        return f"{text if len(text) <= 80 else text[:77] + '...'} is filled in by a later tool"
    reason = f"${{{name[:80]}}} is filled in by a later tool"
    if default is None or _SECRET_NAME.search(name):
        return reason
    return f"{reason}; its default is '{default if len(default) <= 80 else default[:77] + '...'}'"
