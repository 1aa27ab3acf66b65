"""Whether a value holds something that was declared sensitive, so that reports show neither it nor its source line.

Asked for the few values that are reported: it follows what the expression mentions, through variables, locals, outputs
and resources, and takes everything made of something sensitive for sensitive, as Terraform does.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from policy_engine_plugins.terraform.instance import ModuleInstance
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Attribute, Block, Call, Expression, Literal, Reference

_MAX_NODES = 50_000
_DECLARED = ("sensitive", "ephemeral")


def is_sensitive(attribute: Attribute, scope: Scope) -> bool:
    if not attribute.source.path:
        return True  # from the environment
    waiting: list[tuple[Expression, Scope]] = [(attribute.expression, scope.within(attribute.source))]
    seen: set[tuple[int, int]] = set()
    nodes = 0
    while waiting:
        expression, inner = waiting.pop()
        if (id(expression), id(inner.module)) in seen:
            continue
        seen.add((id(expression), id(inner.module)))
        for node in _mentioned(expression):
            nodes += 1
            if nodes > _MAX_NODES:
                return True  # not known, and hiding it is the safe answer
            if node is None:
                continue
            if isinstance(node, Call):
                return True
            if _declares(node, inner):
                return True
            waiting.extend(_behind(node, inner))
    return False


def _mentioned(expression: Expression) -> Iterator[Reference | Call | None]:
    """References in an expression, and calls of `sensitive`; what `nonsensitive` lays open is left out. None for every
    other node, so that whoever asks can stop."""
    stack: list[object] = [expression]
    while stack:
        node = stack.pop()
        if type(node) is Literal:
            yield None
        elif isinstance(node, Reference):
            yield node
        elif isinstance(node, Call) and node.name.removeprefix("core::") == "sensitive":
            yield node
        elif isinstance(node, Call) and node.name.removeprefix("core::") == "nonsensitive":
            continue
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Struct):
            yield None
            stack.extend(getattr(node, name) for name in node.__struct_fields__)


def _declares(node: Reference, scope: Scope) -> bool:
    """Whether the reference names a variable or an output that is declared sensitive."""
    module = scope.module
    if node.steps[0] in scope.names or len(node.steps) < 2 or not isinstance(module, ModuleInstance):
        return False
    if node.steps[0] == "var":
        given = module.variable_source(str(node.steps[1]))
        if given is not None and not given[0].source.path:
            return True  # from the environment, where secrets are kept
        return _is_declared(module.declarations.variables.get(str(node.steps[1])))
    return any(_is_declared(block) for _, block in _outputs(module, node))


def _is_declared(block: Block | None) -> bool:
    if block is None:
        return False
    given = (block.body.attributes.get(name) for name in _DECLARED)
    # Anything but a plain false counts.
    return any(one is not None and getattr(one.expression, "value", None) is not False for one in given)


def _outputs(module: ModuleInstance, node: Reference) -> Iterator[tuple[ModuleInstance, Block]]:
    """The outputs of a called module that a reference mentions: all of them where it names none."""
    if node.steps[0] != "module" or str(node.steps[1]) not in module.declarations.calls:
        return
    for called in module.call(str(node.steps[1])).instances.values():
        outputs = called.declarations.outputs
        named = [str(step) for step in node.steps[2:] if str(step) in outputs]
        for name in named[:1] or outputs:
            yield called, outputs[name]


def _behind(node: Reference, scope: Scope) -> Iterator[tuple[Expression, Scope]]:
    """The expressions that a reference's value comes from."""
    module, steps = scope.module, node.steps
    if steps[0] in scope.names:
        binder = scope.binders.get(str(steps[0]))
        if binder is not None:
            yield binder.attribute.expression, binder.scope
        return
    if not isinstance(module, ModuleInstance) or len(steps) < 2:
        return
    name = str(steps[1])
    if steps[0] == "local":
        attribute = module.declarations.local_values.get(name)
        if attribute is not None:
            yield attribute.expression, module.scope(attribute.source)
    elif steps[0] == "var":
        given = module.variable_source(name)
        if given is not None and given[0].source.path:
            yield given[0].expression, given[1]
    elif steps[0] == "module":
        for called, block in _outputs(module, node):
            attribute = block.body.attributes.get("value")
            if attribute is not None:
                yield attribute.expression, called.scope(attribute.source)
    else:
        at = 3 if steps[0] in ("data", "ephemeral") else 2
        address = ".".join(str(step) for step in steps[:at])
        if address in module.declarations.resources:
            for instance in module.expansion(address).instances.values():
                attributes = instance.block.body.attributes
                for step in steps[at : at + 2]:
                    attribute = attributes.get(str(step))
                    if attribute is not None:
                        yield attribute.expression, instance.scope.within(attribute.source)
