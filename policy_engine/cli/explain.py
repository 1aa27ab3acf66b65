"""`policy-engine explain`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError
from policy_engine.workspace import open_workspace

if TYPE_CHECKING:
    from policy_engine.finding import Finding
    from policy_engine.rule import Rule
    from policy_engine.workspace import Workspace


@click.command()
@click.argument("subject", metavar="RULE-OR-FINDING")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--rules", "rule_folders", multiple=True, type=click.Path(), metavar="FOLDER", help="More rules of your own."
)
def explain(subject: str, paths: tuple[str, ...], rule_folders: tuple[str, ...]) -> None:
    """Explain a rule, or a finding by its fingerprint (its first digits will do), which is looked for in PATHS.

    Fingerprints stand in the JSON and SARIF reports, and in the text report with --verbose.
    """
    paths = paths or (".",)
    space = open_workspace(paths[0], rule_folders=rule_folders)
    if re.fullmatch(r"[0-9a-f]{6,32}", subject) and subject not in space.rulebook.names:
        finding = _find(subject, paths, space)
        _show_finding(finding)
        show_rule(finding.rule, space)
    else:
        show_rule(space.rulebook.find(subject), space)


def _find(prefix: str, paths: tuple[str, ...], space: Workspace) -> Finding:
    from policy_engine.discovery import discover
    from policy_engine.scan import scan
    from policy_engine.tree import WorkTree

    found = discover(space.root, paths, space.settings.excludes)
    tree = WorkTree(space.root, space.settings.max_file_bytes)
    report = scan(tree, found.paths, space.plugins, space.rulebook, space.settings, root=space.root)
    matches = [finding for finding in report.findings if finding.fingerprint.startswith(prefix)]
    if not matches:
        raise ConfigError(f"no finding with fingerprint {prefix} in {', '.join(paths)}; it may have been mended")
    if len(matches) > 1:
        raise ConfigError(f"{len(matches)} findings start with {prefix}; give more digits")
    return matches[0]


def _show_finding(finding: Finding) -> None:
    from policy_engine.escape import for_terminal
    from policy_engine.path import show_path

    click.echo(f"{finding.outcome.value}: {for_terminal(finding.message)}")
    click.echo(f"  at {for_terminal(str(finding.location))}")
    if finding.snippet.strip():
        click.echo(f"     {for_terminal(finding.snippet.strip())}")
    for location, phrase in finding.related:
        click.echo(f"  {for_terminal(phrase)}: {for_terminal(str(location))}")
    click.echo(f"  resource {for_terminal(finding.address)}, attribute {for_terminal(show_path(finding.path))}")
    if finding.suppression is not None:
        click.echo(f"  set aside ({finding.suppression.kind}): {for_terminal(finding.suppression.reason)}")
    click.echo(f"  fingerprint {finding.fingerprint}\n")


def show_rule(rule: Rule, space: Workspace) -> None:
    """Prints all there is to know of a rule."""
    from policy_engine.control import controls_of

    click.echo(f"{rule.id}  ({rule.severity.value}, {', '.join(rule.formats())}, pack {rule.pack})")
    click.echo(f"{rule.title}\n")
    click.echo("Why it matters")
    click.echo(click.wrap_text(rule.rationale, 96, "  ", "  "))
    for name in space.settings.frameworks:
        framework = space.plugins.framework(name)
        click.echo(f"\n{framework.title} (evidence for a part of)")
        for control_id in controls_of(rule, framework):
            click.echo(f"  {control_id:<9} {framework.controls[control_id].name}")
    click.echo("\nWhat it judges")
    for target in rule.targets:
        click.echo(f"  {target.format}: {', '.join(target.resources)}")
    click.echo("\nHow to mend a finding")
    click.echo(click.wrap_text(rule.remediation, 96, "  ", "  "))
    for target in rule.targets:
        if target.remediation:
            click.echo(click.wrap_text(f"{target.format}: {target.remediation}", 96, "  ", "  "))
    if rule.references:
        click.echo("\nSources")
        for reference in rule.references:
            click.echo(f"  {reference}")
    for name in space.settings.frameworks:
        click.echo(f"\n{space.plugins.framework(name).source}.", nl=False)
    click.echo()
