"""Which variables a stage has, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from policy_engine.span import Location
from policy_engine.unknown import Unknown

PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
PLATFORM = frozenset(
    side + part for side in ("TARGET", "BUILD") for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
)


class Scope(Struct):
    """env, args   what is set so far; a variable of the environment wins over a build argument
    defaults      where the default of a build argument stands
    closed        whether nothing else is set: before the first FROM, or in a stage from `scratch`
    platforms     whether the builder sets the platforms without an ARG: before the first FROM, and in its images
    """

    env: dict[str, str | Unknown] = field(default_factory=dict)
    args: dict[str, str | Unknown] = field(default_factory=dict)
    defaults: dict[str, tuple[int, int]] = field(default_factory=dict)
    closed: bool = False
    platforms: bool = False
    used: list[str] = field(default_factory=list)
    """Names asked for since it was last emptied."""

    def lookup(self, name: str) -> str | Unknown | None:
        self.used.append(name)
        value = self.env.get(name)
        if value is None:
            value = self.args.get(name)
        if value is not None:
            return value
        if name in PROXIES:
            return Unknown(f"${name} is what the build is started with")
        if self.platforms and name in PLATFORM:
            return Unknown(f"${name} is the platform that the build is started for")
        if self.closed:
            return None
        return Unknown(f"${name[:60]} is not set in the Dockerfile; the base image may set it")

    def variables(self) -> Mapping[str, str | Unknown]:
        """What a RUN's shell has."""
        return {**self.args, **self.env}

    def declare(self, name: str, default: str | Unknown | None, outer: Scope | None, origin: Location) -> str | Unknown:
        """An ARG; gives its value. `outer` holds the arguments from before the first FROM."""
        if default is not None:
            value: str | Unknown = default
        elif outer is not None and name in outer.args:
            value = outer.args[name]
            if name in outer.defaults:
                self.defaults[name] = outer.defaults[name]
        elif name in PLATFORM:
            value = Unknown(f"${name} is the platform that the build is started for", origin)
        else:
            value = Unknown(f"build argument '{name[:60]}' has no default", origin)
        self.args[name] = value
        return value
