"""The settings of Dependabot, as GitHub takes them.

https://docs.github.com/en/code-security/reference/supply-chain-security/dependabot-options-reference
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from policy_engine.resource import AttributePath, Resource
from policy_engine.unit import Problem
from policy_engine.yaml_document import YamlDocument, parse_yaml
from policy_engine_plugins.repository.places import fault, from_document, scheme_of

ECOSYSTEMS = frozenset(
    {
        *("bazel", "bun", "bundler", "cargo", "composer", "conda", "deno", "devcontainers", "docker"),
        *("docker-compose", "dotnet-sdk", "elm", "github-actions", "gitsubmodule", "gomod", "gradle", "helm", "julia"),
        *("maven", "mix", "nix", "npm", "nuget", "opentofu", "pip", "pre-commit", "pub", "rust-toolchain", "sbt"),
        *("swift", "terraform", "uv", "vcpkg"),
    }
)
INTERVALS = ("daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "cron")
_TOP = frozenset({"version", "updates", "registries", "enable-beta-ecosystems", "multi-ecosystem-groups"})
_SECRETS = ("password", "token", "key", "auth-key", "public-key-fingerprint")


class Watch(Struct, frozen=True):
    """One `updates` entry: which ecosystem it looks after, and in which folders (as written, without outer slashes)."""

    ecosystem: str
    folders: tuple[str, ...]


def watches(value: Any) -> list[Watch]:
    """What a file asks for. Entries that cannot be understood look after nothing."""
    found = []
    for each in _updates(value):
        if isinstance(each, dict) and isinstance(each.get("package-ecosystem"), str):
            folders = [each.get("directory"), *_listed(each.get("directories"))]
            named = tuple(folder.strip("/") for folder in folders if isinstance(folder, str))
            if named:
                found.append(Watch(each["package-ecosystem"], named))
    return found


def _updates(value: Any) -> list[Any]:
    return _listed(value.get("updates")) if isinstance(value, dict) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    parsed = parse_yaml(data, path)
    problems = list(parsed.problems)
    if not parsed.documents:
        if not problems:
            problems.append(Problem(path, "the file is empty"))
        return [], problems
    document = parsed.documents[0]
    value: Any = document.value
    if not isinstance(value, dict):
        return [], [*problems, Problem(path, "the file holds a mapping", document.at(()))]
    wrong = [fault(text, place) for place, text in _mistakes(value)]
    resources = [from_document("dependabot", "dependabot", "Dependabot", {"faults": wrong}, document)]
    seen: dict[str, int] = {}
    for index, each in enumerate(_updates(value)):
        if isinstance(each, dict):
            resources.append(_update(each, index, document, seen))
    registries = value.get("registries")
    if isinstance(registries, dict):
        resources.extend(_registries(registries, document))
    return resources, problems


def _update(each: Mapping[str, Any], index: int, document: YamlDocument, seen: dict[str, int]) -> Resource:
    ecosystem = str(each.get("package-ecosystem"))
    folders = [str(folder) for folder in (each.get("directory"), *_listed(each.get("directories"))) if folder]
    name = f"{ecosystem} in {', '.join(folders[:3]) or 'no folder'}"
    address = f"dependabot/{ecosystem}/{','.join(folders[:3])}"
    seen[address] = seen.get(address, 0) + 1
    if seen[address] > 1:
        address += f"#{seen[address]}"
    schedule = each.get("schedule")
    value = {
        **each,
        "interval": schedule.get("interval") if isinstance(schedule, dict) else None,
        "ignores": [_ignored(item) for item in _listed(each.get("ignore"))],
        "cooled": isinstance(each.get("cooldown"), dict),
    }
    renamed: dict[str, AttributePath] = {
        "interval": ("schedule", "interval"),
        "ignores": ("ignore",),
        "cooled": ("cooldown",),
    }
    return from_document("dependabot_update", address, name, value, document, ("updates", index), renamed)


def _ignored(item: Any) -> dict[str, Any]:
    """What an `ignore` entry keeps out; with neither versions nor kinds of update it is everything."""
    if not isinstance(item, dict):
        return {"name": "", "everything": False}
    name = item.get("dependency-name", "*")
    bounded = bool(item.get("versions")) or bool(item.get("update-types"))
    return {"name": str(name), "everything": name == "*" and not bounded}


def _registries(registries: Mapping[str, Any], document: YamlDocument) -> Iterator[Resource]:
    for name, each in registries.items():
        if not isinstance(each, dict):
            continue
        url = each.get("url")
        written = [
            {"name": key}
            for key in _SECRETS
            if isinstance(each.get(key), str)
            and each[key]
            and "${{" not in each[key]
            and key != "public-key-fingerprint"
        ]
        value = {
            "url": url,
            "scheme": scheme_of(url) if isinstance(url, str) else "",
            "secrets": written,
        }
        made = from_document(
            "dependabot_registry", f"dependabot/registries/{name}", name, value, document, ("registries", name)
        )
        yield _with_secrets(made, document, name, [each["name"] for each in written])


def _with_secrets(made: Resource, document: YamlDocument, name: str, keys: list[str]) -> Resource:
    """A secret stands at its own key."""
    from msgspec.structs import replace

    from policy_engine.span import Location, Trace

    def locate(wanted: AttributePath) -> Trace:
        if len(wanted) > 1 and wanted[0] == "secrets" and isinstance(wanted[1], int):
            place = document.at(("registries", name, keys[wanted[1]]))
            return Trace(Location(document.path, place), sensitive=True)
        if wanted and wanted[0] == "scheme":
            return made.locate(("url",))
        return made.locate(wanted)

    return replace(made, locate=locate)


def _mistakes(value: Mapping[str, Any]) -> Iterator[tuple[AttributePath, str]]:
    """What makes GitHub refuse the file, or leave out a part of it."""
    if value.get("version") != 2 or isinstance(value.get("version"), bool):
        yield ("version",), "'version' has to be the number 2"
    for key in value:
        if key not in _TOP and not key.startswith("x-"):
            yield (key,), f"'{key}' is no key of this file"
    updates = value.get("updates")
    if not isinstance(updates, list):
        yield ("updates",), "'updates' has to be a list with an entry for each ecosystem"
        return
    grouped = value.get("multi-ecosystem-groups")
    registries = value.get("registries")
    seen: set[tuple[str, str, str]] = set()
    for index, each in enumerate(updates):
        at: AttributePath = ("updates", index)
        if not isinstance(each, dict):
            yield at, "an entry of 'updates' is a mapping"
            continue
        yield from _update_mistakes(each, at, isinstance(grouped, dict))
        known = registries if isinstance(registries, dict) else {}
        asked = each.get("registries")
        for number, name in enumerate(asked if isinstance(asked, list) else []):
            if isinstance(name, str) and name not in known and name != "*":
                yield (*at, "registries", number), f"the registry '{name}' is not declared under 'registries'"
        for folder in (each.get("directory"), *_listed(each.get("directories"))):
            kept = (str(each.get("package-ecosystem")), str(folder).strip("/"), str(each.get("target-branch")))
            if folder is not None and kept in seen:
                yield at, f"a second entry for {kept[0]} in '/{kept[1]}'"
            seen.add(kept)


def _update_mistakes(each: Mapping[str, Any], at: AttributePath, grouped: bool) -> Iterator[tuple[AttributePath, str]]:
    from policy_engine.suggestion import suggest

    ecosystem = each.get("package-ecosystem")
    if not isinstance(ecosystem, str):
        yield at, "'package-ecosystem' is missing"
    elif ecosystem not in ECOSYSTEMS:
        near = suggest(ecosystem, sorted(ECOSYSTEMS))
        if near:
            yield (*at, "package-ecosystem"), f"unknown ecosystem '{ecosystem}'{near}"
    one, several = each.get("directory"), each.get("directories")
    if one is None and several is None:
        yield at, "neither 'directory' nor 'directories' says where to look"
    elif one is not None and several is not None:
        yield (*at, "directories"), "'directory' and 'directories' exclude each other"
    elif one is not None and not isinstance(one, str):
        yield (*at, "directory"), "'directory' is one path; several stand under 'directories'"
    elif isinstance(one, str) and ("*" in one or "?" in one):
        yield (*at, "directory"), "'directory' takes no wildcards; 'directories' does"
    schedule = each.get("schedule")
    if schedule is None:
        if not (grouped and "multi-ecosystem-group" in each):
            yield at, "'schedule' is missing"
    elif not isinstance(schedule, dict) or "interval" not in schedule:
        yield (*at, "schedule"), "'schedule' has to say an 'interval'"
    elif schedule["interval"] not in INTERVALS:
        near = suggest(str(schedule["interval"]), INTERVALS)
        yield (*at, "schedule", "interval"), f"unknown interval '{schedule['interval']}'{near}"
    elif schedule["interval"] == "cron" and not schedule.get("cronjob"):
        yield (*at, "schedule", "interval"), "the interval 'cron' wants a 'cronjob'"
    limit = each.get("open-pull-requests-limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        yield (*at, "open-pull-requests-limit"), "'open-pull-requests-limit' is a number from 0"
