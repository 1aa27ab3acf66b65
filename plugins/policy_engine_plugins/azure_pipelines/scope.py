"""What the names in expressions stand for at one place: parameters, variables and the items of loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.placed import Origin
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.variables import not_known


class Given(Struct, frozen=True):
    """A value and where it is written. `chosen`: whoever runs the pipeline may give another. `bounded`: its declaration
    limits what it may hold."""

    value: Any
    origin: Origin | None = None
    chosen: bool = False
    bounded: bool = False


class Scope(Struct, frozen=True):
    """files       the file whose expressions these are, last, and those that use it as a template
    parameters  of the file, by lower-case names
    variables   known before the run, by lower-case names; an Unknown where a condition decides
    loops       the names of `each`
    conditions  whether a condition is worked out: then what may be chosen otherwise is not known
    outermost   whether the file is the pipeline itself
    """

    files: tuple[str, ...]
    parameters: Mapping[str, Given] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    loops: Mapping[str, Given] = field(default_factory=dict)
    conditions: bool = False
    outermost: bool = False

    def parameter(self, name: str) -> Given:
        given = self.parameters.get(name.lower())
        if given is None:
            return Given(Unknown(f"the file declares no parameter '{name}'"))
        if given.chosen and self.conditions:
            return Given(Unknown(f"the parameter '{name}' is chosen when the pipeline is run"), given.origin, True)
        return given

    def variable(self, name: str) -> Any:
        if name.lower() in self.variables:
            value = self.variables[name.lower()]
            if isinstance(value, str) and ("$(" in value or "$[" in value):
                return Unknown(f"the variable '{name}' is known only when the pipeline runs")
            return value
        return not_known(name)

    def with_loop(self, name: str, given: Given) -> Scope:
        loops = {**self.loops, name.lower(): given}
        return Scope(self.files, self.parameters, self.variables, loops, self.conditions, self.outermost)

    def with_variables(self, variables: Mapping[str, Any]) -> Scope:
        # Jobs and steps mostly see what stands above them already.
        if not variables or variables is self.variables:
            return self
        known = {**self.variables, **variables}
        return Scope(self.files, self.parameters, known, self.loops, self.conditions, self.outermost)

    def for_condition(self) -> Scope:
        return Scope(self.files, self.parameters, self.variables, self.loops, True, self.outermost)
