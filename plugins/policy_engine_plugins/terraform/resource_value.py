"""A resource instance where an expression mentions it as a whole."""

from __future__ import annotations

from typing import Protocol

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.values import Value


class Instance(Protocol):
    address: str

    def attribute(self, name: str) -> Value:
        """The attribute as other resources see it: what the configuration sets, else unknown until apply."""

    def whole(self) -> Value | None:
        """All of it as one value, where all of it is made here: the outputs of a module. None of a resource."""


class ResourceValue(Unknown):
    """Unknown as a whole, since much of it is made by the provider; its attributes are asked for one by one."""

    __slots__ = ("instance",)
    instance: Instance

    def __init__(self, instance: Instance) -> None:
        reason = f"{instance.address} has attributes that are known only after apply"
        super().__init__(reason, None, (instance.address,), ())
        object.__setattr__(self, "instance", instance)
