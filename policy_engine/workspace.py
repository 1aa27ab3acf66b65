"""What most commands need first: where we are, the settings, the plugins and the rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from policy_engine import __version__
from policy_engine.discovery import find_root
from policy_engine.errors import ConfigError
from policy_engine.plugins import Plugins, load_plugins
from policy_engine.rulebook import Rulebook, load_rulebook
from policy_engine.settings import Settings, find_settings, load_settings

if TYPE_CHECKING:
    from datetime import date

    from policy_engine.format import Format
    from policy_engine.option import Choices
    from policy_engine.policy import Policy
    from policy_engine.report import Report
    from policy_engine.revision import Revision
    from policy_engine.tree import Tree


class Workspace(Struct, frozen=True):
    """`root` is the folder that paths are told relative to."""

    root: str
    settings: Settings
    plugins: Plugins
    rulebook: Rulebook
    revision: Revision | None = None
    formats_before: Mapping[str, Format] | None = None
    """With a revision: the formats set up with its files."""


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
        revision.begin_comparing()
        settings = _settings_of(revision, config)
    else:
        found = config if config is not None else find_settings(root)
        settings = load_settings(found) if found is not None else Settings()
    plugins = plugins or load_plugins()
    home = root
    if settings.path and revision is None:
        home = os.path.dirname(os.path.abspath(settings.path))
    before = plugins.formats
    if settings.formats or choices:
        from policy_engine.option import check_settings, configure, merged

        chosen = merged(check_settings(plugins.formats, settings.formats, home, settings.path), choices or {})
        if revision is not None:
            before = configure(plugins.formats, chosen, root, revision.read)
        plugins.formats = configure(plugins.formats, chosen, root)
    if revision is None:
        own = [os.path.join(home, each) for each in settings.rule_paths]
        folders = list(dict.fromkeys(os.path.realpath(each) for each in (*own, *rule_folders)))
        return Workspace(root, settings, plugins, load_rulebook(plugins, __version__, folders))
    rulebook = _rulebook_of(revision, settings, rule_folders, plugins)
    return Workspace(root, settings, plugins, rulebook, revision, before)


def rule_folders_of(settings: Settings, root: str) -> list[str]:
    """The folders of rules that the settings of a revision name, relative to the root. No link is followed: one could
    be put in their place. Raises ConfigError for one outside."""
    folders = []
    for each in settings.rule_paths:
        relative = _below(root, os.path.normpath(os.path.join(root, each)))
        if relative is None:
            raise ConfigError(f"the rule folder '{each}' lies outside the root '{root}'", path=settings.path)
        folders.append(relative)
    return folders


def _rulebook_of(revision: Revision, settings: Settings, rule_folders: Sequence[str], plugins: Plugins) -> Rulebook:
    """Rules that stand in the project are those of the base; they are read while a copy of them is there."""
    folders: list[str] = rule_folders_of(settings, revision.root)
    outside = []
    for each in rule_folders:
        inner = _inside(each, revision.root)
        if inner is None:
            outside.append(os.path.realpath(each))
        else:
            folders.append(inner)
    if not folders:
        return load_rulebook(plugins, __version__, outside, keep_extra=False)
    import tempfile

    with tempfile.TemporaryDirectory(prefix="policy-engine-") as copy:
        copies = [
            _copy_of(folder, revision, os.path.join(copy, str(number), os.path.basename(folder)))
            for number, folder in enumerate(dict.fromkeys(folders))
        ]
        rulebook = load_rulebook(plugins, __version__, [*copies, *outside], keep_extra=False)
        rulebook.rules()
    return rulebook


def _inside(given: str, root: str) -> str | None:
    """A path as the command line names it, relative to the root; None where it lies outside. The name counts, not what
    a link in its place leads to."""
    full = os.path.abspath(given)
    relative = _below(root, full)
    if relative is None:
        relative = _below(root, os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full)))
    return relative


def _below(root: str, full: str) -> str | None:
    relative = os.path.relpath(full, root).replace(os.sep, "/")
    return None if relative == ".." or relative.startswith("../") else relative


def _settings_of(revision: Revision, config: str | None) -> Settings:
    """The settings as the revision has them; a file outside of the project is read as it is."""
    from policy_engine.settings import FILE_NAMES, parse_settings

    names: Sequence[str] = FILE_NAMES
    if config is not None:
        relative = _inside(config, revision.root)
        if relative is None:
            return load_settings(config)
        names = (relative,)
    for name in names:
        try:
            data = revision.read(name)
        except FileNotFoundError:
            continue
        return parse_settings(data, name)
    return Settings()


def _copy_of(folder: str, revision: Revision, copy: str) -> str:
    os.makedirs(copy, exist_ok=True)
    for path in revision.files(folder):
        if path.endswith((".yaml", ".yml")):
            inner = os.path.join(copy, os.path.relpath(path, folder))
            os.makedirs(os.path.dirname(inner), exist_ok=True)
            with open(inner, "wb") as stream:
                stream.write(revision.read(path))
    return copy


def scan_project(
    space: Workspace, today: date, seen_through: Callable[[Tree], Tree] | None = None
) -> tuple[Report, Policy]:
    """A scan of all of a project, with what it has decided about its findings. `seen_through` may put another tree
    before the project's own. Raises ConfigError and RuleError."""
    from policy_engine.discovery import discover, forced, is_repository, project_of
    from policy_engine.policy import read_policy
    from policy_engine.scan import scan
    from policy_engine.tree import WorkTree

    settings = space.settings
    tree: Tree = WorkTree(space.root, settings.max_file_bytes)
    if seen_through is not None:
        tree = seen_through(tree)
    policy = read_policy(tree.read, today, warn_days=settings.warn_days, whole=True)
    found = discover(space.root, [space.root], settings.excludes)
    paths = found.paths
    if is_repository(space.root):
        paths = sorted({*paths, *forced(space.root, found, settings.excludes)})
    taken = set(paths)
    report = scan(
        tree,
        paths,
        space.plugins,
        space.rulebook,
        settings,
        root=space.root,
        left_out=[entry for entry in found.left_out if entry.path not in taken],
        policy=policy,
        project=project_of(space.root, paths, found),
    )
    return report, policy
