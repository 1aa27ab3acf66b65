"""A small server on loopback that answers as GitHub does, and misbehaves where a test asks it to.

As a program it is an organisation of many repositories: `python pretend_github.py COUNT` prints its address and then
answers until its input ends.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "ghp_pretended0000000000000000000000000000"


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: int | None = None  # close the connection after so many bytes
    pace_s: float = 0.0  # a byte at a time


Route = Any  # a body, a Reply, or a function of (query) -> either


@dataclass
class Pretend:
    routes: dict[str, Route]
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, path: str, query: Mapping[str, list[str]]) -> Reply:
        route = self.routes.get(path, Reply(404, {"message": "Not Found"}))
        if callable(route):
            route = route({key: values[0] for key, values in query.items()})
        return route if isinstance(route, Reply) else Reply(200, route)

    def asked(self, path: str) -> int:
        return sum(seen == path for _, seen, _ in self.seen)


def _handler(pretend: Pretend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, TimeoutError):
                self.close_connection = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            with pretend.lock:
                pretend.seen.append((self.command, path, parts.query))
                pretend.tokens.add(self.headers.get("Authorization", ""))
                pretend.at_once += 1
                pretend.most_at_once = max(pretend.most_at_once, pretend.at_once)
            try:
                self._send(pretend.reply(path, parse_qs(parts.query)))
            finally:
                with pretend.lock:
                    pretend.at_once -= 1

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

        def _send(self, reply: Reply) -> None:
            data = reply.raw
            if data is None:
                data = b"" if reply.body is None else json.dumps(reply.body).encode()
            fields = {"Date": self.date_time_string(), "Content-Type": "application/json", **reply.headers}
            head = [f"HTTP/1.1 {reply.status} x", *(f"{name}: {value}" for name, value in fields.items())]
            head.append(f"Content-Length: {len(data)}")
            message = "\r\n".join(head).encode() + b"\r\n\r\n" + data
            if reply.cut is not None:
                message = message[: max(0, len(message) - len(data) + reply.cut)]
                self.close_connection = True
            if reply.pace_s:
                import time

                for at in range(len(message)):
                    self.wfile.write(message[at : at + 1])
                    self.wfile.flush()
                    time.sleep(reply.pace_s)
                return
            self.wfile.write(message)

        def log_message(self, *_: object) -> None:
            return

    return Handler


@contextmanager
def pretending(routes: dict[str, Route]) -> Iterator[Pretend]:
    pretend = Pretend(routes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pretend))
    server.daemon_threads = True
    pretend.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield pretend
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- what it answers


def repository(name: str = "acme/web", **about: Any) -> dict[str, Route]:
    """A repository that is set up well."""
    at = f"/repos/{name}"
    enabled = {"status": "enabled"}
    pull_request = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": True,
        "required_review_thread_resolution": True,
    }
    branch_rules = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "required_signatures"},
        {"type": "required_linear_history"},
        {"type": "pull_request", "parameters": pull_request},
        {
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": True,
                "required_status_checks": [{"context": "test"}],
            },
        },
    ]
    source = {"ruleset_id": 1, "ruleset_source_type": "Repository", "ruleset_source": name}
    rulesets = {
        1: {"target": "branch", "name": "main", "rules": branch_rules},
        2: {"target": "tag", "name": "releases", "rules": [{"type": "deletion"}, {"type": "update"}]},
    }
    for number, ruleset in rulesets.items():
        ruleset |= {"id": number, "source_type": "Repository", "source": name, "enforcement": "active"}
        ruleset |= {"bypass_actors": [], "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}}
    routes: dict[str, Route] = {
        at: {
            "id": 7,
            "full_name": name,
            "private": False,
            "visibility": "public",
            "archived": False,
            "fork": False,
            "default_branch": "main",
            "allow_forking": True,
            "web_commit_signoff_required": True,
            "owner": {"login": name.partition("/")[0], "type": "Organization"},
            "temp_clone_token": "must-not-be-kept",
            "security_and_analysis": {
                "secret_scanning": enabled,
                "secret_scanning_push_protection": enabled,
                "dependabot_security_updates": enabled,
            },
            **about,
        },
        f"{at}/branches/main/protection": Reply(404, {"message": "Branch not protected"}),
        f"{at}/rules/branches/main": [{**rule, **source} for rule in branch_rules],
        f"{at}/rulesets": [
            {key: value for key, value in one.items() if key not in ("rules", "bypass_actors")}
            for one in rulesets.values()
        ],
        **{f"{at}/rulesets/{number}": one for number, one in rulesets.items()},
        f"{at}/actions/permissions": {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True},
        f"{at}/actions/permissions/selected-actions": {
            "github_owned_allowed": True,
            "verified_allowed": False,
            "patterns_allowed": ["acme/*"],
        },
        f"{at}/actions/permissions/workflow": {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        },
        f"{at}/actions/permissions/fork-pr-contributor-approval": {"approval_policy": "all_external_contributors"},
        f"{at}/actions/permissions/fork-pr-workflows-private-repos": {
            "run_workflows_from_fork_pull_requests": False,
            "send_write_tokens_to_workflows": False,
            "send_secrets_and_variables": False,
            "require_approval_for_fork_pr_workflows": True,
        },
        f"{at}/actions/runners": {"total_count": 0, "runners": []},
        f"{at}/environments": {
            "total_count": 1,
            "environments": [
                {
                    "id": 1,
                    "name": "production",
                    "protection_rules": [
                        {"id": 1, "type": "wait_timer", "wait_timer": 5},
                        {
                            "id": 2,
                            "type": "required_reviewers",
                            "prevent_self_review": True,
                            "reviewers": [{"type": "Team", "reviewer": {"slug": "release", "name": "Release"}}],
                        },
                        {"id": 3, "type": "branch_policy"},
                    ],
                    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
                }
            ],
        },
        f"{at}/environments/production/deployment-branch-policies": {
            "total_count": 1,
            "branch_policies": [{"id": 1, "name": "main", "type": "branch"}],
        },
        f"{at}/vulnerability-alerts": Reply(204),
        f"{at}/automated-security-fixes": {"enabled": True, "paused": False},
        f"{at}/dependabot/alerts": [],
        f"{at}/secret-scanning/alerts": [],
        f"{at}/code-scanning/default-setup": {"state": "configured", "languages": ["python"], "query_suite": "default"},
        f"{at}/code-scanning/analyses": [{"ref": "refs/heads/main", "tool": {"name": "CodeQL"}}],
        f"{at}/code-scanning/alerts": [],
        f"{at}/private-vulnerability-reporting": {"enabled": True},
        f"{at}/immutable-releases": {"enabled": True, "enforced_by_owner": False},
        f"{at}/codeowners/errors": {"errors": []},
        f"{at}/keys": [{"id": 1, "key": "ssh-ed25519 AAAA", "title": "deploy", "read_only": True, "verified": True}],
        f"{at}/hooks": [
            {
                "id": 1,
                "name": "web",
                "active": True,
                "events": ["push"],
                "config": {
                    "url": "https://who:pass-in-url@hooks.acme.example/services/T0/path-that-is-secret?key=query-secret",
                    "secret": "********",
                    "insecure_ssl": "0",
                    "content_type": "json",
                },
            }
        ],
        f"{at}/collaborators": [{"login": "helper", "id": 5, "role_name": "read", "permissions": {"pull": True}}],
    }
    return routes


def organization(name: str = "acme", repositories: int = 0) -> dict[str, Route]:
    at = f"/orgs/{name}"
    switches = (
        *("dependabot_alerts", "dependabot_security_updates", "dependency_graph", "secret_scanning"),
        "secret_scanning_push_protection",
    )
    routes: dict[str, Route] = {
        at: {
            "login": name,
            "id": 1,
            "billing_email": "must-not-be-kept@acme.example",
            "two_factor_requirement_enabled": True,
            "default_repository_permission": "read",
            "members_can_create_public_repositories": False,
            "members_can_create_private_repositories": True,
            "members_can_create_internal_repositories": True,
            "members_can_create_public_pages": False,
            "members_can_fork_private_repositories": False,
            "members_can_delete_repositories": False,
            "members_can_change_repo_visibility": False,
            "members_can_invite_outside_collaborators": False,
            "members_can_create_teams": True,
            "web_commit_signoff_required": True,
            "deploy_keys_enabled_for_repositories": False,
            **{f"{switch}_enabled_for_new_repositories": True for switch in switches},
        },
        f"{at}/actions/permissions": {
            "enabled_repositories": "all",
            "allowed_actions": "local_only",
            "sha_pinning_required": True,
        },
        f"{at}/actions/permissions/workflow": {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        },
        f"{at}/actions/permissions/fork-pr-contributor-approval": {"approval_policy": "all_external_contributors"},
        f"{at}/actions/permissions/fork-pr-workflows-private-repos": {
            "run_workflows_from_fork_pull_requests": False,
            "send_write_tokens_to_workflows": False,
            "send_secrets_and_variables": False,
            "require_approval_for_fork_pr_workflows": True,
        },
        f"{at}/actions/runner-groups": {
            "total_count": 1,
            "runner_groups": [
                {"id": 1, "name": "Default", "visibility": "all", "default": True, "allows_public_repositories": False}
            ],
        },
        f"{at}/hooks": [],
        f"{at}/installations": {
            "total_count": 1,
            "installations": [
                {
                    "id": 1,
                    "app_slug": "dependency-robot",
                    "repository_selection": "selected",
                    "permissions": {"contents": "read", "metadata": "read"},
                    "suspended_at": None,
                }
            ],
        },
        f"{at}/members": [],
        f"{at}/outside_collaborators": [],
        f"{at}/rulesets": [],
        f"{at}/code-security/configurations/defaults": [],
        f"{at}/repos": paged(
            lambda: [{"full_name": f"{name}/service-{number:04}", "archived": False} for number in range(repositories)]
        ),
    }
    for number in range(repositories):
        routes.update(repository(f"{name}/service-{number:04}"))
    return routes


def paged(items: Callable[[], list[Any]], base: str = "") -> Callable[[Mapping[str, str]], Reply]:
    """A listing in pages, told as GitHub tells them: in a Link header."""

    def page(query: Mapping[str, str]) -> Reply:
        size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
        every = items()
        part = every[(number - 1) * size : number * size]
        more = number * size < len(every)
        kept = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
        link = {"Link": f'<{base}?{kept}&page={number + 1}>; rel="next", <{base}?page=9>; rel="last"'} if more else {}
        return Reply(200, part, link)

    return page


if __name__ == "__main__":
    sys.setswitchinterval(0.001)
    with pretending(organization("acme", int(sys.argv[1]))) as running:
        print(running.url, flush=True)
        sys.stdin.read()
        print(json.dumps({"requests": len(running.seen), "most_at_once": running.most_at_once}), flush=True)
