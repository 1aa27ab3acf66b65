"""`policy-engine report`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from policy_engine.cli.output import read_outputs, write_report
from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from policy_engine.history import History
    from policy_engine.plugins import Plugins
    from policy_engine.report import Report

_SQLITE = b"SQLite format 3\0"


@click.command()
@click.argument("source", type=click.Path())
@click.option(
    "--format",
    "-f",
    "formats",
    multiple=True,
    metavar="NAME[=FILE]",
    help="How to report; repeatable. Without FILE to standard output.  [default: html=report.html]",
)
@click.option(
    "--previous", type=click.Path(), metavar="SOURCE", help="An earlier scan, to tell what has changed since."
)
@click.option(
    "--history", metavar="URL", help="The history of nightly scans, for the trend: a file, or a PostgreSQL URL."
)
@click.option("--repository", metavar="NAME", help="Whose history.  [default: the only one in it]")
@click.option(
    "--colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour on standard output; NO_COLOR is honoured.",
)
def report(
    source: str,
    formats: tuple[str, ...],
    previous: str | None,
    history: str | None,
    repository: str | None,
    colour: str,
) -> int:
    """Report from a scan that was kept: its JSON, an evidence pack, or a history of nightly scans.

    Exit codes: 0 the report is written, whatever it tells; 2 wrong usage or a source that cannot be read.
    """
    from policy_engine.plugins import load_plugins

    plugins = load_plugins()
    outputs = read_outputs(formats or ("html=report.html",), plugins)
    if history is None and _is_history(source):
        history = source
    told = _from_history(source, repository, plugins) if history == source else _from_file(source, plugins)
    if history is not None:
        told = _with_trend(told, history, repository)
    if previous is not None:
        earlier = (
            _from_history(previous, repository, plugins) if _is_history(previous) else _from_file(previous, plugins)
        )
        told = replace(told, previous=earlier)
    for reporter, file in outputs:
        write_report(reporter, file, told, colour, verbose=False)
        if file is not None:
            click.echo(f"written to {file}", err=True)
    return 0


def _is_history(source: str) -> bool:
    if source.startswith(("postgresql://", "postgres://", "sqlite://")):
        return True
    try:
        with open(source, "rb") as stream:
            return stream.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _from_file(path: str, plugins: Plugins) -> Report:
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    return _parsed(data, path, plugins)


_PACK = b"PK\x03\x04"


def _parsed(data: bytes, shown: str, plugins: Plugins) -> Report:
    if data.startswith(_PACK):
        from policy_engine.evidence import report_of

        data = report_of(data, shown)
    for reporter in plugins.reporters.values():
        if reporter.readable and reporter.reads(data):
            return reporter.read(data, shown, plugins.framework)
    raise ConfigError("no report of a scan; `policy-engine scan --format json=FILE` writes one", path=shown)


def _from_history(url: str, repository: str | None, plugins: Plugins) -> Report:
    history, name = _opened(url, repository)
    kept = history.last_report(name)
    if kept is None:
        raise ConfigError(f"the history keeps no report of '{name}'; the next `policy-engine nightly` adds one")
    return _parsed(kept[1], f"the report of '{name}' in the history", plugins)


def _with_trend(told: Report, url: str, repository: str | None) -> Report:
    history, name = _opened(url, repository)
    return replace(told, trend=history.moments(name))


def _opened(url: str, repository: str | None) -> tuple[History, str]:
    try:
        from policy_engine.history import open_history
    except ModuleNotFoundError as error:
        raise ConfigError(f"a history needs the package '{error.name}'; install policy-engine[history]") from None
    if "://" not in url and not os.path.isfile(url):
        raise ConfigError("there is no such history", path=url)
    history = open_history(url)
    names = history.repositories()
    if repository is None:
        if len(names) != 1:
            raise ConfigError(f"the history holds {len(names)} repositories; choose one with --repository NAME")
        return history, names[0]
    if repository not in names:
        from policy_engine.suggestion import suggest

        raise ConfigError(f"the history holds no repository '{repository}'{suggest(repository, names)}")
    return history, repository
