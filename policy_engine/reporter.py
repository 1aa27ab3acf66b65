"""The contract of an output format plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from policy_engine.control import Framework
from policy_engine.report import Report


class Display(Struct, frozen=True):
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
    readable: bool = False
    """Whether `read` makes the report again of what `render` writes."""

    folder: bool = False
    """Whether it writes a folder of `files`; `render` then tells what they are."""

    def render(self, report: Report, display: Display) -> str:
        """The whole text, ending in a newline. A pure function of the report: the same report gives the same text."""
        raise NotImplementedError

    def files(self, report: Report) -> Mapping[str, str]:
        """For a folder: the text of each file by its path in it. A pure function of the report."""
        raise NotImplementedError

    def reads(self, data: bytes) -> bool:
        """Whether `read` can make a report of this again. Looks at the beginning only."""
        return False

    def read(self, data: bytes, path: str, framework: Callable[[str], Framework]) -> Report:
        """The report that was written. `path` names it in messages; `framework` gives a catalogue by name. Raises
        ConfigError for what is no such report."""
        raise NotImplementedError
