"""npm, Yarn and pnpm: manifests and settings.

https://docs.npmjs.com/cli/configuring-npm/package-json https://docs.npmjs.com/cli/using-npm/config
https://yarnpkg.com/configuration/yarnrc
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine.yaml_document import YamlDocument, parse_yaml
from policy_engine_plugins.repository.json_document import parse_json
from policy_engine_plugins.repository.package import dependency, git_reference, is_commit, secret, setting, source
from policy_engine_plugins.repository.places import fault, from_document, line_span, lines, scheme_of
from policy_engine_plugins.repository.scripts import downloads

DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare")
_SHORT = re.compile(r"(?:github:|gitlab:|bitbucket:|gist:)|[\w.-]+/[\w.-]+(?:#.*)?$")
_SECRET = re.compile(r"(?:.*:)?(_authToken|_auth|_password|password|npmAuthToken|npmAuthIdent)$")


def load_manifest(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    value: Any = document.value
    if not isinstance(value, dict):
        return [], [Problem(path, "the file holds a mapping", document.at(()))]
    resources: list[Resource] = []
    scripts = value.get("scripts")
    if isinstance(scripts, dict):
        wrong = [
            fault(f"'{name}' {text}", (name,))
            for name in INSTALL_SCRIPTS
            if name in scripts
            for text in downloads(scripts[name])
        ]
        resources.append(
            from_document("package_scripts", "npm/scripts", "scripts", {"faults": wrong}, document, ("scripts",))
        )
    for key in DEPENDENCIES[:3]:
        listed = value.get(key)
        for name, wanted in listed.items() if isinstance(listed, dict) else ():
            if isinstance(wanted, str):
                resources.extend(_dependency(name, wanted, path, document.at((key, name))))
    settings = value.get("renovate")
    if isinstance(settings, dict):
        from policy_engine_plugins.repository.renovate import from_settings

        resources.extend(from_settings(document, ("renovate",)))
    resources.extend(_published_to(value, document, path))
    return resources, problems


def _published_to(value: dict[str, Any], document: YamlDocument, path: str) -> Iterator[Resource]:
    config = value.get("publishConfig")
    registry = config.get("registry") if isinstance(config, dict) else None
    if isinstance(registry, str):
        yield source("npm", "publishConfig", registry, path, document.at(("publishConfig", "registry")))


def _dependency(name: str, wanted: str, path: str, span: Span) -> Iterator[Resource]:
    """Which version of a range it is, is the lock file's matter; not so where any will do."""
    if wanted.startswith(("git+", "git:", "git@")) or (_SHORT.match(wanted) and not wanted.startswith(("npm:", "."))):
        address, revision = git_reference(wanted)
        if revision.startswith("semver:"):
            revision = ""
        scheme = scheme_of(address)
        yield dependency("npm", name, wanted, "git", path, span, fixed=is_commit(revision), scheme=scheme)
    elif re.match(r"https?://", wanted):
        ours = re.search(r"/(?:archive|tarball|tar\.gz|zip)/([0-9a-f]{40})", wanted)
        git = wanted.partition("#")[0].endswith(".git")
        yield dependency(
            "npm",
            name,
            wanted,
            "git" if git else "url",
            path,
            span,
            fixed=bool(ours) or is_commit(git_reference(wanted)[1]) or not git,
            scheme=scheme_of(wanted),
        )
    elif ":" not in wanted:
        fixed = wanted.strip() not in ("*", "latest", "next", "x", "", ">=0", ">=0.0.0")
        yield dependency("npm", name, wanted or "(any)", "index", path, span, fixed=fixed)


def _registry(name: str) -> str | None:
    if name == "registry" or name.endswith(":registry"):
        return "registry" if name == "registry" else name.removesuffix(":registry")
    return None


def load_npmrc(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """https://docs.npmjs.com/cli/configuring-npm/npmrc: `key = value`, comments by `;` and `#`."""
    resources: list[Resource] = []
    for number, line in lines(data):
        text = line.strip()
        if not text or text[0] in "#;[":
            continue
        key, equals, value = text.partition("=")
        key, value = key.strip(), value.strip().strip("\"'") if equals else "true"
        span = line_span(number, line)
        scope = _registry(key)
        if scope is not None:
            resources.append(source("npm", scope, value, path, span))
        elif (found := _SECRET.match(key)) is not None:
            resources.append(secret("npm", key[-80:], value, path, span))
            del found
        else:
            resources.extend(_npm_setting(key, value, path, span))
    return resources, []


def _npm_setting(key: str, value: str, path: str, span: Span) -> Iterator[Resource]:
    lower = value.lower()
    if key in ("strict-ssl", "strictSSL"):
        yield setting("npm", key, value, "tls" if lower == "false" else "none", path, span)
    elif key == "package-lock" or key == "lockfile":
        yield setting("npm", key, value, "integrity" if lower == "false" else "none", path, span)
    elif key in ("proxy", "http-proxy", "https-proxy") and "://" in value:
        yield secret("npm", key, value if "@" in value else "", path, span)
    elif key == "ignore-scripts":
        yield setting("npm", key, value, "none", path, span)


def load_yarnrc(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """Yarn 1: `key value`."""
    resources: list[Resource] = []
    for number, line in lines(data):
        text = line.strip()
        if not text or text[0] == "#":
            continue
        key, _, value = text.partition(" ")
        key, value = key.strip("\"'"), value.strip().strip("\"'")
        span = line_span(number, line)
        scope = _registry(key)
        if scope is not None:
            resources.append(source("npm", scope, value, path, span))
        elif _SECRET.match(key):
            resources.append(secret("npm", key[-80:], value, path, span))
        else:
            resources.extend(_npm_setting(key, value, path, span))
    return resources, []


def load_yarn_settings(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """Yarn 2 and later."""
    parsed = parse_yaml(data, path)
    resources: list[Resource] = []
    for document in parsed.documents[:1]:
        value: Any = document.value
        if isinstance(value, dict):
            resources.extend(_yarn(value, (), document, path))
    return resources, list(parsed.problems)


_SCOPES = ("npmScopes", "npmRegistries", "networkSettings")


def _yarn(value: dict[str, Any], at: AttributePath, document: YamlDocument, path: str) -> Iterator[Resource]:
    scope = str(at[-1]) if at else "npmRegistryServer"
    for key, each in value.items():
        span = document.at((*at, key))
        if key == "npmRegistryServer" and isinstance(each, str):
            yield source("npm", scope, each, path, span)
        elif key in ("npmAuthToken", "npmAuthIdent") and isinstance(each, str):
            yield secret("npm", f"{scope}:{key}" if at else key, each, path, span)
        elif key == "enableStrictSsl":
            yield setting("npm", key, each, "tls" if each is False else "none", path, span)
        elif key == "unsafeHttpWhitelist" and isinstance(each, list):
            weak = any(host not in ("localhost", "127.0.0.1") for host in each)
            yield setting("npm", key, ", ".join(map(str, each)), "tls" if weak else "none", path, span)
        elif key == "checksumBehavior":
            yield setting("npm", key, each, "integrity" if each in ("ignore", "update") else "none", path, span)
        elif key == "enableImmutableInstalls":
            yield setting("npm", key, each, "integrity" if each is False else "none", path, span)
        elif key in _SCOPES and isinstance(each, dict) and not at:
            for name, inner in each.items():
                if isinstance(inner, dict):
                    yield from _yarn(inner, (key, name), document, path)
