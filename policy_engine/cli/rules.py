"""`policy-engine rules`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError
from policy_engine.workspace import open_workspace

if TYPE_CHECKING:
    from policy_engine.rule import Rule
    from policy_engine.rulepack import Mistake

FOLDERS = click.option(
    "--rules", "folders", multiple=True, type=click.Path(), metavar="FOLDER", help="More rules of your own; repeatable."
)


@click.group()
def rules() -> None:
    """Lists, shows, checks, tests and scaffolds rules."""


@rules.command("list")
@FOLDERS
@click.option("--format", "format_name", metavar="FORMAT", help="Only rules with a target for this input format.")
@click.option("--control", metavar="CONTROL", help="Only rules for this control, of either edition.")
@click.option("--severity", type=click.Choice(["critical", "high", "medium", "low", "info"]))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(
    folders: tuple[str, ...], format_name: str | None, control: str | None, severity: str | None, as_json: bool
) -> None:
    """List rules with severity, formats and controls."""
    space = open_workspace(rule_folders=folders)
    if format_name is not None and format_name not in {*space.plugins.formats, "policy"}:
        from policy_engine.suggestion import suggest

        raise ConfigError(f"unknown input format '{format_name}'{suggest(format_name, space.plugins.formats)}")
    if control is not None:
        from policy_engine.cli.controls import find_control

        find_control(space.plugins, control)
    chosen = [
        rule
        for rule in space.rulebook.rules()
        if (format_name is None or format_name in rule.formats())
        and (control is None or control in _all_controls(rule, space.plugins.framework))
        and (severity is None or severity == rule.severity.value)
    ]
    if as_json:
        import json

        click.echo(json.dumps([_as_json(rule) for rule in chosen], indent=2, ensure_ascii=False))
        return
    width = max((len(rule.id) for rule in chosen), default=0)
    for rule in chosen:
        formats, controls = ",".join(rule.formats()), ",".join(rule.controls)
        click.echo(f"{rule.id:<{width}}  {rule.severity.value:<8}  {formats:<22}  {controls:<24}  {rule.title}")
    click.echo(f"{len(chosen)} rules")


def _all_controls(rule: Rule, framework: object) -> list[str]:
    from policy_engine.control import controls_of

    assert callable(framework)
    return [*rule.controls, *controls_of(rule, framework("iso27001-2013"))]


def _as_json(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "formats": list(rule.formats()),
        "controls": list(rule.controls),
        "rationale": rule.rationale,
        "remediation": rule.remediation,
        "references": list(rule.references),
        "tags": list(rule.tags),
        "pack": rule.pack,
    }


@rules.command()
@click.argument("rule_id", metavar="ID")
@FOLDERS
def show(rule_id: str, folders: tuple[str, ...]) -> None:
    """Show one rule: what it asks for, why, which controls it serves, how to mend a finding."""
    space = open_workspace(rule_folders=folders)
    from policy_engine.cli.explain import show_rule

    show_rule(space.rulebook.find(rule_id), space)


@rules.command()
@click.argument("folders", nargs=-1, type=click.Path())
def lint(folders: tuple[str, ...]) -> int:
    """Check rule files: schema, conditions, controls, checks, ids and examples.

    FOLDERS are folders of rules; default: those of the settings and of every plugin.
    """
    from policy_engine.lint import lint_folder
    from policy_engine.plugins import load_plugins

    plugins = load_plugins()
    chosen = list(folders) or _folders_of_settings() + [pack.path for pack in plugins.rule_packs.values()]
    total, found = 0, []
    for folder in chosen:
        if not os.path.isdir(folder):
            raise ConfigError(f"'{folder}' is not a folder of rules")
        count, mistakes = lint_folder(folder, _shown(folder), plugins)
        total += count
        found.extend(mistakes)
    _tell(found)
    click.echo(f"{total} rules, {_count(found)}")
    return 2 if found else 0


@rules.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@FOLDERS
@click.option("--verbose", "-v", is_flag=True, help="Name every rule.")
def test(ids: tuple[str, ...], folders: tuple[str, ...], verbose: bool) -> int:
    """Run rules against their own examples (default: every rule)."""
    from policy_engine.harness import prove

    space = open_workspace(rule_folders=folders)
    chosen = [space.rulebook.find(name) for name in ids] or space.rulebook.rules()
    paths = {pack.pack.name: pack.pack.path for pack in space.rulebook.packs}
    total, found = 0, []
    for rule in chosen:
        folder = paths[rule.pack]
        count, mistakes = prove(rule, folder, _shown(folder), space.plugins, space.rulebook)
        total += count
        found.extend(mistakes)
        if verbose:
            click.echo(f"{'failed' if mistakes else 'passed'}  {rule.id} ({count} examples)")
    _tell(found)
    click.echo(f"{len(chosen)} rules, {total} examples, {_count(found)}")
    return 1 if found else 0


@rules.command()
@click.argument("rule_id", metavar="ID")
@click.option("--folder", default="rules", show_default=True, type=click.Path(), help="Where the files are made.")
@click.option("--format", "format_name", default="terraform", show_default=True, help="Input format of its target.")
@click.option("--resource", default="aws_s3_bucket", show_default=True, help="Resource type of its target.")
@click.option("--control", default="A.8.9", show_default=True, help="The 2022 control it serves.")
def new(rule_id: str, folder: str, format_name: str, resource: str, control: str) -> None:
    """Scaffold a rule with its examples."""
    import re

    from policy_engine.scaffold import EXAMPLES, RULE

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule_id):
        raise ConfigError(f"'{rule_id}' is no rule id: use kebab case, such as bucket-encryption")
    paths = [os.path.join(folder, f"{rule_id}{ending}") for ending in (".yaml", ".test.yaml")]
    for path in paths:
        if os.path.exists(path):
            raise ConfigError("already exists; choose another id or folder", path=path)
    fields = {"id": rule_id, "format": format_name, "resource": resource, "control": control}
    try:
        os.makedirs(folder, exist_ok=True)
        for path, template in zip(paths, (RULE, EXAMPLES), strict=True):
            with open(path, "x", encoding="utf-8") as stream:
                stream.write(template.substitute(fields))
            click.echo(f"made {path}")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path=folder) from error
    click.echo(f"next: fill them in, then `policy-engine rules test {rule_id} --rules {folder}`")


def _folders_of_settings() -> list[str]:
    from policy_engine.discovery import find_root
    from policy_engine.settings import find_settings, load_settings

    path = find_settings(find_root("."))
    if path is None:
        return []
    return [os.path.join(os.path.dirname(path), each) for each in load_settings(path).rule_paths]


def _shown(folder: str) -> str:
    shown = os.path.relpath(folder)
    return folder if shown.startswith("..") else shown.replace(os.sep, "/")


def _tell(mistakes: Iterable[Mistake]) -> None:
    from policy_engine.escape import for_terminal

    for mistake in mistakes:
        click.echo(for_terminal(str(mistake)))


def _count(mistakes: list[Mistake]) -> str:
    return f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}" if mistakes else "no mistakes"
