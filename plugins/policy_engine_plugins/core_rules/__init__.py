"""The rules that come with policy-engine: the top-level `rules/`, which is `policy_engine/rules` in the wheel."""

from __future__ import annotations

import os

import policy_engine
from policy_engine.hookspecs import hookimpl
from policy_engine.rulepack import RulePack


@hookimpl
def register_rule_packs() -> list[RulePack]:
    engine = os.path.dirname(os.path.abspath(policy_engine.__file__))
    shipped = os.path.join(engine, "rules")
    path = shipped if os.path.isdir(shipped) else os.path.join(os.path.dirname(engine), "rules")
    return [RulePack("core", path)]
