"""What a GitHub Actions step tells: annotations on the lines of a change, and the step's outputs."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class AnnotationsReporter(Reporter):
    name = "github-annotations"
    title = "GitHub annotations (workflow commands)"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.github_actions.render import render_annotations

        return render_annotations(report)


class OutputsReporter(Reporter):
    name = "github-outputs"
    title = "GitHub step outputs"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.github_actions.render import render_outputs

        return render_outputs(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [AnnotationsReporter(), OutputsReporter()]
