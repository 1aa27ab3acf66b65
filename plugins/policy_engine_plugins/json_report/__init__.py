"""The whole report as JSON, described by `report.schema.json` beside this file."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class JsonReporter(Reporter):
    name = "json"
    title = "JSON"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.json_report.render import render

        return render(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [JsonReporter()]
