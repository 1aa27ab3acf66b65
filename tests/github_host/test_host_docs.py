"""The tables of docs/github-settings.md are what the code does. `UPDATE_GOLDEN=1` rewrites them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policy_engine import __version__
from policy_engine.plugins import load_plugins
from policy_engine.rule import Rule
from policy_engine.rulebook import load_rulebook
from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.client import Client, Limits
from policy_engine_plugins.github_host.endpoints import MEMBERS, ORGANIZATION, REPOSITORY, Endpoint
from policy_engine_plugins.github_host.load import load
from policy_engine_plugins.github_host.reader import GithubReader
from pretend_github import TOKEN, Reply, organization, pretending, repository

PAGE = Path(__file__).parents[2] / "docs/github-settings.md"
FORMAT = "github-settings"
Key = tuple[str, str]  # a resource type and the first step of an attribute


def snapshots() -> Iterator[tuple[dict[str, Any], Mapping[str, Endpoint]]]:
    """Of a repository that is set up well, of one that is set up badly, of a private one, and of an organisation."""
    bare = repository()
    bare["/repos/acme/web/rules/branches/main"] = []
    bare["/repos/acme/web/branches/main/protection"] = {"required_pull_request_reviews": {}}
    bare["/repos/acme/web/code-scanning/default-setup"] = {"state": "not-configured"}
    bare["/repos/acme/web/code-scanning/analyses"] = []
    bare["/repos/acme/web/automated-security-fixes"] = {"enabled": False}
    del bare["/repos/acme/web"]["security_and_analysis"]["dependabot_security_updates"]
    hook = repository()["/repos/acme/web/hooks"]
    ruleset = {"id": 9, "name": "all", "target": "branch", "enforcement": "active", "source_type": "Organization"}
    org = organization()
    org |= {
        "/orgs/acme/hooks": hook,
        "/orgs/acme/rulesets": [ruleset],
        "/orgs/acme/rulesets/9": {**ruleset, "rules": []},
    }
    org["/orgs/acme"] |= {name: False for name in org["/orgs/acme"] if name.endswith("_for_new_repositories")}
    org["/orgs/acme/actions/permissions"]["allowed_actions"] = "selected"
    org["/orgs/acme/actions/permissions/selected-actions"] = {"patterns_allowed": []}
    private = repository(private=True, visibility="private")
    for routes, target in ((repository(), "acme/web"), (bare, "acme/web"), (private, "acme/web"), (org, "acme")):
        with pretending(routes) as server:
            reader = GithubReader(Client(server.url, TOKEN, lambda _: None, Limits()))
            yield json.loads(reader.read(target)), REPOSITORY if "/" in target else ORGANIZATION


def attributes(document: Mapping[str, Any]) -> dict[str, dict[Key, Any]]:
    path = "s.github-snapshot.json"
    tree = MemoryTree({path: json.dumps(document).encode()})
    found: dict[str, dict[Key, Any]] = {}
    for one in load(Unit(FORMAT, path, (path,)), tree).resources:
        for name, value in one.value.items():
            found.setdefault(one.address, {})[(one.type, name)] = value
    return found


def unknown_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(unknown_in(inner) for inner in value.values())
    return type(value) is Unknown


@cache
def feeds() -> dict[Key, dict[str, Endpoint]]:
    """Which endpoints each attribute rests on: found out by refusing one after the other."""
    found: dict[Key, dict[str, Endpoint]] = {}
    for document, endpoints in snapshots():
        whole = attributes(document)
        for name in {key.partition("/")[0] for key in document["answers"]}:
            refused = json.loads(json.dumps(document))
            for key in refused["answers"]:
                if key.partition("/")[0] == name:
                    refused["answers"][key] = {"path": "/x", "status": 403, "message": "no"}
            left = attributes(refused)
            for address, values in whole.items():
                for attribute, value in values.items():
                    gone = attribute not in left.get(address, {}) or unknown_in(left[address][attribute])
                    if gone and not unknown_in(value):
                        endpoint = endpoints[name]
                        found.setdefault(attribute, {})[endpoint.path] = endpoint
    return found


def paths_in(condition: Any) -> Iterator[str]:
    if isinstance(condition, list):
        for each in condition:
            yield from paths_in(each)
    elif isinstance(condition, dict):
        for key, value in condition.items():
            if key in ("path", "every", "some", "none") and isinstance(value, str):
                yield value.partition(".")[0].partition("[")[0]
                if key != "path":
                    return  # what follows speaks of the items
            elif key in ("all", "any", "not"):
                yield from paths_in(value)


def needs(rule: Rule) -> list[Endpoint]:
    found: dict[str, Endpoint] = {}
    for target in rule.targets:
        if target.format != FORMAT:
            continue
        names = {*paths_in(target.when), *paths_in(target.require)}
        for type_ in target.resources:
            for name in names:
                found |= feeds().get((type_, name), {})
    return [found[path] for path in sorted(found)]


def rules() -> list[Rule]:
    plugins = load_plugins()
    return [one for one in load_rulebook(plugins, __version__).rules() if FORMAT in one.formats()]


def endpoint_table() -> str:
    lines = ["| asked | tells | fine-grained token, app | classic token |", "|---|---|---|---|"]
    for one in [*REPOSITORY.values(), MEMBERS, *ORGANIZATION.values()]:
        lines.append(f"| `GET {one.path}` | {one.feeds} | {one.permission} | {one.scope} |")
    return "\n".join(lines)


def rule_table() -> str:
    lines = ["| rule | for a repository | for an organisation |", "|---|---|---|"]
    for rule in rules():
        shown = []
        for whose in (REPOSITORY, ORGANIZATION):
            ours = [one for one in needs(rule) if whose.get(one.name) is one]
            # That there is a repository at all is told to every token.
            more = [one for one in ours if one.name != "repository"] or ours
            permissions = dict.fromkeys(one.permission.replace(" (of the organisation)", "") for one in more)
            shown.append("; ".join(permissions))
        lines.append(f"| `{rule.id}` | {shown[0]} | {shown[1]} |")
    return "\n".join(lines)


@pytest.mark.parametrize(("name", "table"), [("endpoints", endpoint_table), ("rules", rule_table)])
def test_the_tables_are_what_the_code_does(name: str, table: Any) -> None:
    text = PAGE.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    shown, _, after = rest.partition(end)
    wanted = table() + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(before + start + wanted + end + after, encoding="utf-8")
        return
    assert shown == wanted


def test_every_rule_says_what_it_needs() -> None:
    assert [rule.id for rule in rules() if not needs(rule)] == []


def test_every_endpoint_feeds_a_rule() -> None:
    used = {one.path for rule in rules() for one in needs(rule)}
    unused = {one.name for one in [*REPOSITORY.values(), *ORGANIZATION.values()] if one.path not in used}
    # Kept as evidence of where deployments may come from; no rule judges the patterns.
    assert unused == {"branch_policies"}


def test_no_reply_is_left_unused() -> None:
    """What the server of the tests can answer is what is asked: neither has endpoints of its own."""
    routes = {**repository(), **organization()}
    with pretending(routes) as server:
        reader = GithubReader(Client(server.url, TOKEN, lambda _: None, Limits()))
        reader.read("acme/web")
        reader.read("acme")
        routes["/repos/acme/web"]["private"] = True
        routes["/repos/acme/web/code-scanning/default-setup"] = Reply(404)
        reader.read("acme/web")
        asked = {path for _, path, _ in server.seen}
    assert set(routes) - asked == {"/orgs/acme/repos"}
