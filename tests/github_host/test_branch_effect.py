"""Branch protection and rulesets as they take effect together, and what not knowing one of them means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.tree import MemoryTree
from policy_engine.unit import Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.load import load

UNKNOWN = {"path": "/x", "status": 403, "message": "Resource not accessible by integration"}
NOT_PROTECTED = {"path": "/x", "status": 404, "message": "Branch not protected"}


def effect(protection: Any, rules: Any, rulesets: dict[str, Any] | None = None) -> dict[str, Any]:
    """The branch's value; a protection or a list of rules that is given as None is not known."""
    answers: dict[str, Any] = {
        "repository": {"path": "/x", "status": 200, "body": {"default_branch": "main"}},
        "protection": UNKNOWN if protection is None else {"path": "/x", "status": 200, "body": protection},
        "rules": UNKNOWN if rules is None else {"path": "/x", "status": 200, "body": rules},
    }
    if protection == {}:
        answers["protection"] = NOT_PROTECTED
    for number, ruleset in (rulesets or {}).items():
        answers[f"ruleset/{number}"] = {"path": "/x", "status": 200, "body": ruleset}
    document = {"kind": "github-snapshot", "format_version": 1, "answers": answers}
    document["target"] = {"kind": "repository", "name": "acme/web"}
    path = "s.github-snapshot.json"
    tree = MemoryTree({path: json.dumps(document).encode()})
    (branch,) = [one for one in load(Unit("github-settings", path, (path,)), tree).resources if one.type == "branch"]
    return dict(branch.value)


def pull_request(**parameters: Any) -> dict[str, Any]:
    return {"type": "pull_request", "ruleset_id": 1, "parameters": parameters}


def test_the_stricter_of_the_two_counts() -> None:
    reviews = {"required_approving_review_count": 1, "dismiss_stale_reviews": True}
    value = effect(
        {"required_pull_request_reviews": reviews},
        [pull_request(required_approving_review_count=2, require_code_owner_review=True)],
    )
    assert (value["approvals"], value["stale_reviews_dismissed"], value["code_owner_review"]) == (2, True, True)
    assert value["last_push_approved"] is False


def test_status_checks_add_up() -> None:
    checks = {"contexts": ["lint"], "checks": [{"context": "lint"}, {"context": "test"}]}
    ruled = {"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "scan"}]}}
    assert effect({"required_status_checks": checks}, [ruled])["status_checks"] == ["lint", "test", "scan"]


def test_protection_forbids_forced_pushes_unless_it_allows_them() -> None:
    assert effect({"enforce_admins": {"enabled": True}}, [])["force_push_blocked"] is True
    assert effect({"allow_force_pushes": {"enabled": True}}, [])["force_push_blocked"] is False
    assert effect({}, [])["force_push_blocked"] is False
    assert effect({}, [{"type": "non_fast_forward"}])["force_push_blocked"] is True


ADMINISTRATORS = {"kind": "administrators", "name": "administrators"}


@pytest.mark.parametrize(
    ("protection", "actors", "bypass"),
    [
        ({}, [], []),
        ({}, [{"actor_type": "RepositoryRole", "actor_id": 5}], [ADMINISTRATORS]),
        ({}, [{"actor_type": "OrganizationAdmin", "actor_id": 1}], [ADMINISTRATORS]),
        ({}, [{"actor_type": "RepositoryRole", "actor_id": 4}], [{"kind": "role", "name": "role write"}]),
        ({}, [{"actor_type": "DeployKey", "actor_id": None}], [{"kind": "deploy keys", "name": "deploy keys"}]),
        # Who passes one of them by is held by the other.
        ({"enforce_admins": {"enabled": False}}, [], []),
        ({"enforce_admins": {"enabled": True}}, [{"actor_type": "RepositoryRole", "actor_id": 5}], []),
        ({"enforce_admins": {"enabled": False}}, [{"actor_type": "RepositoryRole", "actor_id": 5}], [ADMINISTRATORS]),
    ],
)
def test_who_may_pass_by_is_who_every_one_of_them_lets_through(
    protection: dict[str, Any], actors: list[Any], bypass: list[Any]
) -> None:
    if protection:
        protection = {**protection, "required_pull_request_reviews": {}}
    assert effect(protection, [pull_request()], {"1": {"bypass_actors": actors}})["bypass"] == bypass


def test_who_may_bypass_a_ruleset_is_unknown_where_it_is_not_told() -> None:
    value = effect({}, [pull_request()], {"1": {"name": "main"}})["bypass"]
    assert type(value) is Unknown
    assert "Administration: write" in value.reason


switch = st.fixed_dictionaries({}, optional={"enabled": st.booleans()})
reviews_ = st.fixed_dictionaries(
    {},
    optional={
        "required_approving_review_count": st.integers(0, 3),
        "dismiss_stale_reviews": st.booleans(),
        "require_code_owner_reviews": st.booleans(),
        "require_last_push_approval": st.booleans(),
    },
)
protections = st.fixed_dictionaries(
    {},
    optional={
        "enforce_admins": switch,
        "required_pull_request_reviews": reviews_,
        "required_status_checks": st.fixed_dictionaries(
            {}, optional={"strict": st.booleans(), "contexts": st.lists(st.sampled_from(["a", "b"]), max_size=2)}
        ),
        "required_signatures": switch,
        "required_linear_history": switch,
        "required_conversation_resolution": switch,
        "allow_force_pushes": switch,
        "allow_deletions": switch,
    },
)
rules_ = st.lists(
    st.one_of(
        st.sampled_from(["deletion", "non_fast_forward", "required_signatures"]).map(lambda name: {"type": name}),
        st.fixed_dictionaries(
            {},
            optional={
                "required_approving_review_count": st.integers(0, 3),
                "dismiss_stale_reviews_on_push": st.booleans(),
                "required_review_thread_resolution": st.booleans(),
            },
        ).map(lambda parameters: pull_request(**parameters)),
    ),
    max_size=3,
)


@given(protections, rules_, st.sampled_from(["protection", "rules"]))
@settings(max_examples=400, deadline=None)
def test_what_is_decided_without_knowing_one_stays_so_whatever_it_is(
    protection: dict[str, Any], rules: list[Any], hidden: str
) -> None:
    rulesets = {"1": {"bypass_actors": []}}
    whole = effect(protection, rules, rulesets)
    partly = effect(None if hidden == "protection" else protection, None if hidden == "rules" else rules, rulesets)
    for name, value in partly.items():
        if type(value) is Unknown:
            continue
        if name == "approvals":
            assert value <= whole[name]  # what is not known can only ask for more
        elif name == "status_checks":
            assert set(value) <= set(whole[name])
        else:
            assert value == whole[name], name
