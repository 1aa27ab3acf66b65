"""Plans as `terraform show -json` writes them: planned values as resources, told where the configuration sets them.

A plan knows more than its configuration alone: values of data sources, of variables given on the command line. What is
known only after apply stays unknown. See https://developer.hashicorp.com/terraform/internals/json-format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from policy_engine.errors import PolicyEngineError
from policy_engine.path import ABSENT, lookup
from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Span, Trace
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.lexical import SyntaxFault
from policy_engine_plugins.terraform.plan_references import PlanReferences
from policy_engine_plugins.terraform.source import Source, decode
from policy_engine_plugins.terraform.syntax import Expression, ListExpression, ObjectExpression

FORMAT = "terraform"
MAX_LEVELS = 30
_MAX_DEPTH = 100


def load_plan(unit: Unit, tree: Tree, configuration: Mapping[str, Resource]) -> Loaded:
    """`configuration` has the resources of the root module that the plan was made of, by address; none where it is not
    at hand, and places are then those in the plan."""
    path = unit.name
    try:
        source, undecodable = decode(path, tree.read(path))
    except (OSError, PolicyEngineError) as error:
        return Loaded((), (Problem(path, f"cannot be read: {error}", kind=ProblemKind.UNREADABLE),))
    if undecodable is not None:
        return Loaded((), (Problem(path, undecodable[1], source.span(undecodable[0], undecodable[0] + 1)),))
    try:
        document = json.loads(source.text)
    except json.JSONDecodeError as error:
        return Loaded((), (Problem(path, f"no valid JSON: {error.msg}", source.span(error.pos, error.pos + 1)),))
    except RecursionError:
        return Loaded((), (Problem(path, "nested too deeply"),))
    plan = _Plan(source, configuration)
    try:
        resources = list(plan.resources(document))
    except _NoPlan as error:
        return Loaded((), (Problem(path, str(error), Span(1, 1, 1, 2)),))
    return Loaded(resources, plan.problems)


class _NoPlan(Exception):
    """The document is not laid out as plans are."""


class _Plan(Struct, dict=True):
    source: Source
    configuration: Mapping[str, Resource]
    problems: list[Problem] = field(default_factory=list)
    _references: PlanReferences = field(default_factory=lambda: PlanReferences(None))

    def resources(self, document: Any) -> Iterator[Resource]:
        version = _mapping(document).get("format_version")
        if not isinstance(version, str) or version.partition(".")[0] not in ("0", "1"):
            raise _NoPlan(f"a plan of format version {version!r} is not known; 0 and 1 are")
        self._references = PlanReferences(document.get("configuration"))
        changes = {}
        for change in _list(document.get("resource_changes") or []):
            changes[_mapping(change).get("address")] = _mapping(change.get("change") or {})
        root = _mapping(_mapping(document.get("planned_values", {})).get("root_module") or {})
        waiting: list[tuple[Mapping[str, Any], AttributePath]] = [(root, ("planned_values", "root_module"))]
        while waiting:
            module, at = waiting.pop()
            for number, planned in enumerate(_list(module.get("resources") or [])):
                yield self._resource(_mapping(planned), (*at, "resources", number), changes)
            for number, child in reversed(list(enumerate(_list(module.get("child_modules") or [])))):
                if len(at) < 2 * MAX_LEVELS:
                    waiting.append((_mapping(child), (*at, "child_modules", number)))

    def _resource(
        self, planned: Mapping[str, Any], at: AttributePath, changes: Mapping[Any, Mapping[str, Any]]
    ) -> Resource:
        address, type_, name = (str(planned.get(key, "")) for key in ("address", "type", "name"))
        if not address or not type_:
            raise _NoPlan("a planned resource has no address or no type")
        if planned.get("mode") == "data":
            type_ = f"data.{type_}"
        values = _mapping(planned.get("values") or {})
        change = changes.get(address, {})
        declared = self.configuration.get(address) or self.configuration.get(without_keys(address))
        merge = _Merge(address, declared, self._references)
        value = merge.value(values, change.get("after_unknown"), (), 0)
        hidden = (planned.get("sensitive_values"), change.get("after_sensitive"))

        def locate(path: AttributePath) -> Trace:
            sensitive = any(_marks(marks, path) for marks in hidden)
            planned_at = self.place((*at, "values", *path), (*at, "address"))
            if declared is None:
                return Trace(planned_at, (), sensitive)
            trace = declared.locate(path)
            related = (*trace.related, (planned_at, "planned so here"))
            return Trace(trace.location, related, sensitive or trace.sensitive)

        header = self.place((*at, "address")) if declared is None else declared.location
        return Resource(
            FORMAT, type_, address, name, value, header, locate, None if declared is None else declared.extent
        )

    @cached_property
    def _tree(self) -> Expression | None:
        """The plan's nodes with their offsets: read only once a place is asked for."""
        from policy_engine_plugins.terraform.json_syntax import read_value

        try:
            return read_value(self.source)
        except SyntaxFault:
            return None  # a depth that json reads and we do not

    def place(self, *paths: AttributePath) -> Location:
        """The place of the first of the paths that is there in full; the start of the plan where none is."""
        for path in paths:
            node, start = self._tree, 0
            for step in path:
                if isinstance(node, ListExpression) and isinstance(step, int) and step < len(node.items):
                    node = node.items[step]
                    start = node.start
                elif isinstance(node, ObjectExpression):
                    found = [item for item in node.items if getattr(item.key, "value", None) == step]
                    if not found:
                        break
                    node, start = found[-1].value, found[-1].key.start
                else:
                    break
            else:
                if node is not None:
                    return self.source.location(start, node.end)
        return self.source.location(0, 1)


def without_keys(address: str) -> str:
    """`module.a["x"].aws_b.c[0]` as its blocks are named: `module.a.aws_b.c`."""
    kept: list[str] = []
    at = 0
    while at < len(address):
        opened = address.find("[", at)
        if opened < 0:
            break
        kept.append(address[at:opened])
        at = opened + 1
        if address.startswith('"', at):
            at += 1
            while at < len(address) and address[at] != '"':
                at += 2 if address[at] == "\\" else 1
            at += 1
        at = address.find("]", at) + 1 or len(address)
    return "".join(kept) + address[at:]


class _Merge(Struct, frozen=True):
    """Planned values with an Unknown wherever the plan marks one. What the configuration says of that is kept."""

    address: str
    declared: Resource | None
    references: PlanReferences

    def value(self, value: Any, unknown: Any, path: AttributePath, depth: int) -> Any:
        if unknown is True:
            return self._unknown(path)
        if depth > _MAX_DEPTH:
            return Unknown(f"{self.address} is nested too deeply")
        if isinstance(unknown, dict) and (isinstance(value, dict) or value is None):
            known = value or {}
            return {
                key: self.value(known.get(key), unknown.get(key), (*path, key), depth + 1)
                for key in {**known, **unknown}
                if key in known or unknown[key]
            }
        if isinstance(unknown, list) and (isinstance(value, list) or value is None):
            items = value or []
            return [
                self.value(
                    items[number] if number < len(items) else None,
                    unknown[number] if number < len(unknown) else None,
                    (*path, number),
                    depth + 1,
                )
                for number in range(max(len(items), len(unknown)))
            ]
        return value

    def _unknown(self, path: AttributePath) -> Unknown:
        found = ABSENT if self.declared is None else lookup(self.declared.value, path)
        if type(found) is Unknown:
            return found
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        behind = self.references.of(self.address, str(path[0])) if path else ()
        reason = f"{self.address}{shown} is known only after apply"
        return Unknown(reason, None, behind, (), path in (("id",), ("arn",)))


def _marks(marks: Any, path: Sequence[str | int]) -> bool:
    """Whether a value, one it lies in or one that lies in it is marked."""
    for step in path:
        if marks is True:
            return True
        if isinstance(marks, dict):
            marks = marks.get(step)
        elif isinstance(marks, list) and isinstance(step, int) and step < len(marks):
            marks = marks[step]
        else:
            return False
    waiting = [marks]
    while waiting:
        mark = waiting.pop()
        if mark is True:
            return True
        if isinstance(mark, (dict, list)):
            waiting.extend(mark.values() if isinstance(mark, dict) else mark)
    return False


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _NoPlan("it is not laid out as a plan is")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _NoPlan("it is not laid out as a plan is")
    return value
