"""One instance of a resource, data source or the like, with the scope of its expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.computed import computes
from policy_engine_plugins.terraform.evaluate import evaluate
from policy_engine_plugins.terraform.repetition import Turn, index_text
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Attribute, Block
from policy_engine_plugins.terraform.values import Value

if TYPE_CHECKING:
    from policy_engine_plugins.terraform.instance import ModuleInstance

# What every resource that has such an attribute gives it, so that it is neither null nor empty once applied.
_ALWAYS_SET = frozenset({"arn", "id", "key_id", "name", "self_link"})


class ResourceInstance:
    __slots__ = ("address", "block", "key", "module", "name", "scope")

    def __init__(self, module: ModuleInstance, name: str, block: Block, turn: Turn) -> None:
        self.module = module
        self.name = name
        self.key = turn.key
        self.block = block
        self.address = module.prefix + name + index_text(turn.key)
        self.scope = Scope(module, block.source, turn.names, turn.binders)

    def attribute(self, name: str) -> Value:
        """The attribute as other resources see it: what the configuration sets, else unknown until apply."""
        attribute = self.block.body.attributes.get(name)
        compute: Callable[[], Value]
        if attribute is not None:
            compute = lambda: self._set(name, attribute)  # noqa: E731
        elif any(True for _ in blocks_of(self.block, name)):
            compute = lambda: self._blocks(name)  # noqa: E731
        elif self.block.type == "data" and computes(self.block.labels[0].value, name):
            compute = lambda: self._data(name)  # noqa: E731
        else:
            return self._computed(name)
        return self.module.once(f"{self.address}.{name}", compute, attribute or self.block)

    def whole(self) -> Value | None:
        return None

    def _set(self, name: str, attribute: Attribute) -> Value:
        value = evaluate(attribute.expression, self.scope.within(attribute.source))
        if value is None:
            return self._computed(name)
        if type(value) is Unknown and self.address not in value.refers_to:
            # Whoever uses it is linked to this resource, whatever the value is.
            linked = (*value.refers_to, self.address)
            return Unknown(value.reason, value.origin, linked, value.fragments, value.present)
        return value

    def _blocks(self, name: str) -> Value:
        from policy_engine_plugins.terraform.body import expand_blocks

        return [body.value() for body in expand_blocks(self.block.body, self.scope).get(name, [])]

    def _data(self, name: str) -> Value:
        from policy_engine_plugins.terraform.body import expand
        from policy_engine_plugins.terraform.data_source import compute

        if not self.block.body.complete:
            return self._computed(name)
        return compute(self.block.labels[0].value, name, expand(self.block, self.scope).value(), self.scope)

    def _computed(self, name: str) -> Unknown:
        when = "read when Terraform plans" if self.block.type == "data" else "known only after apply"
        present = name in _ALWAYS_SET and self.block.type == "resource" and not self.is_representative
        where = self.block.source.location(self.block.start, self.block.header_end)
        return Unknown(f"{self.address}.{name} is {when}", where, (self.address,), (), present)

    @property
    def is_representative(self) -> bool:
        """Whether it stands for instances of an unknown number, none perhaps."""
        return self.key is None and ("count" in self.scope.names or "each" in self.scope.names)


def blocks_of(block: Block, name: str) -> Iterator[Block]:
    for inner in block.body.blocks:
        if inner.type == name or (inner.type == "dynamic" and inner.labels and inner.labels[0].value == name):
            yield inner
