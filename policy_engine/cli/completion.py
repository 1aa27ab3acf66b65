"""`policy-engine completion`."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell's completion script.

    For bash: put `eval "$(policy-engine completion bash)"` into ~/.bashrc.
    """
    from click.shell_completion import get_completion_class

    from policy_engine.cli import root

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(root, {}, "policy-engine", "_POLICY_ENGINE_COMPLETE").source())
