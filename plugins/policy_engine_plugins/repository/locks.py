"""Lock files: where what they list was taken from, and whether a digest says that it is the same again.

They are long and written by machines, so they are read line by line rather than as documents.
"""

from __future__ import annotations

import re
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Location, Span
from policy_engine.unit import Problem
from policy_engine_plugins.repository.places import decode, fault, is_local, line_span, resource

_MAX_TOLD = 20
_HTTP = re.compile(r"http://[^\s\"'#,]+")
# An entry of npm's and its end, by the indentation that npm writes.
_NPM_ENTRY = re.compile(r"^(\s+)\"([^\"]*)\": \{$")
_ECOSYSTEMS = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "yarn.lock": "npm",
    "composer.lock": "composer",
    "poetry.lock": "pip",
    "uv.lock": "uv",
}


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    name = path.rpartition("/")[2]
    text = decode(data)
    places: dict[tuple[str | int, ...], Span | Location] = {}
    wrong: list[dict[str, Any]] = []
    hosts: set[str] = set()
    if "http://" in text:
        for number, line in enumerate(text.split("\n"), 1):
            for found in _HTTP.finditer(line) if _is_origin(line) else ():
                host = found[0][7:].split("/")[0]
                if is_local(found[0]) or host in hosts or len(wrong) >= _MAX_TOLD:
                    continue
                hosts.add(host)
                key = f"from {host[-80:]}"
                wrong.append(fault(f"packages from http://{host[-80:]}", (key,)))
                places[(key,)] = Span(number, found.start() + 1, number, found.end() + 1)
    unverified, count, first = _unverified(name.lower(), text)
    value: dict[str, Any] = {"ecosystem": _ECOSYSTEMS.get(name.lower(), ""), "faults": wrong, "unverified": count}
    if first is not None:
        places[("unverified",)] = line_span(first, text.split("\n")[first - 1])
    value["first_unverified"] = unverified
    top = 1 + text[: len(text) - len(text.lstrip())].count("\n")
    return [resource("lock_file", f"lock/{name}", path, value, path, Span(top, 1, top, 2), places)], []


def _is_origin(line: str) -> bool:
    """Whether a line says where a package was taken from, rather than where its authors live."""
    head = line.lstrip().lower()
    return head.startswith(
        ('"resolved"', "resolved ", '"url"', "url =", "source =", "sdist =", "registry", "{ url", "resolution:")
    )


def _unverified(name: str, text: str) -> tuple[str, int, int | None]:
    """How many packages from an index have no digest: the first one's name, the number, its line."""
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        return _npm(text)
    if name == "yarn.lock" and "# yarn lockfile v1" in text:
        return _yarn(text)
    return "", 0, None


def _npm(text: str) -> tuple[str, int, int | None]:
    count, first, first_line = 0, "", None
    entry, line_of_entry, resolved, digest = "", 0, False, False
    for number, line in enumerate(text.split("\n"), 1):
        found = _NPM_ENTRY.match(line)
        if found is not None or line.strip() in ("}", "},"):
            if resolved and not digest:
                count += 1
                if first_line is None:
                    first, first_line = entry.removeprefix("node_modules/"), line_of_entry
            resolved = digest = False
            if found is not None:
                entry, line_of_entry = found[2], number
            continue
        stripped = line.strip()
        if stripped.startswith('"resolved": "http'):
            resolved = True
        elif stripped.startswith('"integrity"'):
            digest = True
    return first[:80], count, first_line


def _yarn(text: str) -> tuple[str, int, int | None]:
    count, first, first_line = 0, "", None
    entry, line_of_entry, resolved, digest = "", 0, False, False
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if not line.strip():
            if resolved and not digest:
                count += 1
                if first_line is None:
                    first, first_line = entry, line_of_entry
            resolved = digest = False
        elif not line.startswith((" ", "#")):
            entry, line_of_entry = line.rstrip(":").split(",")[0].strip('"'), number
        elif line.startswith("  resolved "):
            # The digest that Yarn 1 puts behind the address counts, too; archives of git hosts have none.
            resolved = "http" in line and "codeload.github.com" not in line and "#" not in line
        elif line.startswith("  integrity "):
            digest = True
    return first[:80], count, first_line
