"""NuGet, Bundler, Composer, Cargo.

https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file https://getcomposer.org/doc/06-config.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.resource import AttributePath, Resource
from policy_engine.unit import Problem
from policy_engine_plugins.repository.json_document import parse_json
from policy_engine_plugins.repository.package import dependency, is_commit, secret, setting, source
from policy_engine_plugins.repository.places import fault, from_document, lines, on_line, resource, scheme_of
from policy_engine_plugins.repository.scripts import downloads
from policy_engine_plugins.repository.toml_document import parse_toml
from policy_engine_plugins.repository.xml_document import Element, parse_xml

_GEM_SOURCE = re.compile(r"^\s*source\s*\(?\s*([\"'])([^\"']+)\1")
_GEM = re.compile(r"^\s*gem\s*\(?\s*([\"'])([^\"']+)\1(.*)$")
_GIT = re.compile(r"\b(git|github|gitlab|bitbucket)(?::\s*|\s*=>\s*)([\"'])([^\"']+)\2")
_REF = re.compile(r"\bref(?::\s*|\s*=>\s*)([\"'])([^\"']+)\1")
_COMPOSER_HOOKS = ("pre-install-cmd", "post-install-cmd", "pre-update-cmd", "post-update-cmd", "post-autoload-dump")


def load_nuget(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    root, problems = parse_xml(data, path)
    if root is None:
        return [], problems
    resources: list[Resource] = []
    sources = root.find("packageSources")
    listed = sources.all("add") if sources is not None else []
    remote = [each for each in listed if "://" in each.attributes.get("value", "")]
    for each in remote:
        url, name = each.attributes["value"], each.attributes.get("key", "source")
        resources.append(source("nuget", name, url, path, each.span))
        if each.attributes.get("allowInsecureConnections", "").lower() == "true":
            resources.append(setting("nuget", "allowInsecureConnections", True, "tls", path, each.span))
    if sources is not None:
        value = {
            "sources": len(remote),
            "cleared": sources.find("clear") is not None,
            "mapped": root.find("packageSourceMapping") is not None,
        }
        resources.append(resource("nuget_sources", "nuget/sources", "packageSources", value, path, sources.span))
    resources.extend(_nuget_secrets(root, path))
    config = root.find("config")
    for each in config.all("add") if config is not None else []:
        if each.attributes.get("key") == "signatureValidationMode":
            text = each.attributes.get("value", "")
            resources.append(setting("nuget", "signatureValidationMode", text, "none", path, each.span))
    return resources, []


def _nuget_secrets(root: Element, path: str) -> Iterator[Resource]:
    credentials = root.find("packageSourceCredentials")
    for each in credentials.walk() if credentials is not None else []:
        if each.attributes.get("key", "").lower() == "cleartextpassword":
            yield secret("nuget", "ClearTextPassword", each.attributes.get("value", ""), path, each.span)
    keys = root.find("apikeys")
    for each in keys.all("add") if keys is not None else []:
        yield secret("nuget", "apikey", each.attributes.get("value", ""), path, each.span)


def load_gemfile(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """Of a program in Ruby only what stands on a line as a plain text."""
    resources: list[Resource] = []
    top_level = 0
    for number, line in lines(data):
        found = _GEM_SOURCE.match(line)
        if found is not None:
            block = re.search(r"\bdo\s*(?:#.*)?$", line) is not None
            span = on_line(number, found.start(2), found.end(2))
            if found[2].startswith("#{"):
                continue
            resources.append(source("bundler", "source", found[2], path, span, extra=not block and top_level > 0))
            top_level += not block
        gem = _GEM.match(line)
        git = _GIT.search(gem[3]) if gem is not None else None
        if gem is not None and git is not None:
            revision = _REF.search(gem[3])
            span = on_line(number, len(line) - len(line.lstrip()), len(line.rstrip()))
            fixed = revision is not None and bool(re.fullmatch(r"[0-9a-f]{7,40}", revision[2]))
            scheme = scheme_of(git[3]) if git[1] == "git" else "https"
            resources.append(dependency("bundler", gem[2], git[3], "git", path, span, fixed=fixed, scheme=scheme))
    return resources, []


def load_composer(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    value: Any = document.value
    if not isinstance(value, dict):
        return [], [Problem(path, "the file holds a mapping", document.at(()))]
    resources: list[Resource] = []
    repositories = value.get("repositories")
    entries: list[tuple[AttributePath, Any]] = []
    if isinstance(repositories, list):
        entries = [(("repositories", index), each) for index, each in enumerate(repositories)]
    elif isinstance(repositories, dict):
        entries = [(("repositories", name), each) for name, each in repositories.items()]
    for at, each in entries:
        if isinstance(each, dict) and isinstance(each.get("url"), str) and "://" in each["url"]:
            kind = str(each.get("type", "repository"))
            resources.append(source("composer", kind, each["url"], path, document.at((*at, "url"))))
    config = value.get("config")
    config = config if isinstance(config, dict) else {}
    for key, bad in (("secure-http", False), ("disable-tls", True)):
        if key in config:
            weak = "tls" if config[key] is bad else "none"
            resources.append(setting("composer", key, config[key], weak, path, document.at(("config", key))))
    for key in ("require", "require-dev"):
        listed = value.get(key)
        for name, wanted in listed.items() if isinstance(listed, dict) else ():
            if isinstance(wanted, str) and ("/" in name) and (wanted == "*" or wanted.startswith("dev-")):
                fixed = is_commit(wanted.partition("#")[2])
                origin = "git" if wanted.startswith("dev-") else "index"
                span = document.at((key, name))
                resources.append(dependency("composer", name, wanted, origin, path, span, fixed=fixed))
    scripts = value.get("scripts")
    if isinstance(scripts, dict):
        wrong = [
            fault(f"'{name}' {text}", (name,))
            for name in _COMPOSER_HOOKS
            for command in _commands(scripts.get(name))
            for text in downloads(command)
        ]
        made = {"faults": wrong}
        resources.append(from_document("package_scripts", "composer/scripts", "scripts", made, document, ("scripts",)))
    return resources, problems


def _commands(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def load_composer_credentials(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_json(data, path)
    if document is None:
        return [], problems
    resources: list[Resource] = []
    value: Any = document.value
    for kind, entries in value.items() if isinstance(value, dict) else ():
        for host, each in entries.items() if isinstance(entries, dict) else ():
            if isinstance(each, dict):
                for key in ("password", "consumer-secret", "token"):
                    if isinstance(each.get(key), str):
                        span = document.at((kind, host, key))
                        resources.append(secret("composer", f"{kind}:{host}", each[key], path, span))
            elif isinstance(each, str):
                resources.append(secret("composer", f"{kind}:{host}", each, path, document.at((kind, host))))
    return resources, problems


def load_cargo(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    document, problems = parse_toml(data, path)
    if document is None:
        return [], problems
    resources: list[Resource] = []
    tables: list[AttributePath] = [(key,) for key in _CARGO]
    tables.append(("workspace", "dependencies"))
    targets = document.value.get("target")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        tables.extend(("target", name, key) for key in _CARGO if isinstance(target, dict) and key in target)
    for table in tables:
        found: Any = document.value
        for step in table:
            found = found.get(step) if isinstance(found, Mapping) else None
        for name, each in found.items() if isinstance(found, dict) else ():
            place = document.at((*table, name))
            if isinstance(each, dict) and isinstance(each.get("git"), str):
                revision = each.get("rev")
                fixed = isinstance(revision, str) and bool(re.fullmatch(r"[0-9a-f]{7,40}", revision))
                git = each["git"]
                resources.append(dependency("cargo", name, git, "git", path, place, fixed=fixed, scheme=scheme_of(git)))
            elif each == "*" or (isinstance(each, dict) and each.get("version") == "*"):
                resources.append(dependency("cargo", name, "*", "index", path, place, fixed=False))
    return resources, problems


_CARGO = ("dependencies", "dev-dependencies", "build-dependencies")
