"""SARIF 2.1.0, as GitHub code scanning takes it."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class SarifReporter(Reporter):
    name = "sarif"
    title = "SARIF 2.1.0"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.sarif.render import render

        return render(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [SarifReporter()]
