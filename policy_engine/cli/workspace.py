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
    from policy_engine.revision import Revision


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is the folder that paths are told relative to."""

    root: str
    settings: Settings
    plugins: Plugins
    rulebook: Rulebook
    revision: Revision | None = None


def open_workspace(
    path: str = ".",
    *,
    root: str | None = None,
    config: str | None = None,
    rule_folders: Sequence[str] = (),
    plugins: Plugins | None = None,
    choices: Choices | None = None,
    base: str | None = None,
) -> Workspace:
    """`choices` are what the command line says to the formats; with a `base` revision, settings and rules of the
    project are those of its merge base. Raises ConfigError, PluginError or RuleError."""
    root = os.path.realpath(root) if root is not None else find_root(path)
    revision = None
    if base is not None:
        from policy_engine.revision import Revision

        revision = Revision(root, base)
        settings = _settings_of(revision, config)
    else:
        found = config if config is not None else find_settings(root)
        settings = load_settings(found) if found is not None else Settings()
    plugins = plugins or load_plugins()
    home = root
    if settings.path and revision is None:
        home = os.path.dirname(os.path.abspath(settings.path))
    if settings.formats or choices:
        from policy_engine.option import check_settings, configure, merged

        chosen = merged(check_settings(plugins.formats, settings.formats, home, settings.path), choices or {})
        plugins.formats = configure(plugins.formats, chosen, root)
    own = [os.path.join(home, each) for each in settings.rule_paths]
    folders = list(dict.fromkeys(os.path.realpath(each) for each in (*own, *rule_folders)))
    if revision is None:
        return Workspace(root, settings, plugins, load_rulebook(plugins, __version__, folders))
    import tempfile

    # Rules that stand in the project are those of the base; they are read while the copy is there.
    with tempfile.TemporaryDirectory(prefix="policy-engine-") as copy:
        folders = [_copy_of(folder, revision, root, os.path.join(copy, str(n))) for n, folder in enumerate(folders)]
        rulebook = load_rulebook(plugins, __version__, folders)
        if folders:
            rulebook.rules()
    return Workspace(root, settings, plugins, rulebook, revision)


def _settings_of(revision: Revision, config: str | None) -> Settings:
    """The settings as the revision has them; a file outside of the project is read as it is."""
    from policy_engine.settings import FILE_NAMES, parse_settings

    names: Sequence[str] = FILE_NAMES
    if config is not None:
        relative = os.path.relpath(os.path.realpath(config), revision.root)
        if relative.startswith(".."):
            return load_settings(config)
        names = (relative.replace(os.sep, "/"),)
    for name in names:
        try:
            data = revision.read(name)
        except FileNotFoundError:
            continue
        return parse_settings(data, name)
    return Settings()


def _copy_of(folder: str, revision: Revision, root: str, copy: str) -> str:
    relative = os.path.relpath(folder, root)
    if relative.startswith(".."):
        return folder
    os.makedirs(copy, exist_ok=True)
    for path in revision.files(relative.replace(os.sep, "/")):
        inner = os.path.join(copy, os.path.relpath(path, relative))
        os.makedirs(os.path.dirname(inner), exist_ok=True)
        with open(inner, "wb") as stream:
            stream.write(revision.read(path))
    return copy
