"""What package managers have in common: sources, switches, credentials, dependencies; and resources of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Location, Span
from policy_engine.unknown import Unknown
from policy_engine_plugins.repository.committed import is_written
from policy_engine_plugins.repository.names import is_aside
from policy_engine_plugins.repository.places import (
    has_password,
    host_of,
    is_local,
    open_value,
    resource,
    scheme_of,
    without_password,
)

MAX_RESOURCES = 5000
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_OPEN_REFERENCE = re.compile(r"\$\{.*\}|\$\w+|%\w+%|\$\{\{.*\}\}|\*+|<.*>|\{.*\}")


def source(
    ecosystem: str,
    kind: str,
    url: str,
    path: str,
    span: Span,
    *,
    extra: bool = False,
    what: str = "environment variable",
) -> Resource:
    """An index, registry or repository that packages are taken from. `extra`: asked beside the main one, for any
    name."""
    value_url = open_value(without_password(url), what)
    known = not isinstance(value_url, Unknown)
    scheme: Any = scheme_of(url)
    if not known and not re.match(r"[a-z+]+://", url):
        scheme = value_url
    value = {
        "ecosystem": ecosystem,
        "kind": kind,
        "url": value_url,
        "scheme": scheme,
        "open": False if is_local(url) else scheme if isinstance(scheme, Unknown) else scheme in ("http", "ftp", "git"),
        "credentials": has_password(url),
        "extra": extra,
    }
    shown = without_password(url)[:120]
    address = f"{ecosystem}/{kind}/{host_of(url) or shown[:40]}"
    return resource("package_source", address, shown, value, path, span)


def setting(ecosystem: str, name: str, value: Any, weakens: str, path: str, span: Span) -> Resource:
    """A switch that takes a safeguard away: `tls`, `integrity`, `scripts`; `none` where it is as it should be."""
    made = {"ecosystem": ecosystem, "name": name, "value": value, "weakens": weakens}
    return resource("package_setting", f"{ecosystem}/setting/{name}", name, made, path, span)


def secret(ecosystem: str, name: str, text: str, path: str, span: Span) -> Resource:
    """A credential; what it says is not kept, only whether it stands there in full."""
    text = text.strip().strip("\"'")
    written = bool(text) and not _OPEN_REFERENCE.search(text) and is_written(text)
    made = {"ecosystem": ecosystem, "name": name, "written": written}
    return resource("package_secret", f"{ecosystem}/secret/{name}", name, made, path, span)


def dependency(
    ecosystem: str,
    name: str,
    requirement: str,
    origin: str,
    path: str,
    span: Span,
    *,
    fixed: bool,
    hashed: bool = False,
    scheme: str = "",
) -> Resource:
    """`origin` is `index`, `git` or `url`; `fixed` where it says enough of what is had tomorrow."""
    shown = without_password(requirement)[:200]
    value = {
        "ecosystem": ecosystem,
        "requirement": shown,
        "source": origin,
        "fixed": fixed,
        "hashed": hashed,
        "scheme": scheme,
        "open": scheme in ("http", "git") and not is_local(requirement),
        "credentials": has_password(requirement),
        "aside": is_aside(path),
    }
    return resource("dependency", f"{ecosystem}/dependency/{name}", name, value, path, span)


def is_commit(text: str | None) -> bool:
    return bool(text) and bool(_COMMIT.match(str(text)))


def git_reference(url: str) -> tuple[str, str]:
    """A git address and the revision after its `#` or, for pip, its last `@`."""
    address, _, fragment = url.partition("#")
    if fragment and not re.match(r"(?:egg|subdirectory)=", fragment):
        return address, fragment.partition("&")[0]
    head, found, rest = address.partition("://")
    authority, slash, tail = rest.partition("/") if found else ("", "", address)
    at = tail.rfind("@")
    if at < 0:
        return address, ""
    return (f"{head}{found}{authority}{slash}{tail[:at]}", tail[at + 1 :])


class Numbered:
    """Gives resources of one file addresses of their own, and each source its second side: how it is asked."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}

    def __call__(self, found: list[Resource]) -> list[Resource]:
        from msgspec.structs import replace

        kept = []
        sources = [each for each in found[:MAX_RESOURCES] if each.type == "package_source"]
        # Whether it is asked for every name is known even where its address is not.
        asked = [replace(each, type="package_index") for each in sources]
        for each in [*found[:MAX_RESOURCES], *asked]:
            key = (each.type, each.address)
            count = self._seen[key] = self._seen.get(key, 0) + 1
            kept.append(each if count == 1 else replace(each, address=f"{each.address}#{count}"))
        return kept


def at(path: str, span: Span) -> Location:
    return Location(path, span)


def lines_with(data: bytes, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """Matches by line number; for formats of which a few lines alone matter."""
    from policy_engine_plugins.repository.places import lines

    for number, line in lines(data):
        for match in pattern.finditer(line):
            yield number, match
