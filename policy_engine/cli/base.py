"""What `--base` needs: the base's files and decisions, and every file of the change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from policy_engine.discovery import TOOL_FOLDERS, excluder
from policy_engine.errors import ConfigError
from policy_engine.policy import read_policy
from policy_engine.project import Project
from policy_engine.revision import BaseTree, Changes, Revision
from policy_engine.scan import BaseView
from policy_engine.settings import FILE_NAMES, Settings, parse_settings
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.workspace import Workspace, rule_folders_of


def base_view(
    space: Workspace,
    tree: Tree,
    found: Sequence[str],
    given: Sequence[str],
    settings: Settings,
    today: date,
    gate: str,
    links: Mapping[str, str] | None = None,
) -> tuple[BaseView, list[str]]:
    """The base, and all files of the work tree to look at: those discovered, and those that git tracks, of which no
    .gitignore speaks: one of the same change could hide them. `links` are the symbolic links of the work tree, where
    all of a project is scanned."""
    revision = space.revision
    assert revision is not None
    assert space.formats_before is not None
    changes = revision.changes()
    scopes = [os.path.relpath(os.path.realpath(each), space.root).replace(os.sep, "/") for each in given]
    now = changes.now
    missing = (now | changes.tracked) - set(found)
    more = [
        path
        for path in _chosen(missing, scopes, settings)
        # A changed file that is not checked out stays in, to be told as not to be read.
        if path in now or (_fit_to_scan(path) and _is_regular(os.path.join(space.root, path)))
    ]
    files = sorted({*found, *more})
    before = set(_chosen(changes.before, scopes, settings))
    touched = now | changes.before
    also = [*rule_folders_of(settings, space.root), *([settings.path] if settings.path else [])]
    policy = read_policy(
        revision.read, today, warn_days=settings.warn_days, whole=False, changed=touched, also=tuple(also)
    )
    _check_changed_policy(tree, changes, today, settings)
    paths = sorted((set(files) - now) | before)
    view = BaseView(
        revision.name,
        revision.commit,
        BaseTree(tree, revision, changes, settings.max_file_bytes),
        paths,
        changes,
        policy,
        gate,
        space.formats_before,
        None if links is None else Project(tuple(paths), _links_before(revision, changes, links)),
    )
    return view, files


def _links_before(revision: Revision, changes: Changes, links: Mapping[str, str]) -> dict[str, str]:
    # One that git does not track is new, too.
    new = changes.links | changes.added
    before = {path: target for path, target in links.items() if path not in new}
    before.update((path, os.fsdecode(revision.read(path))) for path in changes.links_before)
    return before


def _is_regular(full: str) -> bool:
    return os.path.isfile(full) and not os.path.islink(full)


def _fit_to_scan(path: str) -> bool:
    return TOOL_FOLDERS.isdisjoint(path.split("/")[:-1])


def _chosen(paths: Iterable[str], scopes: Sequence[str], settings: Settings) -> list[str]:
    """Of the paths those that were asked for, and that the settings do not leave out."""
    excluded_by = excluder(settings.excludes)
    return [
        path
        for path in paths
        if any(scope == "." or path == scope or path.startswith(f"{scope}/") for scope in scopes)
        and excluded_by(path) is None
    ]


def _check_changed_policy(tree: Tree, changes: Changes, today: date, settings: Settings) -> None:
    """What the change makes of the policy does not count yet, but a mistake in it is told before it is merged."""
    read_policy(tree.read, today, warn_days=settings.warn_days, whole=False)
    for name in {*FILE_NAMES, settings.path} & changes.now:
        if name is not None:
            try:
                parse_settings(tree.read(name), name)
            except FileTooLarge as error:
                raise ConfigError(error.message, path=name) from None
