"""A snapshot: one JSON document with what was asked, when, and the kept part of each answer; and where in it things
stand."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timezone
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from msgspec import Struct, field

from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine_plugins.github_host.endpoints import ORGANIZATION, REPOSITORY, Endpoint
from policy_engine_plugins.github_host.shape import LEFT, MAX_TEXT, reduced, schema_of

KIND = "github-snapshot"
FORMAT_VERSION = 1
_BLANK = " \t\r\n"


class NoSnapshot(ValueError):
    """The document is none; `at` is the offset where that shows."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class Snapshot(Struct, frozen=True):
    """`answers` by the endpoints' names, their bodies of the shape they are kept in."""

    organization: bool
    name: str
    answers: Mapping[str, Mapping[str, Any]]
    text: Text


def render(document: Mapping[str, Any]) -> bytes:
    """Canonical: the same settings give the same bytes. Every value has a line of its own, for findings to point at."""
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def parse(text: str) -> Snapshot:
    """Raises NoSnapshot. What is not laid out as a snapshot is left out, and so not known."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise NoSnapshot(f"no valid JSON: {error.msg}", error.pos) from None
    except RecursionError:
        raise NoSnapshot("nested too deeply") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise NoSnapshot(f"no snapshot: its kind is not '{KIND}'")
    version = document.get("format_version")
    if version != FORMAT_VERSION:
        shown = version if isinstance(version, (int, str)) else "none"
        raise NoSnapshot(f"a snapshot of format version {shown}; this policy-engine reads {FORMAT_VERSION}")
    target = document.get("target")
    if not isinstance(target, dict) or target.get("kind") not in ("repository", "organization"):
        raise NoSnapshot("the snapshot does not say of what it is: 'target' is missing or of no known kind")
    name = target.get("name")
    if not isinstance(name, str) or not name:
        raise NoSnapshot("the snapshot does not say of what it is: 'target' has no name")
    given = document.get("answers")
    if not isinstance(given, dict):
        raise NoSnapshot("the snapshot holds no answers")
    organization = target["kind"] == "organization"
    answers = {}
    for key, answer in given.items():
        endpoint = endpoint_of(key, organization=organization)
        if endpoint is not None and isinstance(answer, dict):
            kept = reduced(answer, ANSWER)
            body = reduced(answer.get("body"), endpoint.shape)
            if body is not LEFT and body is not None:
                kept["body"] = body
            answers[key] = kept
    return Snapshot(organization, name[:MAX_TEXT], answers, Text(text))


ANSWER = {
    "path": str,
    "query": str,
    "status": int,
    "message": str,
    "accepted": str,
    "truncated": bool,
    "transient": bool,
}


def endpoint_of(key: str, *, organization: bool) -> Endpoint | None:
    return (ORGANIZATION if organization else REPOSITORY).get(key.partition("/")[0])


def settled_at(data: bytes, target: str) -> datetime | None:
    """When a snapshot of the target was read; None where it is none of it, or one that another try might complete."""
    try:
        text = data.decode("utf-8")
        snapshot = parse(text)
        at = datetime.strptime(json.loads(text)["read_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (ValueError, KeyError, TypeError):
        return None
    if snapshot.name != target or any(answer.get("transient") for answer in snapshot.answers.values()):
        return None
    return at


class Text(Struct):
    """A JSON text in which the places of values are found when somebody asks."""

    text: str
    _starts: list[int] = field(default_factory=list)

    def span(self, path: AttributePath) -> Span:
        """Where a value stands, with its key where it has one; of one that is not there, the innermost that is."""
        start, end = self._find(path)
        return Span(*self._place(start), *self._place(end))

    def at(self, offset: int) -> Span:
        offset = min(offset, len(self.text))
        line, column = self._place(offset)
        return Span(line, column, line, column + 1)

    def _place(self, offset: int) -> tuple[int, int]:
        if not self._starts:
            from policy_engine.yaml_text import LINE_BREAK

            self._starts += [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def _find(self, path: AttributePath) -> tuple[int, int]:
        """Offsets from the start of the key, or of the value, to the value's end where that is on the same line."""
        decoder = json.JSONDecoder()
        start = value = self._skip(0)
        for step in path:
            found = self._member(value, step, decoder)
            if found is None:
                break
            start, value = found
        _, end = decoder.raw_decode(self.text, value)
        line_end = min((place for place in (self.text.find(sign, start) for sign in "\r\n") if place >= 0), default=end)
        if end > line_end:
            end = start + len(self.text[start:line_end].rstrip(" \t{[:"))
        return start, max(end, start + 1)

    def _member(self, value: int, step: str | int, decoder: json.JSONDecoder) -> tuple[int, int] | None:
        text = self.text
        opened = text[value : value + 1]
        if opened not in ("{", "[") or (opened == "{") is not isinstance(step, str):
            return None
        at, number = self._skip(value + 1), 0
        while text[at : at + 1] not in ("}", "]", ""):
            start = at
            key: str | int = number
            if opened == "{":
                key, at = scanstring(text, at + 1)
                at = self._skip(self._skip(at) + 1)
            if key == step:
                return start, at
            _, at = decoder.raw_decode(text, at)
            at = self._skip(at)
            if text[at : at + 1] == ",":
                at = self._skip(at + 1)
            number += 1
        return None

    def _skip(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in _BLANK:
            at += 1
        return at


def schema() -> Mapping[str, Any]:
    """The JSON Schema of a snapshot, as it is shipped beside this module."""

    def answers(endpoints: Mapping[str, Endpoint]) -> Mapping[str, Any]:
        known = {}
        for name, endpoint in endpoints.items():
            inner = schema_of(endpoint.shape)
            kept = {"body": inner, **{key: schema_of(shape) for key, shape in ANSWER.items()}}
            one = {"type": "object", "properties": kept, "required": ["path", "status"], "additionalProperties": False}
            known[name] = one
        plain = {name: known[name] for name, each in endpoints.items() if not _several(each)}
        keyed = {f"^{name}/": known[name] for name, each in endpoints.items() if _several(each)}
        return {
            "type": "object",
            "properties": plain,
            "patternProperties": keyed,
            "additionalProperties": False,
        }

    def of(kind: str, endpoints: Mapping[str, Endpoint]) -> Mapping[str, Any]:
        target = {"properties": {"kind": {"const": kind}}}
        return {
            "if": {"properties": {"target": target}},
            "then": {"properties": {"answers": answers(endpoints)}},
        }

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:policy-engine:schemas:github-snapshot",
        "title": "What a repository or an organisation on GitHub was set to",
        "type": "object",
        "properties": {
            "kind": {"const": KIND},
            "format_version": {"const": FORMAT_VERSION},
            "host": {"type": "string"},
            "api_version": {"type": "string"},
            "read_at": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
            "target": {
                "type": "object",
                "properties": {
                    "kind": {"enum": ["repository", "organization"]},
                    "name": {"type": "string", "minLength": 1},
                },
                "required": ["kind", "name"],
                "additionalProperties": False,
            },
            "answers": {"type": "object"},
        },
        "required": ["kind", "format_version", "host", "api_version", "read_at", "target", "answers"],
        "additionalProperties": False,
        "allOf": [of("repository", REPOSITORY), of("organization", ORGANIZATION)],
    }


def _several(endpoint: Endpoint) -> bool:
    return endpoint.name in ("ruleset", "branch_policies")
