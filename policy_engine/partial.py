"""Collections of which only a part is known: `concat(["0.0.0.0/0"], var.more)`, `merge(var.tags, { Name = "a" })`.

They are a list and a mapping to whoever asks nothing special; what they leave out is told by an `Unknown`, so that one
known bad element decides whatever the rest is, and nothing is said about the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policy_engine.unknown import Unknown


class PartialList(list[Any]):
    """A list whose Unknown items each stand for any number of items, none perhaps."""

    __slots__ = ()

    def at(self, index: int) -> Any:
        """The item at an index, an Unknown where items of an unknown number come before it."""
        for item in self[: index + 1]:
            if type(item) is Unknown:
                return item.member()
        if index < len(self):
            return self[index]
        return next(item for item in self if type(item) is Unknown).member()

    @property
    def least(self) -> int:
        """How many items it has at least."""
        return sum(type(item) is not Unknown for item in self)


class PartialDict(dict[Any, Any]):
    """A mapping with further entries that are not known: `rest` is what each other key has, if it is there at all."""

    __slots__ = ("rest",)

    def __init__(self, entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]], rest: Unknown) -> None:
        super().__init__(entries)
        self.rest = rest.member()

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key, self.rest)
