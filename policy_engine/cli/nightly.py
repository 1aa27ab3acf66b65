"""`policy-engine nightly`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from policy_engine.errors import ConfigError
from policy_engine.escape import for_markdown, for_terminal

if TYPE_CHECKING:
    from datetime import datetime

    from policy_engine.history import Age, Delta, Record
    from policy_engine.nightly import Job

DEFAULT_DATABASE = ".policy-engine-history.sqlite"
MAX_SHOWN = 20
SEVERITIES = ("critical", "high", "medium", "low", "info")


class _Night(Struct, frozen=True):
    """What one repository came to: its run's changes, or why there is none."""

    name: str
    delta: Delta | None
    trouble: str


@click.command()
@click.argument("repositories", nargs=-1, type=click.Path())
@click.option("--list", "listed", type=click.Path(), metavar="FILE", help="More repositories, a folder a line.")
@click.option(
    "--db",
    default=DEFAULT_DATABASE,
    show_default=True,
    metavar="URL",
    envvar="POLICY_ENGINE_DB",
    help="The history: a file, or postgresql://user@host/name; also in POLICY_ENGINE_DB.",
)
@click.option("--jobs", "-j", type=click.IntRange(1, 64), help="Repositories at once.  [default: one a processor]")
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="never",
    show_default=True,
    help="Least severity of a new or reopened finding that makes the run fail.",
)
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to report.",
)
@click.option("--report", is_flag=True, help="Scan nothing: tell the last runs of all repositories in the history.")
@click.option("--at", metavar="TIME", help="The time of the run, as 2027-01-31T02:00:00Z.  [default: now]")
def nightly(
    repositories: tuple[str, ...],
    listed: str | None,
    db: str,
    jobs: int | None,
    fail_on: str,
    format_: str,
    report: bool,
    at: str | None,
) -> int:
    """Scan repositories (default: the current folder), record what they hold, and tell what is new, fixed or back.

    Exit codes: 0 done; 1 new or reopened findings at or above --fail-on; 2 wrong usage or database; 3 a repository
    could not be scanned, or not in full.
    """
    try:
        from policy_engine.history import open_history
        from policy_engine.nightly import scan_all, sorted_results
    except ModuleNotFoundError as error:
        raise ConfigError(f"nightly needs the package '{error.name}'; install policy-engine[history]") from None
    now = _time(at)
    if report:
        history = open_history(db)
        last = [
            _Night(name, delta, "" if complete else "the last run was incomplete")
            for name, delta, complete in history.last_runs()
        ]
        _print(format_, last, history.ages(now))
        return 3 if any(night.trouble for night in last) else 0
    wanted = _jobs(repositories, listed, now)
    history = open_history(db)
    results = sorted_results(scan_all(wanted, jobs or os.cpu_count() or 1))
    nights = []
    for result in results:
        delta = None if result.run is None else history.record(result.run)
        nights.append(_Night(result.name, delta, result.trouble))
    ages = history.ages(now, [job.name for job in wanted])
    _print(format_, nights, ages)
    if fail_on != "never" and any(_weighs(night.delta, fail_on) for night in nights):
        return 1
    return 3 if any(night.trouble for night in nights) else 0


def _print(format_: str, nights: Sequence[_Night], ages: Sequence[Age]) -> None:
    text = {"text": _text, "markdown": _markdown, "json": _json}[format_](nights, ages)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))


def _weighs(delta: Delta | None, fail_on: str) -> bool:
    worst = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return delta is not None and any(one.severity in worst for one in (*delta.new, *delta.reopened))


def _time(text: str | None) -> datetime:
    from datetime import datetime, timezone

    if text is None:
        return datetime.now(timezone.utc)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise ConfigError(f"--at {text}: no time; write it as 2027-01-31T02:00:00Z") from None


def _jobs(repositories: Sequence[str], listed: str | None, at: datetime) -> list[Job]:
    from policy_engine.nightly import Job, read_jobs

    jobs = [] if listed is None else read_jobs(listed, at)
    for folder in repositories or (() if listed is not None else (".",)):
        full = os.path.realpath(folder)
        jobs.append(Job(os.path.basename(full) or full, full, at))
    names = [job.name for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"two repositories are called '{twice}'; name them in a list: `name = folder`")
    if not jobs:
        raise ConfigError("the list holds no repository")
    return jobs


# -- reports


def _text(nights: Sequence[_Night], ages: Sequence[Age]) -> str:
    lines = []
    for night in nights:
        name = for_terminal(night.name)
        if night.delta is None:
            lines.append(f"{name}: not scanned: {for_terminal(night.trouble)}")
            continue
        lines.append(f"{name}: {_counts(night.delta)}")
        for word, records in _changes(night.delta):
            for one in records[:MAX_SHOWN]:
                place = for_terminal(f"{one.path}:{one.line} {one.message}")
                lines.append(f"  {word} {one.severity}[{one.rule}] {place}")
            if len(records) > MAX_SHOWN:
                lines.append(f"  and {len(records) - MAX_SHOWN} more {word}")
        if night.trouble:
            lines.append(f"  incomplete: {for_terminal(night.trouble)}")
    if ages:
        lines.append("")
        lines.append("control   open  median days  oldest days  fixed  median days to fix")
        for age in ages:
            to_fix = "" if age.median_days_to_fix is None else f"{age.median_days_to_fix:g}"
            days = f"{age.open:>5} {age.median_days:>12g} {age.oldest_days:>12g}"
            lines.append(f"{age.control:<8} {days} {age.fixed:>6} {to_fix:>19}")
    lines.append("Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance.")
    return "\n".join(lines) + "\n"


def _markdown(nights: Sequence[_Night], ages: Sequence[Age]) -> str:
    lines = [
        "## policy-engine: the night",
        "",
        "| repository | open | new | fixed | reopened | |",
        "|---|---|---|---|---|---|",
    ]
    for night in nights:
        name, trouble, delta = for_markdown(night.name), for_markdown(night.trouble), night.delta
        if delta is None:
            lines.append(f"| {name} | | | | | not scanned: {trouble} |")
        else:
            counts = f"{delta.open} | {len(delta.new)} | {len(delta.fixed)} | {len(delta.reopened)}"
            lines.append(f"| {name} | {counts} | {trouble} |")
    for night in nights:
        for word, records in () if night.delta is None else _changes(night.delta):
            if records:
                lines += ["", f"### {for_markdown(night.name)}: {word}", ""]
                lines += _table("severity", "finding", "place")
            for one in records[:MAX_SHOWN]:
                place = for_markdown(f"{one.path}:{one.line}")
                lines.append(f"| {one.severity} | {for_markdown(one.message)} ({one.rule}) | {place} |")
            if len(records) > MAX_SHOWN:
                lines.append(f"| | and {len(records) - MAX_SHOWN} more | |")
    if ages:
        lines += ["", "### How long findings stay open", ""]
        lines += _table("control", "open", "median days", "oldest days", "fixed", "median days to fix")
        for age in ages:
            to_fix = "" if age.median_days_to_fix is None else f"{age.median_days_to_fix:g}"
            row = f"{age.open} | {age.median_days:g} | {age.oldest_days:g} | {age.fixed} | {to_fix}"
            lines.append(f"| {for_markdown(age.control)} | {row} |")
    lines += ["", "Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance."]
    return "\n".join(lines) + "\n"


def _table(*columns: str) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def _json(nights: Sequence[_Night], ages: Sequence[Age]) -> str:
    import json

    from msgspec import to_builtins

    def told(night: _Night) -> dict[str, Any]:
        delta = None if night.delta is None else to_builtins(night.delta)
        return {"repository": night.name, "scanned": delta is not None, "trouble": night.trouble, **(delta or {})}

    document = {
        "format_version": 1,
        "repositories": [told(night) for night in nights],
        "ages": [to_builtins(age) for age in ages],
        "source": "Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance",
    }
    return json.dumps(document, indent=2) + "\n"


def _counts(delta: Delta) -> str:
    return f"{delta.open} open, {len(delta.new)} new, {len(delta.fixed)} fixed, {len(delta.reopened)} reopened"


def _changes(delta: Delta) -> list[tuple[str, Sequence[Record]]]:
    return [("new", delta.new), ("reopened", delta.reopened), ("fixed", delta.fixed)]
