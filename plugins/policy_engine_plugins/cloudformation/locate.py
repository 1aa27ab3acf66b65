"""From an attribute path to its place in the template: the place to change, and the places the value came through.

The way is found when somebody asks, by walking the nodes beside the path. A value that is only passed on, from a
parameter, a mapping, a branch of `Fn::If` or an output of a nested stack, is followed to where it is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Trace
from policy_engine_plugins.cloudformation.evaluate import evaluate, substitute
from policy_engine_plugins.cloudformation.parameter import is_hidden
from policy_engine_plugins.cloudformation.sam import place_of
from policy_engine_plugins.cloudformation.scope import Scope
from policy_engine_plugins.cloudformation.stack import PARAMETERS, PROPERTIES, Declared
from policy_engine_plugins.cloudformation.syntax import Call, call_of
from policy_engine_plugins.cloudformation.values import NO_VALUE, text_of

ATTRIBUTE = "cfn:"
"""What the keys of resource attributes, which stand beside the properties, begin with."""
_MAX_STEPS = 400

Step = "str | int"


class _Next(NamedTuple):
    """Where a call hands on to. `name` is what holds the value there, where that is another part of the template."""

    node: Any
    path: AttributePath
    scope: Scope
    rest: Sequence[str | int]
    name: str = ""
    hidden: bool = False


def locate(declared: Declared, path: AttributePath) -> Trace:
    """The place of an attribute; for one that does not exist, the key of the innermost mapping on the way to it."""
    if not path:
        return Trace(declared.header)
    first = path[0]
    if isinstance(first, str) and first.startswith(ATTRIBUTE):
        key = first[len(ATTRIBUTE) :]
        if key not in declared.node:
            return Trace(declared.header)
        return _Walk(declared.address).follow(declared.node[key], (*declared.path, key), declared.scope, path[1:])
    walk = _Walk(declared.address)
    trace = walk.follow(declared.properties, declared.properties_path, declared.scope, path)
    # A property that is missing is told at the resource, not at the word "Properties".
    return trace if walk.moved else Trace(declared.header)


def locate_entry(address: str, node: Any, entry: AttributePath, scope: Scope, path: AttributePath) -> Trace:
    """The same for an attribute of a parameter or an output."""
    trace = _Walk(address).follow(node, entry, scope, path)
    if path and path[0] == "Default" and is_hidden(node):
        return Trace(trace.location, trace.related, sensitive=True)
    return trace


class _Walk:
    def __init__(self, address: str) -> None:
        self.user = address
        self.related: list[tuple[Location, str]] = []
        self.sensitive = False
        self.moved = False

    def follow(self, node: Any, path: AttributePath, scope: Scope, rest: Sequence[str | int]) -> Trace:
        shown, at = path, scope
        for _ in range(_MAX_STEPS):
            call = call_of(node)
            if call is not None:
                found = self._through(call, path, scope, rest)
                if found is None:
                    break
                node, path, scope, rest = found[:4]
                self.sensitive = self.sensitive or found.hidden
                if found.name:
                    self.related.append((at.stack.template.location(shown), f"used by {self.user} here"))
                    self.user, self.moved = found.name, True
                    shown, at = path, scope
                continue
            if not rest:
                break
            step = self._step(node, rest[0], scope)
            if step is None:
                break
            path, node, rest = place_of(node, path, step), node[step], rest[1:]
            shown, at = path, scope
            self.moved = True
        return Trace(at.stack.template.location(shown), tuple(reversed(self.related)), self.sensitive)

    def _step(self, node: Any, step: str | int, scope: Scope) -> Any:
        """The key or index under which a node has what its value has under `step`."""
        if isinstance(node, dict) and isinstance(step, str):
            if step in node:
                return step
            if scope.bindings is not None:
                return next((key for key in node if "{" in key and substitute(key, scope.bindings) == step), None)
        elif isinstance(node, list) and isinstance(step, int):
            return _raw_index(node, step, scope)
        return None

    def _through(self, call: Call, path: AttributePath, scope: Scope, rest: Sequence[str | int]) -> _Next | None:
        argument, inside = call.argument, (*path, *call.steps)
        if call.name == "Ref" and isinstance(argument, str):
            return _through_parameter(str(argument), scope, rest)
        if call.name == "Fn::Sub" and isinstance(argument, str):
            text = str(argument)
            if text.startswith("${") and text.endswith("}") and text.isprintable() and text.count("{") == 1:
                return _through_parameter(text[2:-1].strip(), scope, rest)
        elif call.name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            holds = scope.stack.condition(str(argument[0]))
            if isinstance(holds, bool) or rest:
                index = 2 if holds is False else 1
                branch = argument[index]
                if rest or call_of(branch) is not None:
                    return _Next(branch, (*inside, index), scope, rest)
        elif call.name in ("Fn::ToJsonString", "Fn::Base64") and (rest or call_of(argument) is not None):
            return _Next(argument, inside, scope, rest)
        elif call.name == "Fn::FindInMap" and isinstance(argument, list) and len(argument) >= 3:
            keys = [text_of(evaluate(key, scope)) for key in argument[:3]]
            node: Any = scope.stack.template.section("Mappings")
            for key in keys:
                if key is None or not isinstance(node, dict) or key not in node:
                    return None
                node = node[key]
            return _Next(node, ("Mappings", *(str(key) for key in keys)), scope, rest, f"mapping {keys[0]}")
        elif call.name == "Fn::Select" and isinstance(argument, list) and len(argument) == 2:
            wanted = text_of(evaluate(argument[0], scope))
            items = argument[1]
            if wanted is not None and wanted.isdecimal() and isinstance(items, list) and call_of(items) is None:
                raw = _raw_index(items, int(wanted[:9]), scope)
                if raw is not None:
                    return _Next(items[raw], (*inside, 1, raw), scope, rest)
        elif call.name == "Fn::GetAtt":
            return _through_output(argument, scope, rest)
        return None


def _raw_index(items: list[Any], step: int, scope: Scope) -> int | None:
    """Where in a list stands what its value has at an index: `AWS::NoValue` leaves no item behind."""
    left = step
    for index, item in enumerate(items):
        if call_of(item) is not None and evaluate(item, scope) is NO_VALUE:
            continue
        if left == 0:
            return index
        left -= 1
    return None


def _through_parameter(name: str, scope: Scope, rest: Sequence[str | int]) -> _Next | None:
    stack = scope.stack
    if name not in stack.parameters or (scope.bindings is not None and name in scope.bindings):
        return None
    declaration = stack.parameters[name]
    hidden = is_hidden(declaration)
    address = stack.parameter_address(name)
    if name in stack.given and stack.caller is not None:
        caller = stack.caller
        properties = caller.node.get(PROPERTIES)
        given = properties.get(PARAMETERS) if isinstance(properties, dict) else None
        if not isinstance(given, dict) or name not in given:
            return None
        path: AttributePath = (*caller.path, PROPERTIES, PARAMETERS, name)
        return _Next(given[name], path, caller.scope, rest, address, hidden)
    if not isinstance(declaration, dict):
        return None
    if declaration.get("Default") is not None:
        return _Next(declaration["Default"], (PARAMETERS, name, "Default"), stack.scope, rest, address, hidden)
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list) and len(allowed) == 1:
        return _Next(allowed[0], (PARAMETERS, name, "AllowedValues", 0), stack.scope, rest, address, hidden)
    return None


def _through_output(argument: Any, scope: Scope, rest: Sequence[str | int]) -> _Next | None:
    if isinstance(argument, list):
        if not all(isinstance(item, str) for item in argument):
            return None
        argument = ".".join(argument)
    if not isinstance(argument, str):
        return None
    name, _, attribute = str(argument).partition(".")
    declared = scope.stack.resources.get(name)
    if declared is None or not attribute.startswith("Outputs."):
        return None
    child = scope.stack.child(declared)
    found = child.outputs.get(attribute[len("Outputs.") :]) if child is not None else None
    if found is None or child is None or "Value" not in found[0]:
        return None
    node, path, inner = found
    return _Next(
        node["Value"], (*path, "Value"), inner, rest, f"{child.prefix}{attribute.replace('Outputs', 'output')}"
    )
