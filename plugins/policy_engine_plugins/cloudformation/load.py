"""A root template to resources: reads it with what it nests, evaluates all of it and hands out what rules judge."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from policy_engine.partial import PartialDict
from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Span
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation.evaluate import evaluate
from policy_engine_plugins.cloudformation.locate import ATTRIBUTE, locate, locate_entry
from policy_engine_plugins.cloudformation.sam import plain_resources
from policy_engine_plugins.cloudformation.scope import Workspace
from policy_engine_plugins.cloudformation.stack import PARAMETERS, Declared, Stack
from policy_engine_plugins.cloudformation.syntax import call_of
from policy_engine_plugins.cloudformation.template import read_template
from policy_engine_plugins.cloudformation.values import NO_VALUE

FORMAT = "cloudformation"
_ATTRIBUTES = (
    *("DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Metadata", "Condition", "CreationPolicy", "UpdatePolicy"),
)
NAME = "cfn:Name"
"""Under which a parameter and an output have their own name."""
_CDK_PATH = "aws:cdk:path"


def load(unit: Unit, tree: Tree) -> Loaded:
    workspace = Workspace(tree)
    template = workspace.templates[unit.name] = read_template(unit.name, tree.read(unit.name))
    workspace.problems.extend(template.problems)
    template.problems = workspace.problems
    resources: list[Resource] = []
    for stack in Stack(template, workspace).walk():
        for name in stack.conditions:
            stack.condition(name)  # one that nobody asks for may be wrong, too
        resources.extend(_parameters(stack))
        resources.extend(_resources(stack))
        resources.extend(_outputs(stack))
        if stack.odd_calls and stack.rewritten is None:
            _tell_odd_calls(stack)
    if workspace.steps <= 0:
        message = "evaluating this template takes more steps than a scan allows; values are unknown from there on"
        workspace.tell(unit.name, message, ProblemKind.TIMED_OUT)
    problems = list(dict.fromkeys(workspace.problems))
    problems.sort(key=lambda problem: (problem.path, problem.span or Span(0, 0, 0, 0), problem.message))
    return Loaded(resources, problems)


def _tell_odd_calls(stack: Stack) -> None:
    """A slip of the pen, most likely; a macro might have functions of its own."""
    waiting: list[tuple[AttributePath, Any]] = [((), stack.template.value)]
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        call = call_of(node)
        if call is not None and call.name in stack.odd_calls:
            stack.template.tell(f"{call.name[:60]} is no function of CloudFormation; its value is not known", path)
        if isinstance(node, (dict, list)) and id(node) not in seen:
            seen.add(id(node))
            keys: Any = node.items() if isinstance(node, dict) else enumerate(node)
            waiting.extend(((*path, key), item) for key, item in keys)


def _resources(stack: Stack) -> Iterator[Resource]:
    for declared in stack.resources.values():
        if stack.exists(declared) is False:
            continue
        yield _resource(stack, declared)
        for made in plain_resources(declared):
            yield _resource(stack, made)


def _resource(stack: Stack, declared: Declared) -> Resource:
    value = _properties(stack, declared)
    for name in _ATTRIBUTES:
        if name in declared.node:
            attribute = evaluate(declared.node[name], declared.scope)
            if attribute is not NO_VALUE:
                value[ATTRIBUTE + name] = attribute
    places = stack.template.places
    return Resource(
        FORMAT,
        declared.type,
        declared.address,
        _name(declared),
        value,
        declared.header,
        partial(locate, declared),
        Location(stack.template.path, places.extent(declared.path)),
    )


def _properties(stack: Stack, declared: Declared) -> dict[str, Any]:
    value = evaluate(declared.properties, declared.scope)
    if isinstance(value, dict):
        return value
    if value is None or value is NO_VALUE:
        return {} if stack.rewritten is None else PartialDict({}, stack.rewritten)
    if type(value) is not Unknown:
        stack.template.tell(f"'{declared.id[:60]}': 'Properties' is not a mapping", declared.properties_path)
        value = Unknown("the properties are not a mapping")
    return PartialDict({}, value)


def _name(declared: Declared) -> str:
    metadata = declared.node.get("Metadata")
    path = metadata.get(_CDK_PATH) if isinstance(metadata, dict) else None
    if not isinstance(path, str) or not path:
        return declared.id
    return path.removesuffix("/Resource").removesuffix("/Default")[:500]


def _parameters(stack: Stack) -> Iterator[Resource]:
    for name, node in stack.parameters.items():
        value = evaluate(node, stack.scope)
        if isinstance(value, dict):
            path = (PARAMETERS, name)
            address = stack.parameter_address(name)
            where = partial(locate_entry, address, node, path, stack.scope)
            value[NAME] = name
            yield _entry(stack, "parameter", address, name, value, path, where)
        else:
            stack.template.tell(f"parameter '{name[:60]}' is passed over: it is not a mapping", (PARAMETERS, name))


def _outputs(stack: Stack) -> Iterator[Resource]:
    for name, (node, path, scope) in stack.outputs.items():
        condition = node.get("Condition")
        if isinstance(condition, str) and stack.condition(condition) is False:
            continue
        value = evaluate(node, scope)
        if isinstance(value, dict):
            address = f"{stack.prefix}output.{name}"
            where = partial(locate_entry, address, node, path, scope)
            value[NAME] = name
            yield _entry(stack, "output", address, name, value, path, where)


def _entry(stack: Stack, type_: str, address: str, name: str, value: Any, path: Any, where: Any) -> Resource:
    template = stack.template
    extent = Location(template.path, template.places.extent(path))
    return Resource(FORMAT, type_, address, name, value, template.location(path), where, extent)
