"""The command line. Each command is a module of its own, imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from policy_engine import __version__
from policy_engine.errors import PolicyEngineError

COMMANDS = {
    "scan": "policy_engine.cli.scan:scan",
    "nightly": "policy_engine.cli.nightly:nightly",
    "baseline": "policy_engine.cli.baseline:baseline",
    "soa": "policy_engine.cli.soa:soa",
    "report": "policy_engine.cli.report:report",
    "evidence": "policy_engine.cli.evidence:evidence",
    "rules": "policy_engine.cli.rules:rules",
    "controls": "policy_engine.cli.controls:controls",
    "explain": "policy_engine.cli.explain:explain",
    "plugins": "policy_engine.cli.plugins:plugins",
    "schema": "policy_engine.cli.schema:schema",
    "completion": "policy_engine.cli.completion:completion",
}
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3


class LazyGroup(click.Group):
    """Knows its commands by name, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="policy-engine")
def root() -> None:
    """Checks infrastructure code and repository configuration, and maps findings to ISO/IEC 27001 Annex A controls.

    Exit codes: 0 nothing at or above the threshold; 1 findings at or above it; 2 wrong usage, settings, rule or plugin;
    3 the scan is incomplete, so its silence proves nothing.
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Whatever goes wrong is told in one line."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = root.main(given, prog_name="policy-engine", standalone_mode=False, obj=tuple(given))
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = EXIT_USAGE
    except click.UsageError as error:
        hint = f" (see '{error.ctx.command_path} --help')" if error.ctx is not None else ""
        code = fail(f"{error.format_message()}{hint}")
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        code = fail(error.format_message())
    except PolicyEngineError as error:
        code = fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has left (`| head`); nothing can be told on that pipe any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except Exception as error:
        if os.environ.get("POLICY_ENGINE_DEBUG"):
            raise
        fail(
            f"internal error, please report it: {type(error).__name__}: {error} "
            "(set POLICY_ENGINE_DEBUG=1 to see where)"
        )
        code = EXIT_INCOMPLETE
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str) -> int:
    from policy_engine.escape import for_terminal

    click.echo(f"policy-engine: error: {for_terminal(message)}", err=True)
    return EXIT_USAGE
