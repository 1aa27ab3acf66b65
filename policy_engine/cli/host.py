"""What `scan` needs for settings that are read from a host: the options, the reading, and the snapshots it keeps."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from policy_engine.host import Host

TARGET = "{target}"
"""In a report's file name: one report for each target, its name put here."""
DEFAULT_MAX_AGE_H = 12.0


class Asked(Struct, frozen=True):
    """What the command line wants of one host: targets, groups of them, and the values that say how to read."""

    host: Host
    targets: Sequence[str]
    groups: Sequence[str]
    values: Mapping[str, Any]


class Live(Struct, frozen=True):
    """What was read: each snapshot by its path in the tree, or the error that says why there is none; and the targets
    by those paths."""

    files: Mapping[str, bytes | OSError]
    targets: Mapping[str, str]


def host_options(hosts: Mapping[str, Host]) -> Iterator[click.Option]:
    for name, host in hosts.items():
        for option in host.options:
            declared = [f"--{option.name}", _parameter(name, option.name)]
            shown = f"{host.title}: {option.help}"
            if option.kind in ("target", "group"):
                yield click.Option(declared, multiple=True, metavar=option.metavar, help=shown)
            elif option.kind == "number":
                kind = click.IntRange(min=option.least)
                yield click.Option(
                    declared,
                    type=kind,
                    default=option.default,
                    metavar=option.metavar,
                    help=f"{shown}  [default: {option.default}]",
                )
            else:
                yield click.Option(declared, metavar=option.metavar, help=shown)


def _parameter(host: str, option: str) -> str:
    return f"host_{host}_{option}".replace("-", "_")


def asked_of(hosts: Mapping[str, Host], chosen: Mapping[str, Any]) -> list[Asked]:
    """The hosts of which something is wanted. Raises ConfigError for a target that is not written as one."""
    asked = []
    for name, host in hosts.items():
        given = {option.name: chosen[_parameter(name, option.name)] for option in host.options}
        named: dict[str, list[str]] = {"target": [], "group": []}
        for option in host.options:
            if option.kind in named:
                for each in given.pop(option.name):
                    host.check(option.kind, each)
                    named[option.kind].append(each)
        if named["target"] or named["group"]:
            asked.append(Asked(host, named["target"], named["group"], given))
    return asked


def read_hosts(asked: Sequence[Asked], root: str, save: str | None, max_age_h: float) -> Live:
    """Reads what is asked for, and keeps it where `save` says: a file for one target, a folder for several. Snapshots
    that the folder holds already and that are young enough are not read again. Raises ConfigError."""
    several = any(each.groups for each in asked) or sum(len(each.targets) for each in asked) > 1
    if save is not None and (os.path.isdir(save) or save.endswith("/")):
        several = True
    if save is not None and not several and not asked[0].host.takes_name(save):
        example = os.path.basename(asked[0].host.place(asked[0].targets[0]))
        raise ConfigError(f"--save {save}: a scan would not know this file again; name it like {example}")
    files: dict[str, bytes | OSError] = {}
    names: dict[str, str] = {}
    for each in asked:
        folder = save if several else None
        for target, data in _read(each, folder, max_age_h):
            path = _shown(root, each.host.place(target), save, several=several)
            files[path] = data
            names[path] = target
            if save is not None and not several and isinstance(data, bytes):
                _write(save, data)
    return Live(files, names)


def _shown(root: str, place: str, save: str | None, *, several: bool) -> str:
    """The path that findings name: that of the saved file where it lies in the root, so that scanning it again tells
    the same."""
    if save is None:
        return place
    full = os.path.join(os.path.realpath(save), place) if several else os.path.realpath(save)
    relative = os.path.relpath(full, root).replace(os.sep, "/")
    return place if relative == ".." or relative.startswith("../") else relative


def _read(asked: Asked, folder: str | None, max_age_h: float) -> Iterator[tuple[str, bytes | OSError]]:
    from policy_engine.host import HostError, read_each

    host = asked.host
    with _Line(host.title) as line:
        reader = host.open(asked.values, line.tell)
        wanted = dict.fromkeys(asked.targets)
        for group in asked.groups:
            try:
                members = reader.members(group)
            except HostError as error:
                yield group, OSError(str(error))
                continue
            wanted.update(dict.fromkeys(members))
            if folder is not None:
                _list(os.path.join(folder, f"{group}.list"), host, members)
        kept = {} if folder is None else _kept(host, wanted, folder, max_age_h)
        yield from kept.items()
        left = [target for target in wanted if target not in kept]
        done = len(kept)
        line.update(done, len(wanted))

        def keep(target: str, data: bytes) -> None:
            if folder is not None:
                _write(os.path.join(folder, host.place(target)), data)

        for target, result in read_each(reader, left, keep):
            done += 1
            line.update(done, len(wanted))
            yield target, OSError(str(result)) if isinstance(result, HostError) else result


def _kept(host: Host, targets: Mapping[str, None], folder: str, max_age_h: float) -> dict[str, bytes]:
    """Snapshots of an earlier run that are young enough."""
    from datetime import datetime, timedelta, timezone

    oldest = datetime.now(timezone.utc) - timedelta(hours=max_age_h)
    kept = {}
    for target in targets:
        try:
            with open(os.path.join(folder, host.place(target)), "rb") as stream:
                data = stream.read()
        except OSError:
            continue
        at = host.read_at(data, target)
        if at is not None and at > oldest:
            kept[target] = data
    return kept


def _write(path: str, data: bytes) -> None:
    """So that nobody, and no later run, ever sees half a snapshot."""
    import tempfile

    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=folder, prefix=".snapshot-")
        with open(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(made, path)
    except OSError as error:
        raise ConfigError(f"the snapshot cannot be written: {error.strerror}", path=path) from error


def _list(path: str, host: Host, members: Sequence[str]) -> None:
    """For `nightly --list`: every target of a group with the folder of its snapshot."""
    lines = [f"{target} = {os.path.dirname(host.place(target))}\n" for target in members]
    _write(path, "".join(lines).encode())


def target_file(pattern: str, target: str) -> str:
    """A report's file for one target, its folder made."""
    path = pattern.replace(TARGET, target)
    folder = os.path.dirname(path)
    if folder:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the report's folder cannot be made: {error.strerror}", path=folder) from error
    return path


class _Line:
    """Tells on standard error what is waited for: every notice, and once a while how far the reading is."""

    EVERY_S = 10.0

    def __init__(self, title: str) -> None:
        self._title = title
        self._terminal = sys.stderr.isatty() and not os.environ.get("CI")
        self._told = time.monotonic()
        self._open = False

    def __enter__(self) -> _Line:
        return self

    def tell(self, text: str) -> None:
        from policy_engine.escape import for_terminal

        self._clear()
        sys.stderr.write(f"policy-engine: {self._title}: {for_terminal(text)}\n")
        sys.stderr.flush()

    def update(self, done: int, total: int) -> None:
        now = time.monotonic()
        if total < 2 or now - self._told < (0.1 if self._terminal else self.EVERY_S):
            return
        self._told = now
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{self._title}: {done} of {total} read ")
            sys.stderr.flush()
            self._open = True
        else:
            self.tell(f"{done} of {total} read")

    def _clear(self) -> None:
        if self._open:
            sys.stderr.write("\r\x1b[K")
            self._open = False

    def __exit__(self, *_: object) -> None:
        self._clear()
        sys.stderr.flush()
