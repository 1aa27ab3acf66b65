"""What a project says of itself: whom to tell of a weakness, under which licence it stands, what it is."""

from __future__ import annotations

import re
from typing import Any

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE, Location
from policy_engine.tree import FileTooLarge, Tree
from policy_engine_plugins.repository.places import decode, resource

SECURITY_PLACES = tuple(
    f"{folder}{name}"
    for folder in (".github/", "", "docs/", ".gitlab/")
    for name in ("security.md", "security.rst", "security.txt", "security.adoc", "security", ".well-known/security.txt")
)
_LICENCE = re.compile(r"(?:licen[cs]e|copying|unlicense|notice-license)(?:[.-][\w.-]+)?$")
_README = re.compile(r"readme(?:\.[\w.-]+)?$")
_CONTACT = re.compile(
    rb"[\w.+-]+@[\w-]+\.[\w.-]+|https?://|/security/advisories|private(?:ly)? report|vulnerability report"
    rb"|advisor(?:y|ies)|slack|\(at\)|\[at\]",
    re.I,
)
_TEMPLATE = b"Use this section to tell people how to report a vulnerability."
_NO_CONTACT = re.compile(
    rb"example\.(?:com|org)|<[\w -]*(?:e-?mail|address)[\w -]*>|\[INSERT|your[-_ ]?email|TODO", re.I
)
_UNFILLED = re.compile(
    rb"\[(?:year|yyyy)\]|<year>|\[full ?name\]|<copyright holders?>|\[name of copyright owner\]", re.I
)
_TEXTS: tuple[tuple[str, bytes], ...] = (
    ("Apache-2.0", b"Apache License"),
    ("MIT", b"Permission is hereby granted, free of charge"),
    ("GPL", b"GNU GENERAL PUBLIC LICENSE"),
    ("LGPL", b"GNU LESSER GENERAL PUBLIC LICENSE"),
    ("AGPL", b"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("BSD", b"Redistribution and use in source and binary forms"),
    ("MPL", b"Mozilla Public License"),
    ("ISC", b"Permission to use, copy, modify, and/or distribute this software"),
    ("Unlicense", b"This is free and unencumbered software"),
    ("EPL", b"Eclipse Public License"),
    ("EUPL", b"EUROPEAN UNION PUBLIC LICENCE"),
)


def of_project(
    project: Project, tree: Tree, owners: str | None, ecosystems: list[str], tools: tuple[str, ...], hook: str | None
) -> Resource:
    """The repository as a whole. What is missing is told where it would stand."""
    top = {path.lower(): path for path in project.paths if path.count("/") <= 2}
    policy = next((top[each] for each in SECURITY_PLACES if each in top), None)
    licence = _first(project, _LICENCE, ("", "LICENSES/", "LICENSE/"))
    readme = _first(project, _README, ("", "docs/", ".github/"))
    value: dict[str, Any] = {
        "code_owners": owners,
        "security_policy": policy,
        "security_contact": _contact(policy, tree) if policy is not None else None,
        "licence": licence,
        "licence_name": _licence_name(licence, tree) if licence is not None else None,
        "licence_filled_in": _filled_in(licence, tree) if licence is not None else None,
        "readme": readme,
        "dependency_updates": list(tools),
        "ecosystems": ecosystems,
        "secrets_hook": hook,
    }
    places: dict[tuple[str | int, ...], Location] = {
        ("code_owners",): Location(owners or ".github/CODEOWNERS", WHOLE_FILE),
        ("security_policy",): Location(policy or "SECURITY.md", WHOLE_FILE),
        ("security_contact",): Location(policy or "SECURITY.md", WHOLE_FILE),
        ("licence",): Location(licence or "LICENSE", WHOLE_FILE),
        ("licence_filled_in",): Location(licence or "LICENSE", WHOLE_FILE),
        ("readme",): Location(readme or "README.md", WHOLE_FILE),
        ("dependency_updates",): Location(".github/dependabot.yml", WHOLE_FILE),
        ("secrets_hook",): Location(".pre-commit-config.yaml", WHOLE_FILE),
    }
    return resource("repository", "repository", "the repository", value, ".", WHOLE_FILE, places)


def _first(project: Project, pattern: re.Pattern[str], folders: tuple[str, ...]) -> str | None:
    near = [path for path in project.paths if path.count("/") <= 1]
    for folder in folders:
        for path in near:
            if path.startswith(folder) and "/" not in path[len(folder) :]:
                name = path[len(folder) :].lower()
                if pattern.match(name) or folder.startswith("LICENSE"):
                    return path
    return None


def _read(path: str, tree: Tree) -> bytes:
    try:
        return tree.read(path)
    except (OSError, FileTooLarge):
        return b""


def _contact(path: str, tree: Tree) -> bool:
    """Whether the policy says whom to tell: an address, a link or GitHub's private reports, and not the one that a
    template came with."""
    data = _read(path, tree)
    if _TEMPLATE in data:
        return False
    return any(not _NO_CONTACT.search(match[0]) for match in _CONTACT.finditer(data[: 1 << 20]))


def _licence_name(path: str, tree: Tree) -> str | None:
    data = b" ".join(_read(path, tree)[:20_000].split())
    found = re.search(rb"SPDX-License-Identifier:\s*([\w.+-]+)", data)
    if found:
        return decode(found[1])
    return next((name for name, text in _TEXTS if text.lower() in data.lower()), None)


def _filled_in(path: str, tree: Tree) -> bool:
    """Whether the holder and year of a short licence are filled in. Long ones carry their template as an appendix."""
    data = _read(path, tree)
    if not data.strip():
        return False
    return len(data) > 6000 or not _UNFILLED.search(data)
