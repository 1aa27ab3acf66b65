"""What `--base` needs: the base's files and decisions, and every file of the change."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date

from policy_engine.discovery import excluded_by
from policy_engine.policy import read_policy
from policy_engine.revision import BaseTree, Changes, Revision
from policy_engine.scan import BaseView
from policy_engine.settings import Settings
from policy_engine.tree import Tree


def base_view(
    revision: Revision, tree: Tree, paths: Sequence[str], settings: Settings, today: date, gate: str
) -> BaseView:
    changes = revision.changes()
    touched = changes.now | changes.before
    policy = read_policy(revision.read, today, warn_days=settings.warn_days, whole=False, changed=touched)
    before = {path for path in changes.before if excluded_by(path, settings.excludes) is None}
    return BaseView(
        revision.name,
        revision.commit,
        BaseTree(tree, revision, changes, settings.max_file_bytes),
        sorted((set(paths) - changes.now) | before),
        changes,
        policy,
        gate,
    )


def with_changed(
    paths: Sequence[str], changes: Changes, root: str, given: Sequence[str], settings: Settings
) -> list[str]:
    """The discovered files, and those of the change that a .gitignore of the same change would hide."""
    scopes = [os.path.relpath(os.path.realpath(each), root).replace(os.sep, "/") for each in given]
    more = [
        path
        for path in changes.now
        if any(scope == "." or path == scope or path.startswith(f"{scope}/") for scope in scopes)
        and excluded_by(path, settings.excludes) is None
        and os.path.isfile(os.path.join(root, path))
        and not os.path.islink(os.path.join(root, path))
    ]
    return sorted({*paths, *more})
