"""A root module to resources: reads it with what it calls, evaluates all of it and hands out what rules judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Span, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine_plugins.terraform.body import ExpandedBody, expand
from policy_engine_plugins.terraform.files import Files
from policy_engine_plugins.terraform.instance import ModuleInstance, location_of
from policy_engine_plugins.terraform.locate import locate
from policy_engine_plugins.terraform.manifest import is_installed
from policy_engine_plugins.terraform.module import configuration_of, read_module
from policy_engine_plugins.terraform.repetition import index_text, repetition, turns
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Block
from policy_engine_plugins.terraform.values import EvaluationError
from policy_engine_plugins.terraform.workspace import Workspace

FORMAT = "terraform"


def load(
    unit: Unit,
    tree: Tree,
    files: Files,
    var_files: Sequence[tuple[str, bytes]] = (),
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """`var_files` are (path, content) pairs that come on top of the module's own variable files, and `environment` has
    values by their TF_VAR_ names."""
    if unit.name not in unit.paths:
        return _evaluate("" if unit.name == "." else unit.name, unit, tree, files, var_files, environment)
    from policy_engine_plugins.terraform.plan import load_plan

    # A plan beside its configuration, or below it: what is wrong with that is told for itself.
    folder = configuration_of(unit.name, tree)
    configuration: dict[str, Resource] = {}
    if folder is not None:
        evaluated = _evaluate(folder, unit, tree, files, var_files, environment)
        configuration = {one.address: one for one in evaluated.resources}
    return load_plan(unit, tree, configuration)


def _evaluate(
    folder: str,
    unit: Unit,
    tree: Tree,
    files: Files,
    var_files: Sequence[tuple[str, bytes]],
    environment: Mapping[str, str] | None,
) -> Loaded:
    workspace = Workspace(folder, tree, files)
    given = {path for path, _ in var_files}
    own = [path for path in unit.paths if path.rpartition("/")[0] == folder and path not in given and path != unit.name]
    declarations = read_module(folder, own, tree, files)
    if var_files or environment:
        from policy_engine_plugins.terraform.given import add_values

        add_values(declarations, var_files, environment or {}, files)
    problems = workspace.problems
    problems.extend(declarations.problems)
    root = ModuleInstance(declarations, workspace)
    resources = list(_resources(root, set()))
    if workspace.budget.steps < 0:
        message = "evaluating this module takes more steps than a scan allows; values are unknown from there on"
        problems.append(Problem(unit.paths[0], message, kind=ProblemKind.TIMED_OUT))
    problems.sort(key=lambda problem: (problem.path, problem.span or Span(0, 0, 0, 0), problem.message))
    return Loaded(resources, problems)


def _resources(module: ModuleInstance, seen: set[str]) -> Iterator[Resource]:
    """The resources of a module and of all that it calls. `seen` are folders whose declarations other than resources
    have been handed out: these are the same however often the module is called."""
    declared = module.declarations
    place = _Place(module)
    for name, block in declared.resources.items():
        if not block.body.complete:
            continue  # told already; what is absent from it may be there
        type_ = name.rpartition(".")[0]
        short = block.labels[1].value
        for instance in module.expansion(name).instances.values():
            yield from _resource(type_, instance.address, short, block, instance.scope, place)
    if declared.folder not in seen:
        seen.add(declared.folder)
        yield from _declarations(module, place)
    for name in declared.calls:
        for called in module.call(name).instances.values():
            yield from _resources(called, seen)


def _declarations(module: ModuleInstance, place: _Place) -> Iterator[Resource]:
    declared = module.declarations
    prefix = module.prefix
    for name, block in declared.providers.items():
        yield from _providers(name, block, module, place)
    for type_, blocks in (("module", declared.calls), ("variable", declared.variables), ("output", declared.outputs)):
        for name, block in blocks.items():
            yield from _plain(type_, f"{prefix}{_ADDRESS.get(type_, type_)}.{name}", name, block, module, place)
    for number, block in enumerate(declared.settings):
        address = f"{prefix}terraform" if number == 0 else f"{prefix}terraform#{number + 1}"
        yield from _plain("terraform", address, "terraform", block, module, place)


_ADDRESS = {"variable": "var"}


def _providers(name: str, block: Block, module: ModuleInstance, place: _Place) -> Iterator[Resource]:
    """OpenTofu makes several of one block with `for_each`."""
    if not block.body.complete:
        return
    scope = module.scope(block.source)
    try:
        how = repetition(block, scope) if "for_each" in block.body.attributes else None
    except EvaluationError:
        how = None
    for turn in turns(block, how, scope)[1]:
        address = f"{module.prefix}provider.{name}{index_text(turn.key)}"
        inner = scope.bind(turn.names, turn.binders)
        yield from _resource(f"provider.{block.labels[0].value}", address, name, block, inner, place)


def _plain(
    type_: str, address: str, name: str, block: Block, module: ModuleInstance, place: _Place
) -> Iterator[Resource]:
    if block.body.complete:
        yield from _resource(type_, address, name, block, module.scope(block.source), place)


def _resource(type_: str, address: str, name: str, block: Block, scope: Scope, place: _Place) -> Iterable[Resource]:
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
        place.of(block.source.location(block.start, block.header_end)),
        _locator(body, address, place),
        place.of(block.source.location(block.start, block.end)),
    )


class _Place:
    """Where the places of a module are told. A module that was fetched is nobody's to change here: what is wrong in it
    is told at the call through which it came in."""

    __slots__ = ("call",)

    def __init__(self, module: ModuleInstance) -> None:
        self.call: Location | None = None
        at: ModuleInstance | None = module
        while at is not None and at.caller is not None:
            caller = at.caller
            if is_installed(f"{at.declarations.folder}/") and not is_installed(caller.block.source.path):
                self.call = location_of(caller.block)
            at = caller.module

    def of(self, location: Location) -> Location:
        return location if self.call is None or not is_installed(location.path) else self.call

    def of_trace(self, trace: Trace) -> Trace:
        if self.call is None or not is_installed(trace.location.path):
            return trace
        related = ((trace.location, "set here, in the module that is called"), *trace.related)
        return Trace(self.call, related, trace.sensitive)


def _locator(body: ExpandedBody, address: str, place: _Place) -> Callable[[AttributePath], Trace]:
    if place.call is None:
        return partial(locate, body, address)
    return lambda path: place.of_trace(locate(body, address, path))
