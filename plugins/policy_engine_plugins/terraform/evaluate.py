"""Expressions to values, as Terraform evaluates them.

An unknown operand makes an unknown result, except where every value it could have gives the same; so replacing an
unknown by a value never changes what was known before. What Terraform would refuse raises `EvaluationError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.functions import SPECIAL, find, unknown_result
from policy_engine_plugins.terraform.functions.conversion import unify
from policy_engine_plugins.terraform.operators import binary, unary
from policy_engine_plugins.terraform.resource_value import ResourceValue
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    ForDirective,
    GetAttribute,
    IfDirective,
    Index,
    Interpolation,
    Invalid,
    ListExpression,
    Literal,
    ObjectExpression,
    Parentheses,
    Part,
    Reference,
    Splat,
    SplatItem,
    Step,
    Template,
    Text,
    Unary,
)
from policy_engine_plugins.terraform.values import (
    MAX_TEXT,
    EvaluationError,
    ListValue,
    NotKnown,
    SetValue,
    UnknownList,
    UnknownMap,
    Value,
    combine,
    equal,
    identity,
    to_bool,
    to_text,
    type_name,
    unknown_list,
    unknown_map,
)

_ITEM = "*"  # the name under which the element of a splat is bound; no identifier can be it


def evaluate(node: Expression, scope: Scope) -> Value:
    return _EVALUATORS[type(node)](node, scope)


def _literal(node: Literal, scope: Scope) -> Value:
    return node.value


def _reference(node: Reference, scope: Scope) -> Value:
    steps = node.steps
    names = scope.names
    if steps[0] in names:
        value = names[steps[0]]  # type: ignore[index]
        for step in steps[1:]:
            value = get(value, step)
        return value
    return scope.module.resolve(node, scope)


def get(value: Value, step: Step) -> Value:
    """`value.step` or `value[step]` with a literal step."""
    if isinstance(value, Unknown):
        if type(value) is ResourceValue:
            return value.instance.attribute(str(step))
        return _of_partial(value, step)
    if isinstance(value, dict):
        try:
            return value[step if isinstance(step, str) else str(step)]
        except KeyError:
            raise EvaluationError(f"there is no attribute '{step}'") from None
    if isinstance(value, list):
        index = step
        if isinstance(index, str):
            if not index.isdecimal():
                raise EvaluationError(f"a {type_name(value)} has no attribute '{step}'")
            index = int(index) if len(index) < 10 else len(value)
        if isinstance(value, SetValue):
            raise EvaluationError("the elements of a set have no index")
        if 0 <= index < len(value):
            return value[index]
        raise EvaluationError(f"index {index} is outside of the {len(value)} elements")
    raise EvaluationError(f"a value of type {type_name(value)} has no attribute '{step}'")


def opened(value: Value) -> Value:
    """The value itself; of a called module as a whole its outputs, which loops and functions look at."""
    if type(value) is ResourceValue:
        whole = value.instance.whole()
        return value if whole is None else whole
    return value


def _of_partial(value: Unknown, step: Step) -> Value:
    if isinstance(value, UnknownMap):
        return value.entries.get(str(step), value.rest)
    if isinstance(value, UnknownList) and isinstance(step, int):
        # Where an element stands is known up to the first one that is not.
        for item in value.items[: step + 1]:
            if isinstance(item, Unknown):
                return combine((value,))
        if 0 <= step < len(value.items):
            return value.items[step]
    return combine((value,))


def _get_attribute(node: GetAttribute, scope: Scope) -> Value:
    return get(evaluate(node.source, scope), node.name)


def _index(node: Index, scope: Scope) -> Value:
    source = evaluate(node.source, scope)
    key = evaluate(node.key, scope)
    return index(source, key)


def index(source: Value, key: Value) -> Value:
    if isinstance(source, (UnknownMap, UnknownList)) and isinstance(key, (str, int)) and not isinstance(key, bool):
        return get(source, key)
    if isinstance(key, Unknown) or (isinstance(source, Unknown) and type(source) is not ResourceValue):
        unknowns = [item for item in (source, key) if isinstance(item, Unknown)]
        if isinstance(source, (list, dict)):
            unknowns.extend(_elements_behind(source))
        return combine(unknowns)
    if isinstance(key, float) or key is None or isinstance(key, (bool, list, dict)):
        raise EvaluationError(f"a value of type {type_name(key)} is no index")
    return get(source, key)


def _elements_behind(source: Value) -> Iterator[Unknown]:
    """Unknowns among the elements, so that what is picked by an unknown key still tells what it may refer to."""
    if isinstance(source, UnknownMap):
        source = source.entries
    elif isinstance(source, UnknownList):
        source = source.items
    for item in source if isinstance(source, list) else source.values():
        if isinstance(item, Unknown):
            yield item


def _splat(node: Splat, scope: Scope) -> Value:
    source = evaluate(node.source, scope)
    if source is None:
        return []
    if isinstance(source, UnknownList):
        pieces = [_each(node, item, scope) for item in source.items]
        return unknown_list(pieces, [item for item in pieces if isinstance(item, Unknown)] or [source])
    if isinstance(source, Unknown) and type(source) is not ResourceValue:
        return combine((source,))
    items = source if isinstance(source, list) else [source]
    scope.module.budget.spend(len(items))
    names = dict(scope.names)
    inner = Scope(scope.module, scope.source, names)
    result = []
    for item in items:
        names[_ITEM] = item
        result.append(evaluate(node.each, inner))
    return ListValue(result) if isinstance(source, (ListValue, SetValue)) else result


def _each(node: Splat, item: Value, scope: Scope) -> Value:
    if type(item) is Unknown:
        return item.member()
    return evaluate(node.each, Scope(scope.module, scope.source, {**scope.names, _ITEM: item}))


def _splat_item(node: SplatItem, scope: Scope) -> Value:
    return scope.names[_ITEM]


def _call(node: Call, scope: Scope) -> Value:
    special = SPECIAL.get(node.name)
    if special is not None:
        return special(node, scope, evaluate)
    function = find(node.name)
    arguments = [opened(evaluate(argument, scope)) for argument in node.arguments]
    if node.expand:
        last = arguments.pop()
        if isinstance(last, Unknown):
            return combine([*(item for item in arguments if isinstance(item, Unknown)), last])
        if not isinstance(last, list):
            raise EvaluationError("only a list can be expanded into arguments")
        arguments.extend(last)
    try:
        return function(arguments, scope)
    except NotKnown as missing:
        return unknown_result(node.name, arguments, missing.unknown)
    except RecursionError:
        raise EvaluationError(f"the arguments of {node.name} are nested too deeply") from None


def _unary(node: Unary, scope: Scope) -> Value:
    return unary(node.operator, evaluate(node.operand, scope))


def _binary(node: Binary, scope: Scope) -> Value:
    # A chain of a thousand terms is a tree a thousand deep on its left side: walk that side in a loop.
    chain = [node]
    left: Expression = node.left
    while isinstance(left, Binary):
        chain.append(left)
        left = left.left
    value = evaluate(left, scope)
    while chain:
        link = chain.pop()
        value = _binary_step(link, value, scope)
    return value


def _binary_step(node: Binary, left: Value, scope: Scope) -> Value:
    right: Value
    if node.operator in ("&&", "||") and not isinstance(left, Unknown) and left is not None:
        # Decided by its left side alone; a mistake on the right does not matter then.
        decides = node.operator == "||"
        if to_bool(left) is decides:
            return decides
    if node.operator in ("&&", "||") and isinstance(left, Unknown):
        try:
            return binary(node.operator, left, evaluate(node.right, scope))
        except EvaluationError:
            return combine((left,))  # it may decide without its right side
    right = evaluate(node.right, scope)
    return binary(node.operator, left, right)


def _conditional(node: Conditional, scope: Scope) -> Value:
    condition = evaluate(node.condition, scope)
    if isinstance(condition, Unknown):
        return _undecided(node, condition, scope)
    if condition is None:
        raise EvaluationError("the condition is null")
    chosen, other = (node.then, node.otherwise) if to_bool(condition) else (node.otherwise, node.then)
    value = evaluate(chosen, scope)
    if value is None or isinstance(value, (str, Unknown)):
        return value
    # Both sides are brought to one type: a number beside a string becomes a string.
    alternative = _attempt(other, scope)
    if alternative is None or isinstance(alternative, Unknown) or type(alternative) is type(value) in (bool, int):
        return value
    return unify([value, alternative])[0]


def _undecided(node: Conditional, condition: Unknown, scope: Scope) -> Value:
    """Both sides may be the same all the same."""
    then, otherwise = _attempt(node.then, scope), _attempt(node.otherwise, scope)
    if not isinstance(then, Unknown) and not isinstance(otherwise, Unknown):
        try:
            if type(then) is type(otherwise) and equal(then, otherwise) is True and identity(then) is not None:
                return then
        except NotKnown:
            pass
    branches = [condition]
    for branch in (then, otherwise):
        if isinstance(branch, Unknown):
            branches.append(branch)
        elif isinstance(branch, (list, dict)):
            branches.extend(_elements_behind(branch))
    return combine(branches)


def _attempt(node: Expression, scope: Scope) -> Value:
    """The value of a side that may never be taken: a mistake in it does not matter."""
    try:
        return evaluate(node, scope)
    except EvaluationError as error:
        return Unknown(str(error))


def _parentheses(node: Parentheses, scope: Scope) -> Value:
    return evaluate(node.inner, scope)


def _list(node: ListExpression, scope: Scope) -> Value:
    return [evaluate(item, scope) for item in node.items]


def _object(node: ObjectExpression, scope: Scope) -> Value:
    result: dict[str, Value] = {}
    unknown_keys: list[Unknown] = []
    for item in node.items:
        key_node = item.key
        key = key_node.value if type(key_node) is Literal else evaluate(key_node, scope)
        value = evaluate(item.value, scope)
        if isinstance(key, Unknown):
            # It may be the key of an earlier value, which it then takes the place of.
            unknown_keys.append(key)
            result = dict.fromkeys(result, combine((key,)))
        elif key is None:
            raise EvaluationError("the key of an object is null")
        else:
            result[to_text(key)] = value
    return unknown_map(result, unknown_keys) if unknown_keys else result


def _partly(collection: UnknownList) -> Iterator[tuple[Value, Value]]:
    """Behind an element that stands for any number of them, no index is known."""
    index: Value = 0
    for item in collection.items:
        if isinstance(item, Unknown):
            index = combine((item,))
        yield index, item
        if isinstance(index, int):
            index += 1


def iterate(collection: Value) -> Iterator[tuple[Value, Value]]:
    """Key and value of each element, in Terraform's order."""
    if isinstance(collection, SetValue):
        return ((item, item) for item in collection)
    if isinstance(collection, UnknownList):
        return _partly(collection)
    if isinstance(collection, UnknownMap):
        rest = collection.rest
        return iter([*((key, collection.entries[key]) for key in sorted(collection.entries)), (rest, rest)])
    if isinstance(collection, list):
        return enumerate(collection)
    if isinstance(collection, dict):
        return ((key, collection[key]) for key in sorted(collection))
    raise EvaluationError(f"a value of type {type_name(collection)} cannot be looped over")


def _for(node: For, scope: Scope) -> Value:
    collection = opened(evaluate(node.collection, scope))
    partial = isinstance(collection, (UnknownList, UnknownMap))
    if isinstance(collection, Unknown) and not partial:
        return combine((collection,))
    pairs = iterate(collection)
    budget = scope.module.budget
    names = dict(scope.names)
    inner = Scope(scope.module, scope.source, names)
    items: list[Value] = []
    grouped: dict[str, Value] = {}
    unknowns: list[Unknown] = [collection] if partial else []
    for key, value in pairs:
        budget.spend(1)
        if node.key_name is not None:
            names[node.key_name] = key
        names[node.value_name] = value
        # One element that may stand for several, or for none.
        doubt: Unknown | None = value if partial and isinstance(value, Unknown) else None
        if node.condition is not None:
            wanted = evaluate(node.condition, inner)
            if isinstance(wanted, Unknown):
                unknowns.append(wanted)
                doubt = wanted
            elif wanted is None:
                raise EvaluationError("the condition of the loop is null")
            elif not to_bool(wanted):
                continue
        result_key = None if node.key_result is None else evaluate(node.key_result, inner)
        result = evaluate(node.result, inner)
        if node.key_result is None:
            if doubt is None:
                items.append(result)
            else:
                items.append(combine([doubt, *([result] if isinstance(result, Unknown) else [])]))
        elif isinstance(result_key, Unknown):
            unknowns.append(result_key)
        elif doubt is not None:
            unknowns.append(doubt)
        elif result_key is None:
            raise EvaluationError("the key of the loop is null")
        elif node.group:
            grouped.setdefault(to_text(result_key), []).append(result)
        else:
            text = to_text(result_key)
            if text in grouped:
                raise EvaluationError("the loop gives a key twice; group with '...'")
            grouped[text] = result
    if unknowns:
        if node.key_result is None:
            return unknown_list(items, unknowns)
        # A group may have further members.
        return combine(unknowns) if node.group else unknown_map(grouped, unknowns)
    return items if node.key_result is None else grouped


# -- templates


def _template(node: Template, scope: Scope) -> Value:
    parts = node.parts
    if len(parts) == 1 and type(parts[0]) is Interpolation and not node.heredoc:
        return evaluate(parts[0].expression, scope)  # alone, it keeps its type
    return render(parts, scope)


def render(parts: tuple[Part, ...], scope: Scope) -> Value:
    """The text of a template; when some of it is unknown, the pieces that are not."""
    writer = _Writer(scope)
    writer.parts(parts, scope)
    return writer.result()


class _Writer:
    __slots__ = ("pieces", "size", "unknowns")

    def __init__(self, scope: Scope) -> None:
        self.pieces: list[str | None] = []
        self.unknowns: list[Unknown] = []
        self.size = 0

    def text(self, text: str) -> None:
        self.size += len(text)
        if self.size > MAX_TEXT:
            raise EvaluationError(f"the text grows beyond {MAX_TEXT} characters")
        self.pieces.append(text)

    def unknown(self, unknown: Unknown) -> None:
        self.unknowns.append(unknown)
        for piece in unknown.fragments or (None,):
            if piece is None:
                self.pieces.append(None)
            else:
                self.text(piece)

    def parts(self, parts: tuple[Part, ...], scope: Scope) -> None:
        for part in parts:
            if type(part) is Text:
                self.text(part.value)
            elif type(part) is Interpolation:
                value = evaluate(part.expression, scope)
                if isinstance(value, Unknown):
                    self.unknown(value)
                elif value is None or isinstance(value, (list, dict)):
                    raise EvaluationError(f"a value of type {type_name(value)} cannot stand in a template")
                else:
                    self.text(to_text(value))
            elif type(part) is IfDirective:
                condition = evaluate(part.condition, scope)
                if isinstance(condition, Unknown):
                    self.unknown(combine((condition,)))
                elif condition is None:
                    raise EvaluationError("the condition is null")
                else:
                    self.parts(part.then if to_bool(condition) else part.otherwise, scope)
            elif type(part) is ForDirective:
                self.loop(part, scope)

    def loop(self, part: ForDirective, scope: Scope) -> None:
        collection = evaluate(part.collection, scope)
        if isinstance(collection, Unknown):  # partly known ones, too: the text in between is not
            self.unknown(combine((collection,)))
            return
        names = dict(scope.names)
        inner = Scope(scope.module, scope.source, names)
        for key, value in iterate(collection):
            scope.module.budget.spend(1)
            if part.key_name is not None:
                names[part.key_name] = key
            names[part.value_name] = value
            self.parts(part.parts, inner)

    def result(self) -> Value:
        if not self.unknowns:
            return "".join(self.pieces)  # type: ignore[arg-type]
        fragments: list[str | None] = []
        run: list[str] = []
        for piece in self.pieces:
            if piece is not None:
                run.append(piece)
                continue
            if any(run):
                fragments.append("".join(run))
            run.clear()
            if not fragments or fragments[-1] is not None:
                fragments.append(None)
        if any(run):
            fragments.append("".join(run))
        unknown = combine(self.unknowns)
        if fragments == [None]:
            return unknown
        return Unknown(unknown.reason, unknown.origin, unknown.refers_to, tuple(fragments))


def _invalid(node: Invalid, scope: Scope) -> Value:
    return Unknown(f"not understood: {node.message}", scope.source.location(node.start, node.end))


_EVALUATORS: dict[type, Callable[[Any, Scope], Value]] = {
    Literal: _literal,
    Reference: _reference,
    GetAttribute: _get_attribute,
    Index: _index,
    Splat: _splat,
    SplatItem: _splat_item,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Parentheses: _parentheses,
    ListExpression: _list,
    ObjectExpression: _object,
    For: _for,
    Template: _template,
    Invalid: _invalid,
}
