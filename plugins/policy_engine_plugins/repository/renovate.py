"""The settings of Renovate. https://docs.renovatebot.com/configuration-options/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.unit import Problem
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlDocument
from policy_engine_plugins.repository.json_document import parse_json
from policy_engine_plugins.repository.places import fault, from_document

# Presets that ship with Renovate hold nothing that a project could hide; all others stand elsewhere.
_SHIPPED = ("config:", ":", "default:", "docker:", "group:", "helpers:", "monorepo:", "npm:", "packages:", "preview:")
_SHIPPED_MORE = ("regexManagers:", "customManagers:", "replacements:", "schedule:", "security:", "workarounds:")
_SHIPPED_LAST = ("abandonments:", "mergeConfidence:", "compatibility:", "global:")


def foreign_preset(value: Mapping[str, Any]) -> str | None:
    """The first preset of which nothing is known here."""
    for each in _listed(value.get("extends")):
        if isinstance(each, str) and not each.startswith((*_SHIPPED, *_SHIPPED_MORE, *_SHIPPED_LAST)):
            return each
    return None


def extends(value: Mapping[str, Any], *names: str) -> bool:
    return any(each in names for each in _listed(value.get("extends")) if isinstance(each, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    return from_settings(document, ()), problems


def from_settings(document: YamlDocument, base: AttributePath) -> list[Resource]:
    """The settings at a path of a document: the whole of a file, or a part of package.json."""
    value: Any = document.value
    for step in base:
        value = value[step]
    if not isinstance(value, dict):
        return []
    made = {**value, **_effective(value)}
    wrong = {"faults": [fault(text, at) for at, text in _mistakes(value)]}
    renamed: dict[str, AttributePath] = {
        "alerts": ("vulnerabilityAlerts", "enabled"),
        "age": ("minimumReleaseAge",),
        "merged_unseen": ("automerge",),
    }
    return [
        from_document("renovate", "renovate", "Renovate", made, document, base, renamed),
        from_document("renovate_settings", "renovate", "Renovate", wrong, document, base),
    ]


def _effective(value: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with their defaults, unknown where a preset that stands elsewhere may decide."""
    preset = foreign_preset(value)
    elsewhere = Unknown(f"the preset '{preset}' stands elsewhere") if preset is not None else None

    def settled(key: str, default: Any) -> Any:
        found = value.get(key)
        if found is not None:
            return found
        return default if elsewhere is None else elsewhere

    alerts = value.get("vulnerabilityAlerts")
    alerted: Any = alerts.get("enabled") if isinstance(alerts, dict) else alerts if isinstance(alerts, bool) else None
    if alerted is None:
        off = extends(value, ":disableVulnerabilityAlerts")
        alerted = False if off else True if elsewhere is None else elsewhere
    age = settled("minimumReleaseAge", None)
    if value.get("minimumReleaseAge") is None and extends(
        value, "security:minimumReleaseAgeNpm", "npm:unpublishSafe", ":unpublishSafe", "config:best-practices"
    ):
        age = "3 days"
    automerge = settled("automerge", extends(value, ":automergeAll", ":automergeMajor"))
    merges: Any = automerge
    if automerge is True:
        # A setting for major updates alone takes them out again.
        major = value.get("major")
        merges = not (isinstance(major, dict) and major.get("automerge") is False)
    return {"enabled": settled("enabled", True), "alerts": alerted, "age": age, "merged_unseen": merges}


def _mistakes(value: Mapping[str, Any]) -> Iterator[tuple[AttributePath, str]]:
    """What Renovate refuses: it then opens an issue and does nothing else."""
    kinds: dict[str, tuple[type | tuple[type, ...], str]] = {
        "enabled": (bool, "true or false"),
        "automerge": (bool, "true or false"),
        "packageRules": (list, "a list"),
        "enabledManagers": (list, "a list"),
        "ignorePaths": (list, "a list"),
        "extends": ((list, str), "a list"),
    }
    for key, (kind, wanted) in kinds.items():
        if key in value and not isinstance(value[key], kind):
            yield (key,), f"'{key}' has to be {wanted}"
    rules = value.get("packageRules")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        at: AttributePath = ("packageRules", index)
        if not isinstance(rule, dict):
            yield at, "an entry of 'packageRules' is a mapping"
        elif not any(key.startswith(("match", "exclude")) or key in ("packageNames", "extends") for key in rule):
            yield at, "an entry of 'packageRules' has to say what it matches"
