"""`policy-engine soa`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError
from policy_engine.policy import STATEMENT

if TYPE_CHECKING:
    from policy_engine.control import Framework
    from policy_engine.statement import Statement
    from policy_engine.workspace import Workspace


@click.group()
def soa() -> None:
    """The statement of applicability: which controls apply, why, and how they are met.

    It stands in .policy-engine/soa.yaml, and scans honour it.
    """


@soa.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
@click.option("--framework", "-F", "name", default="iso27001-2022", show_default=True, help="The catalogue.")
def init(root: str | None, name: str) -> int:
    """Write a statement about every control, with the rules that give evidence, to be filled in."""
    from policy_engine.workspace import open_workspace

    space = open_workspace(root or ".", root=root)
    path = os.path.join(space.root, STATEMENT)
    if os.path.lexists(path):
        raise ConfigError(f"{STATEMENT} is there already; `policy-engine soa update` brings it up to date")
    framework = space.plugins.framework(name)
    _write(path, space, framework, None)
    click.echo(f"{STATEMENT}: {len(framework.controls)} controls of {framework.title}; decide on each, then commit it")
    return 0


@soa.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
def update(root: str | None) -> int:
    """Add controls and rules that are new, and keep all decisions. The file is written anew, without its comments."""
    from policy_engine.workspace import open_workspace

    space = open_workspace(root or ".", root=root)
    path, statement, framework = _read(space)
    added = [name for name in framework.controls if name not in statement.controls]
    _write(path, space, framework, statement)
    click.echo(f"{STATEMENT}: {len(added)} controls added, {len(statement.controls)} kept")
    return 0


@soa.command()
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(root: str | None, as_json: bool) -> int:
    """Show the decisions: how many controls apply, and how far they are in place."""
    from policy_engine.escape import for_terminal
    from policy_engine.workspace import open_workspace

    _, statement, framework = _read(open_workspace(root or ".", root=root))
    if as_json:
        from policy_engine.jsontext import to_json

        rows = [
            {
                "control": name,
                "name": framework.controls[name].name,
                "applicable": each.applicable,
                "justification": each.justification,
                "status": each.status,
                "implemented_by": list(each.implemented_by),
                "owner": each.owner,
                "rules": list(each.rules),
                "documents": list(each.documents),
            }
            for name, each in statement.controls.items()
        ]
        click.echo(to_json({"framework": framework.name, "source": framework.source, "controls": rows}, 2), nl=False)
        return 0
    theme = ""
    for name, control in framework.controls.items():
        if control.theme != theme:
            theme = control.theme
            click.echo(f"\n{framework.themes[theme]}")
        decided = statement.controls.get(name)
        if decided is None:
            told = "missing in the statement"
        elif decided.applicable:
            told = ", ".join(part for part in (decided.status, decided.owner) if part)
        else:
            told = f"not applicable: {decided.justification}"
        click.echo(f"  {name:<9} {control.name:<58} {for_terminal(told)}")
    applicable = sum(each.applicable for each in statement.controls.values())
    missing = len(framework.controls) - len(statement.controls)
    click.echo(f"\n{applicable} applicable, {len(statement.controls) - applicable} not, {missing} missing.")
    click.echo(f"{framework.source}.")
    return 0


def _read(space: Workspace) -> tuple[str, Statement, Framework]:
    from policy_engine.statement import check_controls, parse_statement

    path = os.path.join(space.root, STATEMENT)
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        raise ConfigError(f"there is no {STATEMENT}; `policy-engine soa init` writes one") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    statement = parse_statement(data, STATEMENT)
    framework = space.plugins.framework(statement.framework)
    check_controls(statement, framework)
    return path, statement, framework


def _write(path: str, space: Workspace, framework: Framework, statement: Statement | None) -> None:
    from policy_engine.management import rules_by_control
    from policy_engine.statement import write_statement

    text = write_statement(framework, rules_by_control(space.rulebook.rules(), framework), statement)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path=path) from error
