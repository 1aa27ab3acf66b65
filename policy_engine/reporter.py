"""The contract of an output format plugin."""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine.report import Report


@dataclass(frozen=True, slots=True)
class Display:
    """What the output can show: `width` in columns, `colour` only where it is a terminal that wants it."""

    width: int = 100
    colour: bool = False
    verbose: bool = False


class Reporter:
    """Renders a report. Subclass it in a light module; import what is heavy inside `render`."""

    name: str
    """What `--format` says: `sarif`."""
    title: str
    """What people call it: "SARIF 2.1.0"."""

    def render(self, report: Report, display: Display) -> str:
        """The whole text, ending in a newline. A pure function of the report: the same report gives the same text."""
        raise NotImplementedError
