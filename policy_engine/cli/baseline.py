"""`policy-engine baseline`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError
from policy_engine.policy import BASELINE

if TYPE_CHECKING:
    from policy_engine.baseline import Baseline, Known
    from policy_engine.finding import Finding


@click.group()
def baseline() -> None:
    """Findings that are known from before: a scan sets them aside, and only what is new fails.

    They stand in .policy-engine/baseline.yaml, a file to be reviewed like any other.
    """


@baseline.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
def create(root: str | None) -> int:
    """Write a baseline of all that the project's scan finds now."""
    path, _, findings = _scan(root)
    if os.path.lexists(path):
        raise ConfigError(f"{BASELINE} is there already; `policy-engine baseline update` brings it up to date")
    _write(path, findings)
    click.echo(f"{BASELINE}: {len(findings)} findings; commit it once it has been reviewed")
    return 0


@baseline.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
@click.option("--add", is_flag=True, help="Take in what is new, too; otherwise only what disappeared is left out.")
def update(root: str | None, add: bool) -> int:
    """Leave out of the baseline what has disappeared, and tell it."""
    path, known, findings = _scan(root)
    if known is None:
        raise ConfigError(f"there is no {BASELINE}; `policy-engine baseline create` writes one")
    gone = known.missing(findings)
    _tell_gone(gone)
    kept = [one for one in findings if add or one.suppression is not None]
    _write(path, kept)
    click.echo(f"{BASELINE}: {len(gone)} left out, {sum(one.suppression is None for one in kept)} taken in")
    return 0


@baseline.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
def check(root: str | None) -> int:
    """Tell what the baseline lists and the scan no longer finds; exit 1 if there is any."""
    _, known, findings = _scan(root)
    if known is None:
        raise ConfigError(f"there is no {BASELINE}; `policy-engine baseline create` writes one")
    gone = known.missing(findings)
    _tell_gone(gone)
    click.echo(f"{BASELINE}: {len(known.findings)} findings, {len(gone)} of them disappeared")
    return 1 if gone else 0


def _scan(root: str | None) -> tuple[str, Baseline | None, list[Finding]]:
    """Where the baseline is, the baseline, and the findings that one may list."""
    from datetime import date

    from policy_engine.baseline import belongs
    from policy_engine.workspace import open_workspace, scan_project

    space = open_workspace(root or ".", root=root)
    report, policy = scan_project(space, date.today())
    if not report.complete:
        first = next(str(problem) for problem in report.problems)
        raise ConfigError(f"the scan is incomplete, so that a baseline would be, too: {first}")
    return os.path.join(space.root, BASELINE), policy.baseline, [one for one in report.findings if belongs(one)]


def _tell_gone(gone: list[Known]) -> None:
    from policy_engine.escape import for_terminal

    for known in gone:
        text = f"{known.path} [{known.rule}] {known.resource}: {known.message}"
        click.echo(f"disappeared: {for_terminal(text)}")


def _write(path: str, findings: list[Finding]) -> None:
    from policy_engine.baseline import write_baseline

    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(write_baseline(findings))
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path=path) from error
