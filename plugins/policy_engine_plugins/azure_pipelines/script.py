"""The value of a step, whose commands are read once a rule asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.variables import MACRO

if TYPE_CHECKING:
    from policy_engine.shell import Script

HOLE = "\ue000"
"""What the shell reader takes for text that is filled in before the shell runs."""
POSIX = ("bash", "sh")
_RUNNING = Unknown("a variable of the running job")


class StepValue(dict[str, Any]):
    """`commands` is there where a POSIX shell runs a script in the step. `known` are names of macros that are variables
    of the pipeline: others may be the shell's own `$(command)`."""

    __slots__ = ("_known",)

    def __init__(self, value: Mapping[str, Any], known: frozenset[str]) -> None:
        super().__init__(value)
        self._known = known

    def has_commands(self) -> bool:
        return self.get("shell") in POSIX and self.get("script") is not None

    def read(self) -> Script:
        from policy_engine.shell import read_script

        script = self["script"]
        if isinstance(script, Unknown):
            script = "".join(HOLE if piece is None else piece for piece in script.fragments or (None,))
        return read_script(MACRO.sub(self._masked, script), {}, _RUNNING)

    def place(self, path: AttributePath) -> tuple[int, int] | None:
        return self.read().place(path)

    def _masked(self, match: Any) -> str:
        name = match[1]
        if "." in name and not name.endswith((".sh", ".py")):
            return HOLE * len(match[0])
        return HOLE * len(match[0]) if name.lower() in self._known else str(match[0])

    def get(self, key: str, default: Any = None) -> Any:
        if key != "commands":
            return dict.get(self, key, default)
        return self[key] if key in self else default  # noqa: SIM401 - it is what `get` is made of

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or (key == "commands" and self.has_commands())

    def __missing__(self, key: str) -> Any:
        if key != "commands" or not self.has_commands():
            raise KeyError(key)
        commands = self[key] = self.read().values
        return commands
