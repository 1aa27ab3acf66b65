"""The management system's part in a scan: what applies, and whether the evidence that was promised is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from policy_engine.attestation import as_resources as attestations_as_resources
from policy_engine.attestation import check_attestations
from policy_engine.control import Framework, controls_of
from policy_engine.errors import ConfigError
from policy_engine.plugins import Plugins
from policy_engine.policy import Policy
from policy_engine.resource import Resource
from policy_engine.rule import Rule
from policy_engine.rulebook import Rulebook
from policy_engine.settings import Settings
from policy_engine.statement import applies, check_controls
from policy_engine.statement import as_resources as statement_as_resources
from policy_engine.suppression import RESOURCE_FORMAT
from policy_engine.tree import Tree


class Management:
    """What a project's statement of applicability and attestations mean for one scan of it."""

    def __init__(self, policy: Policy, plugins: Plugins, rulebook: Rulebook, settings: Settings, tree: Tree) -> None:
        """Raises ConfigError for a catalogue or a control that does not exist."""
        self.policy = policy
        self.rulebook = rulebook
        self.settings = settings
        self.tree = tree
        self.not_applicable: set[str] = set()
        self.framework: Framework | None = None
        if policy.statement is not None:
            place = policy.statement.location
            try:
                self.framework = plugins.framework(policy.statement.framework)
            except ConfigError as error:
                raise ConfigError(error.message, path=place.path, span=place.span) from None
            check_controls(policy.statement, self.framework)
        check_attestations(policy.attestations, plugins.framework)

    def applicable(self, rules: Sequence[Rule]) -> list[Rule]:
        """The rules that have a control which applies; the others are remembered."""
        statement, framework = self.policy.statement, self.framework
        if statement is None or framework is None:
            return list(rules)
        kept = [rule for rule in rules if applies(rule, statement, framework)]
        self.not_applicable.update({rule.id for rule in rules} - {rule.id for rule in kept})
        return kept

    def as_resources(self, ran: Collection[str]) -> list[Resource]:
        """The statement and the attestations, for rules to judge, after the scan.

        ran  ids of the rules that looked at something
        """
        policy = self.policy
        resources = attestations_as_resources(policy.attestations, policy.today, policy.warn_days, self.tree.read)
        if policy.statement is not None and self.framework is not None:
            rules = self.rulebook.rules()
            enabled = {rule.id for rule in self.rulebook.chosen(self.settings, rules)}
            resources += statement_as_resources(
                policy.statement,
                self.framework,
                rules_by_control(rules, self.framework),
                enabled,
                ran,
                self.rulebook.names,
                judged=policy.whole and not policy.narrowed,
            )
        return resources


def rules_by_control(rules: Iterable[Rule], framework: Framework) -> dict[str, list[str]]:
    """Ids of the rules that give evidence for each control. Those that judge the policy itself are left out: they say
    something of any project that has one."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        if RESOURCE_FORMAT not in rule.formats():
            for control in controls_of(rule, framework):
                found.setdefault(control, []).append(rule.id)
    return found
