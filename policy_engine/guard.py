"""What an attribute of a value must be for a condition to hold, told without judging the condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policy_engine.operators import MAX_MATCHED_TEXT, SIMPLE_TYPES, listed, scalar
from policy_engine.path import parse_path
from policy_engine.pattern import search_for

MAX_REMEMBERED = 10_000
"""Texts of which it is kept what guards say of them; a stranger's files may hold any number."""
MAX_REMEMBERED_TEXT = 100
"""Longer ones are no names, and hardly ever come again."""


class Guard(NamedTuple):
    """What an attribute must be for a condition to hold: a text that is accepted, or anything at all where `accepts`
    is None. A truth value is compared as the text `true` or `false`; it says nothing of values that are neither."""

    name: str
    accepts: Callable[[str], bool] | None


def guard_of(condition: Any) -> Guard | None:
    """A comparison that a condition cannot hold without and that is quickly answered; None where it has none."""
    for node in _needed(condition):
        found = _of_any(node["any"]) if "any" in node else _of_comparison(node)
        if found is not None:
            return found
    return None


def _needed(node: Any) -> Iterator[Mapping[str, Any]]:
    """The conditions that must all hold for one to hold."""
    for each in node if isinstance(node, list) else [] if node is None else [node]:
        if "all" in each:
            yield from _needed(each["all"])
        else:
            yield each


def _of_comparison(node: Mapping[str, Any]) -> Guard | None:
    if "path" not in node or "default" in node or "ignore_case" in node:
        return None
    steps = parse_path(node["path"])
    if len(steps) != 1 or not isinstance(steps[0], str):
        return None
    wanted = [node["equals"]] if "equals" in node else node.get("in")
    if wanted is not None and all(type(each) in SIMPLE_TYPES for each in wanted):
        return Guard(steps[0], frozenset(map(scalar, wanted)).__contains__)
    if "matches" in node:
        search = search_for(listed(node["matches"]))
        # A longer text is not decided.
        return Guard(steps[0], lambda text: len(text) > MAX_MATCHED_TEXT or search(text))
    if node.get("exists") is True:
        return Guard(steps[0], None)
    return None


def _of_any(nodes: Sequence[Any]) -> Guard | None:
    """Where each of several ways asks for a text of the same attribute, it must be one that one of them accepts."""
    guards = [guard_of(node) for node in nodes]
    names = {guard.name if guard is not None else None for guard in guards}
    accepting = [guard.accepts for guard in guards if guard is not None and guard.accepts is not None]
    name = names.pop() if len(names) == 1 else None
    if name is None or len(accepting) != len(guards):
        return None
    return Guard(name, lambda text: any(accepts(text) for accepts in accepting))
