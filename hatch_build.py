"""Puts the top-level `rules/` into the wheel as `policy_engine/rules`, together with its compiled form.

An editable install reads `rules/` where it stands, and gets nothing from here.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulesBuildHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from policy_engine import __version__
            from policy_engine.rulepack import COMPILED_FOLDER, read_rules, write_compiled
        finally:
            sys.path.pop(0)
        rules = os.path.join(self.root, "rules")
        documents, mistakes = read_rules(rules, shown_as="rules")
        if mistakes:
            raise ValueError("the rules cannot be built:\n" + "\n".join(map(str, mistakes)))
        made = os.path.join(tempfile.mkdtemp(), COMPILED_FOLDER)
        write_compiled(documents, made, __version__)
        build_data["force_include"][rules] = "policy_engine/rules"
        build_data["force_include"][made] = f"policy_engine/rules/{COMPILED_FOLDER}"
