"""A build stage, and what the instructions in it make of its image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.unknown import Unknown
from policy_engine_plugins.dockerfile.lexical import Source
from policy_engine_plugins.dockerfile.places import Offsets, Places
from policy_engine_plugins.dockerfile.scope import Scope

Via = tuple[tuple[Offsets, str], ...]
_INHERITED = ("user", "group", "workdir", "shell", "healthcheck", "entrypoint", "cmd", "stopsignal")


class Stage:
    """A stage under way; `value` is what rules see, and grows with each instruction."""

    def __init__(
        self,
        source: Source,
        value: dict[str, Any],
        places: Places,
        scope: Scope,
        label: str,
        name: str | None,
        address: str,
    ) -> None:
        self.source = source
        self.value = value
        self.places = places
        self.scope = scope
        self.label = label
        self.name = name
        self.address = f"stage:{address}"
        self.extent = (0, 0)
        self.parent: Stage | None = None
        value.update(env=scope.env, labels={}, exposed=[], volumes=[], instructions=[])

    def inherit(self, parent: Stage) -> None:
        for key in _INHERITED:
            if key in parent.value:
                self.value[key] = parent.value[key]
        self.value["labels"] = dict(parent.value["labels"])
        self.value["exposed"] = list(parent.value["exposed"])
        self.value["volumes"] = list(parent.value["volumes"])
        for path, offsets in parent.places.known.items():
            if path[0] not in ("image", "name", "base"):
                self.places.known[path] = offsets
                self.places.via[path] = parent.places.via.get(path, ())

    def set(self, path: AttributePath, value: Any, offsets: Offsets, via: Via) -> None:
        if value is not None:
            self.value[str(path[0])] = value
        self.places.known[path] = offsets
        self.places.via[path] = via

    def apply(
        self,
        keyword: str,
        own: Mapping[str, Any],
        known: Mapping[AttributePath, Offsets],
        via: Mapping[AttributePath, Via],
    ) -> None:
        """What an instruction changes about the image."""

        def take(key: str, value: Any, *from_: str | int) -> None:
            self.set((key,), value, known.get(from_, (0, 0)), via.get(from_, ()))

        if keyword == "USER":
            take("user", own["user"], "user")
            self.value.pop("group", None)
            if "group" in own:
                take("group", own["group"], "user")
        elif keyword == "WORKDIR":
            take("workdir", self._workdir(own["path"]), "path")
        elif keyword == "ENV":
            for name, value in own["variables"].items():
                self.scope.env[name] = value
                path = ("variables", name)
                self.places.known[("env", name)] = known[path]
                self.places.via[("env", name)] = via.get(path, ())
        elif keyword == "LABEL":
            for name, value in own["variables"].items():
                self.value["labels"][name] = value
                self.places.known[("labels", name)] = known[("variables", name)]
        elif keyword == "EXPOSE":
            self._extend("exposed", own["ports"], "ports", known, via)
        elif keyword == "VOLUME":
            self._extend("volumes", own["paths"], "paths", known, via)
        elif keyword == "SHELL":
            take("shell", own.get("argv", []), "argv")
        elif keyword == "STOPSIGNAL":
            take("stopsignal", own["signal"], "signal")
        elif keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            shown = {key: own[key] for key in ("form", "argv", "none") if key in own}
            shown["text"] = own["command"]
            take(keyword.lower(), shown, "command")

    def _extend(
        self,
        key: str,
        values: list[Any],
        name: str,
        known: Mapping[AttributePath, Offsets],
        via: Mapping[AttributePath, Via],
    ) -> None:
        for index, value in enumerate(values):
            path = (key, len(self.value[key]))
            self.value[key].append(value)
            self.places.known[path] = known[(name, index)]
            self.places.via[path] = via.get((name, index), ())

    def goes_on_from_base(self, path: Any) -> Any:
        """Whether a WORKDIR's folder depends on where the base image was: it is relative, and the first one."""
        if "workdir" in self.value or self.scope.closed:
            return False
        if isinstance(path, Unknown):
            first = path.fragments[0] if path.fragments else None
            return Unknown(path.reason, path.origin) if first is None else not first.startswith(("/", "\\"))
        return not path.startswith(("/", "\\")) and path[1:2] != ":"

    def _workdir(self, path: Any) -> Any:
        """The folder that a WORKDIR leads to, as it may be relative to the one before."""
        if isinstance(path, Unknown) or path.startswith("/") or path[1:2] == ":":
            return path
        before = self.value.get("workdir", "/" if self.scope.closed else None)
        if before is None:
            return Unknown("it is relative to the folder that the base image works in", None, (), (None, f"/{path}"))
        if isinstance(before, Unknown):
            return Unknown(before.reason, before.origin)
        return f"{before.rstrip('/')}/{path}"

    def resource(self) -> Resource:
        extent = self.source.location(*self.extent)
        return Resource(
            "dockerfile", "stage", self.address, self.label, self.value, self.places.header, self.places, extent
        )
