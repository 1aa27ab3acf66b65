"""`policy-engine scan`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from policy_engine.cli.host import DEFAULT_MAX_AGE_H, TARGET, asked_of, host_options, read_hosts, target_file
from policy_engine.cli.output import read_outputs, write_report
from policy_engine.errors import ConfigError, PluginError
from policy_engine.settings import Exclude, Selection, threshold
from policy_engine.workspace import open_workspace

if TYPE_CHECKING:
    from datetime import date

    from policy_engine.format import Format
    from policy_engine.plugins import Plugins
    from policy_engine.settings import Settings
    from policy_engine.tree import Tree

THRESHOLDS = ("critical", "high", "medium", "low", "info", "never")


class ScanCommand(click.Command):
    """Has an option for each one that a format or a host offers."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--given-only" in args:
            # The names of a stranger's files follow the options, and nothing tells the two apart.
            for each in args:
                if each.startswith("-") and os.path.lexists(each):
                    raise click.UsageError(f"'{each}' is a file and reads like an option; rename it")
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        taken = {name for parameter in own for name in parameter.opts}
        plugins = _plugins(ctx)
        for option in (more := [*_format_options(plugins.formats), *host_options(plugins.hosts)]):
            if not taken.isdisjoint(option.opts):
                raise PluginError(f"the option {option.opts[0]} of a format or host is taken already")
            taken.update(option.opts)
        return [*own, *more]


def _plugins(context: click.Context) -> Plugins:
    """Loaded once a run, as the command line asks for them before the scan does."""
    loaded: Plugins | None = context.meta.get("policy_engine.plugins")
    if loaded is None:
        from policy_engine.plugins import load_plugins

        loaded = context.meta["policy_engine.plugins"] = load_plugins()
    return loaded


def _format_options(formats: Mapping[str, Format]) -> Iterator[click.Option]:
    for name, each in formats.items():
        for option in each.options:
            declared = [f"--{option.name}", _parameter(name, option.name)]
            shown = f"{each.title}: {option.help}"
            if option.kind == "files":
                yield click.Option(declared, multiple=True, type=click.Path(), metavar="FILE", help=shown)
            else:
                yield click.Option(declared, is_flag=True, help=shown)


def _parameter(format_name: str, option_name: str) -> str:
    return f"{format_name}_{option_name}".replace("-", "_")


@click.command(cls=ScanCommand)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format",
    "-f",
    "formats",
    multiple=True,
    metavar="NAME[=FILE]",
    help="How to report; repeatable. Without FILE to standard output.  [default: text]",
)
@click.option("--config", "-c", type=click.Path(), help="Settings file.  [default: .policy-engine.yaml in the root]")
@click.option("--root", type=click.Path(), help="Folder that paths are told relative to.  [default: the repository]")
@click.option(
    "--fail-on", type=click.Choice(THRESHOLDS), help="Least severity that makes the scan fail.  [default: low]"
)
@click.option(
    "--rule", "rule_ids", multiple=True, metavar="ID", help="Only this rule (`*` for any characters); repeatable."
)
@click.option(
    "--control", "controls", multiple=True, metavar="CONTROL", help="Only rules for this control; repeatable."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only rules with this tag; repeatable.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PATTERN",
    help="Leave files out, as .gitignore writes it; repeatable.",
)
@click.option(
    "--rules",
    "rule_folders",
    multiple=True,
    type=click.Path(),
    metavar="FOLDER",
    help="More rules of your own; repeatable.",
)
@click.option(
    "--files-from",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Scan the files listed there, one a line or NUL-separated; - for standard input.",
)
@click.option(
    "--base",
    metavar="REVISION",
    help="Tell what the change since the merge base with this revision makes new, and what it mends.",
)
@click.option(
    "--gate",
    type=click.Choice(["new", "all"]),
    help="Which findings can make the scan fail.  [default: new with --base, else all]",
)
@click.option("--today", metavar="DATE", help="The day that waivers' end dates are compared with.  [default: today]")
@click.option(
    "--given-only",
    is_flag=True,
    help="Tell only what is in the given files, judged with all they belong to; without files there is nothing to do.",
)
@click.option("--no-gitignore", is_flag=True, help="Scan what .gitignore leaves out too.")
@click.option(
    "--save",
    type=click.Path(),
    metavar="PATH",
    help="Keep what is read from a host: one target in a file, several in a folder, from which a later run goes on.",
)
@click.option(
    "--max-age",
    type=click.FloatRange(min=0),
    default=DEFAULT_MAX_AGE_H,
    show_default=True,
    metavar="HOURS",
    help="Read again what the --save folder holds from earlier.",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Processes that share the work of a large scan.  [default: one a processor]",
)
@click.option(
    "--category",
    default="policy-engine",
    show_default=True,
    help="Names this analysis among others of a commit, in SARIF.",
)
@click.option(
    "--colour", "--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)
@click.option("--verbose", "-v", is_flag=True, help="Show what cannot be decided, what is set aside and every file.")
def scan(
    paths: tuple[str, ...],
    formats: tuple[str, ...],
    config: str | None,
    root: str | None,
    fail_on: str | None,
    rule_ids: tuple[str, ...],
    controls: tuple[str, ...],
    tags: tuple[str, ...],
    excludes: tuple[str, ...],
    rule_folders: tuple[str, ...],
    files_from: str | None,
    base: str | None,
    gate: str | None,
    today: str | None,
    given_only: bool,
    no_gitignore: bool,
    save: str | None,
    max_age: float,
    jobs: int | None,
    category: str,
    colour: str,
    verbose: bool,
    **chosen: Any,
) -> int:
    """Scan files and folders (default: the current folder) and report what breaks a rule."""
    from policy_engine.discovery import discover, forced, is_repository, project_of
    from policy_engine.policy import read_policy
    from policy_engine.scan import scan as run
    from policy_engine.tree import ReadOnce, WorkTree
    from policy_engine.workers import available_jobs

    plugins = _plugins(click.get_current_context())
    asked = asked_of(plugins.hosts, chosen)
    if files_from is not None:
        paths = (*paths, *_listed(files_from))
    elif not paths and not given_only and not asked:
        paths = (".",)
    if given_only and base is not None:
        raise ConfigError("--given-only and --base exclude each other: each chooses what is told")
    if asked and (given_only or base is not None):
        raise ConfigError(
            "what is read from a host has no base and is no given file; leave --base and --given-only out"
        )
    if save is not None and not asked:
        raise ConfigError("--save keeps what is read from a host; say of which one")
    if given_only and not paths:
        return 0
    choices: dict[str, dict[str, Any]] = {}
    for name, each in plugins.formats.items():
        for option in each.options:
            if chosen[_parameter(name, option.name)]:
                choices.setdefault(name, {})[option.name] = chosen[_parameter(name, option.name)]
    space = open_workspace(
        paths[0] if paths else ".",
        root=root,
        config=config,
        rule_folders=rule_folders,
        plugins=plugins,
        choices=choices,
        base=base,
    )
    settings = _with_options(space.settings, fail_on, rule_ids, controls, tags, excludes)
    outputs = read_outputs(formats or ("text",), space.plugins)
    for_each = [(reporter, file) for reporter, file in outputs if file is not None and TARGET in file]
    if for_each and not asked:
        raise ConfigError(f"--format {for_each[0][0].name}={for_each[0][1]}: only targets of a host have a {TARGET}")
    outputs = [(reporter, file) for reporter, file in outputs if file is None or TARGET not in file]
    found = discover(space.root, paths, settings.excludes, gitignore=not no_gitignore)
    tree: Tree = ReadOnce(WorkTree(space.root, settings.max_file_bytes))
    day, whole = _day(today), all(os.path.realpath(path) == space.root for path in paths)
    files: Sequence[str] = found.paths
    left_out = found.left_out
    only, view, seen = None, None, None
    if given_only:
        only = frozenset(found.paths)
        whole = False
        if not (rule_folders or config or choices or files_from or today or settings.rule_paths or settings.formats):
            from policy_engine.rerun import Recorder

            tree = seen = Recorder(tree)
        around = discover(space.root, [space.root], settings.excludes, gitignore=not no_gitignore)
        files = sorted({*around.paths, *only})
    targets: Mapping[str, str] = {}
    if asked:
        from policy_engine.host import Overlay

        whole = whole and bool(paths)
        live = read_hosts(asked, space.root, save, max_age)
        tree, targets = Overlay(tree, live.files), live.targets
        files = sorted({*files, *live.files})
    whole_repository = whole and is_repository(space.root)
    if space.revision is None:
        if whole_repository and not no_gitignore:
            files = sorted({*files, *forced(space.root, found, settings.excludes)})
        policy = read_policy(tree.read, day, warn_days=settings.warn_days, whole=whole)
        policy = replace(policy, narrowed=bool(rule_ids or controls or tags))
    else:
        from policy_engine.cli.base import base_view

        links = found.links if whole_repository else None
        view, files = base_view(space, tree, files, paths, settings, day, gate or "new", links)
        policy = view.policy
    taken = set(files)
    left_out = [entry for entry in left_out if entry.path not in taken]
    with _Bar() as bar, space.revision or nullcontext():
        report = run(
            tree,
            files,
            space.plugins,
            space.rulebook,
            settings,
            root=space.root,
            left_out=left_out,
            category=category,
            progress=bar.update,
            policy=policy,
            view=view,
            only=only,
            project=project_of(space.root, files, found) if whole else None,
            jobs=1 if given_only or asked else jobs or available_jobs(),
        )
    for path, target in targets.items() if for_each else ():
        alone = run(
            tree,
            [path],
            space.plugins,
            space.rulebook,
            settings,
            root=space.root,
            category=f"{category}/{target}",
            policy=replace(policy, whole=False),
        )
        for reporter, pattern in for_each:
            write_report(reporter, target_file(pattern, target), alone, colour, verbose=verbose)
    printed = b""
    for reporter, file in outputs:
        printed += write_report(reporter, file, report, colour, verbose=verbose)
    if all(file is not None for _, file in outputs):
        counts = report.counts()
        written = ", ".join(file for _, file in (*outputs, *for_each) if file is not None)
        click.echo(f"{counts['fail']} findings, {counts['unknown']} undecided; written to {written}", err=True)
    if not report.complete:
        click.echo("policy-engine: the scan is incomplete: not every file could be evaluated", err=True)
    if seen is not None and report.complete and all(file is None for _, file in outputs):
        from policy_engine.rerun import keep

        given = click.get_current_context().find_root().obj or ()
        keep(given, space.root, around.folders, seen, printed, report.exit_code)
    return report.exit_code


def _day(text: str | None) -> date:
    from datetime import date

    try:
        return date.today() if text is None else date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--today {text}: no date; write it as 2027-01-31") from None


def _listed(path: str) -> list[str]:
    try:
        with click.open_file(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    separator = b"\0" if b"\0" in data else b"\n"
    return [os.fsdecode(name.rstrip(b"\r")) for name in data.split(separator) if name.strip()]


def _with_options(
    settings: Settings,
    fail_on: str | None,
    rule_ids: Sequence[str],
    controls: Sequence[str],
    tags: Sequence[str],
    excludes: Sequence[str],
) -> Settings:
    if rule_ids or controls or tags:
        settings = replace(settings, select=Selection(tuple(rule_ids), tuple(tags), tuple(controls)))
    if fail_on is not None:
        settings = replace(settings, fail_on=threshold(fail_on))
    more = tuple(Exclude(pattern, f"--exclude {pattern}") for pattern in excludes)
    return replace(settings, excludes=settings.excludes + more)


class _Bar:
    """A progress bar on a terminal, once the work has taken a second; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and not os.environ.get("CI")
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> _Bar:
        return self

    def update(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shown or now - self._started < 1 or now - self._drawn < 0.1:
            return
        self._drawn = now
        filled = 30 * done // max(total, 1)
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total} ")
        sys.stderr.flush()

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
