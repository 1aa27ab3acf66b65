"""A folder of files to resources: reads the module, evaluates it and hands out what rules judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Span, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine_plugins.terraform.body import ExpandedBody, expand
from policy_engine_plugins.terraform.instance import ModuleInstance
from policy_engine_plugins.terraform.locate import locate
from policy_engine_plugins.terraform.module import read_module
from policy_engine_plugins.terraform.scope import Budget, Scope
from policy_engine_plugins.terraform.syntax import Block
from policy_engine_plugins.terraform.values import EvaluationError

FORMAT = "terraform"


def load(unit: Unit, tree: Tree) -> Loaded:
    folder = "" if unit.name == "." else unit.name
    declarations = read_module(folder, unit.paths, tree)
    problems = list(declarations.problems)
    budget = Budget()
    module = ModuleInstance(declarations, tree, budget, problems)
    resources = list(_resources(module))
    if budget.steps < 0:
        message = "evaluating this module takes more steps than a scan allows; values are unknown from there on"
        problems.append(Problem(unit.paths[0], message, kind=ProblemKind.TIMED_OUT))
    problems.sort(key=lambda problem: (problem.path, problem.span or Span(0, 0, 0, 0), problem.message))
    return Loaded(resources, problems)


def _resources(module: ModuleInstance) -> Iterator[Resource]:
    declared = module.declarations
    prefix = module.prefix
    for name, block in declared.resources.items():
        if not block.body.complete:
            continue  # told already; what is absent from it may be there
        type_ = name.rpartition(".")[0]
        short = block.labels[1].value
        for instance in module.expansion(name).instances.values():
            yield from _resource(type_, instance.address, short, block, instance.scope)
    for type_, blocks in (
        ("provider", declared.providers),
        ("module", declared.calls),
        ("variable", declared.variables),
        ("output", declared.outputs),
    ):
        for name, block in blocks.items():
            kind = f"provider.{block.labels[0].value}" if type_ == "provider" else type_
            address = f"{prefix}{_ADDRESS.get(type_, type_)}.{name}"
            yield from _plain(kind, address, name, block, module)
    for number, block in enumerate(declared.settings):
        address = f"{prefix}terraform" if number == 0 else f"{prefix}terraform#{number + 1}"
        yield from _plain("terraform", address, "terraform", block, module)


_ADDRESS = {"variable": "var"}


def _plain(type_: str, address: str, name: str, block: Block, module: ModuleInstance) -> Iterator[Resource]:
    if block.body.complete:
        yield from _resource(type_, address, name, block, module.scope(block.source))


def _resource(type_: str, address: str, name: str, block: Block, scope: Scope) -> Iterable[Resource]:
    try:
        body = expand(block, scope)
    except EvaluationError:
        # Only the budget refuses here, and that is told for the module as a whole.
        return
    value: Mapping[str, object] = body.value()
    yield Resource(
        FORMAT,
        type_,
        address,
        name,
        value,
        block.source.location(block.start, block.header_end),
        _locator(body, address),
        block.source.location(block.start, block.end),
    )


def _locator(body: ExpandedBody, address: str) -> Callable[[AttributePath], Trace]:
    return partial(locate, body, address)
