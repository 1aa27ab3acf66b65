"""Reads the settings of a repository or an organisation into a snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from policy_engine.errors import ConfigError
from policy_engine.host import HostError, Reader
from policy_engine_plugins.github_host.client import Answer, Client, Limits, checked_token
from policy_engine_plugins.github_host.endpoints import API_VERSION, MEMBERS, ORGANIZATION, REPOSITORY, Endpoint
from policy_engine_plugins.github_host.shape import LEFT, reduced
from policy_engine_plugins.github_host.snapshot import render
from policy_engine_plugins.github_host.target import is_repository

if TYPE_CHECKING:
    from policy_engine.host import Tell

DEFAULT_API = "https://api.github.com"
MAX_RULESETS = 50
MAX_ENVIRONMENTS = 50


def open_reader(api: str | None, workers: int, max_wait_s: int, tell: Tell) -> GithubReader:
    """Raises ConfigError where the environment has no token or the address is none."""
    token = checked_token(os.environ)
    address = api or os.environ.get("GITHUB_API_URL") or DEFAULT_API
    return GithubReader(Client(address, token, tell, Limits(max_wait_s=max_wait_s)), workers)


class GithubReader(Reader):
    def __init__(
        self,
        client: Client,
        workers: int = 1,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._client = client
        self._now = now
        self.workers = workers

    def members(self, group: str) -> Sequence[str]:
        answer = self._client.get(MEMBERS.path.format(org=quote(group)), MEMBERS.query, MEMBERS.listed, MEMBERS.pages)
        self._must(answer, group)
        listed = reduced(answer.body, MEMBERS.shape)
        names = [one.get("full_name") for one in listed]
        if answer.truncated:
            raise HostError(f"{group}: more than {MEMBERS.pages * 100} repositories; name them with --github")
        # What the server calls a repository becomes a path: anything else is no name.
        fit = sorted({name for name in names if isinstance(name, str) and is_repository(name)})
        return [group, *fit]

    def read(self, target: str) -> bytes:
        at = self._now()
        repository = is_repository(target)
        reading = _Reading(self._client)
        if repository:
            _repository(reading, target, self._must)
        else:
            _organization(reading, target, self._must)
        if self._client.stopped:
            raise HostError(f"{target}: interrupted")
        return render(
            {
                "kind": "github-snapshot",
                "format_version": 1,
                "host": self._client.api,
                "api_version": API_VERSION,
                "read_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "target": {"kind": "repository" if repository else "organization", "name": target},
                "answers": reading.answers,
            }
        )

    def stop(self) -> None:
        self._client.stop()

    def _must(self, answer: Answer, target: str) -> None:
        """Raises HostError where a target cannot be read at all, and ConfigError where the token is none."""
        if answer.status // 100 == 2:
            return
        if answer.status == 401:
            raise ConfigError(f"{self._client.api} does not accept the token ({answer.message or 'HTTP 401'})")
        if answer.status == 404:
            raise HostError(f"{target}: there is none at {self._client.api}, or the token may not see it")
        told = f"HTTP {answer.status}: {answer.message}" if answer.status else answer.message
        raise HostError(f"{target}: {self._client.api} does not tell: {told.rstrip(': ')}")


class _Reading:
    """The answers for one target, as they stand in its snapshot."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.answers: dict[str, dict[str, Any]] = {}

    def ask(self, endpoint: Endpoint, key: str = "", **names: str) -> Answer:
        path = endpoint.path.format(**{name: quote(value, safe="") for name, value in names.items()})
        answer = self._client.get(path, endpoint.query, endpoint.listed, endpoint.pages)
        kept: dict[str, Any] = {"path": path, "status": answer.status}
        if endpoint.query:
            kept["query"] = "&".join(f"{name}={value}" for name, value in sorted(endpoint.query.items()))
        if answer.status == 204:
            kept["body"] = {"enabled": True}
        elif answer.status // 100 == 2:
            body = answer.body if endpoint.take is None else endpoint.take(answer.body)
            body = reduced(body, endpoint.shape)
            if body is LEFT or body is None:
                kept |= {"status": 0, "message": "the answer is not laid out as described"}
            else:
                kept["body"] = body
        else:
            kept["message"] = answer.message
        if answer.accepted:
            kept["accepted"] = answer.accepted
        if answer.truncated:
            kept["truncated"] = True
        if answer.transient:
            kept["transient"] = True
        self.answers[f"{endpoint.name}/{key}" if key else endpoint.name] = kept
        return answer

    def body(self, name: str) -> Any:
        return self.answers.get(name, {}).get("body")


Must = Callable[[Answer, str], None]


def _repository(reading: _Reading, target: str, must: Must) -> None:
    owner, _, repo = target.partition("/")
    names = {"owner": owner, "repo": repo}
    must(reading.ask(REPOSITORY["repository"], **names), target)
    about: Mapping[str, Any] = reading.body("repository") or {}
    if about.get("archived") is True:
        return  # Nobody can change it any more; nothing of its settings has an effect.
    branch = about.get("default_branch")
    if branch:
        reading.ask(REPOSITORY["protection"], **names, branch=branch)
        reading.ask(REPOSITORY["rules"], **names, branch=branch)
    reading.ask(REPOSITORY["rulesets"], **names)
    for ruleset in (reading.body("rulesets") or [])[:MAX_RULESETS]:
        number = str(ruleset.get("id", ""))
        if number.isdigit():
            reading.ask(REPOSITORY["ruleset"], number, **names, ruleset_id=number)
    reading.ask(REPOSITORY["actions"], **names)
    if (reading.body("actions") or {}).get("allowed_actions") == "selected":
        reading.ask(REPOSITORY["selected_actions"], **names)
    reading.ask(REPOSITORY["workflow"], **names)
    public = about.get("private") is False
    if public:
        reading.ask(REPOSITORY["fork_approval"], **names)
        reading.ask(REPOSITORY["private_reporting"], **names)
    else:
        reading.ask(REPOSITORY["fork_private"], **names)
    reading.ask(REPOSITORY["environments"], **names)
    for environment in (reading.body("environments") or [])[:MAX_ENVIRONMENTS]:
        name, policy = environment.get("name"), environment.get("deployment_branch_policy")
        if name and policy and policy.get("custom_branch_policies"):
            reading.ask(REPOSITORY["branch_policies"], name, **names, environment_name=name)
    for name in ("runners", "vulnerability_alerts", "security_updates", "vulnerabilities", "secret_alerts"):
        reading.ask(REPOSITORY[name], **names)
    reading.ask(REPOSITORY["code_scanning"], **names)
    if (reading.body("code_scanning") or {}).get("state") != "configured":
        reading.ask(REPOSITORY["analyses"], **names)
    for name in ("code_alerts", "immutable_releases", "codeowners", "keys", "hooks"):
        reading.ask(REPOSITORY[name], **names)
    if (about.get("owner") or {}).get("type") == "Organization":
        reading.ask(REPOSITORY["outside_collaborators"], **names)


def _organization(reading: _Reading, target: str, must: Must) -> None:
    must(reading.ask(ORGANIZATION["organization"], org=target), target)
    reading.ask(ORGANIZATION["actions"], org=target)
    if (reading.body("actions") or {}).get("allowed_actions") == "selected":
        reading.ask(ORGANIZATION["selected_actions"], org=target)
    for name in (
        *("workflow", "fork_approval", "fork_private", "runner_groups", "hooks", "installations"),
        *("members_without_two_factor", "outside_without_two_factor", "rulesets", "security_configurations"),
    ):
        reading.ask(ORGANIZATION[name], org=target)
    for ruleset in (reading.body("rulesets") or [])[:MAX_RULESETS]:
        number = str(ruleset.get("id", ""))
        if number.isdigit():
            reading.ask(ORGANIZATION["ruleset"], number, org=target, ruleset_id=number)
