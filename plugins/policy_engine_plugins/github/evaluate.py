"""What an expression comes to, as far as that is decided without running the workflow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.github.expression import Binary, Call, Every, Index, Literal, Name, Node, Not, Property

NOT_RUN = Unknown("known only when the workflow runs")


def evaluate(node: Node, contexts: Mapping[str, Any]) -> Any:
    """The value, or an Unknown. `contexts` holds those contexts that are known, by name; missing ones are not known."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return contexts.get(node.name, NOT_RUN)
    if isinstance(node, Property):
        return _member(evaluate(node.object, contexts), node.name)
    if isinstance(node, Index):
        return _member(evaluate(node.object, contexts), evaluate(node.index, contexts))
    if isinstance(node, Every):
        return NOT_RUN
    if isinstance(node, Not):
        value = evaluate(node.operand, contexts)
        return value if isinstance(value, Unknown) else not truthy(value)
    if isinstance(node, Binary):
        return _binary(node, contexts)
    return _call(node, contexts)


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, Unknown) or isinstance(key, Unknown):
        return NOT_RUN
    if isinstance(value, dict):
        wanted = to_text(key).lower()
        return next((item for name, item in value.items() if str(name).lower() == wanted), None)
    if isinstance(value, list) and isinstance(key, (int, float)) and 0 <= key < len(value):
        return value[int(key)]
    return None


def _binary(node: Binary, contexts: Mapping[str, Any]) -> Any:
    left = evaluate(node.left, contexts)
    if node.operator in ("&&", "||"):
        right = evaluate(node.right, contexts)
        if isinstance(left, Unknown):
            # `x && false` and `x || true` hold whatever x is only as far as truth goes; the value may be x itself.
            return NOT_RUN
        decided = not truthy(left) if node.operator == "&&" else truthy(left)
        return left if decided else right
    right = evaluate(node.right, contexts)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return NOT_RUN
    if node.operator == "==":
        return equal(left, right)
    if node.operator == "!=":
        return not equal(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[node.operator](left.lower(), right.lower())
    return _ORDER[node.operator](to_number(left), to_number(right))


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def truthy(value: Any) -> bool:
    """false, 0, -0, "" and null are false; NaN too."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return not (value is None or value is False or value == 0 or value == "")


def equal(left: Any, right: Any) -> bool:
    """Loose equality: texts without regard to case, values of different types as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return left is right
    if left is None and right is None:
        return True
    return to_number(left) == to_number(right)


def to_number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0.0
        try:
            return float(int(text, 16)) if text.lower().startswith("0x") else float(text)
        except ValueError:
            return math.nan
    return math.nan


def to_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (dict, list)):
        return "Object" if isinstance(value, dict) else "Array"
    return str(value)


def _call(node: Call, contexts: Mapping[str, Any]) -> Any:
    function = _FUNCTIONS.get(node.name)
    arguments = [evaluate(argument, contexts) for argument in node.arguments]
    if function is None or any(isinstance(each, Unknown) for each in arguments):
        return NOT_RUN
    try:
        return function(arguments)
    except (IndexError, ValueError, TypeError, RecursionError):
        return Unknown(f"{node.name}() cannot be evaluated with these arguments")


def _contains(arguments: Sequence[Any]) -> bool:
    where, what = arguments[0], arguments[1]
    if isinstance(where, list):
        return any(equal(item, what) for item in where)
    return to_text(what).lower() in to_text(where).lower()


def _format(arguments: Sequence[Any]) -> str:
    template, values = to_text(arguments[0]), arguments[1:]
    out, position = "", 0
    while position < len(template):
        two = template[position : position + 2]
        if two in ("{{", "}}"):
            out += two[0]
            position += 2
        elif template[position] == "{":
            closed = template.index("}", position)
            out += to_text(values[int(template[position + 1 : closed])])
            position = closed + 1
        else:
            out += template[position]
            position += 1
    return out


def _join(arguments: Sequence[Any]) -> str:
    separator = to_text(arguments[1]) if len(arguments) > 1 else ","
    return separator.join(map(to_text, arguments[0])) if isinstance(arguments[0], list) else to_text(arguments[0])


_FUNCTIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "contains": _contains,
    "startswith": lambda a: to_text(a[0]).lower().startswith(to_text(a[1]).lower()),
    "endswith": lambda a: to_text(a[0]).lower().endswith(to_text(a[1]).lower()),
    "format": _format,
    "join": _join,
    "fromjson": lambda a: json.loads(to_text(a[0])),
    "tojson": lambda a: json.dumps(a[0], indent=2),
}
