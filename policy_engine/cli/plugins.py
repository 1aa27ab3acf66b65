"""`policy-engine plugins`."""

from __future__ import annotations

import click


@click.group()
def plugins() -> None:
    """Shows the plugins that are loaded."""


@plugins.command("list")
def list_() -> None:
    """List plugins with their package and what each adds."""
    from policy_engine.plugins import load_plugins

    loaded = load_plugins()
    for info in loaded.infos:
        hooks = ", ".join(name.removeprefix("register_").replace("_", " ") for name in info.hooks)
        click.echo(f"{info.name:<14} {info.distribution:<16} {info.module:<40} {hooks}")
