"""Renders a report as CSV."""

from __future__ import annotations

import csv
import io

from policy_engine.report import Report


def render(report: Report) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["path", "line", "column", "severity", "rule", "message"])
    for finding in report.findings:
        if finding.counts:
            span = finding.location.span
            row = [finding.severity.value, finding.rule.id, finding.message]
            table.writerow(
                [_cell(str(each)) for each in (finding.location.path, span.start_line, span.start_column, *row)]
            )
    return out.getvalue()


def _cell(text: str) -> str:
    """A spreadsheet must not take a file's own words for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
