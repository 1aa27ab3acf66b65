"""From a `module` block to the module instances that it makes."""

from __future__ import annotations

from policy_engine.tree import join
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.evaluate import evaluate
from policy_engine_plugins.terraform.instance import Caller, ModuleInstance, location_of
from policy_engine_plugins.terraform.module import Module
from policy_engine_plugins.terraform.repetition import Expansion, Turn, index_text
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.syntax import Attribute, Block
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown, Value
from policy_engine_plugins.terraform.workspace import MAX_MODULES

MAX_LEVELS = 20


class NotFollowed(Exception):
    """Why a call leads nowhere. `incomplete` where what it leads to ought to have been judged: Terraform would refuse
    the call, or it goes beyond our limits."""

    def __init__(self, reason: str, place: Attribute | Block, *, incomplete: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place
        self.incomplete = incomplete


def is_local(source: str) -> bool:
    return source.startswith(("./", "../")) or source in (".", "..")


def follow(module: ModuleInstance, name: str, block: Block) -> Expansion[ModuleInstance]:
    """The instances of a call. Where it cannot be followed there are none, its outputs are unknown, and it is told."""
    key = call_key(module, name)
    try:
        declarations = _find(module, name, key, block)
    except NotFollowed as found:
        place = location_of(found.place)
        kind = ProblemKind.NOT_UNDERSTOOD if found.incomplete else ProblemKind.LIMITED
        problem = Problem(place.path, f"module '{name}' is not evaluated: {found.reason}", place.span, kind)
        if problem not in module.problems:
            module.problems.append(problem)
        reason = f"module '{name}' is not evaluated: {found.reason}"
        return Expansion("unknown", {}, Unknown(reason, place, (f"{module.prefix}module.{name}",)))

    def make(turn: Turn) -> ModuleInstance:
        module.workspace.modules += 1
        scope = Scope(module, block.source, turn.names, turn.binders)
        prefix = f"{module.prefix}module.{name}{index_text(turn.key)}."
        return ModuleInstance(declarations, module.workspace, prefix, Caller(module, block, scope, key))

    return module.turns(f"module.{name}", block, make)


def call_key(module: ModuleInstance, name: str) -> str:
    """The call's key in the list of installed modules."""
    return name if module.caller is None else f"{module.caller.key}.{name}"


def _find(module: ModuleInstance, name: str, key: str, block: Block) -> Module:
    attribute = block.body.attributes.get("source")
    if attribute is None:
        raise NotFollowed("it has no source", block, incomplete=block.body.complete)
    source = source_of(module, attribute)
    workspace = module.workspace
    folder: str | None
    if is_local(source):
        folder = join(module.declarations.folder, source)
        if folder is None:
            raise NotFollowed(f"'{source}' lies outside of what is scanned", attribute)
    else:
        folder = workspace.manifest.folder(key, source)
        if folder is None:
            raise NotFollowed(f"'{source}' is not installed; run init before the scan to have it looked at", attribute)
    _no_recursion(module, name, folder, attribute)
    if workspace.modules >= MAX_MODULES:
        raise NotFollowed(f"there are more than {MAX_MODULES} module instances", block, incomplete=True)
    declarations = workspace.called_module(folder)
    if declarations is None:
        raise NotFollowed(f"there are no configuration files in '{folder or '.'}'", attribute)
    return declarations


def source_of(module: ModuleInstance, attribute: Attribute) -> str:
    """OpenTofu lets it be made of variables and locals."""
    try:
        source: Value = evaluate(attribute.expression, module.scope(attribute.source))
    except EvaluationError as error:
        raise NotFollowed(str(error), attribute) from None
    except NotKnown as missing:
        source = missing.unknown
    if isinstance(source, Unknown):
        raise NotFollowed(f"its source is not known: {source.reason}", attribute)
    if not isinstance(source, str):
        raise NotFollowed("its source is no text", attribute, incomplete=True)
    return source


def _no_recursion(module: ModuleInstance, name: str, folder: str, attribute: Attribute) -> None:
    levels = 1
    above: ModuleInstance | None = module
    while above is not None:
        if above.declarations.folder == folder:
            where = "itself" if above is module else f"the module in '{folder or '.'}' from inside of it"
            raise NotFollowed(f"it calls {where}, without end", attribute, incomplete=True)
        levels += 1
        above = None if above.caller is None else above.caller.module
    if levels > MAX_LEVELS:
        raise NotFollowed(f"modules are nested more than {MAX_LEVELS} levels deep", attribute, incomplete=True)
