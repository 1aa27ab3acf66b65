"""The submodules of a repository, as .gitmodules declares them. https://git-scm.com/docs/gitmodules"""

from __future__ import annotations

import re
from typing import Any

from policy_engine.resource import Resource
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine_plugins.repository.places import (
    fault,
    has_password,
    is_local,
    line_span,
    lines,
    on_line,
    resource,
    scheme_of,
    without_password,
)

_HEADER = re.compile(r"\s*\[submodule\s+\"((?:[^\"\\]|\\.)*)\"\]\s*(?:[#;].*)?$")
_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*?)\s*$")
_MAX = 5000


def load(path: str, data: bytes) -> tuple[list[Resource], list[Problem]]:
    found: list[tuple[str, Span, dict[str, tuple[str, Span]]]] = []
    problems: list[Problem] = []
    for number, line in lines(data):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        header = _HEADER.match(line)
        if header is not None:
            found.append((header[1], line_span(number, line), {}))
        elif text.startswith("["):
            found.append(("", line_span(number, line), {}))
        else:
            key = _KEY.match(line)
            if key is None or not found:
                problems.append(Problem(path, "not a key and its value, nor a section", line_span(number, line)))
                continue
            value = key[2]
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            start = len(line) - len(line.lstrip())
            found[-1][2][key[1].lower()] = (value, on_line(number, start, len(line.rstrip())))
        if len(found) > _MAX:
            break
    return [_submodule(path, *each) for each in found if each[0]], problems[:100]


def _submodule(path: str, name: str, span: Span, keys: dict[str, tuple[str, Span]]) -> Resource:
    url = keys.get("url", ("", span))[0]
    where = keys.get("path", ("", span))[0]
    wrong = []
    if url.startswith("-") or where.startswith("-"):
        wrong.append(fault("a value that reads like an option", ("url" if url.startswith("-") else "path",)))
    if ".." in where.split("/") or where.startswith("/") or ".git" in where.lower().split("/"):
        wrong.append(fault("a path that leads outside of the work tree", ("path",)))
    if ".." in name.split("/"):
        wrong.append(fault("a name that leads outside of git's folder of modules"))
    if url.startswith("ext::") or scheme_of(url) == "fd":
        wrong.append(fault("an address that runs a command", ("url",)))
    if keys.get("update", ("", span))[0].startswith("!"):
        wrong.append(fault("an update that runs a command", ("update",)))
    value: dict[str, Any] = {
        "url": without_password(url),
        "path": where,
        "scheme": scheme_of(url),
        "open": scheme_of(url) in ("http", "git") and not is_local(url),
        "credentials": has_password(url),
        "branch": keys.get("branch", (None, span))[0],
        "faults": wrong,
    }
    places: dict[tuple[str | int, ...], Any] = {(key,): place for key, (_, place) in keys.items()}
    for key in ("scheme", "open", "credentials"):
        if "url" in keys:
            places[(key,)] = keys["url"][1]
    return resource("submodule", f"submodule/{name}", name, value, path, span, places)
