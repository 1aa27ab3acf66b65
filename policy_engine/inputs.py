"""What a scan rests on: the files it read, the project's policy, and the packages that judged."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from policy_engine.policy import KINDS
from policy_engine.report import Report, Status
from policy_engine.settings import FILE_NAMES
from policy_engine.tree import FileTooLarge, Tree

if TYPE_CHECKING:
    from policy_engine.workspace import Workspace


class Witness:
    """A tree that remembers the digest of what was read through it."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.seen: dict[str, tuple[int, str]] = {}

    def read(self, path: str) -> bytes:
        data = self._tree.read(path)
        if path not in self.seen:
            self.seen[path] = (len(data), hashlib.sha256(data).hexdigest())
        return data

    def is_file(self, path: str) -> bool:
        return self._tree.is_file(path)

    def list(self, folder: str) -> list[str]:
        return self._tree.list(folder)

    def size(self, path: str) -> int:
        return self._tree.size(path)


def inputs_of(report: Report, witness: Witness) -> list[dict[str, Any]]:
    """Every file that the scan met, as its ledger tells, with size and digest; and those it read beside them. A file
    that no format claimed is read for its digest alone."""
    told: dict[str, dict[str, Any]] = {}
    for entry in report.ledger.entries:
        row: dict[str, Any] = {
            "path": entry.path,
            "status": entry.status.value,
            "formats": list(entry.formats),
            "detail": entry.detail,
        }
        if entry.status is not Status.EXCLUDED:
            row |= _digest_of(entry.path, witness)
        told[entry.path] = row
    for path in witness.seen:
        told.setdefault(
            path, {"path": path, "status": "read", "formats": [], "detail": "", **_digest_of(path, witness)}
        )
    return [told[path] for path in sorted(told)]


def _digest_of(path: str, witness: Witness) -> dict[str, Any]:
    if path not in witness.seen:
        try:
            witness.read(path)
        except (OSError, ValueError, FileTooLarge):
            return {"size": None, "sha256": None}
    size, digest = witness.seen[path]
    return {"size": size, "sha256": digest}


def policy_files(space: Workspace) -> dict[str, bytes]:
    """The files that say what the project's scans do, by their paths."""
    files = {}
    for name in sorted({*FILE_NAMES, *KINDS}):
        try:
            with open(os.path.join(space.root, name), "rb") as stream:
                files[name] = stream.read()
        except OSError:
            continue  # not every project has all of them; the scan has told of one that cannot be read
    return files


def versions() -> dict[str, str]:
    """Of the installed packages that give formats, rules, frameworks or reports, by name."""
    from importlib.metadata import entry_points

    found = {}
    for point in entry_points(group="policy_engine"):
        if point.dist is not None:
            found[point.dist.name] = point.dist.version
    return dict(sorted(found.items()))
