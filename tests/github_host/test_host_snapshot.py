"""Snapshots: what is in them, where in them things stand, and what becomes of those that strangers write."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.tree import MemoryTree
from policy_engine.unit import Loaded, Unit
from policy_engine_plugins import github_host
from policy_engine_plugins.github_host.client import Client, Limits
from policy_engine_plugins.github_host.endpoints import hooks
from policy_engine_plugins.github_host.load import load
from policy_engine_plugins.github_host.reader import GithubReader
from policy_engine_plugins.github_host.shape import LEFT, Each, reduced, schema_of
from policy_engine_plugins.github_host.snapshot import Text, parse, render, schema, settled_at
from pretend_github import TOKEN, organization, pretending, repository

PATH = "settings.github-snapshot.json"
AT = datetime(2026, 11, 1, 6, 0, tzinfo=timezone.utc)


def read(target: str = "acme/web", **about: Any) -> bytes:
    with pretending({**repository(**about), **organization()}) as server:
        client = Client(server.url, TOKEN, lambda _: None, Limits(backoff_s=0))
        return GithubReader(client, now=lambda: AT).read(target).replace(server.url.encode(), b"https://api.github.com")


def loaded(data: bytes) -> Loaded:
    return load(Unit("github-settings", PATH, (PATH,)), MemoryTree({PATH: data}))


def test_the_shipped_schema_is_that_of_the_code() -> None:
    shipped = json.loads((Path(github_host.__file__).parent / "snapshot.schema.json").read_text())
    assert shipped == schema()
    jsonschema.Draft202012Validator.check_schema(shipped)


@pytest.mark.parametrize("target", ["acme/web", "acme"])
def test_what_is_written_is_of_the_schema_and_canonical(target: str) -> None:
    data = read(target)
    document = json.loads(data)
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["read_at"] == "2026-11-01T06:00:00Z"
    assert render(document) == data
    assert data == read(target)


def test_a_snapshot_holds_named_fields_only() -> None:
    document = json.loads(read())
    (hook,) = document["answers"]["hooks"]["body"]
    assert hook == {
        "active": True,
        "content_type": "json",
        "events": ["push"],
        "host": "hooks.acme.example",
        "id": 1,
        "insecure_ssl": "0",
        "name": "web",
        "scheme": "https",
        "secret": True,
    }
    assert "temp_clone_token" not in document["answers"]["repository"]["body"]
    assert set(document["answers"]["keys"]["body"][0]) == {"id", "title", "read_only", "verified"}


@pytest.mark.parametrize(
    "url",
    ["http://[", "no address", "", None, 7, "https://", "https://u:p@h.example:99999/secret?k=v", "file:///etc/passwd"],
)
def test_of_a_webhooks_address_scheme_and_host_are_kept(url: object) -> None:
    (hook,) = hooks([{"id": 1, "config": {"url": url, "secret": "hush"}}])
    assert hook["secret"] is True
    kept = json.dumps(hook)
    assert not any(word in kept for word in ("hush", "u:p", "k=v", "/secret", "passwd"))


def test_one_that_another_try_might_complete_is_not_settled() -> None:
    document = json.loads(read())
    assert settled_at(render(document), "acme/web") == AT
    assert settled_at(render(document), "acme/other") is None
    document["answers"]["hooks"] = {"path": "/x", "status": 0, "message": "HTTP 502, 3 times", "transient": True}
    assert settled_at(render(document), "acme/web") is None
    assert settled_at(b"{", "acme/web") is None
    assert settled_at(b"\xff", "acme/web") is None


# -- places


def test_a_place_is_the_key_with_its_value() -> None:
    text = '{\n "a": {"b": [1,\n  {"c": "x"}\n ]},\n "d": null\n}\n'
    found = Text(text)

    def shown(*path: str | int) -> str:
        span = found.span(path)
        assert span.start_line == span.end_line
        return text.splitlines()[span.start_line - 1][span.start_column - 1 : span.end_column - 1]

    assert shown("a", "b", 1, "c") == '"c": "x"'
    assert shown("a", "b", 0) == "1"
    assert shown("d") == '"d": null'
    assert shown("a") == '"a": {"b": [1,'
    # Of what is not there, the innermost that is.
    assert shown("a", "b", 7) == '"b": [1,'
    assert shown("d", "e") == '"d": null'
    assert shown("z")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def _paths(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(at, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _paths(inner, (*at, key))
    return found


@given(json_values, st.sampled_from([None, 0, 1, 3]))
@settings(max_examples=150, deadline=None)
def test_every_value_is_found_where_it_stands(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    found = Text(text)
    for path, inner in _paths(value):
        span = found.span(path)
        lines = text.split("\n")
        assert 1 <= span.start_line <= len(lines)
        if span.start_line == span.end_line and path and not isinstance(inner, (dict, list)):
            part = lines[span.start_line - 1][span.start_column - 1 : span.end_column - 1]
            if isinstance(path[-1], str):
                assert json.loads("{" + part + "}") == {path[-1]: inner}
            else:
                assert json.loads(part) == inner


# -- what strangers write

BROKEN = {
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "no JSON": b"{",
    "deep": b"[" * 200_000,
    "a list": b"[]",
    "another kind": b'{"kind": "x"}',
    "a version to come": b'{"kind": "github-snapshot", "format_version": 2}',
    "an odd version": b'{"kind": "github-snapshot", "format_version": [[1]]}',
    "no target": b'{"kind": "github-snapshot", "format_version": 1}',
    "an odd target": b'{"kind": "github-snapshot", "format_version": 1, "target": {"kind": "user", "name": "x"}}',
    "no name": b'{"kind": "github-snapshot", "format_version": 1, "target": {"kind": "repository", "name": ""}}',
    "no answers": b'{"kind": "github-snapshot", "format_version": 1, "target": {"kind": "repository", "name": "x"}}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_snapshot_is_a_problem(name: str) -> None:
    result = loaded(BROKEN[name])
    assert result.resources == ()
    (problem,) = result.problems
    assert problem.span is not None


@pytest.mark.parametrize("target", ["acme/web", "acme"])
def test_whatever_is_changed_in_a_snapshot_nothing_breaks(target: str) -> None:
    document = json.loads(read(target))
    for path, _ in _paths(document["answers"]):
        for other in (None, 7, "x", [None], [{}], {"a": None}):
            changed = json.loads(json.dumps(document))
            inner = changed
            for step in ("answers", *path[:-1]):
                inner = inner[step]
            inner[path[-1] if path else "answers"] = other
            result = loaded(json.dumps(changed).encode())
            for resource in result.resources:
                for key in resource.value:
                    resource.locate((key,))


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_reducing_twice_is_reducing_once(value: Any) -> None:
    shape = {"a": [{"b": str}], "c": Each(int), "d": bool}
    once = reduced(value, shape)
    if once is not LEFT:
        assert reduced(once, shape) == once
        jsonschema.Draft202012Validator(dict(schema_of(shape))).validate(once)


def test_a_ruleset_of_the_organisation_is_judged_where_it_is_made() -> None:
    document = json.loads(read())
    document["answers"]["rulesets"]["body"][0]["source_type"] = "Organization"
    types = [one.name for one in loaded(render(document)).resources if one.type == "ruleset"]
    assert types == ["releases"]


def test_a_snapshot_of_nothing_is_all_unknown() -> None:
    empty = {
        "kind": "github-snapshot",
        "format_version": 1,
        "target": {"kind": "repository", "name": "a/b"},
        "answers": {},
    }
    (about, actions) = loaded(json.dumps(empty).encode()).resources
    assert (about.type, actions.type) == ("repository", "actions")
    assert parse(json.dumps(empty)).name == "a/b"
