"""How often a block stands for something: `count` and `for_each`, and the keys of what they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.scope import Binder, Scope
from policy_engine_plugins.terraform.syntax import Block, Step
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    MapValue,
    SetValue,
    UnknownList,
    UnknownMap,
    Value,
    combine,
    to_number,
    type_name,
    unknown_map,
)

MAX_INSTANCES = 1000
_STEPS = 10  # what an instance costs at least

Made = TypeVar("Made")


class Expansion(Struct, Generic[Made], eq=False):
    """What a block with `count` or `for_each` makes.

    how  "single", "count", "for_each", or "unknown" where their number is not known: then there is one instance with
         the plain address that stands for all whose keys are not known
    """

    how: str
    instances: dict[Step | None, Made]
    unknown: Unknown | None = None


class Turn(Struct, frozen=True):
    """One time that a block stands for something: its key, and the names bound for it."""

    key: Step | None
    names: Mapping[str, Value]
    binders: Mapping[str, Binder]


def repetition(block: Block, scope: Scope) -> Value:
    """None without `count` and `for_each`; else the number, or the mapping from keys to values. Raises EvaluationError
    and NotKnown, also where there have been more instances than a scan can look at."""
    how = _repetition(block, scope)
    scope.module.budget.spend(_STEPS * min(size(how), MAX_INSTANCES))
    return how


def _repetition(block: Block, scope: Scope) -> Value:
    from policy_engine_plugins.terraform.evaluate import evaluate

    for inner in block.body.blocks:
        enabled = inner.body.attributes.get("enabled") if inner.type == "lifecycle" else None
        if enabled is not None:  # OpenTofu's switch: one instance with the plain address, or none
            value = evaluate(enabled.expression, scope.within(enabled.source))
            if isinstance(value, Unknown):
                return combine((value,))
            return 0 if value is False else None
    for meta in ("count", "for_each"):
        attribute = block.body.attributes.get(meta)
        if attribute is not None:
            value = evaluate(attribute.expression, scope.within(attribute.source))
            return _number_of(value) if meta == "count" else keys_of(value)
    return None


def turns(block: Block, how: Value, scope: Scope) -> tuple[str, list[Turn]]:
    """Each time that the block stands for something, `how` being what `repetition` gave: at most MAX_INSTANCES."""
    if how is None:
        return "single", [Turn(None, {}, {})]
    if isinstance(how, UnknownMap):
        rest: dict[str, Value] = {"each": {"key": how.rest, "value": how.rest}}
        return "unknown", [*_by_key(block, how.entries, scope), Turn(None, rest, {})]
    if isinstance(how, Unknown):
        by_count = "for_each" not in block.body.attributes
        names: dict[str, Value] = {"count": {"index": how}} if by_count else {"each": {"key": how, "value": how}}
        return "unknown", [Turn(None, names, {})]
    if isinstance(how, int):
        return "count", [Turn(index, {"count": {"index": index}}, {}) for index in range(min(how, MAX_INSTANCES))]
    return "for_each", _by_key(block, how, scope)


def _by_key(block: Block, values: dict[str, Value], scope: Scope) -> list[Turn]:
    for_each = block.body.attributes["for_each"]
    outer = scope.within(for_each.source)
    made = []
    for key in sorted(values)[:MAX_INSTANCES]:
        made.append(Turn(key, {"each": {"key": key, "value": values[key]}}, {"each": Binder(for_each, outer, key)}))
    return made


def size(how: Value) -> int:
    return how if isinstance(how, int) else len(how) if isinstance(how, dict) else 1


def index_text(key: Step | None) -> str:
    """The key as addresses show it: `[0]`, `["eu"]`."""
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = (
        key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    escaped = escaped.replace("${", "$${").replace("%{", "%%{")
    return f'["{escaped}"]'


def _number_of(value: Value) -> int | Unknown:
    if isinstance(value, Unknown):
        return combine((value,))
    if value is None:
        raise EvaluationError("count is null")
    number = to_number(value)
    if isinstance(number, float) or number < 0:
        raise EvaluationError("count is no whole number of instances")
    return number


def keys_of(value: Value) -> dict[str, Value] | Unknown:
    """What `for_each` of a resource goes over: a map, or a set of strings."""
    if isinstance(value, UnknownMap):
        return value
    if isinstance(value, UnknownList):
        return unknown_map({item: item for item in value.items if isinstance(item, str)}, (value,))
    if isinstance(value, Unknown):
        return combine((value,))
    if isinstance(value, dict):
        return value if isinstance(value, MapValue) else dict(value)
    if isinstance(value, SetValue):
        if all(isinstance(item, str) for item in value):
            return {item: item for item in value}
        raise EvaluationError("for_each needs a set of strings")
    raise EvaluationError(f"for_each needs a map or a set of strings, not {type_name(value)}")
