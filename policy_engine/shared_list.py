"""A list that stands in several resources, with what was found out about it."""

from __future__ import annotations

from typing import Any


class SharedList(list[Any]):
    """A list that nobody changes any more. `answers` holds what was asked of it, by who asks; an answer may depend on
    nothing but the list."""

    __slots__ = ("answers",)

    def __init__(self, items: list[Any]) -> None:
        super().__init__(items)
        self.answers: dict[object, Any] = {}
