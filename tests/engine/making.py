"""Makes small resources and conditions for tests of the engine."""

from __future__ import annotations

from typing import Any

from policy_engine.check import Check, Context
from policy_engine.condition import compile_condition
from policy_engine.resource import Resource, ResourceGraph
from policy_engine.span import Location, Span, Trace
from policy_engine.unknown import Unknown

UNKNOWN = Unknown("variable 'x' has no default")
HERE = Location("main.tf", Span(1, 1, 1, 10))


def resource(value: dict[str, Any], type_: str = "thing", address: str = "thing.a", format_: str = "demo") -> Resource:
    return Resource(format_, type_, address, address.split(".")[-1], value, HERE, lambda path: Trace(HERE))


def context(value: dict[str, Any], *others: Resource) -> Context:
    ours = resource(value)
    return Context(ours, ResourceGraph([ours, *others]))


def truth(condition: Any, value: Any, *others: Resource, checks: dict[str, Check] | None = None) -> Any:
    """True, False or "unknown"."""
    answer = compile_condition(condition, checks or {}).test(value, context(value, *others))
    return "unknown" if isinstance(answer, Unknown) else answer


def blamed(condition: Any, value: Any, *others: Resource) -> list[tuple[str | int, ...]]:
    """The attributes that a failure points at."""
    compiled = compile_condition(condition, {})
    given = context(value, *others)
    assert compiled.test(value, given) is False
    return [witness.path for witness in compiled.witness(value, given, False)]
