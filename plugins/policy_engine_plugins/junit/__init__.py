"""JUnit XML, as continuous integration servers read it."""

from __future__ import annotations

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter


class JunitReporter(Reporter):
    name = "junit"
    title = "JUnit XML"

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.junit.render import render

        return render(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [JunitReporter()]
