"""From a template's nodes to plain values: intrinsic functions are computed, and what cannot be known is an Unknown.

A value is what CloudFormation would hand to a resource, except that texts that say a boolean are one. Where a part of a
list or a mapping is not known, the rest still is (`policy_engine.partial`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from policy_engine.partial import PartialDict, PartialList
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import TaggedScalar
from policy_engine_plugins.cloudformation import functions
from policy_engine_plugins.cloudformation.scope import Scope
from policy_engine_plugins.cloudformation.syntax import FOR_EACH, TRANSFORM, Call, call_of
from policy_engine_plugins.cloudformation.values import (
    MAX_TEXT,
    NO_VALUE,
    converted,
    either,
    joined,
    text_of,
    unknown_text,
)

MAX_DEPTH = 100
"""Levels of values; what nests deeper is unknown."""
_MAX_CANDIDATES = 64

_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]*)\}\}")
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_LOOP_VARIABLE = re.compile(r"[$&]\{([A-Za-z0-9]+)\}")
_PLAIN_TYPES = frozenset({int, float, bool, type(None)})

_TOO_DEEP = Unknown(f"it is nested deeper than {MAX_DEPTH} levels")
_TOO_MUCH = Unknown("evaluating the template takes more steps than a scan allows")


def evaluate(node: Any, scope: Scope, depth: int = 0) -> Any:
    """The value of a node; NO_VALUE where it is `AWS::NoValue`."""
    kind = type(node)
    if kind is str:
        return _text(node, scope)
    if kind in _PLAIN_TYPES:
        return node
    if depth > MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(node, dict):
        if len(node) == 1 or getattr(node, "tag", None) is not None:
            call = call_of(node)
            if call is not None:
                return apply(call, scope, depth)
        return _mapping(node, scope, depth)
    if isinstance(node, list):
        if getattr(node, "tag", None) is not None:
            call = call_of(node)
            if call is not None:
                return apply(call, scope, depth)
        return _sequence(node, scope, depth)
    if kind is TaggedScalar:
        call = call_of(node)
        assert call is not None
        return apply(call, scope, depth)
    return Unknown(f"a value of a kind that is not understood ({kind.__name__})")


def _text(text: str, scope: Scope) -> Any:
    if scope.bindings is not None and "{" in text:
        text = substitute(text, scope.bindings)
    if "{{resolve:" in text and len(text) < MAX_TEXT:
        return _resolved(text, scope)
    return text


def _mapping(node: dict[str, Any], scope: Scope, depth: int) -> Any:
    workspace = scope.stack.workspace
    if not workspace.spend(len(node) + 1):
        return _TOO_MUCH
    result: dict[str, Any] = {}
    rest = scope.stack.rewritten
    plain = scope.bindings is None
    for key, child in node.items():
        kind = type(child)
        if kind is str and plain and "{" not in child:
            value: Any = child
        elif kind in _PLAIN_TYPES:
            result[key] = child
            continue
        elif key[:4] == "Fn::":
            if key.startswith(FOR_EACH):
                doubt = _expand_loop(key, child, scope, depth, result)
                rest = rest if doubt is None else doubt
                continue
            if key == TRANSFORM:
                rest = Unknown("a macro that is run when the template is deployed changes it")
                continue
            value = Unknown(f"{key} stands among other keys")
        else:
            value = evaluate(child, scope, depth + 1)
            if value is NO_VALUE:
                continue
        if type(value) is str:
            value = converted(value)
        if not plain and "{" in key:
            key = substitute(key, scope.bindings or {})
        result[key] = value
    return result if rest is None else PartialDict(result, rest)


def _sequence(node: list[Any], scope: Scope, depth: int) -> Any:
    if not scope.stack.workspace.spend(len(node) + 1):
        return _TOO_MUCH
    result: list[Any] = []
    partial = False
    for child in node:
        value = evaluate(child, scope, depth + 1)
        if value is NO_VALUE:
            continue
        if type(value) is str:
            value = converted(value)
        elif type(value) is Unknown and not value.present and not value.fragments:
            # `Fn::If` with AWS::NoValue on one side: an item that may not be there.
            partial = partial or may_be_nothing(child)
        result.append(value)
    return PartialList(result) if partial else result


def may_be_nothing(node: Any) -> bool:
    """Whether `AWS::NoValue` is among what a call of `Fn::If` may give."""
    call = call_of(node)
    for _ in range(MAX_DEPTH):
        if call is None:
            return False
        if call.name == "Ref":
            return bool(call.argument == "AWS::NoValue")
        if call.name != "Fn::If" or not isinstance(call.argument, list):
            return False
        branches = [call_of(branch) for branch in call.argument[1:3]]
        if any(
            branch is not None and branch.name == "Ref" and branch.argument == "AWS::NoValue" for branch in branches
        ):
            return True
        call = next((branch for branch in branches if branch is not None and branch.name == "Fn::If"), None)
    return False


def apply(call: Call, scope: Scope, depth: int = 0) -> Any:
    if not scope.stack.workspace.spend(1):
        return _TOO_MUCH
    function = _FUNCTIONS.get(call.name)
    if function is None:
        if call.name not in _OF_RULES:
            scope.stack.odd_calls.add(call.name)
        if call.name.startswith("!"):
            return Unknown(f"the tag {call.name[:60]} is none of CloudFormation's")
        return Unknown(f"the function {call.name[:60]} is not understood")
    return function(call.argument, scope, depth + 1)


# -- texts


def substitute(text: str, bindings: Mapping[str, str]) -> str:
    """`${Name}` and `&{Name}` of loop variables; the latter keeps letters and digits alone."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in bindings:
            return found.group()
        given = bindings[name]
        return re.sub(r"[^A-Za-z0-9]", "", given) if found.group()[0] == "&" else given

    return _LOOP_VARIABLE.sub(value, text)[: MAX_TEXT + 1]


def _resolved(text: str, scope: Scope) -> Any:
    """A text with dynamic references, which are looked up when the template is deployed. What comes from a store of
    secrets refers to that, so that it is known not to be written out."""
    pieces: list[Any] = []
    position = 0
    for found in _DYNAMIC.finditer(text):
        pieces.append(text[position : found.start()])
        store = "Secrets Manager" if found.group(1) == "secretsmanager" else "Parameter Store"
        behind = () if found.group(1) == "ssm" else (f"{found.group(1)}:{found.group(2)}",)
        pieces.append(Unknown(f"it is read from {store} when deployed", None, behind, (None,), present=True))
        position = found.end()
    pieces.append(text[position:])
    return joined(pieces) if len(pieces) > 1 else text


def _sub(argument: Any, scope: Scope, depth: int) -> Any:
    variables: Any = {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        argument, variables = argument
    if not isinstance(argument, str):
        return Unknown("Fn::Sub wants a text, or a text and a mapping")
    text = substitute(str(argument), scope.bindings) if scope.bindings else str(argument)
    if len(text) > MAX_TEXT:
        return Unknown(f"the text is longer than {MAX_TEXT} characters")
    pieces: list[Any] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append(text[position : found.start()])
        position = found.end()
        name = found.group(1).strip()
        if name.startswith("!"):
            pieces.append(f"${{{name[1:]}}}")
        elif name in variables:
            pieces.append(functions.plain(evaluate(variables[name], scope, depth)))
        elif "." in name:
            base, _, attribute = name.partition(".")
            pieces.append(scope.stack.attribute(base, attribute, scope))
        else:
            pieces.append(functions.plain(scope.stack.reference(name, scope)))
        if not scope.stack.workspace.spend(1):
            return _TOO_MUCH
    pieces.append(text[position:])
    value = joined(pieces)
    return _resolved(value, scope) if isinstance(value, str) and "{{resolve:" in value else value


# -- arguments


def _items(argument: Any, scope: Scope, depth: int) -> list[Any] | Unknown:
    """The arguments of a function that takes a list of them, each evaluated as it is."""
    if isinstance(argument, list):
        return [evaluate(item, scope, depth) for item in argument]
    value = evaluate(argument, scope, depth)
    if type(value) is Unknown:
        return value
    return value if isinstance(value, list) else [value]


def _texts(node: Any, scope: Scope, depth: int) -> Any:
    """A list whose texts stay as they are: `"true"` joins as it is written."""
    if isinstance(node, list) and getattr(node, "tag", None) is None:
        if not scope.stack.workspace.spend(len(node)):
            return _TOO_MUCH
        values = [evaluate(item, scope, depth) for item in node]
        result = [value for value in values if value is not NO_VALUE]
        partial = any(type(value) is Unknown and may_be_nothing(item) for value, item in zip(values, node, strict=True))
        return PartialList(result) if partial else result
    return evaluate(node, scope, depth)


def _join(argument: Any, scope: Scope, depth: int) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        return Unknown("Fn::Join wants a delimiter and a list of texts")
    return functions.join(evaluate(argument[0], scope, depth), _texts(argument[1], scope, depth))


def _select(argument: Any, scope: Scope, depth: int) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        return Unknown("Fn::Select wants an index and a list")
    return functions.select(evaluate(argument[0], scope, depth), _texts(argument[1], scope, depth))


def _split(argument: Any, scope: Scope, depth: int) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        return Unknown("Fn::Split wants a delimiter and a text")
    return functions.split(evaluate(argument[0], scope, depth), evaluate(argument[1], scope, depth))


def _cidr(argument: Any, scope: Scope, depth: int) -> Any:
    items = _items(argument, scope, depth)
    return items if isinstance(items, Unknown) else functions.cidr(items)


# -- references


def _ref(argument: Any, scope: Scope, depth: int) -> Any:
    name = argument if isinstance(argument, str) else evaluate(argument, scope, depth)
    if type(name) is Unknown:
        return name.member()
    if not isinstance(name, str):
        return Unknown("Ref wants a name")
    return scope.stack.reference(substitute(str(name), scope.bindings) if scope.bindings else str(name), scope)


def _get_att(argument: Any, scope: Scope, depth: int) -> Any:
    if isinstance(argument, str):
        name, _, attribute = str(argument).partition(".")
        if scope.bindings:
            name, attribute = substitute(name, scope.bindings), substitute(attribute, scope.bindings)
        return scope.stack.attribute(name, attribute, scope)
    items = _items(argument, scope, depth)
    if isinstance(items, Unknown):
        return items.member()
    unknown = next((item for item in items if type(item) is Unknown), None)
    if unknown is not None:
        return unknown.member()
    texts = [text_of(item) for item in items]
    if len(texts) < 2 or any(text is None for text in texts):
        return Unknown("Fn::GetAtt wants a resource and an attribute")
    return scope.stack.attribute(str(texts[0]), ".".join(str(text) for text in texts[1:]), scope)


def _if(argument: Any, scope: Scope, depth: int) -> Any:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        return Unknown("Fn::If wants a condition and two values")
    holds = scope.stack.condition(condition_name(argument[0], scope))
    if isinstance(holds, bool):
        return evaluate(argument[1 if holds else 2], scope, depth)
    first, second = evaluate(argument[1], scope, depth), evaluate(argument[2], scope, depth)
    return either(first, second, holds)


def condition_name(name: str, scope: Scope) -> str:
    return substitute(str(name), scope.bindings) if scope.bindings else str(name)


def _find_in_map(argument: Any, scope: Scope, depth: int) -> Any:
    if not isinstance(argument, list) or not 3 <= len(argument) <= 4:
        return Unknown("Fn::FindInMap wants a map and two keys")
    name, *keys = (evaluate(item, scope, depth) for item in argument[:3])
    fallback = argument[3] if len(argument) == 4 else None
    default = NO_VALUE
    if isinstance(fallback, dict) and "DefaultValue" in fallback:
        default = evaluate(fallback["DefaultValue"], scope, depth)
    found = text_of(name)
    if found is None:
        return name.member() if type(name) is Unknown else Unknown("Fn::FindInMap wants the name of a map")
    mapping = scope.stack.template.section("Mappings").get(found)
    if not isinstance(mapping, dict):
        return Unknown(f"there is no mapping '{found[:60]}'") if default is NO_VALUE else default
    if TRANSFORM in mapping:
        return Unknown(f"mapping '{found[:60]}' is made by a macro when the template is deployed")
    return _looked_up(mapping, keys, f"mapping '{found[:60]}'", default, scope, depth)


def _looked_up(mapping: Any, keys: list[Any], name: str, default: Any, scope: Scope, depth: int) -> Any:
    """What stands under keys; where a key is not known, what all that may be meant have in common."""
    if not keys:
        return evaluate(mapping, scope, depth)
    if not isinstance(mapping, dict):
        return Unknown(f"{name} has no such key")
    key, rest = keys[0], keys[1:]
    if type(key) is Unknown:
        entries = list(mapping.values())
        if not entries or len(entries) > _MAX_CANDIDATES:
            return key.member()
        values = [_looked_up(entry, rest, name, default, scope, depth) for entry in entries]
        if default is not NO_VALUE:
            values.append(default)
        value = values[0]
        doubt = key.member()
        for other in values[1:]:
            value = either(value, other, doubt)
        return value
    text = text_of(key)
    if text is None or text not in mapping:
        return default if default is not NO_VALUE else Unknown(f"{name} has no key '{str(text)[:60]}'")
    return _looked_up(mapping[text], rest, name, default, scope, depth)


# -- loops


def _expand_loop(key: str, loop: Any, scope: Scope, depth: int, into: dict[str, Any]) -> Unknown | None:
    """Adds what a loop among a mapping's keys makes; an Unknown where it is not known what that is."""
    from policy_engine_plugins.cloudformation.loop import turns

    found = turns(key, loop, scope, depth)
    if isinstance(found, Unknown):
        return found
    doubt = None
    for turn, body in found:
        made = evaluate(body, turn, depth + 1)
        if isinstance(made, dict):
            into.update(made)
        if type(made) is Unknown:
            doubt = made
        elif type(made) is PartialDict:
            doubt = made.rest
    return doubt


def _truth(name: str) -> Callable[[Any, Scope, int], Any]:
    def function(argument: Any, scope: Scope, depth: int) -> Any:
        from policy_engine_plugins.cloudformation.condition import decide

        return decide({name: argument}, scope, depth)

    return function


def _unknown(reason: str, **more: Any) -> Callable[[Any, Scope, int], Any]:
    value = Unknown(reason, **more)
    return lambda _argument, _scope, _depth: value


_OF_RULES = frozenset(
    {
        *("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"),
        *("Fn::GetStackOutput", "Fn::ForEach"),
    }
)
"""Functions that there are, but whose value is not worked out."""
_FUNCTIONS: Mapping[str, Callable[[Any, Scope, int], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::Base64": evaluate,
    "Fn::Cidr": _cidr,
    "Fn::Length": lambda argument, scope, depth: functions.length(_texts(argument, scope, depth)),
    "Fn::ToJsonString": lambda argument, scope, depth: functions.to_json(evaluate(argument, scope, depth)),
    "Fn::ImportValue": lambda argument, scope, depth: unknown_text("it is imported from another stack", present=True),
    "Fn::GetAZs": _unknown("the zones of a region are known only when deployed", present=True),
    "Fn::Transform": _unknown("it is made by a macro when the template is deployed"),
    "Condition": _truth("Condition"),
    **{name: _truth(name) for name in ("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals")},
}
