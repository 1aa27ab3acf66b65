"""What an attribute of a value must be for a condition to hold, told without judging the condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from policy_engine.operators import SIMPLE_TYPES, scalar
from policy_engine.path import parse_path


class Guard(NamedTuple):
    """What an attribute must be for a condition to hold: one of these texts, or anything at all where there are none.
    It says nothing of values that are no text."""

    name: str
    texts: frozenset[str] | None


def guard_of(when: Any) -> Guard | None:
    """A comparison that a condition cannot hold without and that is quickly answered; None where it has none."""
    for node in _needed(when):
        if "path" not in node or "default" in node or "ignore_case" in node:
            continue
        steps = parse_path(node["path"])
        if len(steps) != 1 or not isinstance(steps[0], str):
            continue
        wanted = [node["equals"]] if "equals" in node else node.get("in")
        if wanted is not None and all(type(each) in SIMPLE_TYPES for each in wanted):
            return Guard(steps[0], frozenset(map(scalar, wanted)))
        if node.get("exists") is True:
            return Guard(steps[0], None)
    return None


def _needed(node: Any) -> Iterator[Mapping[str, Any]]:
    """The conditions that must all hold for one to hold."""
    for each in node if isinstance(node, list) else [] if node is None else [node]:
        if "all" in each:
            yield from _needed(each["all"])
        else:
            yield each
