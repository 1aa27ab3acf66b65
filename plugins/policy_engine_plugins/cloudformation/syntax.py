"""Which nodes of a template are calls of intrinsic functions, in the long and in the short form."""

from __future__ import annotations

from typing import Any, NamedTuple

from policy_engine.resource import AttributePath
from policy_engine.yaml_document import TaggedScalar, YamlMapping, YamlSequence

FOR_EACH = "Fn::ForEach::"
TRANSFORM = "Fn::Transform"


class Call(NamedTuple):
    """A call: `name` as the long form writes it (`Ref`, `Fn::Sub`), or the tag where there is no such function.
    `steps` lead from the node to the argument."""

    name: str
    argument: Any
    steps: AttributePath


def call_of(node: Any) -> Call | None:
    """The call that a node is, None where it is a plain value."""
    kind = type(node)
    if kind is TaggedScalar:
        return Call(_long(node.tag), str(node), ())
    if kind is YamlMapping or kind is YamlSequence:
        if node.tag is not None:
            # Without its tag: the argument is a plain value.
            return Call(_long(node.tag), dict(node) if kind is YamlMapping else list(node), ())
        if kind is YamlSequence:
            return None
    elif not isinstance(node, dict):
        return None
    if len(node) != 1:
        return None
    (key,) = node
    if key == "Ref" or (key.startswith("Fn::") and not key.startswith(FOR_EACH)):
        return Call(key, node[key], (key,))
    return None


def _long(tag: str) -> str:
    name = tag[1:]
    if not name.isalnum():
        return tag
    return name if name in ("Ref", "Condition") else f"Fn::{name}"
