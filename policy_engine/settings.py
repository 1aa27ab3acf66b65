"""What a project asks of its scans: `.policy-engine.yaml`."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from policy_engine.errors import ConfigError
from policy_engine.rule import Severity
from policy_engine.tree import MAX_FILE_BYTES

FILE_NAMES = (".policy-engine.yaml", ".policy-engine.yml")
DEFAULT_FRAMEWORKS = ("iso27001-2022", "iso27001-2013")
DEFAULT_TIMEOUT_S = 30.0


class Selection(Struct, frozen=True):
    """Names rules by id (with `*`), tag, control of either edition, or severity. Empty matches nothing."""

    ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ids or self.tags or self.controls or self.severities)

    def matches(self, rule_id: str, entry: Mapping[str, Any], controls: Sequence[str]) -> bool:
        """`entry` is the rule's line in its pack's index; `controls` its controls in all known editions."""
        names = (rule_id, *entry["aliases"])
        return (
            any(fnmatch.fnmatchcase(name, pattern) for pattern in self.ids for name in names)
            or any(tag in self.tags for tag in entry["tags"])
            or any(control in self.controls for control in controls)
            or entry["severity"] in self.severities
        )


class Exclude(Struct, frozen=True):
    """One pattern in .gitignore syntax, and where it is written, for the ledger."""

    pattern: str
    origin: str


class Settings(Struct, frozen=True):
    """Settings with their defaults. `path` is the file they came from, None for defaults alone."""

    path: str | None = None
    frameworks: tuple[str, ...] = DEFAULT_FRAMEWORKS
    excludes: tuple[Exclude, ...] = ()
    fail_on: Severity | None = Severity.LOW
    rule_paths: tuple[str, ...] = ()
    select: Selection = field(default_factory=Selection)
    ignore: Selection = field(default_factory=Selection)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    max_file_bytes: int = MAX_FILE_BYTES
    timeout_s: float = DEFAULT_TIMEOUT_S
    formats: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warn_days: int = 30


def find_settings(root: str) -> str | None:
    """Path of the settings file in a folder, or None. Two of them are one too many."""
    found = [name for name in FILE_NAMES if os.path.isfile(os.path.join(root, name))]
    if len(found) > 1:
        raise ConfigError(f"both {' and '.join(found)} stand in the same folder; keep one", path=root)
    return os.path.join(root, found[0]) if found else None


def load_settings(path: str) -> Settings:
    """Settings from a file. Raises ConfigError with the place of the first mistake."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    shown = os.path.relpath(path)
    return parse_settings(data, path if shown.startswith("..") else shown)


def parse_settings(data: bytes, path: str) -> Settings:
    """Settings from a file's bytes. Raises ConfigError with the place of the first mistake."""
    from policy_engine.schema import mistakes, settings_schema
    from policy_engine.yaml_document import parse_yaml

    parsed = parse_yaml(data, path)
    if parsed.problems:
        raise ConfigError(parsed.problems[0].message, path=path, span=parsed.problems[0].span)
    if not parsed.documents:
        return Settings(path=path)
    if len(parsed.documents) > 1:
        raise ConfigError("a settings file holds one document", path=path)
    document = parsed.documents[0]
    if document.value is None:
        return Settings(path=path)
    wrong = mistakes(document.value, settings_schema())
    if wrong:
        place, message = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigError(message + more, path=path, span=document.at(place))
    value: Mapping[str, Any] = document.value
    rules = value.get("rules") or {}
    limits = value.get("limits") or {}
    patterns = value.get("exclude") or []
    return Settings(
        path=path,
        frameworks=tuple(value.get("frameworks") or DEFAULT_FRAMEWORKS),
        excludes=tuple(
            Exclude(pattern, f"{path}:{document.at(('exclude', number)).start_line}")
            for number, pattern in enumerate(patterns)
        ),
        fail_on=threshold(value.get("fail_on", "low")),
        rule_paths=tuple(rules.get("paths") or ()),
        select=_selection(rules.get("select")),
        ignore=_selection(rules.get("ignore")),
        severities={name: Severity(text) for name, text in (rules.get("severity") or {}).items()},
        max_file_bytes=limits.get("max_file_bytes", MAX_FILE_BYTES),
        timeout_s=float(limits.get("timeout_s", DEFAULT_TIMEOUT_S)),
        formats=value.get("formats") or {},
        warn_days=(value.get("waivers") or {}).get("warn_days", 30),
    )


def threshold(text: str) -> Severity | None:
    """A threshold as settings and `--fail-on` write it; None for `never`."""
    return None if text == "never" else Severity(text)


def _selection(value: Mapping[str, Any] | None) -> Selection:
    value = value or {}
    return Selection(
        ids=tuple(value.get("ids") or ()),
        tags=tuple(value.get("tags") or ()),
        controls=tuple(value.get("controls") or ()),
        severities=tuple(value.get("severities") or ()),
    )
