"""Reads workflow files and action metadata into resources."""

from __future__ import annotations

from typing import Any

from policy_engine.resource import Resource
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, Unit
from policy_engine.yaml_document import YamlDocument, YamlMapping, parse_yaml
from policy_engine_plugins.github.action import ActionReader
from policy_engine_plugins.github.called import Callees
from policy_engine_plugins.github.source import Source
from policy_engine_plugins.github.workflow import WorkflowReader


def load(unit: Unit, tree: Tree) -> Loaded:
    """The resources of the unit's own file; the others of its files are those that it calls."""
    return read_file(tree, unit.name, Callees(tree, unit.name))


def read_file(tree: Tree, path: str, callees: Callees) -> Loaded:
    data = tree.read(path)
    parsed = parse_yaml(data, path)
    problems = list(parsed.problems)
    resources: list[Resource] = []
    source = Source(data)
    if not parsed.documents and not problems and _is_workflow(path):
        problems.append(Problem(path, "the workflow file is empty"))
    for document in parsed.documents:
        found, wrong = _read(document, source, callees)
        resources.extend(found)
        problems.extend(wrong)
    return Loaded(resources, problems)


def _is_workflow(path: str) -> bool:
    return "/.github/workflows/" in f"/{path}"


def _read(document: YamlDocument, source: Source, callees: Callees) -> tuple[list[Resource], list[Problem]]:
    value: Any = document.value
    workflow = _is_workflow(document.path)
    if type(value) is not YamlMapping:
        kind = "workflow" if workflow else "action"
        return [], [Problem(document.path, f"a {kind} file holds a mapping", document.at(()))]
    if workflow:
        reader = WorkflowReader(document, source, callees)
        return reader.read(), reader.problems
    if type(value.get("runs")) is not YamlMapping:
        return [], []  # Another file that happens to be named action.yml.
    action = ActionReader(document, source, callees)
    return action.read(), action.problems
