"""What most commands need first: where we are, the settings, the plugins and the rules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy_engine import __version__
from policy_engine.discovery import find_root
from policy_engine.plugins import Plugins, load_plugins
from policy_engine.rulebook import Rulebook, load_rulebook
from policy_engine.settings import Settings, find_settings, load_settings

if TYPE_CHECKING:
    from policy_engine.option import Choices


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is the folder that paths are told relative to."""

    root: str
    settings: Settings
    plugins: Plugins
    rulebook: Rulebook


def open_workspace(
    path: str = ".",
    *,
    root: str | None = None,
    config: str | None = None,
    rule_folders: Sequence[str] = (),
    plugins: Plugins | None = None,
    choices: Choices | None = None,
) -> Workspace:
    """`choices` are what the command line says to the formats. Raises ConfigError, PluginError or RuleError."""
    root = os.path.realpath(root) if root is not None else find_root(path)
    found = config if config is not None else find_settings(root)
    settings = load_settings(found) if found is not None else Settings()
    plugins = plugins or load_plugins()
    base = os.path.dirname(os.path.abspath(settings.path)) if settings.path else root
    if settings.formats or choices:
        from policy_engine.option import check_settings, configure, merged

        chosen = merged(check_settings(plugins.formats, settings.formats, base, settings.path), choices or {})
        plugins.formats = configure(plugins.formats, chosen, root)
    own = [os.path.join(base, each) for each in settings.rule_paths]
    folders = list(dict.fromkeys(os.path.realpath(each) for each in (*own, *rule_folders)))
    return Workspace(root, settings, plugins, load_rulebook(plugins, __version__, folders))
