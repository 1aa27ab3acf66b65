"""Every endpoint that is read: its path, what of its answer is kept, and what a token needs for it.

Paths, parameters and field names are those of GitHub's OpenAPI description (a test asks a server made of it). The
permissions are those of https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from policy_engine_plugins.github_host.shape import Each

API_VERSION = "2022-11-28"


class Endpoint(Struct, frozen=True):
    """name        under which the answer stands in a snapshot; one that is asked several times has `/` and a key behind
    path        with `{owner}`, `{repo}`, `{org}` and the like
    shape       of the body that is kept
    permission  of a fine-grained token or an app
    scope       of a classic token
    feeds       what it tells, for people
    query       parameters
    listed      for a listing: the key under which the items stand, or "" where the answer is the list itself; all its
                pages are joined
    pages       how many pages are read at most
    take        makes of the answer what the shape is laid over; a listing is handed over whole
    absent      answers that say that there is no such thing: a status and a part of the message, each known
    absent_404  whether a bare 404 says so too, once the token has shown that it may see the repository's settings
    """

    name: str
    path: str
    shape: Any
    permission: str
    scope: str
    feeds: str
    query: Mapping[str, str] | None = None
    listed: str | None = None
    pages: int = 10
    take: Callable[[Any], Any] | None = None
    absent: tuple[tuple[int, str], ...] = ()
    absent_404: bool = False


STATUS = {"status": str}
_REPO = "/repos/{owner}/{repo}"
_ORG = "/orgs/{org}"
_ADMIN = "Administration: read"
_PLAN = (403, "Upgrade to GitHub")
"""The plan of the owner does not have the feature, so nothing of it can be in force."""
_ALL = {"per_page": "100"}
_OPEN = {"per_page": "100", "state": "open"}

_RULE_PARAMETERS = {
    "required_approving_review_count": int,
    "dismiss_stale_reviews_on_push": bool,
    "require_code_owner_review": bool,
    "require_last_push_approval": bool,
    "required_review_thread_resolution": bool,
    "strict_required_status_checks_policy": bool,
    "required_status_checks": [{"context": str, "integration_id": int}],
}
RULESET: Mapping[str, Any] = {
    "id": int,
    "name": str,
    "target": str,
    "source_type": str,
    "source": str,
    "enforcement": str,
    "bypass_actors": [{"actor_id": int, "actor_type": str, "bypass_mode": str}],
    "conditions": {
        "ref_name": {"include": [str], "exclude": [str]},
        "repository_name": {"include": [str], "exclude": [str]},
    },
    "rules": [{"type": str, "parameters": _RULE_PARAMETERS}],
}
_ACTORS = {"users": [{"login": str}], "teams": [{"slug": str}], "apps": [{"slug": str}]}
_SWITCH = {"enabled": bool}
_SELECTED = {"github_owned_allowed": bool, "verified_allowed": bool, "patterns_allowed": [str]}
_WORKFLOW = {"default_workflow_permissions": str, "can_approve_pull_request_reviews": bool}
_FORK = {
    "run_workflows_from_fork_pull_requests": bool,
    "send_write_tokens_to_workflows": bool,
    "send_secrets_and_variables": bool,
    "require_approval_for_fork_pr_workflows": bool,
}
_HOOK = {
    "id": int,
    "name": str,
    "active": bool,
    "events": [str],
    "scheme": str,
    "host": str,
    "secret": bool,
    "insecure_ssl": str,
    "content_type": str,
}
_CONFIGURATION = {
    "name": str,
    "advanced_security": str,
    "dependabot_alerts": str,
    "dependabot_security_updates": str,
    "code_scanning_default_setup": str,
    "secret_scanning": str,
    "secret_scanning_push_protection": str,
    "private_vulnerability_reporting": str,
    "enforcement": str,
}
_COUNTS = {"open": int, "by": Each(int)}


def hooks(listing: Any) -> Any:
    """Webhooks with what their configuration says of safety. A secret is known to be there and never kept; of the
    address, whose path and query often are secrets themselves, only scheme and host."""
    told = []
    for hook in listing if isinstance(listing, list) else ():
        hook = dict(hook) if isinstance(hook, dict) else {}
        given = hook.pop("config", None)
        config: Mapping[str, Any] = given if isinstance(given, dict) else {}
        try:
            url = urlsplit(config["url"]) if isinstance(config.get("url"), str) else None
            host = url.hostname if url is not None else None
        except ValueError:
            url, host = None, None
        if url is not None and host:
            hook |= {"scheme": url.scheme.lower(), "host": host}
        if isinstance(given, dict):
            hook["secret"] = bool(config.get("secret"))
            if isinstance(config.get("insecure_ssl"), (str, int)):
                hook["insecure_ssl"] = str(config["insecure_ssl"])
            hook["content_type"] = config.get("content_type")
        told.append(hook)
    return told


def counted(*path: str) -> Callable[[Any], Any]:
    """How many there are, by what stands at a path of each: of an alert nothing else is kept."""

    def count(listing: Any) -> Any:
        by: dict[str, int] = {}
        for item in listing if isinstance(listing, list) else ():
            for step in path:
                item = item.get(step) if isinstance(item, dict) else None
            word = item if isinstance(item, str) and item else "unknown"
            by[word] = by.get(word, 0) + 1
        return {"open": sum(by.values()), "by": by}

    return count


def environments(listing: Any) -> Any:
    """Environments with what their protection rules add up to."""
    told = []
    for given in listing if isinstance(listing, list) else ():
        one = dict(given) if isinstance(given, dict) else {}
        rules = one.pop("protection_rules", None)
        if isinstance(rules, list):
            one |= {"reviewers": [], "prevent_self_review": False, "wait_timer": 0, "gates": 0}
            for rule in rules:
                if not isinstance(rule, dict):
                    continue
                if rule.get("type") == "wait_timer":
                    one["wait_timer"] = rule.get("wait_timer")
                elif rule.get("type") == "required_reviewers":
                    one["prevent_self_review"] = rule.get("prevent_self_review", False)
                    one["reviewers"] = [_reviewer(each) for each in rule.get("reviewers") or ()]
                elif rule.get("type") not in ("branch_policy", None):
                    one["gates"] += 1
        told.append(one)
    return told


def _reviewer(given: Any) -> Any:
    who = given.get("reviewer") if isinstance(given, dict) else None
    if not isinstance(who, dict):
        return None
    return {"type": given.get("type"), "name": who.get("login") or who.get("slug")}


def installations(listing: Any) -> Any:
    return [{**one, "suspended": bool(one.get("suspended_at"))} for one in listing if isinstance(one, dict)]


REPOSITORY = {
    one.name: one
    for one in (
        Endpoint(
            "repository",
            _REPO,
            {
                "full_name": str,
                "private": bool,
                "visibility": str,
                "archived": bool,
                "disabled": bool,
                "fork": bool,
                "default_branch": str,
                "allow_forking": bool,
                "allow_auto_merge": bool,
                "delete_branch_on_merge": bool,
                "web_commit_signoff_required": bool,
                "owner": {"login": str, "type": str},
                "security_and_analysis": {
                    "advanced_security": STATUS,
                    "code_security": STATUS,
                    "secret_scanning": STATUS,
                    "secret_scanning_push_protection": STATUS,
                    "secret_scanning_non_provider_patterns": STATUS,
                    "dependabot_security_updates": STATUS,
                },
            },
            "Metadata: read, and Administration: read to be told of secret scanning and the like",
            "repo (public_repo for public ones)",
            "visibility, default branch, secret scanning, push protection, security updates",
        ),
        Endpoint(
            "protection",
            _REPO + "/branches/{branch}/protection",
            {
                "enforce_admins": _SWITCH,
                "required_pull_request_reviews": {
                    "dismiss_stale_reviews": bool,
                    "require_code_owner_reviews": bool,
                    "required_approving_review_count": int,
                    "require_last_push_approval": bool,
                    "bypass_pull_request_allowances": _ACTORS,
                },
                "required_status_checks": {
                    "strict": bool,
                    "contexts": [str],
                    "checks": [{"context": str, "app_id": int}],
                },
                "required_signatures": _SWITCH,
                "required_linear_history": _SWITCH,
                "required_conversation_resolution": _SWITCH,
                "allow_force_pushes": _SWITCH,
                "allow_deletions": _SWITCH,
                "lock_branch": _SWITCH,
            },
            _ADMIN,
            "repo",
            "branch protection",
            absent=((404, "not protected"), (404, "Branch not found"), _PLAN),
        ),
        Endpoint(
            "rules",
            _REPO + "/rules/branches/{branch}",
            [{"type": str, "ruleset_id": int, "ruleset_source_type": str, "parameters": _RULE_PARAMETERS}],
            "Metadata: read",
            "repo (public_repo for public ones)",
            "the rules of all rulesets that take effect on the default branch",
            _ALL,
            "",
            absent=(_PLAN,),
        ),
        Endpoint(
            "rulesets",
            _REPO + "/rulesets",
            [{key: RULESET[key] for key in ("id", "name", "target", "source_type", "source", "enforcement")}],
            "Metadata: read",
            "repo (public_repo for public ones)",
            "the rulesets there are",
            {**_ALL, "includes_parents": "true"},
            "",
            absent=(_PLAN,),
        ),
        Endpoint(
            "ruleset",
            _REPO + "/rulesets/{ruleset_id}",
            RULESET,
            "Metadata: read, and Administration: write to be told who may bypass it",
            "repo",
            "the rules of a ruleset, and who may bypass them",
            {"includes_parents": "true"},
        ),
        Endpoint(
            "actions",
            _REPO + "/actions/permissions",
            {"enabled": bool, "allowed_actions": str, "sha_pinning_required": bool},
            _ADMIN,
            "repo",
            "which actions may be used",
        ),
        Endpoint(
            "selected_actions",
            _REPO + "/actions/permissions/selected-actions",
            _SELECTED,
            _ADMIN,
            "repo",
            "which actions are selected",
        ),
        Endpoint(
            "workflow",
            _REPO + "/actions/permissions/workflow",
            _WORKFLOW,
            _ADMIN,
            "repo",
            "what the token of a workflow may do by default",
        ),
        Endpoint(
            "fork_approval",
            _REPO + "/actions/permissions/fork-pr-contributor-approval",
            {"approval_policy": str},
            _ADMIN,
            "repo",
            "whose pull requests run workflows only after an approval",
        ),
        Endpoint(
            "fork_private",
            _REPO + "/actions/permissions/fork-pr-workflows-private-repos",
            _FORK,
            _ADMIN,
            "repo",
            "what pull requests from forks of a private repository get",
        ),
        Endpoint(
            "runners",
            _REPO + "/actions/runners",
            [{"id": int, "name": str, "os": str, "ephemeral": bool, "labels": [{"name": str}]}],
            _ADMIN,
            "repo",
            "self-hosted runners",
            _ALL,
            "runners",
        ),
        Endpoint(
            "environments",
            _REPO + "/environments",
            [
                {
                    "name": str,
                    "deployment_branch_policy": {"protected_branches": bool, "custom_branch_policies": bool},
                    "reviewers": [{"type": str, "name": str}],
                    "prevent_self_review": bool,
                    "wait_timer": int,
                    "gates": int,
                }
            ],
            "Actions: read",
            "repo",
            "environments and who reviews a deployment",
            _ALL,
            "environments",
            take=environments,
        ),
        Endpoint(
            "branch_policies",
            _REPO + "/environments/{environment_name}/deployment-branch-policies",
            [{"name": str, "type": str}],
            "Actions: read",
            "repo",
            "from which branches may be deployed",
            _ALL,
            "branch_policies",
        ),
        Endpoint(
            "vulnerability_alerts",
            _REPO + "/vulnerability-alerts",
            {"enabled": bool},
            _ADMIN,
            "repo",
            "whether alerts on vulnerable dependencies are on",
            absent=((404, "disabled"),),
            absent_404=True,
        ),
        Endpoint(
            "security_updates",
            _REPO + "/automated-security-fixes",
            {"enabled": bool, "paused": bool},
            "Administration: read (write on older servers)",
            "repo",
            "whether updates for vulnerable dependencies are proposed",
            absent_404=True,
        ),
        Endpoint(
            "vulnerabilities",
            _REPO + "/dependabot/alerts",
            _COUNTS,
            "Dependabot alerts: read",
            "security_events (public_repo for public ones)",
            "how many vulnerable dependencies are open, by severity",
            _OPEN,
            "",
            take=counted("security_vulnerability", "severity"),
            absent=((403, "disabled"), (403, "not available for archived")),
        ),
        Endpoint(
            "secret_alerts",
            _REPO + "/secret-scanning/alerts",
            _COUNTS,
            "Secret scanning alerts: read",
            "security_events (public_repo for public ones)",
            "how many leaked secrets are open",
            {**_OPEN, "hide_secret": "true"},
            "",
            take=counted("secret_type"),
            absent=((404, "disabled"),),
        ),
        Endpoint(
            "code_scanning",
            _REPO + "/code-scanning/default-setup",
            {"state": str, "languages": [str], "query_suite": str, "schedule": str},
            _ADMIN,
            "repo (public_repo for public ones)",
            "whether code scanning is set up by default",
            absent=((403, "must be enabled"), (403, "not enabled")),
        ),
        Endpoint(
            "analyses",
            _REPO + "/code-scanning/analyses",
            [{"ref": str, "created_at": str, "tool": {"name": str}}],
            "Code scanning alerts: read",
            "security_events (public_repo for public ones)",
            "whether results of code scanning arrive from elsewhere",
            {"per_page": "1"},
            "",
            pages=1,
            absent=((403, "must be enabled"), (403, "not enabled"), (404, "no analysis")),
        ),
        Endpoint(
            "code_alerts",
            _REPO + "/code-scanning/alerts",
            _COUNTS,
            "Code scanning alerts: read",
            "security_events (public_repo for public ones)",
            "how many alerts of code scanning are open, by severity",
            _OPEN,
            "",
            take=counted("rule", "severity"),
            absent=((403, "must be enabled"), (403, "not enabled"), (404, "no analysis")),
        ),
        Endpoint(
            "private_reporting",
            _REPO + "/private-vulnerability-reporting",
            {"enabled": bool},
            "Metadata: read",
            "repo (public_repo for public ones)",
            "whether vulnerabilities can be reported in private",
        ),
        Endpoint(
            "immutable_releases",
            _REPO + "/immutable-releases",
            {"enabled": bool, "enforced_by_owner": bool},
            _ADMIN,
            "repo",
            "whether releases can be changed after the fact",
            absent_404=True,
        ),
        Endpoint(
            "codeowners",
            _REPO + "/codeowners/errors",
            {"errors": [{"line": int, "column": int, "kind": str, "path": str}]},
            "Contents: read",
            "repo (public_repo for public ones)",
            "mistakes in the code owners file",
            absent=((404, ""),),
        ),
        Endpoint(
            "keys",
            _REPO + "/keys",
            [{"id": int, "title": str, "read_only": bool, "verified": bool, "created_at": str, "last_used": str}],
            _ADMIN,
            "repo",
            "deploy keys",
            _ALL,
            "",
        ),
        Endpoint(
            "hooks", _REPO + "/hooks", [_HOOK], "Webhooks: read", "read:repo_hook", "webhooks", _ALL, "", take=hooks
        ),
        Endpoint(
            "outside_collaborators",
            _REPO + "/collaborators",
            [{"login": str, "role_name": str}],
            "Metadata: read",
            "repo and read:org",
            "collaborators from outside of the organisation",
            {**_ALL, "affiliation": "outside"},
            "",
        ),
    )
}

ORGANIZATION = {
    one.name: one
    for one in (
        Endpoint(
            "organization",
            _ORG,
            {
                "login": str,
                "two_factor_requirement_enabled": bool,
                "default_repository_permission": str,
                "members_can_create_public_repositories": bool,
                "members_can_create_private_repositories": bool,
                "members_can_create_internal_repositories": bool,
                "members_can_create_public_pages": bool,
                "members_can_fork_private_repositories": bool,
                "members_can_delete_repositories": bool,
                "members_can_change_repo_visibility": bool,
                "members_can_invite_outside_collaborators": bool,
                "members_can_create_teams": bool,
                "web_commit_signoff_required": bool,
                "deploy_keys_enabled_for_repositories": bool,
                "dependabot_alerts_enabled_for_new_repositories": bool,
                "dependabot_security_updates_enabled_for_new_repositories": bool,
                "dependency_graph_enabled_for_new_repositories": bool,
                "secret_scanning_enabled_for_new_repositories": bool,
                "secret_scanning_push_protection_enabled_for_new_repositories": bool,
            },
            "Administration: read (of the organisation)",
            "admin:org",
            "the organisation's policies for members and new repositories",
        ),
        Endpoint(
            "actions",
            _ORG + "/actions/permissions",
            {"enabled_repositories": str, "allowed_actions": str, "sha_pinning_required": bool},
            "Administration: read (of the organisation)",
            "admin:org",
            "which actions may be used",
        ),
        Endpoint(
            "selected_actions",
            _ORG + "/actions/permissions/selected-actions",
            _SELECTED,
            "Administration: read (of the organisation)",
            "admin:org",
            "which actions are selected",
        ),
        Endpoint(
            "workflow",
            _ORG + "/actions/permissions/workflow",
            _WORKFLOW,
            "Administration: read (of the organisation)",
            "admin:org",
            "what the token of a workflow may do by default",
        ),
        Endpoint(
            "fork_approval",
            _ORG + "/actions/permissions/fork-pr-contributor-approval",
            {"approval_policy": str},
            "Actions policies: read (of the organisation)",
            "admin:org",
            "whose pull requests run workflows only after an approval",
        ),
        Endpoint(
            "fork_private",
            _ORG + "/actions/permissions/fork-pr-workflows-private-repos",
            _FORK,
            "Actions policies: read (of the organisation)",
            "admin:org",
            "what pull requests from forks of private repositories get",
        ),
        Endpoint(
            "runner_groups",
            _ORG + "/actions/runner-groups",
            [
                {
                    "id": int,
                    "name": str,
                    "visibility": str,
                    "default": bool,
                    "inherited": bool,
                    "allows_public_repositories": bool,
                    "restricted_to_workflows": bool,
                }
            ],
            "Self-hosted runners: read (of the organisation)",
            "admin:org",
            "groups of self-hosted runners",
            _ALL,
            "runner_groups",
        ),
        Endpoint(
            "hooks",
            _ORG + "/hooks",
            [_HOOK],
            "Webhooks: read (of the organisation)",
            "admin:org_hook",
            "webhooks",
            _ALL,
            "",
            take=hooks,
        ),
        Endpoint(
            "installations",
            _ORG + "/installations",
            [{"id": int, "app_slug": str, "repository_selection": str, "permissions": Each(str), "suspended": bool}],
            "Administration: read (of the organisation)",
            "admin:org",
            "apps and what they may do",
            _ALL,
            "installations",
            take=installations,
        ),
        Endpoint(
            "members_without_two_factor",
            _ORG + "/members",
            [{"login": str}],
            "Members: read (of the organisation), as one of its owners",
            "read:org, as one of its owners",
            "members without a second factor",
            {**_ALL, "filter": "2fa_disabled"},
            "",
        ),
        Endpoint(
            "outside_without_two_factor",
            _ORG + "/outside_collaborators",
            [{"login": str}],
            "Members: read (of the organisation), as one of its owners",
            "read:org, as one of its owners",
            "outside collaborators without a second factor",
            {**_ALL, "filter": "2fa_disabled"},
            "",
        ),
        Endpoint(
            "rulesets",
            _ORG + "/rulesets",
            [{key: RULESET[key] for key in ("id", "name", "target", "source_type", "source", "enforcement")}],
            "Administration: write (of the organisation)",
            "admin:org",
            "the organisation's rulesets",
            _ALL,
            "",
            absent=(_PLAN,),
        ),
        Endpoint(
            "ruleset",
            _ORG + "/rulesets/{ruleset_id}",
            RULESET,
            "Administration: write (of the organisation)",
            "admin:org",
            "the rules of a ruleset, and who may bypass them",
        ),
        Endpoint(
            "security_configurations",
            _ORG + "/code-security/configurations/defaults",
            [{"default_for_new_repos": str, "configuration": _CONFIGURATION}],
            "Administration: read (of the organisation)",
            "read:org",
            "the security configurations that new repositories get",
            None,
            "",
        ),
    )
}

MEMBERS = Endpoint(
    "repositories",
    _ORG + "/repos",
    [{"full_name": str, "archived": bool}],
    "Metadata: read",
    "repo (public_repo for public ones)",
    "the organisation's repositories",
    {**_ALL, "type": "all", "sort": "full_name"},
    "",
    pages=1000,
)
