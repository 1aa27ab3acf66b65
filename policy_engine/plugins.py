"""Finds plugins through entry points, and gathers what they register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy
from msgspec import Struct

from policy_engine import hookspecs
from policy_engine.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from policy_engine.check import Check
    from policy_engine.control import Framework, FrameworkSource
    from policy_engine.format import Format
    from policy_engine.host import Host
    from policy_engine.reporter import Reporter
    from policy_engine.rulepack import RulePack

GROUP = hookspecs.PROJECT


class PluginInfo(Struct, frozen=True):
    """A loaded plugin: its entry point's name, its module, the distribution it came with, and what it registers."""

    name: str
    module: str
    distribution: str
    hooks: tuple[str, ...]


class Plugins:
    """Everything the loaded plugins offer, by name. What is registered twice under one name is an error."""

    def __init__(self, manager: pluggy.PluginManager, infos: Iterable[PluginInfo]) -> None:
        self._manager = manager
        self.infos = tuple(infos)
        self.formats: Mapping[str, Format] = self._gather("register_formats", lambda each: each.name)
        self.checks: Mapping[str, Check] = self._gather("register_checks", lambda each: each.name)
        self.rule_packs: Mapping[str, RulePack] = self._gather("register_rule_packs", lambda each: each.name)
        self.framework_sources: Mapping[str, FrameworkSource] = self._gather(
            "register_frameworks", lambda each: each.name
        )
        self.reporters: Mapping[str, Reporter] = self._gather("register_reporters", lambda each: each.name)
        self.hosts: Mapping[str, Host] = self._gather("register_hosts", lambda each: each.name)

    def framework(self, name: str) -> Framework:
        source = self.framework_sources.get(name)
        if source is None:
            from policy_engine.suggestion import suggest

            raise ConfigError(f"unknown framework '{name}'{suggest(name, self.framework_sources)}")
        return source.load()

    def _gather(self, hook: str, name_of: Callable[[Any], str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        owners: dict[str, str] = {}
        kind = hook.removeprefix("register_").removesuffix("s").replace("_", " ")
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            owner = implementation.plugin_name
            try:
                registered = list(implementation.function())
                names = [(name_of(each), each) for each in registered]
            except Exception as error:
                raise PluginError(f"plugin '{owner}': {hook} failed: {type(error).__name__}: {error}") from error
            for name, each in names:
                if name in owners:
                    raise PluginError(
                        f"plugin '{owner}': the {kind} '{name}' is already registered by '{owners[name]}'"
                    )
                owners[name] = owner
                found[name] = each
        return dict(sorted(found.items()))


def load_plugins(extra: Iterable[tuple[str, object]] = ()) -> Plugins:
    """Loads every entry point of the group in sorted order, and `extra` (name, module) pairs after them.

    Raises PluginError where one does not load or implements a hook that does not exist: a gate that lost its checks
    must not pass.
    """
    from policy_engine.cache import user_cache
    from policy_engine.entry_points import entry_points

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    infos = []
    for point in entry_points(GROUP, user_cache()):
        name, value, distribution = point.name, point.value, point.distribution
        try:
            module = point.load()
        except Exception as error:
            raise PluginError(
                f"plugin '{name}' ({value} of {distribution}) does not load: {type(error).__name__}: {error}; "
                f"mend or uninstall it"
            ) from error
        infos.append(_register(manager, module, name, value, distribution))
    for name, module in extra:
        infos.append(_register(manager, module, name, getattr(module, "__name__", name), "extra"))
    return Plugins(manager, infos)


def _register(manager: pluggy.PluginManager, module: object, name: str, value: str, distribution: str) -> PluginInfo:
    try:
        manager.register(module, name=name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise PluginError(f"plugin '{name}' ({value} of {distribution}): {reason}") from error
    callers = manager.get_hookcallers(module) or []
    return PluginInfo(name, value, distribution, tuple(sorted(caller.name for caller in callers)))
