"""What an expression can see: the module it stands in, and the names bound around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from policy_engine.tree import Tree
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Attribute, Reference, Step
from policy_engine_plugins.terraform.values import EvaluationError, Value


class Budget:
    """How much work one unit may cost, so that no expression can keep a scan busy for ever."""

    __slots__ = ("steps",)

    def __init__(self, steps: int = 2_000_000) -> None:
        self.steps = steps

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise EvaluationError("evaluating this module takes more steps than a scan allows")


class Names(Protocol):
    """A module as its expressions see it."""

    tree: Tree
    folder: str
    budget: Budget

    def resolve(self, reference: Reference, scope: Scope) -> Value:
        """The value of a reference whose first name is not bound by a loop or a block."""


class Binder(NamedTuple):
    """Where the value of a bound name comes from: the element `key` of an attribute, as its scope sees it. The name of
    a block (`each`, a dynamic block's) has it under `value`."""

    attribute: Attribute
    scope: Scope
    key: Step
    of_block: bool = True


class Scope:
    """`names` are the loop variables, `each`, `count` and `self`; `source` is the file of the expression. `binders`
    tell for `each` and the names of dynamic blocks where their values stand."""

    __slots__ = ("binders", "module", "names", "source")

    def __init__(
        self, module: Names, source: Source, names: Mapping[str, Value], binders: Mapping[str, Binder] | None = None
    ) -> None:
        self.module = module
        self.source = source
        self.names = names
        self.binders = binders or {}

    def bind(self, names: Mapping[str, Value], binders: Mapping[str, Binder] | None = None) -> Scope:
        inner = {name: binder for name, binder in self.binders.items() if name not in names}
        return Scope(self.module, self.source, {**self.names, **names}, {**inner, **(binders or {})})

    def within(self, source: Source) -> Scope:
        """The same names, for an expression of another file (an override)."""
        return self if source is self.source else Scope(self.module, source, self.names, self.binders)
