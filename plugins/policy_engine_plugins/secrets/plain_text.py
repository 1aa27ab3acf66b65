"""Tells a secret that is written out from a reference to one, by the name of the entry and the form of its value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.path import parse_path, places
from policy_engine.unknown import Unknown

_SECRET_NAME = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|secret|(?:api|access|private|secret)_?key|rails_master_key|credentials?|"
    r"(?:auth|access|bot|github|gitlab|npm|slack|vault)_?token)$"
)
# A place, a name or a switch that happens to stand under such a name.
_REFERENCE = re.compile(
    r"(?i)arn:|https?://|/|\$|projects/|@microsoft\.keyvault"
    r"|\{\{|<[a-z]|enc\(|vault:|ref\+"  # filled in by a template, a person, or a decrypting reader
    r"|(?:true|false|yes|no|on|off|\d{0,5})$"
)


def judge(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterable[Violation | Doubt]:
    """A violation at each entry that holds a secret, a doubt where it cannot be known. The value itself is not told."""
    path = _steps(parameters["mapping"])
    mapping: Any = value
    for step in path:
        if isinstance(mapping, Unknown):
            break
        if isinstance(mapping, list):
            mapping = mapping[step] if isinstance(step, int) and step < len(mapping) else None
        else:
            mapping = mapping.get(step) if isinstance(mapping, dict) else None
    if isinstance(mapping, Unknown):
        return (Doubt(mapping, path),)
    excepted: str | None = parameters.get("except")
    if parameters.get("nested", False):
        return _nested(mapping, path, excepted)
    return _entries(mapping, path, excepted) if isinstance(mapping, dict) else ()


@lru_cache(maxsize=256)
def _steps(given: str) -> tuple[str | int, ...]:
    if given == ".":
        return ()
    return tuple(int(part) if part.isdecimal() else part for part in given.split("."))


def _nested(mapping: Any, path: tuple[str | int, ...], excepted: str | None) -> Iterator[Violation | Doubt]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [(path, mapping)]
    seen: set[int] = set()  # what aliases repeat is looked at once
    while waiting:
        path, mapping = waiting.pop(0)
        if isinstance(mapping, dict):
            yield from _entries(mapping, path, excepted)
        if isinstance(mapping, (dict, list)):
            items: Any = mapping.items() if isinstance(mapping, dict) else enumerate(mapping)
            for key, item in items:
                if isinstance(item, (dict, list)) and id(item) not in seen:
                    seen.add(id(item))
                    waiting.append(((*path, key), item))


def _entries(
    mapping: Mapping[str, Any], path: tuple[str | int, ...], excepted: str | None
) -> Iterable[Violation | Doubt]:
    # Most mappings have no such name.
    names = [name for name in mapping if _names_secret(name)]
    return _judged(names, mapping, path, excepted) if names else ()


def _judged(
    names: Iterable[str], mapping: Mapping[str, Any], path: tuple[str | int, ...], excepted: str | None
) -> Iterator[Violation | Doubt]:
    for name in names:
        if excepted is not None and re.search(excepted, name):
            continue
        entry = mapping[name]
        if isinstance(entry, Unknown):
            # The attribute of a declared resource (a generated password) is a reference, not a secret in the file.
            if not entry.refers_to:
                yield Doubt(entry, (*path, name))
        elif isinstance(entry, str) and entry and not _REFERENCE.match(entry):
            yield Violation((*path, name), name)


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    # The same few names come again and again.
    return _SECRET_NAME.search(name) is not None


def judge_attribute(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each text that stands at a path, a doubt where it cannot be known whether one does. What refers to
    a resource, or to a store of secrets, is not written out."""
    for path, found in places(value, parse_path(parameters["path"])):
        if isinstance(found, Unknown):
            if not found.refers_to:
                yield Doubt(found, path)
        elif isinstance(found, str) and found and not _REFERENCE.match(found):
            yield Violation(path)
