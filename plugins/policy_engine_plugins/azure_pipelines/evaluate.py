"""What a `${{ }}` expression comes to, as far as that is decided before the pipeline runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from policy_engine.placed import Origin, origin_of
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.expression import Call, Literal, Member, Name, Node
from policy_engine_plugins.azure_pipelines.scope import Scope

MAX_RESULT = 100_000


class Result(NamedTuple):
    """A value, where it is written if that is elsewhere, and whether whoever runs the pipeline may choose another."""

    value: Any
    origin: Origin | None = None
    chosen: bool = False


def evaluate(node: Node, scope: Scope) -> Result:
    if isinstance(node, Literal):
        return Result(node.value)
    if isinstance(node, Name):
        name = node.name.lower()
        if name in scope.loops:
            given = scope.loops[name]
            return Result(given.value, given.origin, given.chosen)
        return Result(Unknown(f"'{node.name}' is known only when the pipeline runs"))
    if isinstance(node, Member):
        return _member(node, scope)
    return _call(node, scope)


def _member(node: Member, scope: Scope) -> Result:
    key = evaluate(node.key, scope) if node.key is not None else Result(None)
    if isinstance(node.object, Name) and node.object.name.lower() not in scope.loops:
        root = node.object.name.lower()
        if isinstance(key.value, Unknown):
            return key
        if root == "parameters" and node.key is not None:
            given = scope.parameter(str(key.value))
            return Result(given.value, given.origin, given.chosen)
        if root == "variables" and node.key is not None:
            return Result(scope.variable(str(key.value)), chosen=True)
        return Result(Unknown(f"{node.object.name}.{key.value} is known only when the pipeline runs"))
    whole = evaluate(node.object, scope)
    if isinstance(whole.value, Unknown) or node.key is None or isinstance(key.value, Unknown):
        unknown = next((each for each in (whole.value, key.value) if isinstance(each, Unknown)), None)
        return Result(Unknown("a filter is not worked out") if unknown is None else unknown.member())
    value, step = whole.value, key.value
    if isinstance(value, dict):
        found = next((name for name in value if str(name).lower() == str(step).lower()), None)
        if found is None:
            return Result(None, None, whole.chosen)
        origin = origin_of(value, whole.origin, found) if whole.origin is not None else None
        return Result(value[found], origin, whole.chosen)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        origin = origin_of(value, whole.origin, step) if whole.origin is not None else None
        return Result(value[step], origin, whole.chosen)
    return Result(None, None, whole.chosen)


def _call(node: Call, scope: Scope) -> Result:
    results = [evaluate(argument, scope) for argument in node.arguments]
    values = [result.value for result in results]
    chosen = any(result.chosen for result in results)
    name = node.function
    if name in ("and", "or"):
        return Result(_both(values, decides=name == "or"), chosen=chosen)
    if name == "iif" and len(values) == 3:
        if isinstance(values[0], Unknown):
            return Result(values[0])
        return results[1 if truthy(values[0]) else 2]
    if name == "coalesce":
        for result in results:
            if isinstance(result.value, Unknown) or result.value not in (None, ""):
                return result
        return Result(None)
    if name in ("in", "notin") and values:
        answer = _any([_same(values[0], each) for each in values[1:]])
        return Result(answer if isinstance(answer, Unknown) or name == "in" else not answer, chosen=chosen)
    function = _FUNCTIONS.get(name)
    if function is None:
        return Result(Unknown(f"{name}() is known only when the pipeline runs"))
    doubt = next((value for value in values if isinstance(value, Unknown)), None)
    if doubt is not None and name not in ("eq", "ne"):
        return Result(Unknown(doubt.reason, doubt.origin))
    try:
        return Result(function(values), chosen=chosen)
    except (IndexError, ValueError, TypeError, AttributeError):
        return Result(Unknown(f"{name}() cannot be worked out with these arguments"))


def truthy(value: Any) -> bool:
    return not (value is None or value is False or value == 0 or value == "")


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)[:MAX_RESULT]
    return str(value)


def _both(values: Sequence[Any], *, decides: bool) -> Any:
    doubt = None
    for value in values:
        if isinstance(value, Unknown):
            doubt = value if doubt is None else doubt
        elif truthy(value) is decides:
            return decides
    return not decides if doubt is None else doubt


def _any(answers: Sequence[Any]) -> Any:
    if True in [answer for answer in answers if isinstance(answer, bool)]:
        return True
    return next((answer for answer in answers if isinstance(answer, Unknown)), False)


def _same(left: Any, right: Any) -> Any:
    """Equality: texts without regard to case, the right side taken for the type of the left."""
    for value, other in ((left, right), (right, left)):
        if isinstance(value, Unknown):
            if isinstance(other, str) and value.fragments:
                first = value.fragments[0]
                if isinstance(first, str) and not other.lower().startswith(first.lower()):
                    return False
            return value
    if isinstance(left, bool) or isinstance(right, bool):
        return _boolean(left) == _boolean(right)
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return bool(left == right)
    return text_of(left).lower() == text_of(right).lower()


def _boolean(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False, "": False}.get(value.lower(), value)
    return truthy(value)


def _order(decide: Callable[[Any, Any], bool]) -> Callable[[Sequence[Any]], Any]:
    def compare(values: Sequence[Any]) -> Any:
        left, right = values[0], values[1]
        if isinstance(left, (int, float)) and not isinstance(left, bool):
            return decide(float(left), float(right))
        return decide(text_of(left).lower(), text_of(right).lower())

    return compare


def _format(values: Sequence[Any]) -> str:
    out, position, template = [], 0, text_of(values[0])
    while position < len(template):
        two = template[position : position + 2]
        if two in ("{{", "}}"):
            out.append(two[0])
            position += 2
        elif template[position] == "{":
            closed = template.index("}", position)
            out.append(text_of(values[1 + int(template[position + 1 : closed].partition(":")[0])]))
            position = closed + 1
        else:
            out.append(template[position])
            position += 1
    return "".join(out)[:MAX_RESULT]


def _equal(values: Sequence[Any]) -> Any:
    return _same(values[0], values[1])


def _unequal(values: Sequence[Any]) -> Any:
    same = _same(values[0], values[1])
    return same if isinstance(same, Unknown) else not same


def _contains_value(values: Sequence[Any]) -> Any:
    whole = values[0]
    return _any([_same(each, values[1]) for each in (whole.values() if isinstance(whole, dict) else whole)])


def _join(values: Sequence[Any]) -> str:
    return text_of(values[0]).join(map(text_of, values[1]))[:MAX_RESULT] if isinstance(values[1], list) else ""


_FUNCTIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "eq": _equal,
    "ne": _unequal,
    "not": lambda v: not truthy(v[0]),
    "xor": lambda v: truthy(v[0]) is not truthy(v[1]),
    "gt": _order(lambda a, b: a > b),
    "ge": _order(lambda a, b: a >= b),
    "lt": _order(lambda a, b: a < b),
    "le": _order(lambda a, b: a <= b),
    "contains": lambda v: text_of(v[1]).lower() in text_of(v[0]).lower(),
    "containsvalue": _contains_value,
    "startswith": lambda v: text_of(v[0]).lower().startswith(text_of(v[1]).lower()),
    "endswith": lambda v: text_of(v[0]).lower().endswith(text_of(v[1]).lower()),
    "format": _format,
    "join": _join,
    "length": lambda v: len(v[0]),
    "lower": lambda v: text_of(v[0]).lower(),
    "upper": lambda v: text_of(v[0]).upper(),
    "trim": lambda v: text_of(v[0]).strip(),
    "replace": lambda v: text_of(v[0]).replace(text_of(v[1]), text_of(v[2]))[:MAX_RESULT],
    "split": lambda v: text_of(v[0]).split(text_of(v[1]))[:1000],
    "converttojson": lambda v: json.dumps(v[0], default=str)[:MAX_RESULT],
}
