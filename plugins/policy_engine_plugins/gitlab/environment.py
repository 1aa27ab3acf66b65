"""What a job says about the environment it deploys to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.variables import expand

# The order and words by which GitLab guesses the tier of an environment that does not say it,
# https://docs.gitlab.com/ci/environments/#deployment-tier-of-environments
_TIERS = (
    ("development", re.compile(r"dev|review|trunk", re.IGNORECASE)),
    ("testing", re.compile(r"test|tst|int|ac(?:ce|)pt|qa|qc|control|quality", re.IGNORECASE)),
    ("staging", re.compile(r"st(?:a|)g|mod(?:e|)l|pre|demo|non", re.IGNORECASE)),
    ("production", re.compile(r"pr(?:o|)d|live", re.IGNORECASE)),
)


def environment_of(given: Any, variables: Mapping[str, Any]) -> dict[str, Any] | Unknown | None:
    """`environment` as a mapping, with its `name` filled in, its `action` and its `tier`."""
    if given is None or isinstance(given, Unknown):
        return given
    settings = dict(given) if isinstance(given, dict) else {"name": given}
    settings["name"] = expand(settings.get("name"), variables)
    settings.setdefault("action", "start")
    tier = settings.get("deployment_tier")
    settings["tier"] = _tier(settings["name"]) if tier is None else tier
    return settings


def _tier(name: Any) -> Any:
    if isinstance(name, Unknown):
        if name.fragments and isinstance(name.fragments[0], str) and name.fragments[0].endswith("/"):
            # review/$CI_COMMIT_REF_SLUG: the folder says what it is.
            folder = name.fragments[0].rstrip("/")
            return next((tier for tier, words in _TIERS[:3] if words.search(folder)), name)
        return name
    return next((tier for tier, words in _TIERS if words.search(str(name))), "other")


def deploys(settings: Any) -> Any:
    if isinstance(settings, dict):
        action = settings["action"]
        return action if isinstance(action, Unknown) else action == "start"
    return settings if isinstance(settings, Unknown) else False


def is_production(settings: Any) -> Any:
    does = deploys(settings)
    if does is not True:
        return does
    tier = settings["tier"]
    return tier if isinstance(tier, Unknown) else tier == "production"
