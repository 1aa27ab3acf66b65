"""Maven and Gradle: repositories, wrappers, credentials.

https://maven.apache.org/settings.html https://docs.gradle.org/current/userguide/declaring_repositories.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine_plugins.repository.package import secret, setting, source
from policy_engine_plugins.repository.places import line_span, lines, on_line, resource, scheme_of
from policy_engine_plugins.repository.xml_document import Element, parse_xml

_REPOSITORIES = ("repository", "pluginRepository", "mirror", "snapshotRepository")
_URL = re.compile(
    r"(?:\b(?:url|setUrl|uri|artifactUrls)\b|maven)\s*(?:=|\()?\s*\(?\s*(?:uri\s*\(\s*)?([\"'])(\w+://[^\"'\s]+)\1"
)
_INSECURE = re.compile(r"\b(?:is|set)?[aA]llowInsecureProtocol\b\s*(?:=|\()?\s*\(?\s*true\b")
_PASSWORD = re.compile(r"\bpassword\s*(?:=|\()?\s*([\"'])([^\"']+)\1")
_DYNAMIC = re.compile(
    r"\b(?:implementation|api|compile|compileOnly|runtimeOnly|testImplementation|classpath)\b\s*\(?\s*([\"'])"
    r"([\w.-]+:[\w.-]+):(latest\.\w+|\+|[\w.-]*\+|\[[^\"']*\)?\]?)\1"
)


def load_maven(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    root, problems = parse_xml(data, path)
    if root is None:
        return [], problems
    resources: list[Resource] = []
    for each in root.walk():
        if each.name in _REPOSITORIES:
            url = each.find("url")
            if url is not None and url.text.strip():
                kind = each.value("id") or each.name
                resources.append(source("maven", kind, url.text.strip(), path, url.span, what="property"))
            resources.extend(_policies(each, path))
        elif each.name == "server":
            resources.extend(_server(each, path))
    return resources, []


def _policies(each: Element, path: str) -> Iterator[Resource]:
    for name in ("releases", "snapshots"):
        found = each.find(name)
        policy = found.find("checksumPolicy") if found is not None else None
        if policy is not None:
            text = policy.text.strip()
            yield setting(
                "maven", "checksumPolicy", text, "integrity" if text == "ignore" else "none", path, policy.span
            )


def _server(each: Element, path: str) -> Iterator[Resource]:
    for name in ("password", "passphrase"):
        found = each.find(name)
        # Maven's own encryption puts a password in braces.
        if found is not None and found.text.strip() and not re.fullmatch(r"\{.*\}", found.text.strip()):
            yield secret("maven", f"{each.value('id') or 'server'}:{name}", found.text, path, found.span)


def load_gradle(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """Of a program in Groovy or Kotlin only what stands on a line as a plain text."""
    resources: list[Resource] = []
    for number, line in lines(data):
        if line.lstrip().startswith(("//", "*", "/*")):
            continue
        for found in _URL.finditer(line):
            span = on_line(number, found.start(2), found.end(2))
            resources.append(source("gradle", "repository", found[2], path, span, what="property"))
        for found in _INSECURE.finditer(line):
            span = on_line(number, found.start(), found.end())
            resources.append(setting("gradle", "allowInsecureProtocol", True, "tls", path, span))
        for found in _PASSWORD.finditer(line):
            span = on_line(number, found.start(), found.end())
            resources.append(secret("gradle", "password", found[2], path, span))
        for found in _DYNAMIC.finditer(line):
            from policy_engine_plugins.repository.package import dependency

            span = on_line(number, found.start(2), found.end(3))
            resources.append(dependency("gradle", found[2], found[3], "index", path, span, fixed=False))
    return resources, []


def load_wrapper(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    """The properties that say which build tool is fetched and run."""
    keys: dict[str, tuple[str, Span]] = {}
    for number, line in lines(data):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        key, equals, given = text.partition("=")
        if equals:
            keys[key.strip()] = (given.strip().replace("\\:", ":"), line_span(number, line))
    url, span = keys.get("distributionUrl", ("", None))
    if span is None:
        return [], []
    digest, _ = keys.get("distributionSha256Sum", ("", span))
    value: dict[str, Any] = {
        "url": url,
        "scheme": scheme_of(url),
        "verified": bool(re.fullmatch(r"[0-9a-fA-F]{64}", digest)),
        "validated": keys.get("validateDistributionUrl", ("true", span))[0] != "false",
    }
    kind = "gradle" if "gradle" in path.lower() else "maven"
    made = resource("build_wrapper", f"{kind}/wrapper", url, value, path, span)
    return [made, source(kind, "wrapper", url, path, span, what="property")], []
