"""`policy-engine schema`."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", type=click.Choice(["rule", "cases", "settings", "waivers", "baseline", "soa", "attestations"]))
def schema(name: str) -> None:
    """Print a JSON Schema, for editors: of a rule, its examples (cases), the settings and each policy file."""
    import json

    from policy_engine.schema import load_schema

    click.echo(json.dumps(load_schema(name), indent=2))
