"""The report as one web page that needs nothing else."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class HtmlReporter(Reporter):
    name = "html"
    title = "HTML, one file"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.html_report.page import render

        return render(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [HtmlReporter()]
