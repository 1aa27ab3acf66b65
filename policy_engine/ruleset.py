"""The rules of one scan: selected, with their severities, compiled when first needed, found by resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from policy_engine.check import Check, Context
from policy_engine.condition import ConditionError, Requirement, compile_target
from policy_engine.errors import RuleError
from policy_engine.guard import MAX_REMEMBERED, MAX_REMEMBERED_TEXT, guard_of
from policy_engine.operators import scalar
from policy_engine.path import show_path
from policy_engine.resource import Resource
from policy_engine.rule import Rule, Severity, Target
from policy_engine.shared_list import SharedList
from policy_engine.truth import Truth

_NOTHING: Mapping[str, Rule] = {}


class Active(Struct, frozen=True):
    """A rule's target, ready to judge. `when` and `holds` are the tests of the requirement's two conditions."""

    rule: Rule
    target: Target
    severity: Severity
    requirement: Requirement
    when: Callable[[Any, Context], Truth] | None
    holds: Callable[[Any, Context], Truth]


class _OnList:
    """Targets that one list of the value decides."""

    def __init__(self) -> None:
        self.actives: list[Active] = []
        self._guarded: dict[str, list[tuple[int, Callable[[str], bool]]]] = {}
        self._accepting: dict[tuple[str, str], set[int]] = {}

    def add(self, active: Active) -> None:
        guard = active.requirement.require.items
        if guard is not None:
            self._guarded.setdefault(guard.name, []).append((len(self.actives), guard.accepts))
        self.actives.append(active)

    def parted(
        self, items: Sequence[Any], value: Mapping[str, Any], context: Context
    ) -> tuple[list[Active], dict[str, Rule]]:
        """Those that do not hold, and the rules of those that do."""
        rest: list[Active] = []
        satisfied: dict[str, Rule] = {}
        open_ = self._open(items, context)
        for number, active in enumerate(self.actives):
            guard = active.requirement.require.items
            holds = guard.otherwise if guard is not None and number not in open_ else active.holds(value, context)
            if holds is True:
                satisfied[active.rule.id] = active.rule
            else:
                rest.append(active)
        return rest, satisfied

    def _open(self, items: Sequence[Any], context: Context) -> set[int]:
        """The numbers of the targets for which an item may matter, of those that tell by a text of it."""
        numbers: set[int] = set()
        for name, guarded in self._guarded.items():
            texts, all_known = context.texts(items, name)
            if not all_known:
                numbers.update([number for number, _ in guarded])
                continue
            for text in texts:
                accepting = self._accepting.get((name, text))
                if accepting is None:
                    accepting = {number for number, accepts in guarded if accepts(text)}
                    if len(self._accepting) < MAX_REMEMBERED and len(text) <= MAX_REMEMBERED_TEXT:
                        self._accepting[name, text] = accepting
                numbers |= accepting
        return numbers


class _Index:
    """The targets of one resource type, by what an attribute of the resource must be for them to apply: most rules on
    steps, containers and commands are about a few of them. And by the one list that decides them: resources that have
    it in common (the commands of a script that comes again) satisfy the same of these."""

    def __init__(self, actives: Sequence[Active]) -> None:
        self.always: list[Active] = []
        self.guarded: dict[str, list[tuple[Callable[[str], bool] | None, Active]]] = {}
        self.by_list: dict[str, _OnList] = {}
        self._found: dict[tuple[str, str], list[Active]] = {}
        for active in actives:
            guard = guard_of(active.target.when)
            alone = active.requirement.require.decided_by
            if guard is not None:
                self.guarded.setdefault(guard.name, []).append((guard.accepts, active))
            elif active.when is None and alone is not None:
                self.by_list.setdefault(alone, _OnList()).add(active)
            else:
                self.always.append(active)

    def select(self, value: Mapping[str, Any], context: Context) -> tuple[list[Active], Mapping[str, Rule]]:
        selected, satisfied = self.always, _NOTHING
        for name, targets in self.by_list.items():
            items = value.get(name)
            if type(items) is SharedList:
                known = items.answers.get(targets)
                if known is None:
                    known = items.answers[targets] = targets.parted(items, value, context)
                more = known[0]
                satisfied = {**satisfied, **known[1]} if satisfied else known[1]
            else:
                more = targets.actives
            if more:
                selected = [*selected, *more]
        for name, guarded in self.guarded.items():
            given = value.get(name)
            if given is None:
                continue
            if type(given) is str:
                more = self._accepting(name, given, guarded)
            elif type(given) is bool:
                more = self._accepting(name, scalar(given), guarded)
            else:
                more = [active for _, active in guarded]
            if more:
                selected = [*selected, *more]
        return selected, satisfied

    def _accepting(
        self, name: str, text: str, guarded: Sequence[tuple[Callable[[str], bool] | None, Active]]
    ) -> list[Active]:
        found = self._found.get((name, text))
        if found is None:
            found = [active for accepts, active in guarded if accepts is None or accepts(text)]
            if len(self._found) < MAX_REMEMBERED and len(text) <= MAX_REMEMBERED_TEXT:
                self._found[name, text] = found
        return found


class RuleSet:
    """Rules by format and resource type. `severities` holds the overrides of the settings, by rule id."""

    def __init__(
        self, rules: Sequence[Rule], checks: Mapping[str, Check], severities: Mapping[str, Severity] | None = None
    ) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.id)
        self._checks = checks
        self._severities = severities or {}
        self._targets: dict[tuple[str, str], list[tuple[Rule, int]]] = {}
        self._compiled: dict[tuple[str, str], _Index] = {}
        self._whens: dict[str, Callable[[Any, Context], Truth]] = {}
        for rule in self.rules:
            for number, target in enumerate(rule.targets):
                for name in target.resources:
                    self._targets.setdefault((target.format, name), []).append((rule, number))

    def severity(self, rule: Rule) -> Severity:
        return self._severities.get(rule.id, rule.severity)

    def for_resource(self, resource: Resource, context: Context) -> tuple[list[Active], Mapping[str, Rule]]:
        """The targets that are to be judged for a resource, and the rules, by id, that it is known to satisfy, as it
        shares what decides them with others. What is left out does not apply to it.

        Raises RuleError where a rule calls a check that no plugin registered, or gives it wrong parameters.
        """
        key = (resource.format, resource.type)
        index = self._compiled.get(key)
        if index is None:
            index = _Index([self._compile(rule, number) for rule, number in self._targets.get(key, ())])
            self._compiled[key] = index
        return index.select(resource.value, context)

    def _compile(self, rule: Rule, number: int) -> Active:
        target = rule.targets[number]
        try:
            requirement = compile_target(target.when, target.require, self._checks, ("targets", number))
        except ConditionError as error:
            raise RuleError(f"{show_path(error.path)}: {error}", path=rule.path) from error
        when = None
        if requirement.when is not None:
            # Targets with the same condition share its test, so that it is asked once for a resource.
            when = self._whens.setdefault(repr(target.when), requirement.when.test)
        return Active(rule, target, self.severity(rule), requirement, when, requirement.require.test)
