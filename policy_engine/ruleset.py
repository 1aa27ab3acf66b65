"""The rules of one scan: selected, with their severities, compiled when first needed, found by resource type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policy_engine.check import Check
from policy_engine.condition import ConditionError, Requirement, compile_target
from policy_engine.errors import RuleError
from policy_engine.path import show_path
from policy_engine.rule import Rule, Severity, Target


@dataclass(frozen=True, slots=True)
class Active:
    """A rule's target, ready to judge."""

    rule: Rule
    target: Target
    severity: Severity
    requirement: Requirement


class RuleSet:
    """Rules by format and resource type. `severities` holds the overrides of the settings, by rule id."""

    def __init__(
        self, rules: Sequence[Rule], checks: Mapping[str, Check], severities: Mapping[str, Severity] | None = None
    ) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.id)
        self._checks = checks
        self._severities = severities or {}
        self._targets: dict[tuple[str, str], list[tuple[Rule, int]]] = {}
        self._compiled: dict[tuple[str, str], list[Active]] = {}
        for rule in self.rules:
            for number, target in enumerate(rule.targets):
                for name in target.resources:
                    self._targets.setdefault((target.format, name), []).append((rule, number))

    def severity(self, rule: Rule) -> Severity:
        return self._severities.get(rule.id, rule.severity)

    def for_type(self, format_name: str, resource_type: str) -> list[Active]:
        """Raises RuleError where a rule calls a check that no plugin registered, or gives it wrong parameters."""
        key = (format_name, resource_type)
        found = self._compiled.get(key)
        if found is None:
            found = [self._compile(rule, number) for rule, number in self._targets.get(key, ())]
            self._compiled[key] = found
        return found

    def _compile(self, rule: Rule, number: int) -> Active:
        target = rule.targets[number]
        try:
            requirement = compile_target(target.when, target.require, self._checks, ("targets", number))
        except ConditionError as error:
            raise RuleError(f"{show_path(error.path)}: {error}", path=rule.path) from error
        return Active(rule, target, self.severity(rule), requirement)
