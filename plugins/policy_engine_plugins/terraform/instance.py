"""A module as it is called once, with the values of its names: variables, locals, resources.

Every named value is evaluated when it is first asked for, and once. A name that needs itself is a cycle: all names on
the way round are unknown and the cycle is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from policy_engine.span import Location
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.computed import POLICY_DOCUMENT, computes
from policy_engine_plugins.terraform.constraint import constraint_of, convert
from policy_engine_plugins.terraform.evaluate import evaluate, get
from policy_engine_plugins.terraform.module import Module
from policy_engine_plugins.terraform.resource_value import ResourceValue
from policy_engine_plugins.terraform.scope import Binder, Budget, Scope
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Attribute, Block, Expression, Reference, Step
from policy_engine_plugins.terraform.values import (
    EvaluationError,
    MapValue,
    NotKnown,
    SetValue,
    Value,
    combine,
    measure,
    type_name,
)

MAX_INSTANCES = 1000
# How many names may be evaluated inside each other before their locals are evaluated ahead, and at most.
_LOOK_AHEAD = 15
_MAX_NAMES = 50
# What every resource that has such an attribute gives it, so that it is neither null nor empty once applied.
_ALWAYS_SET = frozenset({"arn", "id", "key_id", "name", "self_link"})


@dataclass(slots=True, eq=False)
class Expansion:
    """The instances of a block with `count` or `for_each`.

    how  "single", "count", "for_each", or "unknown" where their number is not known: then there is one instance that
         stands for all, with the plain address
    """

    how: str
    instances: dict[Step | None, ResourceInstance]
    unknown: Unknown | None = None


class ResourceInstance:
    """One instance of a resource, data source or the like, with the scope of its expressions."""

    __slots__ = ("address", "block", "key", "module", "name", "scope")

    def __init__(
        self,
        module: ModuleInstance,
        name: str,
        key: Step | None,
        block: Block,
        names: Mapping[str, Value],
        binders: Mapping[str, Binder] | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.key = key
        self.block = block
        self.address = module.prefix + name + ("" if key is None else f"[{_index_text(key)}]")
        self.scope = Scope(module, block.source, names, binders)

    def attribute(self, name: str) -> Value:
        """The attribute as other resources see it: what the configuration sets, else unknown until apply."""
        attribute = self.block.body.attributes.get(name)
        if attribute is None and not any(True for _ in blocks_of(self.block, name)):
            if self.block.type == "data" and self.name.startswith(f"{POLICY_DOCUMENT}.") and computes(name):
                return self.module.once(f"{self.address}.{name}", self._policy_document, self.block)
            return self._computed(name)
        return self.module.once(f"{self.address}.{name}", lambda: self._set(name, attribute), attribute or self.block)

    def _set(self, name: str, attribute: Attribute | None) -> Value:
        if attribute is not None:
            value = evaluate(attribute.expression, self.scope.within(attribute.source))
            return self._computed(name) if value is None else value
        from policy_engine_plugins.terraform.body import expand_blocks

        return [body.value() for body in expand_blocks(self.block.body, self.scope).get(name, [])]

    def _policy_document(self) -> Value:
        from policy_engine_plugins.terraform.body import expand
        from policy_engine_plugins.terraform.data_source import policy_document

        if not self.block.body.complete:
            return self._computed("json")
        return policy_document(expand(self.block, self.scope).value())

    def _computed(self, name: str) -> Unknown:
        when = "read when Terraform plans" if self.block.type == "data" else "known only after apply"
        present = name in _ALWAYS_SET and self.block.type == "resource" and not self.is_representative
        where = self.block.source.location(self.block.start, self.block.header_end)
        return Unknown(f"{self.address}.{name} is {when}", where, (self.address,), (), present)

    @property
    def is_representative(self) -> bool:
        """Whether it stands for instances of an unknown number, none perhaps."""
        return self.key is None and ("count" in self.scope.names or "each" in self.scope.names)


def blocks_of(block: Block, name: str) -> Iterator[Block]:
    for inner in block.body.blocks:
        if inner.type == name or (inner.type == "dynamic" and inner.labels and inner.labels[0].value == name):
            yield inner


def _index_text(key: Step) -> str:
    if isinstance(key, int):
        return str(key)
    escaped = (
        key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    escaped = escaped.replace("${", "$${").replace("%{", "%%{")
    return f'"{escaped}"'


class ModuleInstance:
    """`prefix` is what addresses in it begin with (`module.network.`), empty for the root. `inputs` are the values that
    a calling module gives; a root takes them from its variable files."""

    def __init__(
        self,
        declarations: Module,
        tree: Tree,
        budget: Budget,
        problems: list[Problem],
        prefix: str = "",
        inputs: Mapping[str, Value] | None = None,
    ) -> None:
        self.declarations = declarations
        self.tree = tree
        self.folder = declarations.folder
        self.budget = budget
        self.problems = problems
        self.prefix = prefix
        self.inputs = inputs
        self._values: dict[str, Value] = {}
        self._active: dict[str, Attribute | Block] = {}
        self._cyclic: dict[str, Unknown] = {}
        self._expansions: dict[str, Expansion] = {}

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
                return self._call_output(steps)
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
        if name == "module" or name == "root":
            return "." if not self.prefix else self.folder or "."
        return Unknown("where Terraform is run is not known")

    def _local(self, name: str) -> Value:
        attribute = self.declarations.local_values.get(name)
        if attribute is None:
            return Unknown(f"local value '{name}' is not declared in this module")
        return self.once(f"local.{name}", lambda: self._evaluate(attribute), attribute)

    def _evaluate(self, attribute: Attribute) -> Value:
        return evaluate(attribute.expression, self.scope(attribute.source))

    def scope(self, source: Source) -> Scope:
        return Scope(self, source, {})

    def variable(self, name: str) -> Value:
        block = self.declarations.variables.get(name)
        if block is None:
            return Unknown(f"variable '{name}' is not declared in this module")
        return self.once(f"var.{name}", lambda: self._variable(name, block), block)

    def _variable(self, name: str, block: Block) -> Value:
        where = block.source.location(block.start, block.header_end)
        if self.inputs is not None and name in self.inputs:
            value = self.inputs[name]
        else:
            attribute = self.variable_source(name)
            if attribute is None:
                return Unknown(f"variable '{name}' has no default", where)
            value = evaluate(attribute.expression, self.scope(attribute.source))
        if value is None and _is_false(block, "nullable"):
            default = block.body.attributes.get("default")
            value = None if default is None else evaluate(default.expression, self.scope(default.source))
        if isinstance(value, Unknown):
            return value
        constraint = block.body.attributes.get("type")
        if constraint is None:
            return value
        scope = self.scope(constraint.source)
        try:
            return convert(value, constraint_of(constraint.expression), lambda node: evaluate(node, scope))
        except EvaluationError as error:
            raise EvaluationError(f"variable '{name}': {error}") from None

    def variable_source(self, name: str) -> Attribute | None:
        """Where a root module's variable gets its value: the variable file's entry, else its default."""
        if self.inputs is None and name in self.declarations.values:
            return self.declarations.values[name]
        block = self.declarations.variables.get(name)
        return None if block is None else block.body.attributes.get("default")

    def _call_output(self, steps: tuple[Step, ...]) -> Value:
        name = str(steps[1])
        address = f"{self.prefix}module.{name}"
        block = self.declarations.calls.get(name)
        if block is None:
            return Unknown(f"module '{name}' is not called in this module")
        where = block.source.location(block.start, block.header_end)
        output = next((str(step) for step in steps[2:] if isinstance(step, str)), None)
        what = f"output '{output}' of module '{name}'" if output else f"module '{name}'"
        return Unknown(f"{what} is made by a module that is not followed", where, (address,))

    # -- resources

    def _resource(self, name: str, steps: tuple[Step, ...], at: int) -> Value:
        if name not in self.declarations.resources:
            if at == 2 and len(steps) == 2:
                raise EvaluationError(f"there is no '{steps[0]}' here")
            return Unknown(f"{name} is not declared in this module", None, (self.prefix + name,))
        expansion = self.expansion(name)
        if expansion.how == "unknown":
            assert expansion.unknown is not None
            return Unknown(expansion.unknown.reason, expansion.unknown.origin, (self.prefix + name,))
        if expansion.how == "single":
            value: Value = ResourceValue(expansion.instances[None])
        elif expansion.how == "count":
            value = [ResourceValue(instance) for instance in expansion.instances.values()]
        else:
            value = {str(key): ResourceValue(instance) for key, instance in expansion.instances.items()}
        return self._follow(value, steps, at)

    def expansion(self, name: str) -> Expansion:
        found = self._expansions.get(name)
        if found is None:
            block = self.declarations.resources[name]
            how = self.once(f"{name} (instances)", lambda: self._repetition(block), block)
            found = self._expansions[name] = self._expand(name, block, how)
        return found

    def _repetition(self, block: Block) -> Value:
        """None without `count` and `for_each`; else the number, or the mapping from keys to values."""
        for meta in ("count", "for_each"):
            attribute = block.body.attributes.get(meta)
            if attribute is not None:
                value = evaluate(attribute.expression, self.scope(attribute.source))
                return _number_of(value) if meta == "count" else keys_of(value)
        return None

    def _expand(self, name: str, block: Block, how: Value) -> Expansion:
        if how is None:
            return Expansion("single", {None: ResourceInstance(self, name, None, block, {})})
        if isinstance(how, Unknown):
            by_count = "count" in block.body.attributes
            names: dict[str, Value] = {"count": {"index": how}} if by_count else {"each": {"key": how, "value": how}}
            return Expansion("unknown", {None: ResourceInstance(self, name, None, block, names)}, how)
        size = how if isinstance(how, int) else len(how)
        if size > MAX_INSTANCES:
            self._limited(block, f"{name} has {size} instances; only the first {MAX_INSTANCES} are looked at")
        instances: dict[Step | None, ResourceInstance] = {}
        if isinstance(how, int):
            for index in range(min(how, MAX_INSTANCES)):
                instances[index] = ResourceInstance(self, name, index, block, {"count": {"index": index}})
            return Expansion("count", instances)
        for_each = block.body.attributes["for_each"]
        outer = self.scope(for_each.source)
        for key in sorted(how)[:MAX_INSTANCES]:
            each = {"each": {"key": key, "value": how[key]}}
            binders = {"each": Binder(for_each, outer, key)}
            instances[key] = ResourceInstance(self, name, key, block, each, binders)
        return Expansion("for_each", instances)

    def _limited(self, block: Block, message: str) -> None:
        place = block.source.span(block.start, block.header_end)
        self.problems.append(Problem(block.source.path, message, place, ProblemKind.LIMITED))

    # -- evaluating once

    def once(self, key: str, compute: Callable[[], Value], place: Attribute | Block) -> Value:
        if key in self._values:
            return self._values[key]
        active = self._active
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
        if key in self._cyclic:
            value = self._cyclic[key]
        self._values[key] = value
        return value

    def _cycle(self, key: str) -> Unknown:
        members = list(self._active)
        members = members[members.index(key) :]
        chain = " -> ".join([*members, key])
        if not all(member in self._cyclic for member in members):
            first = min(members)
            start = members.index(first)
            told = " -> ".join([*members[start:], *members[:start], first])
            place = self._active[first]
            span = location_of(place).span
            self.problems.append(Problem(place.source.path, f"{first} refers to itself: {told}", span))
        for member in members:
            if member not in self._cyclic:
                where = location_of(self._active[member])
                self._cyclic[member] = Unknown(f"{member} refers to itself", where)
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
            key = f"local.{name}"
            if target is None or name in seen or key in self._values or key in self._active:
                continue
            seen.add(name)
            stack.append((target, local_references(target.expression)))

    def _settle(self, attribute: Attribute) -> None:
        key = f"local.{attribute.name}"
        if key in self._values:
            return
        self.once_settled(key, attribute)

    def once_settled(self, key: str, attribute: Attribute) -> None:
        """As `once`, without looking ahead again: what it needs has been settled before."""
        if len(self._active) >= _MAX_NAMES:
            return
        self._active[key] = attribute
        try:
            value = self._evaluate(attribute)
            measure(value)
        except EvaluationError as error:
            value = Unknown(str(error), location_of(attribute))
        except NotKnown as missing:
            value = missing.unknown
        finally:
            del self._active[key]
        self._values[key] = self._cyclic.get(key, value)


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
        elif is_dataclass(node):
            stack.extend(getattr(node, field.name) for field in fields(node))


def _is_false(block: Block, name: str) -> bool:
    attribute = block.body.attributes.get(name)
    return attribute is not None and getattr(attribute.expression, "value", None) is False


def _number_of(value: Value) -> int | Unknown:
    from policy_engine_plugins.terraform.values import to_number

    if isinstance(value, Unknown):
        return combine((value,))
    if value is None:
        raise EvaluationError("count is null")
    number = to_number(value)
    if isinstance(number, float) or number < 0:
        raise EvaluationError("count is no whole number of instances")
    return number


def keys_of(value: Value) -> dict[str, Value] | Unknown:
    """What `for_each` of a resource goes over: a map, or a set of strings."""
    if isinstance(value, Unknown):
        return combine((value,))
    if isinstance(value, dict):
        return value if isinstance(value, MapValue) else dict(value)
    if isinstance(value, SetValue):
        if all(isinstance(item, str) for item in value):
            return {item: item for item in value}
        raise EvaluationError("for_each needs a set of strings")
    raise EvaluationError(f"for_each needs a map or a set of strings, not {type_name(value)}")
