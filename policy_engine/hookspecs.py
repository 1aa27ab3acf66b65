"""The hooks a plugin may implement. Each returns values; none may do work at import time.

A plugin is an importable module named by an entry point in the group `policy_engine`:

    [project.entry-points.policy_engine]
    acme = "acme_policy"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from policy_engine.check import Check
    from policy_engine.control import FrameworkSource
    from policy_engine.format import Format
    from policy_engine.host import Host
    from policy_engine.reporter import Reporter
    from policy_engine.rulepack import RulePack

PROJECT = "policy_engine"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_formats() -> Iterable[Format]:  # type: ignore[empty-body]
    """Input formats. Keep them light: the parser is imported in `Format.load`."""


@hookspec
def register_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Named Python checks that rules can call with parameters."""


@hookspec
def register_rule_packs() -> Iterable[RulePack]:  # type: ignore[empty-body]
    """Folders of rules."""


@hookspec
def register_frameworks() -> Iterable[FrameworkSource]:  # type: ignore[empty-body]
    """Control catalogues, by name, each loaded only when asked for."""


@hookspec
def register_reporters() -> Iterable[Reporter]:  # type: ignore[empty-body]
    """Output formats."""


@hookspec
def register_hosts() -> Iterable[Host]:  # type: ignore[empty-body]
    """Where projects are hosted, and what reads the settings there. Keep them light: import in `Host.open`."""
