"""Markdown for a step summary or a pull request comment."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class MarkdownReporter(Reporter):
    name = "markdown"
    title = "Markdown"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.markdown.render import render

        return render(report)


class ControlsMarkdownReporter(Reporter):
    name = "controls-markdown"
    title = "Markdown, a line for each control"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.markdown.controls import render

        return render(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [MarkdownReporter(), ControlsMarkdownReporter()]
