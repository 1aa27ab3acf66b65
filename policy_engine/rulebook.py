"""All rules there are: the packs that plugins ship and the folders a user adds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_engine.cache import user_cache
from policy_engine.errors import ConfigError, RuleError
from policy_engine.rule import Rule
from policy_engine.rulepack import CompiledPack, RulePack, load_pack
from policy_engine.settings import Settings

if TYPE_CHECKING:
    from policy_engine.plugins import Plugins


class Rulebook:
    """Knows every rule's id, tags and controls, and reads a format's rules when they are asked for."""

    def __init__(self, packs: Sequence[CompiledPack]) -> None:
        self.packs = packs
        self.index: dict[str, Mapping[str, Any]] = {}
        self.aliases: dict[str, str] = {}
        owners: dict[str, str] = {}
        for pack in packs:
            for rule_id, entry in pack.index.items():
                for name in (rule_id, *entry["aliases"]):
                    if name in owners:
                        raise RuleError(
                            f"rule id '{name}' of '{pack.pack.name}' is already taken by '{owners[name]}'; "
                            f"ids are unique over all packs",
                            path=os.path.join(pack.pack.path, entry["path"]),
                        )
                    owners[name] = pack.pack.name
                self.index[rule_id] = entry
                self.aliases.update(dict.fromkeys(entry["aliases"], rule_id))

    @property
    def names(self) -> set[str]:
        """Present and former ids."""
        return {*self.index, *self.aliases}

    def rules(self, formats: Iterable[str] | None = None) -> list[Rule]:
        """Every rule, or those with a target for one of the formats, sorted by id."""
        found: dict[str, Rule] = {}
        for pack in self.packs:
            rules = pack.all_rules() if formats is None else (r for name in formats for r in pack.rules(name))
            found.update((rule.id, rule) for rule in rules)
        return [found[name] for name in sorted(found)]

    def find(self, name: str) -> Rule:
        """A rule by its present or a former id. Raises ConfigError with the nearest name."""
        rule_id = self.aliases.get(name, name)
        entry = self.index.get(rule_id)
        if entry is None:
            from policy_engine.suggestion import suggest

            raise ConfigError(f"unknown rule '{name}'{suggest(name, sorted(self.names))}")
        return next(rule for rule in self.rules(entry["formats"]) if rule.id == rule_id)

    def select(self, settings: Settings, formats: Sequence[str]) -> list[Rule]:
        """The rules that the settings choose, of those with a target for one of the formats. Raises ConfigError where
        the settings name a rule that does not exist: a selection of nothing must not pass for a clean scan."""
        self._check_names(settings)
        return self.chosen(settings, self.rules(formats))

    def chosen(self, settings: Settings, rules: Sequence[Rule]) -> list[Rule]:
        """Of the rules those that the settings do not leave out."""
        if not settings.select and not settings.ignore:
            return list(rules)
        chosen = []
        for rule in rules:
            entry = self.index[rule.id]
            controls = [*rule.controls, *rule.controls_2013]
            if settings.select and not settings.select.matches(rule.id, entry, controls):
                continue
            if settings.ignore and settings.ignore.matches(rule.id, entry, controls):
                continue
            chosen.append(rule)
        return chosen

    def _check_names(self, settings: Settings) -> None:
        from fnmatch import filter as fnfilter

        from policy_engine.suggestion import suggest

        tags = {tag for entry in self.index.values() for tag in entry["tags"]}
        names = self.names

        def wrong(kind: str, name: str, known: Iterable[str]) -> ConfigError:
            return ConfigError(
                f"the settings name the {kind} '{name}', which does not exist{suggest(name, sorted(known))}",
                path=settings.path,
            )

        for selection in (settings.select, settings.ignore):
            for pattern in selection.ids:
                if not fnfilter(names, pattern):
                    raise wrong("rule", pattern, names)
            for tag in selection.tags:
                if tag not in tags:
                    raise wrong("tag", tag, tags)
        for name in settings.severities:
            if name not in names:
                raise wrong("rule", name, names)


def load_rulebook(
    plugins: Plugins, version: str, extra_folders: Sequence[str] = (), *, keep_extra: bool = True
) -> Rulebook:
    """The packs of all plugins, then the user's folders (absolute paths); without `keep_extra` nothing of the folders
    is put into the cache."""
    extra = [RulePack(os.path.basename(path) or path, path) for path in extra_folders]
    cache = user_cache()
    packs = [load_pack(pack, version, cache) for pack in plugins.rule_packs.values()]
    return Rulebook([*packs, *(load_pack(pack, version, cache if keep_extra else None) for pack in extra)])
