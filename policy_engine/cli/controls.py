"""`policy-engine controls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from policy_engine.control import Control, Framework
    from policy_engine.plugins import Plugins


@click.group()
def controls() -> None:
    """Shows the controls of the frameworks, and which rules give evidence for them."""


@controls.command("list")
@click.option("--framework", "-F", "name", default="iso27001-2022", show_default=True)
@click.option(
    "--evidence", type=click.Choice(["partial", "manual"]), help="Only those that code can show in part, or cannot."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with attributes and correspondence.")
def list_(name: str, evidence: str | None, as_json: bool) -> None:
    """List a framework's controls with our own names, and how many rules serve each."""
    from policy_engine.control import controls_of
    from policy_engine.workspace import open_workspace

    space = open_workspace()
    framework = space.plugins.framework(name)
    counts: dict[str, int] = {}
    for rule in space.rulebook.rules():
        for control_id in controls_of(rule, framework):
            counts[control_id] = counts.get(control_id, 0) + 1
    chosen = [each for each in framework.controls.values() if evidence is None or each.evidence == evidence]
    if as_json:
        import json

        listed = [{**_as_json(each), "rules": counts.get(each.id, 0)} for each in chosen]
        click.echo(json.dumps({"source": framework.source, "controls": listed}, indent=2, ensure_ascii=False))
        return
    theme = None
    for control in chosen:
        if control.theme != theme:
            theme = control.theme
            click.echo(f"\n{framework.themes[theme]}")
        served = counts.get(control.id, 0)
        rules = f"{served} rules" if served else control.evidence
        click.echo(f"  {control.id:<9} {control.name:<58} {rules}")
    click.echo(f"\n{len(chosen)} controls. {framework.source}.")


def _as_json(control: Control) -> dict[str, object]:
    return {
        "id": control.id,
        "theme": control.theme,
        "name": control.name,
        "guidance": control.guidance,
        "evidence": control.evidence,
        "evidence_from": list(control.evidence_from),
        "attributes": {key: list(values) for key, values in control.attributes.items()},
        "corresponds": {key: list(values) for key, values in control.corresponds.items()},
    }


@controls.command()
@click.argument("control_id", metavar="CONTROL")
def show(control_id: str) -> None:
    """Show one control: what it asks for in our words, its counterparts, and the rules that give evidence for it."""
    from policy_engine.control import controls_of
    from policy_engine.workspace import open_workspace

    space = open_workspace()
    framework, control = find_control(space.plugins, control_id)
    click.echo(f"{control.id}  {control.name}")
    click.echo(f"{framework.title}, {framework.themes[control.theme]}\n")
    click.echo(click.wrap_text(control.guidance, 96))
    for key, values in control.attributes.items():
        click.echo(f"\n{key.replace('_', ' ')}: {', '.join(value.replace('_', ' ') for value in values)}", nl=False)
    if control.attributes:
        click.echo()
    for name, ids in control.corresponds.items():
        if ids and name in space.plugins.framework_sources:
            other = space.plugins.framework(name)
            click.echo(f"\nCounterparts in {other.title}:")
            for each in ids:
                click.echo(f"  {each:<9} {other.controls[each].name}")
    rules = [rule for rule in space.rulebook.rules() if control.id in controls_of(rule, framework)]
    if rules:
        click.echo("\nRules that give evidence for a part of it:")
        width = max(len(rule.id) for rule in rules)
        for rule in rules:
            click.echo(f"  {rule.id:<{width}}  {rule.severity.value:<8}  {rule.title}")
    elif control.evidence == "manual":
        click.echo("\nNo code can show this; it needs a person's attestation.")
    else:
        click.echo("\nNo rule gives evidence for it yet.")
    if control.evidence_examples:
        click.echo(f"\nWhat code can show ({', '.join(control.evidence_from)}): {control.evidence_examples}")
    click.echo(f"\n{framework.source}. {framework.url}")


def find_control(plugins: Plugins, control_id: str) -> tuple[Framework, Control]:
    """A control by id, in the first framework that has it. Raises ConfigError with the nearest id."""
    from policy_engine.suggestion import suggest

    known: list[str] = []
    wanted = control_id.upper() if control_id[:1] in "aA" else f"A.{control_id}"
    for name in sorted(plugins.framework_sources, reverse=True):
        framework = plugins.framework(name)
        for candidate in (control_id, wanted):
            if candidate in framework.controls:
                return framework, framework.controls[candidate]
        known.extend(framework.controls)
    raise ConfigError(f"unknown control '{control_id}'{suggest(wanted, known)}")
