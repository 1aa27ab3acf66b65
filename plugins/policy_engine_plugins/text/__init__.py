"""The report for people at a terminal."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class TextReporter(Reporter):
    name = "text"
    title = "Text for a terminal"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.text.render import render

        return render(report, display)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [TextReporter()]
