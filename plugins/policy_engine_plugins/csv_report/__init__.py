"""The report as tables for a spreadsheet."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class ControlsCsvReporter(Reporter):
    name = "controls-csv"
    title = "CSV, a line for each control"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.csv_report.render import controls

        return controls(report)


class FindingsCsvReporter(Reporter):
    name = "findings-csv"
    title = "CSV, a line for each finding"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.csv_report.render import findings

        return findings(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [ControlsCsvReporter(), FindingsCsvReporter()]
