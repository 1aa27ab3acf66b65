"""From an attribute path to its place in the source: the place to change, and the places the value came through.

The way is found when somebody asks, by walking the syntax tree beside the path; evaluation keeps no positions. A value
that is only passed on (`acl = var.acl`, `local.rules[each.key]`) is followed to where it is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from policy_engine.resource import AttributePath
from policy_engine.span import Location, Trace
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.body import ExpandedBody, expand
from policy_engine_plugins.terraform.computed import POLICY_DOCUMENT, computes
from policy_engine_plugins.terraform.document import WrittenDocument
from policy_engine_plugins.terraform.evaluate import evaluate, iterate
from policy_engine_plugins.terraform.instance import ModuleInstance
from policy_engine_plugins.terraform.repetition import Expansion, Made
from policy_engine_plugins.terraform.resource_instance import ResourceInstance
from policy_engine_plugins.terraform.scope import Binder, Scope
from policy_engine_plugins.terraform.sensitive import is_sensitive
from policy_engine_plugins.terraform.syntax import (
    Attribute,
    Call,
    Conditional,
    Expression,
    For,
    GetAttribute,
    Index,
    Interpolation,
    ListExpression,
    Literal,
    ObjectExpression,
    Parentheses,
    Reference,
    Step,
    Template,
)
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    NotKnown,
    SetValue,
    UnknownList,
    UnknownMap,
    Value,
    equal,
    to_bool,
    to_text,
)

_MAX_HOPS = 30
_MAX_DESCENT = 500

# An attribute, what its expression sees, the path inside its value, and its name for the reader.
Target = tuple[Attribute, Scope, list[Step], str]
# Functions whose result has at a path what their first argument has there.
_TRANSPARENT = frozenset(
    [
        "jsonencode",
        "yamlencode",
        "tolist",
        "tomap",
        "sensitive",
        "nonsensitive",
        "ephemeralasnull",
        "jsondecode",
        "yamldecode",
    ]
)


def header(body: ExpandedBody) -> Location:
    block = body.block
    return block.source.location(block.start, block.header_end)


def locate(body: ExpandedBody, address: str, path: AttributePath) -> Trace:
    """The place of an attribute; for one that does not exist, the header of the innermost block on the way to it."""
    rest: Sequence[Step] = path
    while rest:
        name = rest[0]
        attribute = body.body.attributes.get(name) if isinstance(name, str) else None
        if attribute is not None:
            return _Walk(address).attribute(attribute, body.scope, list(rest[1:]))
        bodies = body.blocks.get(name, []) if isinstance(name, str) else []
        if not bodies:
            break
        if len(rest) == 1:
            return Trace(header(bodies[0]))
        index = rest[1]
        if not isinstance(index, int) or not 0 <= index < len(bodies):
            break
        body, rest = bodies[index], rest[2:]
    return Trace(header(body))


class _Walk:
    def __init__(self, address: str) -> None:
        self.user = address
        self.related: list[tuple[Location, str]] = []
        self.hops = 0

    def attribute(self, attribute: Attribute, scope: Scope, rest: list[Step]) -> Trace:
        place = attribute.source.location(attribute.start, attribute.end)
        with suppress(EvaluationError, NotKnown, RecursionError):
            place = self._descend(attribute, scope.within(attribute.source), rest)
        sensitive = True
        with suppress(EvaluationError, NotKnown, RecursionError):
            sensitive = is_sensitive(attribute, scope)
        return Trace(place, tuple(reversed(self.related)), sensitive)

    def _descend(self, attribute: Attribute, scope: Scope, rest: list[Step]) -> Location:
        """Follows the path through expressions, from one attribute to the next."""
        node: Expression = attribute.expression
        source = attribute.source
        start, end = attribute.start, attribute.end
        steps = 0
        while True:
            steps += 1
            if steps > _MAX_DESCENT:
                break
            passed = self._pass_through(node, scope, rest)
            if passed is not None:
                node, scope, rest = passed
                continue
            if isinstance(node, Reference):
                target = self._target(node, scope, rest)
                if target is None or self.hops >= _MAX_HOPS or not target[0].source.path:
                    break  # at the latest where the value comes from the environment, which is no place to point at
                self.hops += 1
                self.related.append((source.location(start, end), f"used by {self.user} here"))
                attribute, scope, rest, self.user = target
                node = attribute.expression
                source, start, end = attribute.source, attribute.start, attribute.end
                continue
            if not rest:
                break
            found = self._element(node, scope, rest[0])
            if found is None:
                written = _in_document(node, scope, rest)
                if written is not None:
                    start, end = written
                break
            node, scope, start, end = found
            rest = rest[1:]
        return source.location(start, end)

    def _pass_through(
        self, node: Expression, scope: Scope, rest: list[Step]
    ) -> tuple[Expression, Scope, list[Step]] | None:
        """What a node merely hands on, with the path that leads to the same value in it."""
        if isinstance(node, Parentheses):
            return node.inner, scope, rest
        if isinstance(node, Template) and len(node.parts) == 1 and not node.heredoc:
            part = node.parts[0]
            return (part.expression, scope, rest) if isinstance(part, Interpolation) else None
        if isinstance(node, GetAttribute):
            return node.source, scope, [node.name, *rest]
        if isinstance(node, Index):
            key = evaluate(node.key, scope)
            return (node.source, scope, [key, *rest]) if isinstance(key, (str, int)) else None
        if isinstance(node, Conditional) and rest:
            condition = evaluate(node.condition, scope)
            if isinstance(condition, Unknown) or condition is None:
                return None
            return (node.then if to_bool(condition) else node.otherwise), scope, rest
        if isinstance(node, Call):
            return _through_call(node, scope, rest)
        return None

    def _element(self, node: Expression, scope: Scope, step: Step) -> tuple[Expression, Scope, int, int] | None:
        """The node of an element with its span: a list item, or an object's `key = value`."""
        if isinstance(node, ListExpression):
            if isinstance(step, int) and 0 <= step < len(node.items):
                item = node.items[step]
                return item, scope, item.start, item.end
        elif isinstance(node, ObjectExpression):
            for entry in reversed(node.items):
                key = entry.key.value if isinstance(entry.key, Literal) else evaluate(entry.key, scope)
                if key is not None and not isinstance(key, Unknown) and to_text(key) == str(step):
                    return entry.value, scope, entry.key.start, entry.value.end
        elif isinstance(node, For) and not node.group:
            inner = _iteration(node, scope, step)
            if inner is not None:
                return node.result, inner, node.result.start, node.result.end
        return None

    def _target(self, node: Reference, scope: Scope, rest: list[Step]) -> Target | None:
        """Where the value of a reference is set: the attribute, its scope, the path inside, and its name."""
        steps = node.steps
        root = steps[0]
        if not isinstance(root, str):
            return None
        if root in scope.names:
            binder = scope.binders.get(root)
            if binder is None or (binder.of_block and steps[1:2] != ("value",)):
                return None
            return binder.attribute, binder.scope, [binder.key, *steps[2 if binder.of_block else 1 :], *rest], self.user
        module = scope.module
        if not isinstance(module, ModuleInstance) or len(steps) < 2:
            return None
        if root == "local":
            attribute = module.declarations.local_values.get(str(steps[1]))
            if attribute is None:
                return None
            name = f"{module.prefix}local.{steps[1]}"
            return attribute, module.scope(attribute.source), [*steps[2:], *rest], name
        if root == "var":
            given = module.variable_source(str(steps[1]))
            return None if given is None else (*given, [*steps[2:], *rest], f"{module.prefix}var.{steps[1]}")
        if root == "module":
            return _in_call(module, steps, rest)
        return _in_resource(module, steps, rest)


def _in_call(module: ModuleInstance, steps: tuple[Step, ...], rest: list[Step]) -> Target | None:
    """The output of a called module."""
    name = str(steps[1])
    if name not in module.declarations.calls:
        return None
    found = _instance(module.call(name), [*steps[2:], *rest])
    if found is None:
        return None
    called, further = found
    block = called.declarations.outputs.get(str(further[0]))
    attribute = None if block is None else block.body.attributes.get("value")
    if attribute is None:
        return None
    return attribute, called.scope(attribute.source), further[1:], f"{called.prefix}{further[0]}"


def _in_resource(module: ModuleInstance, steps: tuple[Step, ...], rest: list[Step]) -> Target | None:
    at = 3 if steps[0] in ("data", "ephemeral") else 2
    name = ".".join(str(step) for step in steps[:at])
    if name not in module.declarations.resources:
        return None
    found = _instance(module.expansion(name), [*steps[at:], *rest])
    if found is None:
        return None
    instance, further = found
    attribute = instance.block.body.attributes.get(str(further[0]))
    if attribute is None:
        if name.startswith(f"data.{POLICY_DOCUMENT}.") and computes(POLICY_DOCUMENT, str(further[0])):
            return _in_policy_document(instance, further[1:])
        return None
    return attribute, instance.scope.within(attribute.source), further[1:], instance.address


def _instance(expansion: Expansion[Made], steps: list[Step]) -> tuple[Made, list[Step]] | None:
    """The instance that a reference picks, and the steps that lead into it: one at least."""
    key: Step | None = None
    if expansion.how != "single":
        key, steps = (steps[0] if steps else None), steps[1:]
    instance = None if key is None and expansion.how != "single" else expansion.instances.get(key)
    return None if instance is None or not steps else (instance, steps)


def _in_policy_document(instance: ResourceInstance, rest: list[Step]) -> Target | None:
    """The argument of the data source that makes a part of its document."""
    from policy_engine_plugins.terraform.data_source import argument_of

    body = expand(instance.block, instance.scope)
    found = argument_of(body.body.attributes, rest)
    if found is None:
        return None
    index, name, further = found
    statements = body.blocks.get("statement", [])
    if not 0 <= index < len(statements):
        return None
    statement = statements[index]
    attribute = statement.body.attributes.get(name)
    return None if attribute is None else (attribute, statement.scope, further, instance.address)


def _through_call(node: Call, scope: Scope, rest: list[Step]) -> tuple[Expression, Scope, list[Step]] | None:
    name, arguments = node.name, node.arguments
    if not arguments or node.expand:
        return None
    if name in _TRANSPARENT and rest:
        return arguments[0], scope, rest
    if name == "merge" and rest:
        for argument in reversed(arguments):
            value = evaluate(argument, scope)
            entries = value.entries if isinstance(value, UnknownMap) else value
            if isinstance(entries, dict) and str(rest[0]) in entries:
                return argument, scope, rest
            if isinstance(value, Unknown):
                return None
    elif name == "concat" and rest and isinstance(rest[0], int):
        index = rest[0]
        for argument in arguments:
            value = evaluate(argument, scope)
            # In what is partly known, one place stands for all that is not.
            size = len(value) if isinstance(value, list) else len(value.items) if isinstance(value, UnknownList) else 1
            if index < size:
                return argument, scope, [index, *rest[1:]]
            index -= size
    elif name == "toset" and rest:
        index_in = _set_position(arguments[0], scope, rest[0])
        if index_in is not None:
            return arguments[0], scope, [index_in, *rest[1:]]
    elif name in ("try", "coalesce"):
        for argument in arguments:
            try:
                value = evaluate(argument, scope)
            except EvaluationError:
                continue
            if isinstance(value, Unknown):
                return None
            if name == "try" or value not in (None, ""):
                return argument, scope, rest
    elif name in ("lookup", "element") and len(arguments) > 1:
        return _through_lookup(node, scope, rest)
    return None


def _through_lookup(node: Call, scope: Scope, rest: list[Step]) -> tuple[Expression, Scope, list[Step]] | None:
    collection, key = evaluate(node.arguments[0], scope), evaluate(node.arguments[1], scope)
    if node.name == "element":
        if isinstance(collection, list) and collection and isinstance(key, int):
            return node.arguments[0], scope, [key % len(collection), *rest]
    elif isinstance(collection, dict) and isinstance(key, str):
        if key in collection:
            return node.arguments[0], scope, [key, *rest]
        if len(node.arguments) > 2:
            return node.arguments[2], scope, rest
    return None


def _set_position(node: Expression, scope: Scope, step: Step) -> int | None:
    """Where in a list stands what the set made of it has at an index, or under its own text (`for_each`)."""
    items = evaluate(node, scope)
    if isinstance(items, UnknownList):
        items = items.items
    if isinstance(items, list) and isinstance(step, int) and any(isinstance(item, Unknown) for item in items):
        return step  # left in its order, as it is not known which of them there are
    if not isinstance(items, list) or isinstance(items, SetValue):
        return None
    wanted: Value = step
    if isinstance(step, int):
        from policy_engine_plugins.terraform.functions.conversion import unify
        from policy_engine_plugins.terraform.values import make_set

        elements = make_set(unify(items))
        if not 0 <= step < len(elements):
            return None
        wanted = elements[step]
    return next((at for at, item in enumerate(items) if equal(item, wanted) is True), None)


def _iteration(node: For, scope: Scope, step: Step) -> Scope | None:
    """The scope in which a for-expression made its element at `step`."""
    collection = evaluate(node.collection, scope)
    if isinstance(collection, Unknown) and not isinstance(collection, (UnknownList, UnknownMap)):
        return None
    made = 0
    looped = Attribute("", node.collection.start, node.collection.start, node.collection, scope.source)
    for key, value in iterate(collection):
        scope.module.budget.spend(1)
        names = {node.value_name: value} if node.key_name is None else {node.key_name: key, node.value_name: value}
        binders = {}
        if isinstance(key, (str, int)) and not isinstance(key, bool):
            binders[node.value_name] = Binder(looped, scope, key, of_block=False)
        inner = scope.bind(names, binders)
        if node.condition is not None:
            wanted = evaluate(node.condition, inner)
            if isinstance(wanted, Unknown) or wanted is None:
                return None
            if not to_bool(wanted):
                continue
        if node.key_result is None:
            if made == step:
                return inner
            made += 1
        else:
            name = evaluate(node.key_result, inner)
            if not isinstance(name, Unknown) and name is not None and to_text(name) == str(step):
                return inner
    return None


def _in_document(node: Expression, scope: Scope, rest: list[Step]) -> tuple[int, int] | None:
    """The place of a path inside a JSON document that is written out as text."""
    if not isinstance(node, (Literal, Template)):
        return None
    document = WrittenDocument(node, scope)
    inner = document.parsed()
    found: tuple[int, int] | None = None
    for step in rest:
        if isinstance(inner, ListExpression) and isinstance(step, int) and 0 <= step < len(inner.items):
            inner = inner.items[step]
            found = (inner.start, inner.end)
        elif isinstance(inner, ObjectExpression):
            entry = next((item for item in inner.items if getattr(item.key, "value", None) == step), None)
            if entry is None:
                break
            inner, found = entry.value, (entry.key.start, entry.value.end)
        else:
            break
    return None if found is None else document.place(*found)
