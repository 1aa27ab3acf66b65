"""Folders of rules, read once and kept compiled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RulePack:
    """A folder of rule files that a plugin ships: `name` for messages, `path` absolute."""

    name: str
    path: str
