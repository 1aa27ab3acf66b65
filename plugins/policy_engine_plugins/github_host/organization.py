"""An organisation's settings as resources."""

from __future__ import annotations

from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.answers import Answers, both, either
from policy_engine_plugins.github_host.endpoints import ORGANIZATION
from policy_engine_plugins.github_host.repository import actions_places, actions_value, add_rulesets, add_webhooks

_ABOUT: AttributePath = ("answers", "organization", "body")

# what is switched on for new repositories -> the organisation's own switch, and that of a security configuration
_NEW = {
    "vulnerability_alerts": ("dependabot_alerts_enabled_for_new_repositories", "dependabot_alerts"),
    "security_updates": (
        "dependabot_security_updates_enabled_for_new_repositories",
        "dependabot_security_updates",
    ),
    "secret_scanning": ("secret_scanning_enabled_for_new_repositories", "secret_scanning"),
    "secret_push_protection": (
        "secret_scanning_push_protection_enabled_for_new_repositories",
        "secret_scanning_push_protection",
    ),
}


def add_organization(answers: Answers) -> None:
    name = answers.snapshot.name
    value: dict[str, Any] = {
        key: answers.known("organization", key) for key in ORGANIZATION["organization"].shape if key != "login"
    }
    value["login"] = name
    for key in ("members_without_two_factor", "outside_without_two_factor"):
        found = answers.body(key)
        value[key] = found if type(found) is Unknown else [str(one.get("login") or "") for one in found or ()]
    value["new_repositories"] = {key: _for_new(answers, *names) for key, names in _NEW.items()}
    places: dict[str, AttributePath] = {
        key: ("answers", key, "body") for key in ("members_without_two_factor", "outside_without_two_factor")
    }
    places["new_repositories"] = _ABOUT
    answers.add("organization", name, name, value, _ABOUT, places)
    actions = {**actions_value(answers), "level": "organization", "enabled": True}
    enabled = answers.value("actions", "enabled_repositories")
    actions["enabled"] = enabled if type(enabled) is Unknown else enabled != "none"
    answers.add("actions", f"{name}/actions", name, actions, ("answers", "actions"), actions_places(answers))
    add_rulesets(answers, name)
    add_webhooks(answers, name)
    _runner_groups(answers, name)
    _installations(answers, name)


def _for_new(answers: Answers, own: str, configured: str) -> Any:
    """Whether new repositories have a thing on: by the organisation's switch, or by the security configuration that
    both public and other new ones get."""
    listed = answers.body("security_configurations")
    by_configuration: Any = listed
    if type(listed) is not Unknown:
        given = {one.get("default_for_new_repos"): (one.get("configuration") or {}) for one in listed or ()}
        for_all = given.get("all", {}).get(configured) == "enabled"
        halves = (given.get(half, {}).get(configured) == "enabled" for half in ("public", "private_and_internal"))
        by_configuration = for_all or both(*halves)
    return either(answers.known("organization", own), by_configuration)


def _runner_groups(answers: Answers, organization: str) -> None:
    for number, one in enumerate(answers.items("runner_groups")):
        name = str(one.get("name") or "")
        missing = Unknown("GitHub did not tell it of the runner group")
        value = {
            "name": name,
            "visibility": one.get("visibility", missing),
            "allows_public_repositories": one.get("allows_public_repositories", missing),
            "restricted_to_workflows": one.get("restricted_to_workflows", missing),
            "inherited": one.get("inherited", False),
        }
        at: AttributePath = ("answers", "runner_groups", "body", number)
        answers.add("runner_group", f"{organization}/runner-groups/{name}", name, value, at)


def _installations(answers: Answers, organization: str) -> None:
    for number, one in enumerate(answers.items("installations")):
        name = str(one.get("app_slug") or "")
        value = {
            "app": name,
            "repository_selection": one.get("repository_selection"),
            "permissions": one.get("permissions", Unknown("GitHub did not tell what the app may do")),
            "suspended": one.get("suspended", False),
        }
        at: AttributePath = ("answers", "installations", "body", number)
        answers.add("installation", f"{organization}/apps/{name}", name, value, at)
