"""One stack: a template with the values of its parameters. It answers what the names in the template stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.span import Location
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.cloudformation import parameter
from policy_engine_plugins.cloudformation.condition import decide
from policy_engine_plugins.cloudformation.evaluate import evaluate
from policy_engine_plugins.cloudformation.loop import entries
from policy_engine_plugins.cloudformation.scope import MAX_NESTING, MAX_STACKS, Scope, Workspace
from policy_engine_plugins.cloudformation.template import Template
from policy_engine_plugins.cloudformation.values import NO_VALUE, unknown_text

RESOURCES, PARAMETERS, OUTPUTS, CONDITIONS = "Resources", "Parameters", "Outputs", "Conditions"
PROPERTIES = "Properties"
SAM = "AWS::Serverless::"
_MAX_CHAIN = 60
# Transforms that add to a template, or that this reader follows, and leave what is written as it is.
_FOLLOWED = (
    "AWS::Serverless-",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-",
    "AWS::CodeDeployBlueGreen",
    "AWS::CodeStar",
)
_INCLUDE = "AWS::Include"
_PSEUDO_LISTS = ("AWS::NotificationARNs",)


class Declared:
    """A resource as it is declared.

    id          its logical id
    path        where it stands in the template; for one that SAM makes of another, where that stands
    properties  the node, and where it stands
    part        what SAM calls it, for one that it makes of another: `Function`, `Stage`
    """

    __slots__ = ("id", "node", "part", "path", "properties", "properties_path", "scope", "type")

    def __init__(self, id_: str, type_: str, node: Mapping[str, Any], path: AttributePath, scope: Scope) -> None:
        self.id = id_
        self.type = type_
        self.node = node
        self.path = path
        self.scope = scope
        self.part = ""
        self.properties: Any = node.get(PROPERTIES)
        self.properties_path: AttributePath = (*path, PROPERTIES)

    @property
    def address(self) -> str:
        name = f"{self.id}.{self.part}" if self.part else self.id
        return self.scope.stack.prefix + name

    @property
    def header(self) -> Location:
        return self.scope.stack.template.location(self.path)


class Stack:
    """given    the values of parameters where another stack nests this one
    caller   the resource that nests it, in the stack that does
    """

    def __init__(
        self,
        template: Template,
        workspace: Workspace,
        prefix: str = "",
        given: Mapping[str, Any] | None = None,
        caller: Declared | None = None,
    ) -> None:
        self.template = template
        self.workspace = workspace
        self.prefix = prefix
        self.given = given or {}
        self.caller = caller
        self.scope = Scope(self)
        self.rewritten = self._rewriting()
        self._values: dict[str, Any] = {}
        self._truths: dict[str, bool | Unknown] = {}
        self._open: list[str] = []
        self._children: dict[str, Stack | None] = {}
        self._outputs_open: set[str] = set()
        self.odd_calls: set[str] = set()
        """Names of functions that were called and are none of CloudFormation's."""
        # Sections whose loops are being written out: what such a loop runs over cannot be of the section itself.
        self._unrolled: set[str] = set()

    def _rewriting(self) -> Unknown | None:
        """Why what a mapping leaves out is not known, where a macro may add to it."""
        names = [name for name in self.template.transforms() if not name.startswith(_FOLLOWED)]
        if not names:
            return None
        if names == [_INCLUDE]:
            self.template.tell("what the template includes is not seen", ("Transform",))
            return None
        name = next(name for name in names if name != _INCLUDE)[:60]
        self.template.tell(f"macro '{name}' rewrites this template; what it adds is not known", ("Transform",))
        return Unknown(f"macro '{name}' rewrites the template when it is deployed")

    # -- parameters

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        return self.template.section(PARAMETERS)

    def parameter(self, name: str) -> Any:
        if name not in self._values:
            declaration = self.parameters[name]
            origin = self.template.location((PARAMETERS, name))
            value: Any
            if name in self.given:
                type_ = declaration.get("Type") if isinstance(declaration, dict) else None
                value = parameter.given(self.given[name], str(type_ or "String"), name, origin)
                if parameter.is_hidden(declaration) and value != "" and type(value) is not Unknown:
                    reason = f"parameter '{name}' is not for showing (NoEcho)"
                    value = unknown_text(reason, origin=origin, refers_to=(self.parameter_address(name),), present=True)
            else:
                value = parameter.value_of(name, declaration, self.parameter_address(name), origin)
            self._values[name] = value
        return self._values[name]

    def parameter_address(self, name: str) -> str:
        return f"{self.prefix}parameter.{name}"

    # -- conditions

    @cached_property
    def conditions(self) -> dict[str, tuple[Any, AttributePath, Scope]]:
        found: dict[str, tuple[Any, AttributePath, Scope]] = {}
        self._unrolled.add(CONDITIONS)
        for name, node, path, scope, doubt in entries(self.template.section(CONDITIONS), (CONDITIONS,), self.scope):
            if doubt is not None:
                self.template.tell(f"conditions are passed over: {doubt.reason}", path)
            else:
                found[name] = node, path, scope
        self._unrolled.discard(CONDITIONS)
        return found

    def condition(self, name: str) -> bool | Unknown:
        if name in self._truths:
            return self._truths[name]
        if CONDITIONS in self._unrolled:
            return Unknown(f"a loop that makes conditions depends on one, '{name[:60]}'")
        if name not in self.conditions:
            return Unknown(f"condition '{name[:60]}' is not declared")
        if name in self._open:
            self._tell_cycle(name)
            return self._truths[name]
        if len(self._open) >= _MAX_CHAIN:
            return Unknown("the chain of conditions is too long")
        node, path, scope = self.conditions[name]
        self._open.append(name)
        truth = decide(node, scope)
        self._open.pop()
        if name not in self._truths:
            if isinstance(truth, Unknown):
                reason = truth.reason
                if not reason.startswith("condition '"):
                    reason = f"condition '{name}' is not known: {reason}"
                truth = Unknown(reason, truth.origin or self.template.location(path), truth.refers_to)
            self._truths[name] = truth
        return self._truths[name]

    def _tell_cycle(self, name: str) -> None:
        members = self._open[self._open.index(name) :]
        chain = " -> ".join([*members[:10], name])
        path = self.conditions[name][1]
        self.template.tell(f"condition '{name}' refers to itself: {chain}", path, ProblemKind.NOT_UNDERSTOOD)
        for member in members:
            where = self.template.location(self.conditions[member][1])
            self._truths[member] = Unknown(f"condition '{member}' refers to itself", where)

    # -- resources

    @cached_property
    def resources(self) -> dict[str, Declared]:
        from policy_engine_plugins.cloudformation.sam import with_globals

        found: dict[str, Declared] = {}
        shared = self.template.section("Globals")
        self._unrolled.add(RESOURCES)
        for name, node, path, scope, doubt in entries(self.template.section(RESOURCES), (RESOURCES,), self.scope):
            if doubt is not None:
                self.template.tell(f"resources are passed over: {doubt.reason}", path)
                continue
            type_ = node.get("Type") if isinstance(node, dict) else None
            if type(type_) is not str or getattr(node, "tag", None) is not None:
                what = "a resource without a type" if isinstance(node, dict) else "a resource that is not a mapping"
                self.template.tell(f"'{name[:60]}' is passed over: {what}", path)
                continue
            declared = Declared(name, type_, node, path, scope)
            if shared and type_.startswith(SAM):
                with_globals(declared, shared)
            found[name] = declared
        self._unrolled.discard(RESOURCES)
        return found

    def exists(self, declared: Declared) -> bool | Unknown:
        """Whether the resource is made at all."""
        name = declared.node.get("Condition")
        if name is None:
            return True
        if not isinstance(name, str):
            return Unknown("its condition is not a name")
        from policy_engine_plugins.cloudformation.evaluate import condition_name

        return self.condition(condition_name(name, declared.scope))

    # -- what names stand for

    def reference(self, name: str, scope: Scope) -> Any:
        """The value of `Ref`."""
        if scope.bindings is not None and name in scope.bindings:
            return scope.bindings[name]
        if name.startswith("AWS::"):
            return _pseudo_parameter(name)
        if name in self.parameters:
            return self.parameter(name)
        if RESOURCES in self._unrolled:
            return Unknown(f"a loop that makes resources runs over '{name[:60]}', which is no parameter")
        declared = self.resources.get(name)
        if declared is None:
            return self._made_by_sam(name)
        return self._known_once_made(declared, f"the name of '{name}' is known only once it is made", (None,))

    def attribute(self, name: str, attribute: str, scope: Scope) -> Any:
        """The value of `Fn::GetAtt`."""
        if scope.bindings is not None and name in scope.bindings:
            name = scope.bindings[name]
        if RESOURCES in self._unrolled:
            return Unknown(f"a loop that makes resources runs over an attribute of one, '{name[:60]}'")
        declared = self.resources.get(name)
        if declared is None:
            return self._made_by_sam(name)
        if attribute.startswith("Outputs."):
            child = self.child(declared)
            if child is not None:
                return child.output(attribute[len("Outputs.") :])
        reason = f"{name}.{attribute[:60]} is known only once it is made"
        return self._known_once_made(declared, reason, ("arn:", None) if attribute.lower().endswith("arn") else ())

    def _known_once_made(self, declared: Declared, reason: str, fragments: tuple[str | None, ...]) -> Unknown:
        if self.exists(declared) is False:
            return Unknown(f"'{declared.id}' is not made, as its condition does not hold")
        return Unknown(reason, declared.header, (declared.address,), fragments, present=True)

    def _made_by_sam(self, name: str) -> Unknown:
        """What SAM makes of a resource may be referred to by `Api.Stage` or by its later name, `HandlerRole`. Any other
        name stands for nothing."""
        base, dot, part = name.partition(".")
        if dot and base in self.resources:
            reason = f"{name[:120]} is known only once SAM has made it"
            return Unknown(reason, None, (f"{self.prefix}{base}.{part}",), (None,), present=True)
        for suffix in ("Role", "Stage", "Url"):
            if name.endswith(suffix):
                stem = name[: -len(suffix)]
                for declared in self.resources.values():
                    same = stem == declared.id or (suffix == "Stage" and stem.startswith(declared.id))
                    if same and declared.type.startswith(SAM):
                        address = f"{self.prefix}{declared.id}.{suffix}"
                        reason = f"'{name[:60]}' is known only once SAM has made it"
                        return Unknown(reason, None, (address,), (None,), present=True)
        if name.startswith(("ServerlessRestApi", "ServerlessHttpApi", "ServerlessDeploymentApplication")):
            return unknown_text(f"'{name[:60]}' is known only once SAM has made it", present=True)
        return Unknown(f"'{name[:60]}' is not declared in this template")

    # -- nested stacks and outputs

    def child(self, declared: Declared) -> Stack | None:
        """The stack that a resource nests; None where it nests none, or one that cannot be followed."""
        from policy_engine_plugins.cloudformation.nesting import nested_template

        if declared.address in self._children:
            return self._children[declared.address]
        self._children[declared.address] = None
        called = nested_template(self.template.path, declared.type, declared.node)
        if called is None:
            return None
        place = (*declared.path, PROPERTIES, called.key)
        if called.path is None:
            self.template.tell(f"the nested stack is not followed: {called.reason}", place)
            return None
        chain = [self.template.path]
        above = self.caller
        while above is not None:
            chain.append(above.scope.stack.template.path)
            above = above.scope.stack.caller
        if called.path in chain:
            self.template.tell(f"the nested stack is not followed: {called.path} nests itself", place)
            return None
        if len(chain) > MAX_NESTING or self.workspace.stacks >= MAX_STACKS:
            self.template.tell("the nested stack is not followed: there are too many of them", place)
            return None
        template = self.workspace.template(called.path)
        if template is None:
            self.template.tell(f"the nested stack is not followed: there is no {called.path}", place)
            return None
        self.workspace.stacks += 1
        properties = declared.node.get(PROPERTIES)
        parameters = properties.get(PARAMETERS) if isinstance(properties, dict) else None
        given: Any = evaluate(parameters, declared.scope) if parameters is not None else {}
        if type(given) is Unknown:
            given = dict.fromkeys(template.section(PARAMETERS), given.member())
        values = {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else {}
        child = Stack(template, self.workspace, f"{declared.address}/", values, declared)
        self._children[declared.address] = child
        return child

    @cached_property
    def outputs(self) -> dict[str, tuple[Any, AttributePath, Scope]]:
        found: dict[str, tuple[Any, AttributePath, Scope]] = {}
        for name, node, path, scope, doubt in entries(self.template.section(OUTPUTS), (OUTPUTS,), self.scope):
            if doubt is not None:
                self.template.tell(f"outputs are passed over: {doubt.reason}", path)
            elif isinstance(node, dict):
                found[name] = node, path, scope
        return found

    def output(self, name: str) -> Any:
        """What the stack that nests this one sees of an output."""
        if name not in self.outputs:
            return Unknown(f"there is no output '{name[:60]}' in {self.template.path}")
        if name in self._outputs_open:
            return Unknown(f"output '{name}' of {self.template.path} refers to itself")
        node, path, scope = self.outputs[name]
        self._outputs_open.add(name)
        value = evaluate(node.get("Value"), scope)
        self._outputs_open.discard(name)
        if value is None or value is NO_VALUE:
            return Unknown(f"output '{name}' has no value", self.template.location(path))
        return value

    def walk(self) -> Iterator[Stack]:
        """This stack and all that it nests, outermost first."""
        yield self
        for declared in list(self.resources.values()):
            if self.exists(declared) is not False:
                child = self.child(declared)
                if child is not None:
                    yield from child.walk()


def _pseudo_parameter(name: str) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    reason = f"{name[:60]} is known only when deployed"
    if name in _PSEUDO_LISTS:
        return Unknown(reason)
    return unknown_text(reason, present=True)
