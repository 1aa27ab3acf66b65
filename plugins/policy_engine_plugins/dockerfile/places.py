"""Maps attribute paths of a resource to places in the Dockerfile, and reads commands when a rule asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.partial import PartialDict
from policy_engine.resource import AttributePath
from policy_engine.shell import Script
from policy_engine.span import Location, Trace
from policy_engine.unknown import Unknown
from policy_engine_plugins.dockerfile.lexical import Source

Offsets = tuple[int, int]


class Commands:
    """The commands of an instruction, read once and only when asked for.

    read    makes the script, or says why there is none
    offset  where a place in the script stands in the file
    """

    __slots__ = ("_read", "_result", "offset")

    def __init__(self, read: Callable[[], Script | Unknown], offset: Callable[[int, int], Offsets]) -> None:
        self._read = read
        self._result: Script | Unknown | None = None
        self.offset = offset

    def result(self) -> Script | Unknown:
        if self._result is None:
            self._result = self._read()
        return self._result


class CommandValue(dict[str, Any]):
    """The value of an instruction that runs commands. `commands` and `programs` are there when they are asked for."""

    __slots__ = ("commands",)
    commands: Commands

    def get(self, key: Any, default: Any = None) -> Any:
        if key in ("commands", "programs"):
            return self[key]
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in ("commands", "programs") or super().__contains__(key)

    def __missing__(self, key: str) -> Any:
        if key not in ("commands", "programs"):
            raise KeyError(key)
        result = self.commands.result()
        if isinstance(result, Unknown):
            self["commands"] = self["programs"] = result
        else:
            self["commands"] = result.values
            # By name, as rules ask for names again and again.
            names: dict[str, str] = {}
            doubt: Unknown | None = None
            for command in result.values:
                name = command if isinstance(command, Unknown) else command["name"]
                if isinstance(name, Unknown):
                    doubt = name
                elif name:
                    names[name] = name
            self["programs"] = names if doubt is None else PartialDict(names, doubt)
        return self[key]


class Places(Struct):
    """header  shown for what has no place of its own
    known   places of attributes; the longest path that leads to the wanted one counts
    via     for a path, where the values that went into it stand, with a phrase for each
    """

    source: Source
    header: Location
    known: dict[AttributePath, Offsets] = field(default_factory=dict)
    via: dict[AttributePath, tuple[tuple[Offsets, str], ...]] = field(default_factory=dict)
    parents: Mapping[str, Places] = field(default_factory=dict)
    commands: Commands | None = None

    def __call__(self, path: AttributePath) -> Trace:
        if path and isinstance(path[0], str) and path[0] in self.parents:
            return self.parents[path[0]](path[1:])
        if path and path[0] == "commands" and self.commands is not None:
            script = self.commands.result()
            place = None if isinstance(script, Unknown) else script.place(path[1:])
            if place is not None:
                return Trace(self.source.location(*self.commands.offset(*place)))
            return Trace(self.header)
        for length in range(len(path), 0, -1):
            offsets = self.known.get(path[:length])
            if offsets is not None:
                related = tuple(
                    (self.source.location(*place), phrase) for place, phrase in self.via.get(path[:length], ())
                )
                return Trace(self.source.location(*offsets), related)
        return Trace(self.header)
