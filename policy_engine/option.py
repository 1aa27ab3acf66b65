"""What a format lets its users choose: on the command line, and under `formats:` in the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from policy_engine.errors import ConfigError
from policy_engine.tree import MAX_FILE_BYTES

if TYPE_CHECKING:
    from policy_engine.format import Format


class Option(Struct, frozen=True):
    """One choice.

    name  as the command line writes it (`var-file` is `--var-file`); the settings have it under `formats`, by the
          format's name
    kind  "files": files to read, repeatable, which the format is given as (path, content) pairs, the paths relative to
          the root; "switch": the format is given True where it is on; "environment": a switch, and the format is given
          the environment's variables whose names begin with `prefix`
    """

    name: str
    help: str
    kind: str
    prefix: str = ""


Choices = Mapping[str, Mapping[str, Any]]
"""For each format its options' values: a list of paths, or True."""


Read = Callable[[str], bytes]
"""Gives a file by its path relative to the root; raises FileNotFoundError, or ConfigError."""


def configure(
    formats: Mapping[str, Format], choices: Choices, root: str, read: Read | None = None
) -> dict[str, Format]:
    """The formats, set up as asked. With `read`, files that stand elsewhere than on the disk are taken from there, and
    left out where they are not. Raises ConfigError for a file that cannot be had."""
    configured = dict(formats)
    for name, values in choices.items():
        options = {option.name: option for option in formats[name].options}
        given = {key: _value(options[key], value, root, read) for key, value in values.items() if value}
        if given:
            configured[name] = formats[name].configured(given)
    return configured


def check_settings(formats: Mapping[str, Format], given: Mapping[str, Any], folder: str, path: str | None) -> Choices:
    """The `formats` part of the settings, its files' paths made absolute from the settings' folder. Raises
    ConfigError."""
    from policy_engine.suggestion import suggest

    checked: dict[str, dict[str, Any]] = {}
    for name, values in given.items():
        if name not in formats:
            raise ConfigError(f"unknown format '{name}' under 'formats'{suggest(name, formats)}", path=path)
        options = {option.name: option for option in formats[name].options}
        for key, value in values.items():
            if key not in options:
                raise ConfigError(f"the format '{name}' has no option '{key}'{suggest(key, options)}", path=path)
            if options[key].kind == "files":
                if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                    raise ConfigError(f"formats.{name}.{key} is a list of file names", path=path)
                value = [os.path.join(folder, each) for each in value]
            elif not isinstance(value, bool):
                raise ConfigError(f"formats.{name}.{key} is true or false", path=path)
            checked.setdefault(name, {})[key] = value
    return checked


def _value(option: Option, value: Any, root: str, read: Read | None) -> Any:
    if option.kind == "environment":
        return {name: text for name, text in sorted(os.environ.items()) if name.startswith(option.prefix)}
    if option.kind == "switch":
        return True
    if read is not None:
        return tuple(_files_as_were(value, root, read))
    return tuple(_file(option, path, root) for path in value)


def _files_as_were(paths: Iterable[str], root: str, read: Read) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        relative = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
        try:
            yield relative, read(relative)
        except FileNotFoundError:
            continue


def _file(option: Option, path: str, root: str) -> tuple[str, bytes]:
    full = os.path.realpath(path)
    relative = os.path.relpath(full, root).replace(os.sep, "/")
    if relative.startswith("../"):
        raise ConfigError(f"--{option.name} {path}: lies outside the root '{root}'; choose another with --root")
    try:
        with open(full, "rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"--{option.name} {path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"--{option.name} {path}: larger than {MAX_FILE_BYTES} bytes")
    return relative, data


def merged(first: Choices, second: Choices) -> Choices:
    """Both, the second's files behind the first's."""
    result: dict[str, dict[str, Any]] = {name: dict(values) for name, values in first.items()}
    for name, values in second.items():
        into = result.setdefault(name, {})
        for key, value in values.items():
            into[key] = [*into.get(key, ()), *value] if isinstance(value, Sequence) else value
    return result
