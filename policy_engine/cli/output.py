"""Where reports go: `--format NAME[=FILE]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from policy_engine.plugins import Plugins
    from policy_engine.report import Report
    from policy_engine.reporter import Reporter

_CHARACTERS_AT_ONCE = 1 << 16


def read_outputs(formats: Sequence[str], plugins: Plugins) -> list[tuple[Reporter, str | None]]:
    from policy_engine.suggestion import suggest

    outputs: list[tuple[Reporter, str | None]] = []
    for text in formats:
        name, given, file = text.partition("=")
        reporter = plugins.reporters.get(name)
        if reporter is None:
            known = ", ".join(plugins.reporters)
            raise ConfigError(
                f"unknown report format '{name}'{suggest(name, plugins.reporters) or f'; known are {known}'}"
            )
        if given and not file:
            raise ConfigError(f"--format {name}= needs a file name after the '='")
        outputs.append((reporter, file or None))
    if sum(file is None for _, file in outputs) > 1:
        raise ConfigError("only one format can go to standard output; give the others a file: --format sarif=out.sarif")
    return outputs


def write_report(reporter: Reporter, file: str | None, report: Report, colour: str, *, verbose: bool) -> bytes:
    """Gives what went to standard output."""
    from policy_engine.reporter import Display

    terminal = file is None and sys.stdout.isatty()
    wanted = colour == "always" or (colour == "auto" and terminal and not os.environ.get("NO_COLOR"))
    width = 100
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    if reporter.folder and file is not None:
        for name, content in reporter.files(report).items():
            path = os.path.join(file, name)
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            except OSError as error:
                raise ConfigError(f"the folder cannot be made: {error.strerror}", path=path) from error
            _write_file(reporter, path, content)
        return b""
    text = reporter.render(report, Display(width=width, colour=wanted, verbose=verbose))
    if file is None:
        data = _encoded(text)
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return data
    _write_file(reporter, file, text)
    return b""


def _encoded(text: str) -> bytes:
    # A file name need not be valid text, and must not stop the report.
    return text.encode("utf-8", "backslashreplace")


def _write_file(reporter: Reporter, path: str, text: str) -> None:
    try:
        with open(path, "wb") as stream:
            # Bit by bit, as a large report would be there twice, and in memory that is new to the process.
            for start in range(0, len(text), _CHARACTERS_AT_ONCE):
                stream.write(_encoded(text[start : start + _CHARACTERS_AT_ONCE]))
    except OSError as error:
        raise ConfigError(f"the {reporter.name} report cannot be written: {error.strerror}", path=path) from error
