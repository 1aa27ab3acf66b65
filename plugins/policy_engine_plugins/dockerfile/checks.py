"""Checks of a Dockerfile's instructions that have to look at the ones around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.check import Context, Violation
from policy_engine.resource import Resource

_HOLE = re.compile(r"[:@/]$|:[-.]|//")


def only_once(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation]:
    """Of CMD, ENTRYPOINT and HEALTHCHECK only the last one in a stage counts."""
    resource = context.resource
    if value["onbuild"]:
        return
    for other in context.graph.of_type([resource.type]):
        if other is resource:
            return
        if other.value["stage"]["index"] == value["stage"]["index"] and not other.value["onbuild"]:
            yield Violation(("command",), f"line {_line(other)}")
            return


def name_is_new(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation]:
    name = value.get("name")
    if not isinstance(name, str):
        return
    for other in context.graph.of_type(["from"]):
        if other is context.resource:
            return
        theirs = other.value.get("name")
        if isinstance(theirs, str) and theirs.lower() == name.lower():
            yield Violation(("name",), f"line {_line(other)}")
            return


def stage_is_built(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation]:
    """A name that belongs to this stage or to a later one is taken for that of an image, or the build stops."""
    named = value.get("from")
    if "image" not in value or value["onbuild"] or not isinstance(named, str):
        return
    for other in context.graph.of_type(["from"]):
        theirs = other.value.get("name")
        if isinstance(theirs, str) and theirs.lower() == named.lower():
            yield Violation(("image",), f"line {_line(other)}")
            return


def image_is_complete(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation]:
    """`node:${VERSION}-alpine` comes out as `node:-alpine` where nothing sets the variable."""
    reference = value["image"]["reference"]
    if isinstance(reference, str) and _HOLE.search(reference) is not None:
        yield Violation(("image",))


def _line(resource: Resource) -> int:
    return resource.location.span.start_line
