"""`include` and `trigger: include`: what each entry names, and how firmly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from policy_engine.placed import Origin, origin_of
from policy_engine.unknown import Unknown

KINDS = ("local", "project", "remote", "template", "component", "artifact")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RELEASE = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_VERSION = re.compile(r"v?\d+(?:\.\d+)*(?:[-+][\w.+-]+)?")
# A file of a repository, at a commit.
_AT_COMMIT = re.compile(
    r"https://(?:raw\.githubusercontent\.com/[^/]+/[^/]+/|[^/]+/.+/raw/)(?:[0-9a-f]{40}|[0-9a-f]{64})/"
)
_OWN_COMPONENT = re.compile(r"\$\{?CI_SERVER_(?:FQDN|HOST)\}?/\$\{?CI_PROJECT_PATH\}?/([\w.-]+)@.*", re.DOTALL)


class Entry(Struct, frozen=True):
    """One included file. `target` is what its keyword names; `value` the entry as a mapping whatever its form."""

    kind: str
    target: Any
    value: dict[str, Any]
    origin: Origin
    """Where the target is written."""
    whole: Origin
    """Where the entry is written."""
    raw: Any
    child: bool

    @property
    def arguments(self) -> tuple[Any, Origin | None]:
        raw = self.raw
        if isinstance(raw, dict) and isinstance(raw.get("inputs"), dict):
            return raw["inputs"], origin_of(raw, self.whole, "inputs")
        return {}, self.whole


def entries(value: Any, origin: Origin, *, child: bool = False) -> Iterator[Entry]:
    """The entries of an `include` in any of its forms. Shapes that are none of these are passed over."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            place = origin_of(value, origin, number)
            if isinstance(item, list):
                yield from entries(item, place, child=child)
            else:
                yield from _entry(item, place, child)
    else:
        yield from _entry(value, origin, child)


def _entry(item: Any, origin: Origin, child: bool) -> Iterator[Entry]:
    if isinstance(item, str):
        kind = "remote" if item.startswith(("http://", "https://")) else "local"
        yield Entry(kind, item, {kind: item}, origin, origin, item, child)
    elif isinstance(item, dict):
        kind = next((each for each in KINDS if each in item), "")
        if not kind:
            return
        place = origin_of(item, origin, kind)
        if kind == "project" and isinstance(item.get("file"), list):
            # One entry, several files: they are taken at one commit.
            yield Entry(kind, item[kind], dict(item), place, origin, item, child)
        else:
            yield Entry(kind, item[kind], dict(item), place, origin, item, child)
    elif isinstance(item, Unknown):
        yield Entry("", item, {}, origin, origin, item, child)


def own_component(target: Any) -> str | None:
    """The name of a component of this very project, taken at the commit that is built."""
    match = _OWN_COMPONENT.fullmatch(target) if isinstance(target, str) else None
    return match[1] if match and "CI_COMMIT_SHA" in target.rpartition("@")[2] else None


def described(entry: Entry) -> dict[str, Any]:
    """The value of an `include` resource."""
    value: dict[str, Any] = {**entry.value, "kind": entry.kind, "child": entry.child, "pin": _pin(entry)}
    if entry.kind == "remote" and isinstance(entry.target, str):
        value["encrypted"] = not entry.target.lower().startswith("http://")
    value["name"] = _name(entry)
    return value


def _name(entry: Entry) -> str:
    target = entry.target if isinstance(entry.target, str) else entry.kind
    if entry.kind == "project":
        files = entry.value.get("file")
        first = files[0] if isinstance(files, list) and files else files
        return f"{target}:{str(first).lstrip('/')}" if isinstance(first, str) else target
    return target.rpartition("@")[0] or target if entry.kind == "component" else target


def _pin(entry: Entry) -> Any:
    """`commit`, `digest`, `release` (1.2.3), `version` (a part of one: 1, 1.2), `ref`, `none`; `local`, `instance`."""
    if entry.kind in ("local", "artifact"):
        return "local"
    if entry.kind == "template":
        return "instance"
    if entry.kind == "remote":
        integrity = entry.value.get("integrity")
        if isinstance(integrity, Unknown):
            return integrity
        if integrity:
            return "digest"
        return "commit" if isinstance(entry.target, str) and _AT_COMMIT.match(entry.target) else "none"
    if entry.kind == "project":
        return _ref_pin(entry.value.get("ref"))
    if isinstance(entry.target, Unknown):
        return entry.target
    if entry.kind == "component" and isinstance(entry.target, str):
        _, at, ref = entry.target.rpartition("@")
        return _ref_pin(ref) if at else "none"
    return "none"


def _ref_pin(ref: Any) -> Any:
    if ref is None or ref == "":
        return "none"
    if isinstance(ref, Unknown):
        return ref
    text = str(ref)
    if "CI_COMMIT_SHA" in text:
        return "commit"
    if "$" in text:
        return Unknown(f"depends on {text[:60]}")
    if _COMMIT.fullmatch(text):
        return "commit"
    if _RELEASE.fullmatch(text):
        return "release"
    return "version" if _VERSION.fullmatch(text) else "ref"
