"""What is odd about an expression, whatever its contexts hold: parts that cannot do what they seem to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.github.evaluate import evaluate, truthy
from policy_engine_plugins.github.expression import (
    Binary,
    Call,
    Every,
    Index,
    Literal,
    Name,
    Node,
    Not,
    Property,
    contexts,
)

CONSTANT = "constant"
"""A part of it has the same value in every run, and is not simply written down."""
FALSY_MIDDLE = "falsy-middle"
"""`a && '' || c` is always `c`."""
LISTED_IN_TEXT = "listed-in-text"
"""`contains('main develop', github.ref_name)` holds for every part of the text too: `main dev`."""
CHOSEN_NAME = "chosen-secret"
"""`secrets[name]`: which one is decided at run time, so all of them are handed to the runner."""
SURROUNDED = "surrounded"
"""A condition with text around its `${{ }}` is a text that is never empty, and so always true."""

_TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith", "format", "join", "tojson"})
_MIDDLE_MAY_BE_FALSY = Unknown("whether the middle of 'a && b || c' is true is decided at run time")
_MAY_BE_LIST = Unknown("whether the first argument of contains() is a list is decided at run time")
_CHOSEN = Unknown("which member is taken is decided at run time")


def traits(node: Node) -> dict[str, Any]:
    """The traits above that an expression has: true, or an Unknown where that depends on the run."""
    found: dict[str, Any] = {}
    for part in walk(node):
        for trait, known in _traits(part):
            if found.get(trait) is not True:
                found[trait] = known
    return found


def parsed_contexts(node: Node) -> list[str]:
    """Contexts whose text `fromJSON` takes apart."""
    found: dict[str, None] = {}
    for part in walk(node):
        if isinstance(part, Call) and part.name == "fromjson":
            found.update(dict.fromkeys(context for argument in part.arguments for context in contexts(argument)))
    return list(found)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, outermost first."""
    pending = [node]
    while pending:
        part = pending.pop()
        yield part
        if isinstance(part, (Property, Every)):
            pending.append(part.object)
        elif isinstance(part, Index):
            pending.extend((part.index, part.object))
        elif isinstance(part, Call):
            pending.extend(reversed(part.arguments))
        elif isinstance(part, Not):
            pending.append(part.operand)
        elif isinstance(part, Binary):
            pending.extend((part.right, part.left))


def _traits(node: Node) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Binary):
        if node.operator == "||" and isinstance(node.left, Binary) and node.left.operator == "&&":
            yield from _middle(node.left.right)
        if node.operator in ("&&", "||") and isinstance(node.left, Literal):
            yield CONSTANT, True
        elif _is_constant(node):
            yield CONSTANT, True
    elif isinstance(node, Not):
        if _is_constant(node):
            yield CONSTANT, True
    elif isinstance(node, Call):
        if node.name in _TEXT_FUNCTIONS and _is_constant(node):
            yield CONSTANT, True
        elif node.name == "contains" and len(node.arguments) == 2:
            yield from _contains(*node.arguments)
    elif isinstance(node, Index):
        yield from _chosen(node)


def _middle(node: Node) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Literal):
        if not truthy(node.value):
            yield FALSY_MIDDLE, True
    elif isinstance(node, Call) and node.name == "fromjson":
        value = evaluate(node, {})
        if isinstance(value, Unknown):
            yield FALSY_MIDDLE, _MIDDLE_MAY_BE_FALSY
        elif not truthy(value):
            yield FALSY_MIDDLE, True


def _contains(where: Node, what: Node) -> Iterator[tuple[str, Any]]:
    if isinstance(what, Literal):
        return
    if isinstance(where, Literal):
        yield LISTED_IN_TEXT, True
    elif isinstance(where, Property) and isinstance(where.object, Name) and where.object.name == "matrix":
        yield LISTED_IN_TEXT, _MAY_BE_LIST


def _chosen(node: Index) -> Iterator[tuple[str, Any]]:
    if isinstance(node.object, Name) and node.object.name == "secrets":
        yield CHOSEN_NAME, True
    if _is_constant(node.index) and not isinstance(node.index, Literal):
        yield CONSTANT, True
    elif isinstance(node.object, Name) and node.object.name == "github":
        yield CONSTANT, _CHOSEN


def _is_constant(node: Node) -> bool:
    """Nothing in it depends on the run. `fromJSON('[..]')` alone is how a list is written, and does not count."""
    if isinstance(node, (Literal, Name, Property, Every)):
        return isinstance(node, Literal)
    for part in walk(node):
        if isinstance(part, (Name, Property, Every, Index)):
            return False
        if isinstance(part, Call) and part.name not in _TEXT_FUNCTIONS and part.name != "fromjson":
            return False
    return True
