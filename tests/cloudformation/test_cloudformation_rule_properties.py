"""Every property that a CloudFormation target speaks of is one that the provider's schema of its type knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from policy_engine.path import parse_path
from policy_engine.rulepack import read_rules

RULES = Path(__file__).parents[2] / "rules"
_REGION = "us-east-1"
_VALUES = ("equals", "not_equals", "in", "not_in")

Nodes = list[Mapping[str, Any]] | None
"""The schemas that may describe a value; None where nothing is said of what is in it."""


class Schema:
    def __init__(self, type_: str) -> None:
        self.type = type_
        self.root: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type_).schema

    def resolved(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The node and what it refers to or is composed of."""
        yield node
        if "$ref" in node:
            found: Any = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            yield from self.resolved(found)
        for word in ("allOf", "anyOf", "oneOf"):
            for part in node.get(word, ()):
                yield from self.resolved(part)

    def step(self, nodes: Nodes, step: object) -> Nodes:
        """What stands at one step below; an empty list where there is no such property."""
        if nodes is None:
            return None
        every = [found for node in nodes for found in self.resolved(node)]
        items = [node["items"] for node in every if "items" in node]
        if not isinstance(step, str):
            return items or self._members(every) or None
        if items:
            return self.step(items, step)
        if not any("properties" in node for node in every):
            return self._members(every) or None
        return [node["properties"][step] for node in every if step in node.get("properties", {})]

    def _members(self, every: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [inner for node in every for inner in node.get("patternProperties", {}).values()]

    def at(self, nodes: Nodes, path: str) -> Nodes:
        for step in parse_path(path):
            if isinstance(step, str) and step.startswith("cfn:"):
                return None
            nodes = self.step(nodes, step)
            if nodes == []:
                raise LookupError(f"{self.type} has nothing at {path}: no '{step}'")
        return nodes

    def allowed(self, nodes: Nodes) -> set[str] | None:
        """The closed list of values at a place, where the schema has one."""
        every = [found for node in nodes or () for found in self.resolved(node)]
        listed = [node["enum"] for node in every if "enum" in node]
        return {str(value).lower() for values in listed for value in values} if listed else None


class Target(NamedTuple):
    rule: str
    types: list[str]
    when: Any
    require: Any


def _targets() -> Iterator[Target]:
    documents, mistakes = read_rules(str(RULES), shown_as="rules")
    assert not mistakes
    for document in documents:
        for target in document["targets"]:
            if target["format"] == "cloudformation":
                types = [target["resource"]] if isinstance(target["resource"], str) else target["resource"]
                if "::" in types[0]:
                    yield Target(document["id"], types, target.get("when", []), target["require"])


def _faults(schema: Schema, nodes: Nodes, condition: Any) -> Iterator[str]:
    """What a condition says of a place that the schema contradicts."""
    if isinstance(condition, list):
        for part in condition:
            yield from _faults(schema, nodes, part)
        return
    try:
        if "blame" in condition:
            schema.at(nodes, condition["blame"])
        for head in ("all", "any"):
            yield from _faults(schema, nodes, condition.get(head, []))
        if "not" in condition:
            yield from _faults(schema, nodes, condition["not"])
        if "path" in condition:
            yield from _unlisted(schema, schema.at(nodes, condition["path"]), condition)
        for head in ("every", "some", "none"):
            if head in condition:
                inner = schema.at(nodes, condition[head])
                if not condition[head].endswith(("]", "*")):
                    inner = schema.step(inner, 0)
                yield from _unlisted(schema, inner, condition)
                for word in ("where", "satisfies"):
                    yield from _faults(schema, inner, condition.get(word, []))
        for head in ("some_related", "every_related", "no_related"):
            if head in condition:
                theirs, on = Schema(condition[head]), condition["on"]
                if "theirs" in on:
                    theirs.at([theirs.root], on["theirs"])
                if "ours" in on:
                    schema.at(nodes, on["ours"])
                yield from _faults(theirs, [theirs.root], condition.get("satisfies", []))
        for path in (condition.get("with") or {}).values():
            if isinstance(path, str):
                schema.at(nodes, path)
    except LookupError as error:
        yield str(error)


def _unlisted(schema: Schema, nodes: Nodes, condition: Mapping[str, Any]) -> Iterator[str]:
    allowed = schema.allowed(nodes)
    if allowed is None:
        return
    for word in _VALUES:
        given = condition.get(word, [])
        for value in given if isinstance(given, list) else [given]:
            if str(value).lower() not in allowed:
                yield f"{schema.type} does not take {value!r} (in {dict(condition)})"


TARGETS = list(_targets())


def test_there_are_targets_to_look_at() -> None:
    assert len(TARGETS) > 80


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.rule}-{target.types[0]}")
def test_rules_speak_of_properties_and_values_that_the_type_has(target: Target) -> None:
    """What is required is there in each of the types; what limits the target in one of them at least."""
    faults: list[str] = []
    doubts: list[set[str]] = []
    for type_ in target.types:
        schema = Schema(type_)
        faults += _faults(schema, [schema.root], target.require)
        doubts.append(set(_unprefixed(_faults(schema, [schema.root], target.when), type_)))
    faults += set.intersection(*doubts)
    assert not faults, "\n".join(faults)


def _unprefixed(faults: Iterator[str], type_: str) -> Iterator[str]:
    for fault in faults:
        yield fault.removeprefix(type_)
