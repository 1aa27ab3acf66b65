"""An example plugin: reads `.npmrc` files, judges their registries, and reports as CSV.

Only light things stand here; what reads and judges is imported when it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter
from policy_engine.rulepack import RulePack
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit


class NpmrcFormat(Format):
    name = "npmrc"
    title = "npm settings"
    resource_types = ("npmrc",)
    example_path = ".npmrc"

    def claims(self, path: str) -> bool:
        return path == ".npmrc" or path.endswith("/.npmrc")

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from acme_policy.npmrc import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from acme_policy.npmrc import comments

        return comments(path, data)


class CsvReporter(Reporter):
    name = "csv"
    title = "CSV, a line for each failure"

    def render(self, report: Report, display: Display) -> str:
        from acme_policy.table import render

        return render(report)


def https_urls(value: Any, parameters: Mapping[str, Any], context: Context) -> Iterator[Violation | Doubt]:
    from acme_policy.registries import judge

    return judge(value, parameters)


@hookimpl
def register_formats() -> list[Format]:
    return [NpmrcFormat()]


@hookimpl
def register_checks() -> list[Check]:
    parameters = {
        "type": "object",
        "properties": {"keys_ending": {"type": "string"}},
        "required": ["keys_ending"],
        "additionalProperties": False,
    }
    return [Check("acme-https-urls", https_urls, parameters, "settings with such names hold https addresses")]


@hookimpl
def register_rule_packs() -> list[RulePack]:
    return [RulePack("acme", os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules"))]


@hookimpl
def register_reporters() -> list[Reporter]:
    return [CsvReporter()]
