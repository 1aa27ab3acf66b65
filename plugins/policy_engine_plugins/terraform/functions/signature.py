"""How functions take their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown, Value, combine, to_number, type_name

Function = Callable[[list[Value], Scope], Value]
MANY = 1_000_000
# So many characters, or elements, that a function walks over count as a step.
_CHARACTERS = 2000
_ELEMENTS = 8
_DEAREST = 20  # for a call with next to nothing


def function(
    minimum: int,
    maximum: int,
    implementation: Callable[..., Value],
    *,
    nulls: bool = False,
    unknowns: bool = False,
    weight: int = 1,
) -> Function:
    """Counts the arguments and refuses nulls; an Unknown makes the result unknown, unless the function sees to it.

    `weight` is how many times more than walking over its arguments a call costs.
    """

    def call(arguments: list[Value], scope: Scope) -> Value:
        if not minimum <= len(arguments) <= maximum:
            raise EvaluationError(f"wrong number of arguments: {len(arguments)}")
        if not nulls and None in arguments and any(argument is None for argument in arguments):
            raise EvaluationError("an argument is null")
        if not unknowns:
            missing = [argument for argument in arguments if isinstance(argument, Unknown)]
            if missing:
                raise NotKnown(combine(missing))
        work = len(arguments) // _ELEMENTS
        for argument in arguments:
            if isinstance(argument, str):
                work += len(argument) // _CHARACTERS
            elif isinstance(argument, (list, dict)):
                work += len(argument) // _ELEMENTS
        scope.module.budget.spend(min(weight, _DEAREST) + work * weight)
        return implementation(*arguments)

    return call


def never(reason: str) -> Function:
    """A function whose result no scan can know."""

    def call(arguments: list[Value], scope: Scope) -> Value:
        return Unknown(reason)

    return call


def a_list(value: Value) -> list[Any]:
    """The elements of a list, tuple or set."""
    if isinstance(value, list):
        return value
    if isinstance(value, Unknown):
        raise NotKnown(value)
    raise EvaluationError(f"a list is needed, not {type_name(value)}")


def a_map(value: Value) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, Unknown):
        raise NotKnown(value)
    raise EvaluationError(f"a map is needed, not {type_name(value)}")


def a_whole(value: Value) -> int:
    number = to_number(value)
    if isinstance(number, float):
        raise EvaluationError("a whole number is needed")
    return number


def known(value: Value) -> Value:
    """The value itself, once nothing in it is unknown."""
    from policy_engine_plugins.terraform.values import all_unknown_in

    missing = all_unknown_in(value)
    if missing:
        raise NotKnown(combine(missing))
    return value
