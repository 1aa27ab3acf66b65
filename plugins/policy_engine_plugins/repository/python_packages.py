"""Python: requirements files, pip's settings, pyproject.toml and Pipfile.

https://pip.pypa.io/en/stable/reference/requirements-file-format/ https://docs.astral.sh/uv/reference/settings/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine.yaml_document import parse_yaml
from policy_engine_plugins.repository.package import dependency, git_reference, is_commit, secret, setting, source
from policy_engine_plugins.repository.places import line_span, lines, scheme_of
from policy_engine_plugins.repository.toml_document import TomlDocument, parse_toml

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]{0,300}\])?\s*")
_OPTION = re.compile(r"(--?[a-z-]+)(?:[=\s]+(\S+))?")
_DIRECT = re.compile(r"(?:git|hg|svn|bzr)\+|https?://|git@")


def load_requirements(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    resources: list[Resource] = []
    # Versions stand in the file that is made of a `.in`, or in the constraints.
    elsewhere = path.endswith(".in")
    for number, line, text in _logical(data):
        span = line_span(number, line.partition(" #")[0] if not line.lstrip().startswith("#") else line)
        if text.startswith("-") and not re.match(r"-e\b|--editable\b", text):
            resources.extend(_option(text, path, span))
            elsewhere = elsewhere or re.match(r"(?:-c|--constraint)\b", text) is not None
        elif text:
            resources.extend(_requirement(text, path, span))
    if elsewhere:
        resources = [each for each in resources if each.value.get("source") != "index"]
    return resources, []


def _logical(data: bytes) -> Iterator[tuple[int, str, str]]:
    """Lines with their continuations: the number and text of the first, and all of it without comments."""
    number, first, joined = 0, "", ""
    for current, line in lines(data):
        if not joined:
            number, first = current, line
        text = line if not re.match(r"\s*#", line) else ""
        text = re.sub(r"(?:^|\s)#.*$", "", text)
        if text.endswith("\\"):
            joined += text[:-1] + " "
            if len(joined) > 20_000:
                joined = joined[:20_000]
            continue
        joined += text
        if joined.strip():
            yield number, first, joined.strip()
        joined = ""
    if joined.strip():
        yield number, first, joined.strip()


def _option(text: str, path: str, span: Span) -> Iterator[Resource]:
    for found in _OPTION.finditer(text):
        yield from _pip(found[1].lstrip("-"), found[2] or "", path, span)


def _pip(name: str, value: str, path: str, span: Span) -> Iterator[Resource]:
    """A setting of pip, from a requirements file or its settings."""
    if name in ("i", "index-url", "pypi-url"):
        yield source("pip", "index-url", value, path, span)
    elif name == "extra-index-url":
        for each in value.split():
            yield source("pip", "extra-index-url", each, path, span, extra=True)
    elif name in ("f", "find-links") and "://" in value:
        yield source("pip", "find-links", value, path, span)
    elif name == "trusted-host":
        local = all(re.match(r"(?:localhost|127\.|\[?::1)", each) for each in value.split())
        yield setting("pip", "trusted-host", value, "none" if local else "tls", path, span)


def _requirement(text: str, path: str, span: Span) -> Iterator[Resource]:
    editable = re.match(r"(?:-e|--editable)[=\s]+", text)
    wanted = text[editable.end() :].strip() if editable else text
    hashed = "--hash" in wanted
    wanted = re.split(r"\s--", wanted)[0].strip()
    found = _NAME.match(wanted)
    name = found[1] if found else wanted[:60]
    rest = wanted[found.end() :] if found else ""
    if rest.startswith("@"):
        wanted = rest[1:].strip()
    elif not _DIRECT.match(wanted):
        if editable or wanted.startswith((".", "/")) or found is None or "/" in wanted.partition(";")[0]:
            return  # A path of the project itself.
        versions = rest.partition(";")[0].strip()
        fixed = bool(re.match(r"===?\s*[^*,\s]+$", versions))
        yield dependency("pip", name, versions or "(any version)", "index", path, span, fixed=fixed, hashed=hashed)
        return
    yield from _direct(name, wanted.partition(" ;")[0].strip(), path, span, hashed=hashed)


def _direct(name: str, wanted: str, path: str, span: Span, *, hashed: bool = False) -> Iterator[Resource]:
    egg = re.search(r"#(?:.*&)?egg=([\w.-]+)", wanted)
    name = egg[1] if egg else name.removeprefix("git")[:80] or wanted[:80]
    scheme = scheme_of(wanted)
    if wanted.startswith(("git+", "git@", "git:")) or re.match(r"(?:hg|svn|bzr)\+", wanted):
        _, revision = git_reference(wanted)
        yield dependency(
            "pip", name, wanted, "git", path, span, fixed=is_commit(revision), hashed=hashed, scheme=scheme
        )
    elif scheme in ("http", "https"):
        fixed = hashed or "sha256=" in wanted or bool(re.search(r"[0-9a-f]{40}|\d+\.\d+", wanted))
        yield dependency("pip", name, wanted, "url", path, span, fixed=fixed, hashed=hashed, scheme=scheme)


def load_pip_settings(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """`[global]` and other sections of `key = value`, with continued lines."""
    resources: list[Resource] = []
    key = ""
    for number, line in lines(data):
        text = line.strip()
        if not text or text[0] in "#;[":
            continue
        if line[0] in " \t" and key and "=" not in text:
            resources.extend(_pip(key, text, path, line_span(number, line)))
            continue
        key, equals, value = (each.strip() for each in text.partition("="))
        key = key.lower().replace("_", "-")
        if equals and value:
            resources.extend(_pip(key, value, path, line_span(number, line)))
    return resources, []


def load_pypirc(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    resources: list[Resource] = []
    section = ""
    for number, line in lines(data):
        text = line.strip()
        if text.startswith("["):
            section = text.strip("[]")
        key, equals, value = (each.strip() for each in re.sub(r"^([\w-]+)\s*[:=]", r"\1=", text).partition("="))
        if not equals or text.startswith(("#", ";")):
            continue
        if key == "password":
            resources.append(secret("pip", f"{section}:password", value, path, line_span(number, line)))
        elif key == "repository":
            resources.append(source("pip", section or "repository", value, path, line_span(number, line)))
    return resources, []


def load_condarc(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    parsed = parse_yaml(data, path)
    resources: list[Resource] = []
    for document in parsed.documents[:1]:
        value: Any = document.value
        if not isinstance(value, dict):
            continue
        if "ssl_verify" in value:
            off = value["ssl_verify"] is False
            span = document.at(("ssl_verify",))
            resources.append(setting("conda", "ssl_verify", value["ssl_verify"], "tls" if off else "none", path, span))
        channels = value.get("channels")
        for index, each in enumerate(channels if isinstance(channels, list) else []):
            if isinstance(each, str) and "://" in each:
                resources.append(source("conda", "channel", each, path, document.at(("channels", index))))
    return resources, list(parsed.problems)


def load_toml(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """pyproject.toml and Pipfile."""
    document, problems = parse_toml(data, path)
    if document is None:
        return [], problems
    return [*_tables(document, path)], problems


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _tables(document: TomlDocument, path: str) -> Iterator[Resource]:
    value = document.value
    yield from _listed(document, ("project", "dependencies"), path)
    for group in _at(value, "project", "optional-dependencies") or ():
        yield from _listed(document, ("project", "optional-dependencies", group), path)
    for group in _at(value, "dependency-groups") or ():
        yield from _listed(document, ("dependency-groups", group), path)
    tables: list[AttributePath] = [
        ("packages",),
        ("dev-packages",),
        ("tool", "poetry", "dependencies"),
        ("tool", "poetry", "dev-dependencies"),
        ("tool", "uv", "sources"),
    ]
    groups = _at(value, "tool", "poetry", "group")
    for name in groups if isinstance(groups, dict) else ():
        tables.append(("tool", "poetry", "group", name, "dependencies"))
    for table in tables:
        found = _at(value, *map(str, table))
        for name, each in found.items() if isinstance(found, dict) else ():
            if isinstance(each, dict):
                yield from _table_dependency(name, each, path, document.at((*table, name)))
    yield from _indexes(document, path)


def _listed(document: TomlDocument, at: AttributePath, path: str) -> Iterator[Resource]:
    found = _at(document.value, *map(str, at))
    for each in found if isinstance(found, list) else ():
        name = _NAME.match(each) if isinstance(each, str) else None
        if name is not None and each[name.end() :].startswith("@"):
            wanted = each[name.end() + 1 :].partition(" ;")[0].strip()
            yield from _direct(name[1], wanted, path, document.at(at))


def _table_dependency(name: str, each: Mapping[str, Any], path: str, span: Span) -> Iterator[Resource]:
    git = each.get("git")
    if isinstance(git, str):
        revision = each.get("rev") or each.get("ref") or each.get("tag") or each.get("branch") or ""
        wanted = f"{git}@{revision}" if revision else git
        fixed = is_commit(str(each.get("rev") or each.get("ref") or "")) or _is_short_commit(each)
        yield dependency("pip", name, wanted, "git", path, span, fixed=fixed, scheme=scheme_of(git))
    url = each.get("url") or each.get("file")
    if isinstance(url, str) and "://" in url:
        yield dependency("pip", name, url, "url", path, span, fixed=True, scheme=scheme_of(url))


def _is_short_commit(each: Mapping[str, Any]) -> bool:
    revision = each.get("rev") or each.get("ref")
    return isinstance(revision, str) and bool(re.fullmatch(r"[0-9a-f]{7,40}", revision))


def _indexes(document: TomlDocument, path: str) -> Iterator[Resource]:
    """Indexes of Pipenv, Poetry, PDM and uv. A second one that is asked for every name is an `extra`."""
    for at, ecosystem in (
        (("source",), "pip"),
        (("tool", "poetry", "source"), "pip"),
        (("tool", "pdm", "source"), "pip"),
        (("tool", "uv", "index"), "uv"),
    ):
        found = _at(document.value, *at)
        for index, each in enumerate(found if isinstance(found, list) else ()):
            if not isinstance(each, dict) or not isinstance(each.get("url"), str):
                continue
            place: AttributePath = (*at, index, "url")
            asked_for_all = each.get("priority") in ("supplemental", "secondary")
            yield source(
                ecosystem, str(each.get("name", "index")), each["url"], path, document.at(place), extra=asked_for_all
            )
            if each.get("verify_ssl") is False:
                span = document.at((*at, index, "verify_ssl"))
                yield setting(ecosystem, "verify_ssl", False, "tls", path, span)
    uv = _at(document.value, "tool", "uv")
    if not isinstance(uv, dict):
        return
    for key in ("index-url", "extra-index-url"):
        given = uv.get(key)
        for each in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
            yield source("uv", key, str(each), path, document.at(("tool", "uv", key)), extra=False)
    strategy = uv.get("index-strategy")
    if isinstance(strategy, str):
        weak = strategy in ("unsafe-best-match", "unsafe-first-match")
        span = document.at(("tool", "uv", "index-strategy"))
        yield setting("uv", "index-strategy", strategy, "mixing" if weak else "none", path, span)
    if uv.get("allow-insecure-host"):
        span = document.at(("tool", "uv", "allow-insecure-host"))
        yield setting("uv", "allow-insecure-host", str(uv["allow-insecure-host"]), "tls", path, span)
