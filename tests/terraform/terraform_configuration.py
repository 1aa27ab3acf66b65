"""Configurations as text, loaded the way a scan loads them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location
from policy_engine.tree import MemoryTree
from policy_engine.unit import Problem
from policy_engine_plugins.terraform import TerraformFormat


@dataclass
class Configuration:
    """The resources of one folder, by address, and its files' texts to slice locations from."""

    files: Mapping[str, str]
    resources: dict[str, Resource]
    problems: list[Problem]

    def __getitem__(self, address: str) -> Resource:
        return self.resources[address]

    def slice(self, location: Location) -> str:
        lines = self.files[location.path].splitlines(keepends=True)
        span = location.span
        inside = lines[span.start_line - 1 : span.end_line]
        if span.end_line > len(lines):
            inside.append("")
        inside[-1] = inside[-1][: span.end_column - 1] if span.end_line <= len(lines) else ""
        inside[0] = inside[0][span.start_column - 1 :]
        return "".join(inside)

    def place(self, address: str, *path: str | int) -> str:
        """The source at the place of an attribute."""
        attribute_path: AttributePath = path
        return self.slice(self[address].locate(attribute_path).location)

    def way(self, address: str, *path: str | int) -> list[tuple[str, str]]:
        """The places the attribute's value came through, with the phrases."""
        return [(self.slice(location), phrase) for location, phrase in self[address].locate(path).related]


def load_files(files: Mapping[str, str], folder: str = "") -> Configuration:
    format_ = TerraformFormat()
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    paths = [
        path
        for path, text in files.items()
        if path.rpartition("/")[0] == folder and format_.claims(path) and format_.recognises(path, text.encode())
    ]
    (unit,) = format_.units(paths, tree)
    loaded = format_.load(unit, tree)
    addresses = [resource.address for resource in loaded.resources]
    assert len(addresses) == len(set(addresses))
    return Configuration(files, {one.address: one for one in loaded.resources}, list(loaded.problems))


class Loader:
    def __call__(self, text: str, **others: str) -> Configuration:
        """`main.tf` from `text`; other files by keyword, with `__` for the dot (`terraform__tfvars="..."`)."""
        named = {name.replace("__", "."): textwrap.dedent(content) for name, content in others.items()}
        return load_files({"main.tf": textwrap.dedent(text), **named})
