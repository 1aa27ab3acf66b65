"""The client against GitHub's own description of its API, and a server that answers by it.

Both come from npm (see package.json beside this file; `npm ci` installs them). The server answers 406 to GitHub's media
type, which the description does not list, so it is added.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine_plugins.github_host.client import Client, Limits
from policy_engine_plugins.github_host.endpoints import MEMBERS, ORGANIZATION, REPOSITORY, Endpoint
from policy_engine_plugins.github_host.load import load
from policy_engine_plugins.github_host.reader import GithubReader
from policy_engine_plugins.github_host.shape import Each
from policy_engine_plugins.github_host.snapshot import schema
from pretend_github import TOKEN

HERE = Path(__file__).parent
DESCRIPTION = HERE / "node_modules/@octokit/openapi/generated/api.github.com.deref.json"
PRISM = HERE / "node_modules/.bin/prism"
ENDPOINTS = [*REPOSITORY.values(), *ORGANIZATION.values(), MEMBERS]
NAMES = {
    "owner": "acme",
    "repo": "web",
    "org": "acme",
    "branch": "main",
    "ruleset_id": "1",
    "environment_name": "production",
}
MEDIA_TYPE = "application/vnd.github+json"

pytestmark = pytest.mark.skipif(
    not (DESCRIPTION.is_file() and PRISM.exists()),
    reason="GitHub's description of its API is not installed (npm ci in tests/github_host)",
)


@cache
def description() -> Any:
    return json.loads(DESCRIPTION.read_bytes())


def operation(endpoint: Endpoint) -> Any:
    return description()["paths"][endpoint.path]["get"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_every_endpoint_exists_with_these_parameters(endpoint: Endpoint) -> None:
    known = {one["name"]: one for one in operation(endpoint)["parameters"] if one["in"] == "query"}
    for name, value in (endpoint.query or {}).items():
        allowed = known[name]["schema"].get("enum")
        assert allowed is None or value in [str(one).lower() for one in allowed], name


def _body_schema(endpoint: Endpoint) -> Any:
    responses = operation(endpoint)["responses"]
    return responses["200"]["content"]["application/json"]["schema"] if "200" in responses else None


def _properties(schema_: Any) -> dict[str, list[Any]]:
    """Every property of a schema, of whichever of its alternatives."""
    found: dict[str, list[Any]] = {}
    for name, inner in (schema_.get("properties") or {}).items():
        found.setdefault(name, []).append(inner)
    for word in ("oneOf", "anyOf", "allOf"):
        for one in schema_.get(word) or ():
            for name, inners in _properties(one).items():
                found.setdefault(name, []).extend(inners)
    return found


def _unknown_fields(shape: Any, schemas: list[Any], at: str) -> Iterator[str]:
    if isinstance(shape, list):
        yield from _unknown_fields(shape[0], [inner["items"] for inner in _flat(schemas) if "items" in inner], at)
    elif isinstance(shape, dict):
        for name, inner in shape.items():
            found = [each for one in schemas for each in _properties(one).get(name, ())]
            if not found:
                yield f"{at}.{name}"
            else:
                yield from _unknown_fields(inner, found, f"{at}.{name}")
    elif isinstance(shape, Each):
        return


def _flat(schemas: list[Any]) -> Iterator[Any]:
    for one in schemas:
        yield one
        for word in ("oneOf", "anyOf", "allOf"):
            yield from _flat(one.get(word) or [])


@pytest.mark.parametrize(
    "endpoint",
    [one for one in ENDPOINTS if one.take is None and one.name != "vulnerability_alerts"],
    ids=lambda one: one.path,
)
def test_every_field_that_is_kept_is_one_of_the_answer(endpoint: Endpoint) -> None:
    body = _body_schema(endpoint)
    if endpoint.listed:
        body = body["properties"][endpoint.listed]
    assert list(_unknown_fields(endpoint.shape, [body], endpoint.name)) == []


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.listed is not None], ids=lambda one: one.path)
def test_every_listing_is_one(endpoint: Endpoint) -> None:
    body = _body_schema(endpoint)
    if endpoint.listed:
        body = body["properties"][endpoint.listed]
    assert body["type"] == "array"


# -- the server


def _described_for_us(folder: Path) -> Path:
    """The part of the description that is used, with GitHub's media type and without its examples of next pages."""
    whole = description()
    paths = {}
    for endpoint in ENDPOINTS:
        get = json.loads(json.dumps(operation(endpoint)))
        for response in get["responses"].values():
            # Its Link headers are examples that lead to GitHub itself, where our client refuses to go.
            response.pop("headers", None)
            content = response.get("content") or {}
            if "application/json" in content:
                content[MEDIA_TYPE] = content["application/json"]
        paths[endpoint.path] = {"get": get}
    file = folder / "description.json"
    file.write_text(json.dumps({"openapi": whole["openapi"], "info": whole["info"], "paths": paths}))
    return file


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module", params=["examples", "random"])
def prism(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that answers by the description: with its examples, or with anything it allows."""
    file = _described_for_us(tmp_path_factory.mktemp("prism"))
    port = _free_port()
    # Some of GitHub's examples break its own schemas, and so are errors where answers are checked too.
    mode = ["--errors", "-d"] if request.param == "random" else []
    command = [str(PRISM), "mock", "-p", str(port), *mode, str(file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(600):
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _client(url: str) -> Client:
    return Client(url, TOKEN, lambda _: None, Limits(max_wait_s=0, backoff_s=0))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_the_described_server_takes_the_question(prism: str, endpoint: Endpoint) -> None:
    answer = _client(prism).get(endpoint.path.format(**NAMES), endpoint.query, endpoint.listed, 1)
    # It knows the path, the parameters and the media type; with anything else it answers 404, 406 or 422.
    assert answer.status in (200, 204), answer
    if endpoint.listed is not None:
        assert isinstance(answer.body, list)


def test_the_described_server_refuses_a_wrong_question(prism: str) -> None:
    answer = _client(prism).get("/orgs/acme/members", {"filter": "nonsense"}, "", 1)
    assert answer.status == 422 or answer.message.startswith("HTTP 500"), answer
    assert _client(prism).get("/orgs/acme/nonsense").status == 404


@pytest.mark.parametrize("target", ["acme/web", "acme"])
def test_what_the_described_server_says_is_understood(prism: str, target: str) -> None:
    data = GithubReader(_client(prism)).read(target)
    document = json.loads(data)
    jsonschema.Draft202012Validator(schema()).validate(document)
    if document["answers"].get("repository", {}).get("body", {}).get("archived") is not True:
        assert len(document["answers"]) > 10
    # Whatever the description allows, no answer is without its place and no resource makes the reader stumble.
    assert {answer["status"] for answer in document["answers"].values()} <= {0, 200, 204}
    loaded = load(
        Unit("github-settings", "s.github-snapshot.json", ("s.github-snapshot.json",)),
        MemoryTree({"s.github-snapshot.json": data}),
    )
    assert not loaded.problems
    assert loaded.resources
