"""Numeric functions."""

from __future__ import annotations

import math
from collections.abc import Callable

from policy_engine_plugins.terraform.functions.signature import MANY, Function, a_whole, function
from policy_engine_plugins.terraform.values import EvaluationError, Value, decimal_of, to_number, to_text, whole


def _parse_int(text: Value, base: Value) -> int:
    radix = a_whole(base)
    if not 2 <= radix <= 62:
        raise EvaluationError("the base must lie between 2 and 62")
    digits = to_text(text)
    body = digits[1:] if digits[:1] in ("+", "-") else digits
    if not body or len(body) > 600:
        raise EvaluationError("the text is no whole number")
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    result = 0
    for sign in body:
        place = alphabet.find(sign.lower() if radix <= 36 else sign)
        if not 0 <= place < radix:
            raise EvaluationError(f"'{sign}' is no digit of base {radix}")
        result = result * radix + place
    return -result if digits[0] == "-" else result


def _power(base: Value, exponent: Value) -> int | float:
    one, other = to_number(base), to_number(exponent)
    if isinstance(one, int) and isinstance(other, int) and other >= 0:
        if other * max(one.bit_length(), 1) > 2000:
            raise EvaluationError("the number is too large")
        power: int = one**other
        return power
    return _float(lambda: math.pow(one, other))


def _logarithm(value: Value, base: Value) -> int | float:
    one, other = to_number(value), to_number(base)
    return _float(lambda: math.log(one) / math.log(other))


def _float(compute: Callable[[], float]) -> int | float:
    try:
        result = float(compute())
    except (ValueError, OverflowError, ZeroDivisionError):
        raise EvaluationError("the number is out of range") from None
    if math.isinf(result) or math.isnan(result):
        raise EvaluationError("the number is out of range")
    return int(result) if result.is_integer() else result


def _sign(value: Value) -> int:
    number = to_number(value)
    return (number > 0) - (number < 0)


def _absolute(value: Value) -> int | float:
    return whole(abs(decimal_of(to_number(value))))


FUNCTIONS: dict[str, Function] = {
    "abs": function(1, 1, _absolute),
    "ceil": function(1, 1, lambda value: math.ceil(to_number(value))),
    "floor": function(1, 1, lambda value: math.floor(to_number(value))),
    "log": function(2, 2, _logarithm),
    "max": function(1, MANY, lambda *values: max(to_number(value) for value in values), weight=5),
    "min": function(1, MANY, lambda *values: min(to_number(value) for value in values), weight=5),
    "parseint": function(2, 2, _parse_int),
    "pow": function(2, 2, _power),
    "signum": function(1, 1, _sign),
}
