"""A list that stands in several resources, with what was found out about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class SharedList(list[Any]):
    """A list that nobody changes any more. `answers` holds what was asked of it, by who asks; an answer may depend on
    nothing but the list."""

    __slots__ = ("answers",)

    def __init__(self, items: list[Any]) -> None:
        super().__init__(items)
        self.answers: dict[object, Any] = {}


def asked_once(items: Sequence[Any], question: Callable[[Sequence[Any]], Answer]) -> Answer:
    """What a question comes to for a list, remembered where the list is shared. `question` is a function of a module,
    not one that is made anew each time."""
    if type(items) is not SharedList:
        return question(items)
    if question not in items.answers:
        items.answers[question] = question(items)
    answer: Answer = items.answers[question]
    return answer
