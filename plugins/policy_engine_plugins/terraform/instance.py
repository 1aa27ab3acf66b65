"""A module as it is called once, with the values of its names: variables, locals, resources, outputs.

Every named value is evaluated when it is first asked for, and once. A name that needs itself is a cycle: all names on
the way round are unknown and the cycle is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from posixpath import relpath
from typing import Any, NamedTuple

from msgspec import Struct

from policy_engine.span import Location
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.constraint import constraint_of, convert
from policy_engine_plugins.terraform.evaluate import evaluate, get
from policy_engine_plugins.terraform.module import Module
from policy_engine_plugins.terraform.repetition import (
    MAX_INSTANCES,
    Expansion,
    Made,
    Turn,
    repetition,
    size,
    turns,
)
from policy_engine_plugins.terraform.resource_instance import ResourceInstance
from policy_engine_plugins.terraform.resource_value import Instance, ResourceValue
from policy_engine_plugins.terraform.scope import Scope
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Attribute, Block, Expression, Reference, Step
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown, Value, measure
from policy_engine_plugins.terraform.workspace import Workspace

# How many names may be evaluated inside each other before their locals are evaluated ahead, and at most.
_LOOK_AHEAD = 15
_MAX_NAMES = 50


class Caller(NamedTuple):
    """The `module` block that a module instance was made by, as its expressions see their names; and the call's key in
    the list of installed modules."""

    module: ModuleInstance
    block: Block
    scope: Scope
    key: str


class ModuleInstance:
    """`prefix` is what addresses in it begin with (`module.network.`), empty for the root. The `caller` gives the
    variables their values; a root takes them from its variable files."""

    def __init__(
        self, declarations: Module, workspace: Workspace, prefix: str = "", caller: Caller | None = None
    ) -> None:
        self.declarations = declarations
        self.workspace = workspace
        self.tree = workspace.tree
        # Paths in functions are seen from where Terraform is run.
        self.folder = workspace.folder
        self.budget = workspace.budget
        self.prefix = prefix
        self.caller = caller
        self._values: dict[str, Value] = {}
        self._expansions: dict[str, Expansion[ResourceInstance]] = {}
        self._calls: dict[str, Expansion[ModuleInstance]] = {}

    @property
    def address(self) -> str:
        """`module.network`; empty for the root."""
        return self.prefix.removesuffix(".")

    @property
    def problems(self) -> list[Problem]:
        return self.workspace.problems

    # -- names

    def resolve(self, reference: Reference, scope: Scope) -> Value:
        steps = reference.steps
        root = steps[0]
        if len(steps) > 1:
            name = steps[1]
            if root == "local":
                return self._follow(self._local(str(name)), steps, 2)
            if root == "var":
                return self._follow(self.variable(str(name)), steps, 2)
            if root == "path":
                return self._path(str(name))
            if root in ("terraform", "tofu"):
                return Unknown(f"{root}.{name} is chosen when Terraform runs")
            if root == "module":
                return self._called(str(name), steps)
            if root in ("data", "ephemeral"):
                if len(steps) < 3:
                    raise EvaluationError(f"'{root}' needs a type and a name")
                return self._resource(f"{root}.{steps[1]}.{steps[2]}", steps, 3)
            if root in ("each", "count", "self"):
                raise EvaluationError(f"'{root}' means nothing here")
            return self._resource(f"{root}.{name}", steps, 2)
        raise EvaluationError(f"there is no '{root}' here")

    def _follow(self, value: Value, steps: tuple[Step, ...], at: int) -> Value:
        for step in steps[at:]:
            value = get(value, step)
        return value

    def _path(self, name: str) -> Value:
        if name == "root":
            return "."
        if name == "module":
            return relpath(self.declarations.folder or ".", self.folder or ".")
        return Unknown("where Terraform is run is not known")

    def _local(self, name: str) -> Value:
        attribute = self.declarations.local_values.get(name)
        if attribute is None:
            return Unknown(f"local value '{name}' is not declared in this module")
        return self.once(f"{self.prefix}local.{name}", lambda: self._evaluate(attribute), attribute)

    def _evaluate(self, attribute: Attribute) -> Value:
        return evaluate(attribute.expression, self.scope(attribute.source))

    def scope(self, source: Source) -> Scope:
        return Scope(self, source, {})

    # -- variables and outputs

    def variable(self, name: str) -> Value:
        block = self.declarations.variables.get(name)
        if block is None:
            return Unknown(f"variable '{name}' is not declared in this module")
        return self.once(f"{self.prefix}var.{name}", lambda: self._variable(name, block), block)

    def _variable(self, name: str, block: Block) -> Value:
        given = self.variable_source(name)
        if given is None:
            return Unknown(self._why_unset(name), location_of(block))
        attribute, scope = given
        try:
            value = evaluate(attribute.expression, scope)
        except EvaluationError as error:
            return Unknown(str(error), location_of(attribute))
        if value is None and _is_false(block, "nullable"):
            default = block.body.attributes.get("default")
            value = None if default is None else evaluate(default.expression, self.scope(default.source))
        if isinstance(value, Unknown):
            return value
        constraint = block.body.attributes.get("type")
        if constraint is None:
            return value
        inner = self.scope(constraint.source)
        try:
            return convert(value, constraint_of(constraint.expression), lambda node: evaluate(node, inner))
        except EvaluationError as error:
            raise EvaluationError(f"variable '{name}': {error}") from None

    def _why_unset(self, name: str) -> str:
        if self.caller is None:
            return f"variable '{name}' has no default"
        if not self.caller.block.body.complete:
            return f"the call of {self.address} could not be understood, so variable '{name}' is not known"
        return f"variable '{name}' has no default, and the call of {self.address} does not set it"

    def variable_source(self, name: str) -> tuple[Attribute, Scope] | None:
        """Where a variable gets its value and what that expression sees: the call's argument, the variable file's
        entry, else the default."""
        if self.caller is not None:
            attribute = self.caller.block.body.attributes.get(name)
            if attribute is not None:
                return attribute, self.caller.scope.within(attribute.source)
            if not self.caller.block.body.complete:
                return None
        elif name in self.declarations.values:
            attribute = self.declarations.values[name]
            return attribute, self.scope(attribute.source)
        block = self.declarations.variables.get(name)
        default = None if block is None else block.body.attributes.get("default")
        return None if default is None else (default, self.scope(default.source))

    def attribute(self, name: str) -> Value:
        """An output, as the calling module sees it."""
        block = self.declarations.outputs.get(name)
        attribute = None if block is None else block.body.attributes.get("value")
        if attribute is None:
            return Unknown(f"{self.address} has no output '{name}'")
        return self.once(f"{self.prefix}output.{name}", lambda: self._evaluate(attribute), attribute)

    def whole(self) -> Value | None:
        """All outputs, for whoever takes the module as one value."""
        return {name: self.attribute(name) for name in self.declarations.outputs}

    # -- calls

    def _called(self, name: str, steps: tuple[Step, ...]) -> Value:
        if name not in self.declarations.calls:
            return Unknown(f"module '{name}' is not called in this module")
        return self._member(self.call(name), f"{self.prefix}module.{name}", steps, 2)

    def call(self, name: str) -> Expansion[ModuleInstance]:
        """The instances of a called module; none, and why, where it cannot be followed."""
        found = self._calls.get(name)
        if found is None:
            from policy_engine_plugins.terraform.call import follow

            found = self._calls[name] = follow(self, name, self.declarations.calls[name])
        return found

    # -- resources

    def _resource(self, name: str, steps: tuple[Step, ...], at: int) -> Value:
        if name not in self.declarations.resources:
            if at == 2 and len(steps) == 2:
                raise EvaluationError(f"there is no '{steps[0]}' here")
            return Unknown(f"{name} is not declared in this module", None, (self.prefix + name,))
        return self._member(self.expansion(name), self.prefix + name, steps, at)

    def expansion(self, name: str) -> Expansion[ResourceInstance]:
        found = self._expansions.get(name)
        if found is None:
            block = self.declarations.resources[name]
            made = self.turns(name, block, lambda turn: ResourceInstance(self, name, block, turn))
            found = self._expansions[name] = made
        return found

    def _member(
        self,
        expansion: Expansion[Any],
        address: str,
        steps: tuple[Step, ...],
        at: int,
    ) -> Value:
        """What a reference to a resource or a call is: the steps from `at` on lead into it."""
        if expansion.unknown is not None:
            known = expansion.instances.get(steps[at]) if at < len(steps) else None
            if known is not None:
                return self._follow(ResourceValue(known), steps, at + 1)
            return Unknown(expansion.unknown.reason, expansion.unknown.origin, (address,))
        instances: Mapping[Step | None, Instance] = expansion.instances
        value: Value
        if expansion.how == "single":
            value = ResourceValue(instances[None])
        elif expansion.how == "count":
            value = [ResourceValue(instance) for instance in instances.values()]
        else:
            value = {str(key): ResourceValue(instance) for key, instance in instances.items()}
        return self._follow(value, steps, at)

    def turns(self, name: str, block: Block, make: Callable[[Turn], Made]) -> Expansion[Made]:
        """Expands `count` and `for_each` of a block."""
        scope = self.scope(block.source)
        how = self.once(f"{self.prefix}{name} (instances)", lambda: repetition(block, scope), block)
        if size(how) > MAX_INSTANCES:
            message = f"{name} has {size(how)} instances; only the first {MAX_INSTANCES} are looked at"
            place = location_of(block)
            self.problems.append(Problem(place.path, message, place.span, ProblemKind.LIMITED))
        kind, made = turns(block, how, scope)
        return Expansion(kind, {turn.key: make(turn) for turn in made}, how if isinstance(how, Unknown) else None)

    # -- evaluating once

    def once(self, key: str, compute: Callable[[], Value], place: Attribute | Block) -> Value:
        if key in self._values:
            return self._values[key]
        active = self.workspace.active
        if key in active:
            return self._cycle(key)
        if len(active) >= _MAX_NAMES:
            raise EvaluationError("the chain of references is too long")
        if len(active) >= _LOOK_AHEAD and isinstance(place, Attribute):
            self._ahead(place)
        active[key] = place
        try:
            value = compute()
            measure(value)
        except EvaluationError as error:
            value = Unknown(str(error), location_of(place))
        except NotKnown as missing:
            value = missing.unknown
        except RecursionError:
            if len(active) > 1:
                raise
            value = Unknown("evaluating it goes too deep", location_of(place))
        finally:
            del active[key]
        if key in self.workspace.cyclic:
            value = self.workspace.cyclic[key]
        self._values[key] = value
        return value

    def _cycle(self, key: str) -> Unknown:
        members = list(self.workspace.active)
        members = members[members.index(key) :]
        chain = " -> ".join([*members, key])
        if not all(member in self.workspace.cyclic for member in members):
            first = min(members)
            start = members.index(first)
            told = " -> ".join([*members[start:], *members[:start], first])
            place = self.workspace.active[first]
            span = location_of(place).span
            self.problems.append(Problem(place.source.path, f"{first} refers to itself: {told}", span))
        for member in members:
            if member not in self.workspace.cyclic:
                where = location_of(self.workspace.active[member])
                self.workspace.cyclic[member] = Unknown(f"{member} refers to itself", where)
        return Unknown(f"{key} refers to itself: {chain}")

    def _ahead(self, attribute: Attribute) -> None:
        """Evaluates the locals that an expression needs, innermost first, in a loop: a chain of a thousand locals is no
        reason to recurse a thousand times."""
        stack = [(attribute, local_references(attribute.expression))]
        seen: set[str] = set()
        while stack:
            current, names = stack[-1]
            name = next(names, None)
            if name is None:
                stack.pop()
                if stack:
                    self._settle(current)
                continue
            target = self.declarations.local_values.get(name)
            key = f"{self.prefix}local.{name}"
            if target is None or name in seen or key in self._values or key in self.workspace.active:
                continue
            seen.add(name)
            stack.append((target, local_references(target.expression)))

    def _settle(self, attribute: Attribute) -> None:
        key = f"{self.prefix}local.{attribute.name}"
        if key in self._values:
            return
        self.once_settled(key, attribute)

    def once_settled(self, key: str, attribute: Attribute) -> None:
        """As `once`, without looking ahead again: what it needs has been settled before."""
        if len(self.workspace.active) >= _MAX_NAMES:
            return
        self.workspace.active[key] = attribute
        try:
            value = self._evaluate(attribute)
            measure(value)
        except EvaluationError as error:
            value = Unknown(str(error), location_of(attribute))
        except NotKnown as missing:
            value = missing.unknown
        finally:
            del self.workspace.active[key]
        self._values[key] = self.workspace.cyclic.get(key, value)


def location_of(node: Attribute | Block) -> Location:
    if isinstance(node, Block):
        return node.source.location(node.start, node.header_end)
    return node.source.location(node.start, node.end)


def local_references(expression: Expression) -> Iterator[str]:
    """Names of the locals that an expression mentions."""
    stack: list[object] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Reference):
            if node.steps[0] == "local" and len(node.steps) > 1:
                yield str(node.steps[1])
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Struct):
            stack.extend(getattr(node, name) for name in node.__struct_fields__)


def _is_false(block: Block, name: str) -> bool:
    attribute = block.body.attributes.get(name)
    return attribute is not None and getattr(attribute.expression, "value", None) is False
