"""Merging as GitLab merges: mappings key by key to any depth, everything else replaced by what comes later."""

from __future__ import annotations

from typing import Any

from policy_engine.placed import Origin, Placed, origin_of

MAX_PARTS = 1_000_000
"""How many entries may be merged, filled in and referred to in one pipeline: a hostile one must not multiply itself."""


class TooMuch(Exception):
    """The pipeline comes to more than `MAX_PARTS` entries."""


class Budget:
    def __init__(self, parts: int = MAX_PARTS) -> None:
        self.left = parts

    def spend(self, parts: int) -> None:
        self.left -= parts
        if self.left < 0:
            raise TooMuch


def is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def merge(
    below: Any, below_origin: Origin, above: Any, above_origin: Origin, budget: Budget, *, without: str = ""
) -> tuple[Any, Origin]:
    """`above` over `below`. The result as a whole stands where `above` does; `without` is a key of `above` left out."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above, above_origin
    result = Placed()
    budget.spend(len(below) + len(above))
    result.put_all(below, below_origin)
    for key, value in above.items():
        if key == without:
            continue
        origin = origin_of(above, above_origin, key)
        if key in result and isinstance(value, dict) and isinstance(result[key], dict):
            merged, _ = merge(result[key], result.origins[key], value, origin, budget)
            result.put(key, merged, origin)
        else:
            # A later key keeps its first position, as in the hashes that GitLab merges.
            result.put(key, value, origin)
    return result, above_origin
