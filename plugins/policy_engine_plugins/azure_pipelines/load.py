"""Makes resources of a pipeline file and the templates that it uses."""

from __future__ import annotations

from policy_engine.resource import Resource
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, Unit
from policy_engine_plugins.azure_pipelines import is_pipeline_name
from policy_engine_plugins.azure_pipelines.expanding import Piece, TooMuch
from policy_engine_plugins.azure_pipelines.pipeline import PipelineReader
from policy_engine_plugins.azure_pipelines.templates import Templates


def load(unit: Unit, tree: Tree) -> Loaded:
    templates = Templates(tree)
    resources: list[Resource] = []
    opened = templates.open(unit.name)
    problems: list[Problem] = []
    if opened is not None:
        value, origin = opened
        has_triggers = any(key in value for key in ("trigger", "pr", "schedules", "extends")) or (
            is_pipeline_name(unit.name) and "parameters" not in value
        )
        reader = PipelineReader(templates, unit.name, has_triggers=has_triggers)
        resources = reader.resources
        try:
            reader.read(Piece(value, origin, templates.scope(value, origin, {}, None)))
        except TooMuch:
            message = "the pipeline comes to too much once everything in it is worked out; the rest is not evaluated"
            problems.append(Problem(unit.name, message))
    problems = [*templates.problems, *templates.expander.problems, *problems]
    return Loaded(resources, list(dict.fromkeys(problems)))
