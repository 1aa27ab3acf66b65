"""The operators over values, with Terraform's conversions. What is unknown stays unknown unless it cannot matter."""

from __future__ import annotations

from decimal import Context, Decimal

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    NotKnown,
    Value,
    combine,
    decimal_of,
    equal,
    to_bool,
    to_number,
    whole,
)

_CONTEXT = Context(prec=154, Emax=100_000, Emin=-100_000)


def binary(operator: str, left: Value, right: Value) -> Value:
    if operator == "==":
        return equal(left, right)
    if operator == "!=":
        result = equal(left, right)
        return result if isinstance(result, Unknown) else not result
    if operator in ("&&", "||"):
        return _logical(operator, left, right)
    for operand in (left, right):
        if operand is None:
            raise EvaluationError(f"the operand of '{operator}' is null")
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        for operand in (left, right):
            if not isinstance(operand, Unknown):
                to_number(operand)
        return combine(operand for operand in (left, right) if isinstance(operand, Unknown))
    one, other = to_number(left), to_number(right)
    match operator:
        case "<":
            return one < other
        case ">":
            return one > other
        case "<=":
            return one <= other
        case ">=":
            return one >= other
    return arithmetic(operator, one, other)


def arithmetic(operator: str, one: int | float, other: int | float) -> int | float:
    if isinstance(one, int) and isinstance(other, int):
        # Cut off before products of products grow without end.
        if operator == "*" and one.bit_length() + other.bit_length() > 2000:
            raise EvaluationError("the number is too large")
        if operator == "+":
            return one + other
        if operator == "-":
            return one - other
        if operator == "*":
            return one * other
    if operator == "%" and other == 0:
        return one  # as Terraform has it
    if operator == "/" and other == 0:
        # Terraform calls it infinite, which no attribute can hold.
        raise NotKnown(Unknown("a division by zero"))
    if operator == "%" and isinstance(one, int) and isinstance(other, int):
        rest = abs(one) % abs(other)
        return -rest if one < 0 else rest
    left, right = decimal_of(one), decimal_of(other)
    result: Decimal
    match operator:
        case "+":
            result = _CONTEXT.add(left, right)
        case "-":
            result = _CONTEXT.subtract(left, right)
        case "*":
            result = _CONTEXT.multiply(left, right)
        case "/":
            result = _CONTEXT.divide(left, right)
        case _:
            result = _CONTEXT.remainder(left, right)
    nearest = result.to_integral_value()
    exact = isinstance(one, int) and isinstance(other, int)
    # Terraform counts with 150 digits, we keep 16 of them: what is so near to a whole number is one (1 / 3 * 3).
    if not exact and abs(result - nearest) <= abs(result) * Decimal("1e-15"):
        result = nearest
    return whole(result)


def _logical(operator: str, left: Value, right: Value) -> Value:
    decides = operator == "||"
    unknowns = []
    for operand in (left, right):
        if isinstance(operand, Unknown):
            unknowns.append(operand)
        elif operand is None:
            raise EvaluationError(f"the operand of '{operator}' is null")
        elif to_bool(operand) is decides:
            return decides
    return combine(unknowns) if unknowns else not decides


def unary(operator: str, operand: Value) -> Value:
    if operand is None:
        raise EvaluationError(f"the operand of '{operator}' is null")
    if isinstance(operand, Unknown):
        return combine((operand,))
    if operator == "!":
        return not to_bool(operand)
    return -to_number(operand)
