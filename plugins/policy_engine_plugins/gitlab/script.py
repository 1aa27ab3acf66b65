"""A section of a job's script: its lines, and the commands in them once a rule asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policy_engine.resource import AttributePath
from policy_engine_plugins.gitlab.variables import shell_value

if TYPE_CHECKING:
    from policy_engine.shell import Script

HOLE = "\ue000"
"""What the shell reader takes for text that is filled in before the shell runs."""


class ScriptValue(dict[str, Any]):
    """The value of a `script` resource. Its `commands` are read from the lines, which run in one shell, when they are
    asked for."""

    __slots__ = ("_script", "_variables")

    def __init__(self, value: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        super().__init__(value)
        self._variables = variables
        self._script: Script | None = None

    def script(self) -> Script:
        if self._script is None:
            from policy_engine.shell import read_script

            text = "\n".join([line if type(line) is str else _readable(line) for line in self["lines"]])
            self._script = read_script(text, lambda name: shell_value(self._variables, name))
        return self._script

    def get(self, key: str, default: Any = None) -> Any:
        return dict.get(self, key, default) if key != "commands" else self[key]

    def __contains__(self, key: object) -> bool:
        return key == "commands" or dict.__contains__(self, key)

    def __missing__(self, key: str) -> Any:
        if key != "commands":
            raise KeyError(key)
        commands = self[key] = self.script().values
        return commands

    def stretch(self, path: AttributePath) -> tuple[int, int, int] | None:
        """Where a path below `commands` stands: the number of the line, and the stretch of it."""
        found = self.script().place(path)
        if found is None:
            return None
        start, end = found
        for number, line in enumerate(self["lines"]):
            length = len(_readable(line))
            if start <= length:
                return number, start, min(end, length)
            start, end = start - length - 1, end - length - 1
        return None


def _readable(line: Any) -> str:
    """A line as the shell reader takes it: what is not known of it stands as a hole."""
    if isinstance(line, str):
        return line
    return "".join(HOLE if piece is None else piece for piece in line.fragments or (None,))
