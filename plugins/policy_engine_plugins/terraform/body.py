"""Bodies to values: attributes by name, nested blocks as lists of mappings, `dynamic` blocks expanded."""

from __future__ import annotations

from msgspec import Struct, field

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.evaluate import evaluate, iterate
from policy_engine_plugins.terraform.scope import Binder, Scope
from policy_engine_plugins.terraform.syntax import (
    Attribute,
    Block,
    Body,
    Call,
    Expression,
    ListExpression,
    Literal,
    ObjectExpression,
    Reference,
    Template,
)
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    NotKnown,
    UnknownList,
    UnknownMap,
    Value,
    all_unknown_in,
    plain,
)

LABELS = "__labels__"
MAX_BLOCKS = 1000
_STEPS = 10  # what the content of a dynamic block costs at least; twice what a block that is written out does

# Attributes whose expressions name things instead of having a value, by block type.
_REPEATED = ("resource", "data", "ephemeral")
_NAMING = {
    "resource": {"provider", "depends_on"},
    "data": {"provider", "depends_on"},
    "ephemeral": {"provider", "depends_on"},
    "module": {"providers", "depends_on"},
    "output": {"depends_on"},
    "lifecycle": {"ignore_changes", "replace_triggered_by"},
    "variable": {"type"},
}


class ExpandedBody(Struct, eq=False):
    """A body with the scope its expressions see, and its nested blocks after expansion.

    block  the block it belongs to: for a dynamic block the `dynamic` one, which is what a reader would point at
    """

    block: Block
    body: Body
    scope: Scope
    labels: tuple[str, ...] = ()
    blocks: dict[str, list[ExpandedBody]] = field(default_factory=dict)

    def value(self) -> dict[str, Value]:
        value: dict[str, Value] = {}
        if self.labels:
            value[LABELS] = list(self.labels)
        kind = self.block.type
        for name, attribute in self.body.attributes.items():
            if kind in _REPEATED and name in ("count", "for_each"):
                continue  # expanded already
            value[name] = attribute_value(attribute, self.scope, kind)
        for name, bodies in self.blocks.items():
            if name not in value:
                value[name] = [body.value() for body in bodies]
        return value


def expand(block: Block, scope: Scope) -> ExpandedBody:
    return ExpandedBody(block, block.body, scope, (), expand_blocks(block.body, scope) if block.body.blocks else {})


def expand_blocks(body: Body, scope: Scope) -> dict[str, list[ExpandedBody]]:
    expanded: dict[str, list[ExpandedBody]] = {}
    for block in body.blocks:
        inner = scope.within(block.source)
        if block.type == "dynamic" and len(block.labels) == 1:
            made = expanded.setdefault(block.labels[0].value, [])
            made.extend(_dynamic(block, inner))
        else:
            scope.module.budget.spend(_STEPS // 2)
            labels = tuple(label.value for label in block.labels)
            nested = expand_blocks(block.body, inner) if block.body.blocks else {}
            expanded.setdefault(block.type, []).append(ExpandedBody(block, block.body, inner, labels, nested))
    return expanded


def _dynamic(block: Block, scope: Scope) -> list[ExpandedBody]:
    """One body for each element; one for all where the elements are not known."""
    content = next((inner for inner in block.body.blocks if inner.type == "content"), None)
    body = Body({}, [], False) if content is None else content.body
    name = block.labels[0].value
    iterator = block.body.attributes.get("iterator")
    if iterator is not None:
        name = _words(iterator.expression) or name
    for_each = block.body.attributes.get("for_each")
    made = []
    pairs: list[tuple[Value, Value]]
    if for_each is None:
        missing = Unknown("the dynamic block has no for_each", block.source.location(block.start, block.header_end))
        pairs = [(missing, missing)]
    else:
        elements = _safely(for_each, scope)
        if isinstance(elements, Unknown) and not isinstance(elements, (UnknownList, UnknownMap)):
            pairs = [(elements, elements)]
        else:
            try:
                pairs = list(iterate(elements))
            except EvaluationError as error:
                wrong = Unknown(str(error), for_each.source.location(for_each.start, for_each.end))
                pairs = [(wrong, wrong)]
    if len(pairs) > MAX_BLOCKS:
        # One more block stands for all the others.
        rest = Unknown(f"there are more than {MAX_BLOCKS} blocks", block.source.location(block.start, block.header_end))
        pairs = [*pairs[:MAX_BLOCKS], (rest, rest)]
    for key, value in pairs:
        scope.module.budget.spend(_STEPS)
        binders = {}
        if for_each is not None and isinstance(key, (str, int)):
            binders[name] = Binder(for_each, scope, key)
        inner = scope.bind({name: {"key": key, "value": value}}, binders)
        made.append(ExpandedBody(block, body, inner, _labels(block, inner), expand_blocks(body, inner)))
    return made


def _labels(block: Block, scope: Scope) -> tuple[str, ...]:
    attribute = block.body.attributes.get("labels")
    if attribute is None:
        return ()
    value = _safely(attribute, scope)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return ("(unknown)",)


def attribute_value(attribute: Attribute, scope: Scope, kind: str) -> Value:
    """The attribute as rules see it. What Terraform would refuse is unknown, with its complaint as the reason."""
    node = attribute.expression
    if type(node) is Literal:
        return node.value
    if attribute.name in _NAMING.get(kind, ()):
        return _named(node, attribute)
    if kind == "required_providers" and isinstance(node, ObjectExpression):
        # configuration_aliases names provider configurations.
        return {
            str(item.key.value): _named(item.value, attribute)
            if item.key.value == "configuration_aliases"
            else attribute_value(Attribute("", 0, 0, item.value, attribute.source), scope, "")
            for item in node.items
            if isinstance(item.key, Literal)
        }
    return export(_safely(attribute, scope), attribute, scope)


def _safely(attribute: Attribute, scope: Scope) -> Value:
    inner = scope.within(attribute.source)
    try:
        return evaluate(attribute.expression, inner)
    except EvaluationError as error:
        return Unknown(str(error), attribute.source.location(attribute.start, attribute.end))
    except NotKnown as missing:
        return missing.unknown
    except RecursionError:
        return Unknown("evaluating it goes too deep", attribute.source.location(attribute.start, attribute.end))


def export(value: Value, attribute: Attribute, scope: Scope) -> Value:
    """Plain values for the rules: bounded in size, as values may share parts and so be larger than they look."""
    if isinstance(value, (list, dict)):
        try:
            all_unknown_in(value, scope.module.budget.spend)
        except EvaluationError as error:
            return Unknown(str(error), attribute.source.location(attribute.start, attribute.end))
        return plain(value)
    if isinstance(value, Unknown):
        if value.fragments:
            from policy_engine_plugins.terraform.document import partial_document

            return partial_document(value)
        return plain(value)
    return value


def _named(node: Expression, attribute: Attribute) -> Value:
    """What an expression names, as it is written: `aws.west`, `list(string)`."""
    if isinstance(node, ListExpression):
        return [_named(item, attribute) for item in node.items]
    if isinstance(node, ObjectExpression):
        return {
            attribute.source.text[item.key.start : item.key.end].strip('"'): _named(item.value, attribute)
            for item in node.items
        }
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, (Reference, Call)) or not isinstance(node, Template):
        return attribute.source.text[node.start : node.end]
    return Unknown("a name that is put together", attribute.source.location(node.start, node.end))


def _words(node: Expression) -> str | None:
    if isinstance(node, Reference) and len(node.steps) == 1:
        return str(node.steps[0])
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    return None
