"""A repository's settings as resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.answers import Answers, either, first_known, is_
from policy_engine_plugins.github_host.branch import add_branch

_ABOUT: AttributePath = ("answers", "repository", "body")
_SECURITY: AttributePath = (*_ABOUT, "security_and_analysis")
_SEVERITIES = ("critical", "high", "medium", "low")
_PLAIN = ("visibility", "private", "fork", "default_branch", "allow_forking", "web_commit_signoff_required")


def add_repository(answers: Answers) -> None:
    name = answers.snapshot.name
    about = answers.body("repository")
    if isinstance(about, dict) and about.get("archived") is True:
        answers.add("archived_repository", name, name, {"full_name": name, "archived": True}, _ABOUT)
        return
    _about(answers, name)
    branch = answers.value("repository", "default_branch")
    if isinstance(branch, str):
        add_branch(answers, name, branch)
    add_rulesets(answers, name)
    _actions(answers, name)
    _environments(answers, name)
    add_webhooks(answers, name)
    _keys(answers, name)
    for number, one in enumerate(answers.items("outside_collaborators")):
        login = str(one.get("login") or "")
        value = {
            "login": login,
            "role": one.get("role_name", Unknown("GitHub did not tell the role")),
            "repository": name,
        }
        at: AttributePath = ("answers", "outside_collaborators", "body", number)
        answers.add("collaborator", f"{name}/collaborators/{login}", login, value, at, {"role": (*at, "role_name")})


def _about(answers: Answers, name: str) -> None:
    value: dict[str, Any] = {"full_name": name, "owner": name.partition("/")[0]}
    for key in _PLAIN:
        value[key] = answers.value("repository", key)
    value |= {
        "secret_scanning": _status(answers, "secret_scanning"),
        "secret_push_protection": _status(answers, "secret_scanning_push_protection"),
        "vulnerability_alerts": _switched(answers, "vulnerability_alerts"),
        "security_updates": _security_updates(answers),
        "immutable_releases": _switched(answers, "immutable_releases"),
        "code_scanning": _code_scanning(answers),
        "codeowners": _codeowners(answers),
        "tags": _tags(answers),
        "runners": answers.body("runners"),
    }
    if value["private"] is not True:
        value["private_vulnerability_reporting"] = _switched(answers, "private_reporting")
    for key in ("secret_alerts", "vulnerabilities", "code_alerts"):
        counts = _counts(answers.body(key))
        if counts is not None:
            value[key] = counts
    places: dict[str, AttributePath] = {
        "secret_scanning": (*_SECURITY, "secret_scanning", "status"),
        "secret_push_protection": (*_SECURITY, "secret_scanning_push_protection", "status"),
        "vulnerability_alerts": ("answers", "vulnerability_alerts", "status"),
        "immutable_releases": ("answers", "immutable_releases", "status"),
        "private_vulnerability_reporting": ("answers", "private_reporting", "body", "enabled"),
        "code_scanning": ("answers", "code_scanning"),
        "codeowners": ("answers", "codeowners", "body"),
        "tags": ("answers", "rulesets"),
        "runners": ("answers", "runners", "body"),
        **{key: ("answers", key, "body") for key in ("secret_alerts", "vulnerabilities", "code_alerts")},
    }
    told = isinstance(answers.body("security_updates"), dict)
    places["security_updates"] = (
        ("answers", "security_updates", "body", "enabled") if told else ("answers", "security_updates")
    )
    if isinstance(answers.body("immutable_releases"), dict):
        places["immutable_releases"] = ("answers", "immutable_releases", "body", "enabled")
    answers.add("repository", name, name, value, _ABOUT, places)


def _status(answers: Answers, key: str) -> Any:
    return is_(answers.value("repository", "security_and_analysis", key, "status"), "enabled")


def _switched(answers: Answers, name: str) -> Any:
    """Whether the answer says that a thing is on; where there is none, it is off."""
    found = answers.value(name, "enabled")
    return found if type(found) is Unknown else found is True


def _security_updates(answers: Answers) -> Any:
    found = answers.body("security_updates")
    asked = found if type(found) is Unknown else isinstance(found, dict) and found.get("enabled") is True
    if isinstance(found, dict) and found.get("paused") is True:
        asked = False
    return first_known((asked, _status(answers, "dependabot_security_updates")))


def _code_scanning(answers: Answers) -> Any:
    state = answers.body("code_scanning")
    by_default = state if type(state) is Unknown else isinstance(state, dict) and state.get("state") == "configured"
    if by_default is True:
        return True
    results = answers.body("analyses")
    return either(results if type(results) is Unknown else bool(results), by_default)


def _counts(found: Any) -> Any:
    """Open alerts in all and by severity; None where nothing of the kind is switched on."""
    if not isinstance(found, dict):
        return found
    by: Mapping[str, int] = found.get("by") or {}
    return {"open": found.get("open", 0), "by": {**dict.fromkeys(_SEVERITIES, 0), **by}}


def _codeowners(answers: Answers) -> Any:
    found = answers.body("codeowners")
    if type(found) is Unknown:
        return found
    return {"present": found is not None, "errors": (found or {}).get("errors") or []}


def _tags(answers: Answers) -> Any:
    """What active rulesets forbid for tags."""
    listed = answers.body("rulesets")
    if type(listed) is Unknown:
        return {"update_blocked": listed, "deletion_blocked": listed}
    blocked: list[list[Any]] = [[], []]
    for one in listed or ():
        if one.get("target") != "tag" or one.get("enforcement") != "active":
            continue
        rules = answers.value(f"ruleset/{one.get('id')}", "rules")
        for part, wanted in zip(blocked, ({"update", "non_fast_forward"}, {"deletion"}), strict=True):
            known = rules if type(rules) is Unknown else any(rule.get("type") in wanted for rule in rules or ())
            part.append(known)
    return {"update_blocked": either(*blocked[0]), "deletion_blocked": either(*blocked[1])}


def add_rulesets(answers: Answers, owner: str) -> None:
    """The rulesets of this very repository or organisation; those from above are judged where they are made."""
    own = "Organization" if answers.snapshot.organization else "Repository"
    for number, one in enumerate(answers.items("rulesets")):
        if one.get("source_type", own) != own:
            continue
        key = f"ruleset/{one.get('id')}"
        told = isinstance(answers.snapshot.answers.get(key, {}).get("body"), dict)
        at: AttributePath = ("answers", key, "body") if told else ("answers", "rulesets", "body", number)
        rules = answers.value(key, "rules")
        missing = Unknown("GitHub did not tell it of the ruleset")
        name = str(one.get("name") or "")
        value = {
            "name": name,
            "owner": owner,
            "level": own.lower(),
            "target": one.get("target", missing),
            "enforcement": one.get("enforcement", missing),
            "rules": rules
            if type(rules) is Unknown
            else {str(rule.get("type") or ""): rule.get("parameters") or {} for rule in rules or ()},
            "bypass_actors": answers.value(key, "bypass_actors"),
        }
        answers.add("ruleset", f"{owner}/rulesets/{name}", name, value, at)


def _actions(answers: Answers, name: str) -> None:
    value = {**actions_value(answers), "level": "repository", "private": answers.value("repository", "private")}
    value["enabled"] = answers.value("actions", "enabled")
    answers.add("actions", f"{name}/actions", name, value, ("answers", "actions"), actions_places(answers))


def actions_value(answers: Answers) -> dict[str, Any]:
    allowed = answers.value("actions", "allowed_actions")
    if answers.value("actions", "enabled") is False:
        allowed = None
    value = {
        "allowed_actions": allowed,
        "sha_pinning_required": answers.value("actions", "sha_pinning_required"),
        "default_workflow_permissions": answers.value("workflow", "default_workflow_permissions"),
        "can_approve_pull_request_reviews": answers.value("workflow", "can_approve_pull_request_reviews"),
    }
    if allowed == "selected" or type(allowed) is Unknown:
        for key in ("github_owned_allowed", "verified_allowed", "patterns_allowed"):
            value[key] = answers.value("selected_actions", key)
    for name in ("fork_approval", "fork_private"):
        if name in answers.snapshot.answers:
            value[name] = answers.value(name, "approval_policy") if name == "fork_approval" else answers.body(name)
    return value


def actions_places(answers: Answers) -> dict[str, AttributePath]:
    return {
        **{key: ("answers", "actions", "body", key) for key in ("enabled", "allowed_actions", "sha_pinning_required")},
        **{
            key: ("answers", "workflow", "body", key)
            for key in ("default_workflow_permissions", "can_approve_pull_request_reviews")
        },
        "patterns_allowed": ("answers", "selected_actions", "body", "patterns_allowed"),
        "fork_approval": ("answers", "fork_approval", "body", "approval_policy"),
        "fork_private": ("answers", "fork_private", "body"),
    }


def _environments(answers: Answers, repository: str) -> None:
    for number, one in enumerate(answers.items("environments")):
        name = str(one.get("name") or "")
        policy = one.get("deployment_branch_policy")
        kind = "all"
        if isinstance(policy, dict):
            kind = "protected" if policy.get("protected_branches") else "selected"
        missing = Unknown("GitHub did not tell the environment's protection rules")
        value = {
            "name": name,
            "repository": repository,
            "reviewers": one.get("reviewers", missing),
            "prevent_self_review": one.get("prevent_self_review", missing),
            "wait_timer": one.get("wait_timer", missing),
            "gates": one.get("gates", missing),
            "branch_policy": kind if "deployment_branch_policy" in one else missing,
        }
        if kind == "selected":
            value["branches"] = answers.body(f"branch_policies/{name}")
        at: AttributePath = ("answers", "environments", "body", number)
        places: dict[str, AttributePath] = {
            "branch_policy": (*at, "deployment_branch_policy"),
            "branches": ("answers", f"branch_policies/{name}", "body"),
        }
        answers.add("environment", f"{repository}/environments/{name}", name, value, at, places)


def add_webhooks(answers: Answers, owner: str) -> None:
    for number, one in enumerate(answers.items("hooks")):
        missing = Unknown("GitHub did not tell the webhook's configuration")
        value = {
            "owner": owner,
            "active": one.get("active", missing),
            "events": one.get("events") or [],
            "scheme": one.get("scheme", missing),
            "host": one.get("host", missing),
            "secret": one.get("secret", missing),
            "insecure_ssl": one.get("insecure_ssl", "0" if "secret" in one else missing),
        }
        name = one.get("host") or one.get("name") or ""
        at: AttributePath = ("answers", "hooks", "body", number)
        answers.add("webhook", f"{owner}/webhooks/{one.get('id', number)}", str(name), value, at)


def _keys(answers: Answers, repository: str) -> None:
    for number, one in enumerate(answers.items("keys")):
        title = str(one.get("title") or "")
        value = {
            "title": title,
            "repository": repository,
            "read_only": one.get("read_only", Unknown("GitHub did not tell whether the key may write")),
            "verified": one.get("verified"),
            "last_used": one.get("last_used"),
        }
        at: AttributePath = ("answers", "keys", "body", number)
        answers.add("deploy_key", f"{repository}/keys/{one.get('id', number)}", title, value, at)
