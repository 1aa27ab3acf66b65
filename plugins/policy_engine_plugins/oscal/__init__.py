"""The report, the statement of applicability and the rules as OSCAL documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_engine.hookspecs import hookimpl
from policy_engine.report import Report
from policy_engine.reporter import Display, Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping


class OscalReporter(Reporter):
    """A folder of documents that refer to each other, laid out as compliance-trestle keeps them."""

    name = "oscal"
    title = "OSCAL, a folder of documents"
    folder = True

    def render(self, report: Report, display: Display) -> str:
        from policy_engine_plugins.oscal.documents import summary

        return summary(report)

    def files(self, report: Report) -> Mapping[str, str]:
        from policy_engine_plugins.oscal.documents import documents

        return documents(report)


@hookimpl
def register_reporters() -> list[Reporter]:
    return [OscalReporter()]
