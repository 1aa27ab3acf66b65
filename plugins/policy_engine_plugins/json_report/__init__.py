"""The whole report as JSON, described by `report.schema.json` beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy_engine.control import Framework


class JsonReporter(Reporter):
    name = "json"
    title = "JSON"
    readable = True

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.json_report.render import render

        return render(report)

    def reads(self, data: bytes) -> bool:
        return data.lstrip()[:1] == b"{"

    def read(self, data: bytes, path: str, framework: Callable[[str], Framework]) -> Report:
        from policy_engine_plugins.json_report.reading import read

        return read(data, path, framework)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [JsonReporter()]
