"""Whether a job starts by itself in a push to anybody's branch, and in a merge request."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_reading import jobs
from policy_engine.unknown import Unknown

MAYBE = object()


@pytest.mark.parametrize(
    ("settings", "on_branch", "on_merge_request"),
    [
        ("", True, False),
        ("when: manual", False, False),
        ("only: [main]", False, False),
        ("only: [branches]", True, False),
        ("only: [merge_requests]", False, True),
        ("only: [tags]", False, False),
        ("only: {refs: [/^release/]}", MAYBE, False),
        ("except: [branches]", False, False),
        ("except: [main]", True, False),
        ("only: {changes: [a]}", MAYBE, False),
        ("rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]", False, False),
        ("rules: [{if: $CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH}]", True, True),
        ("rules: [{if: $CI_COMMIT_REF_PROTECTED == 'true'}]", False, False),
        ("rules: [{if: $CI_COMMIT_BRANCH}]", True, False),
        ("rules: [{if: $CI_COMMIT_TAG}]", False, False),
        ("rules: [{if: '$CI_COMMIT_BRANCH =~ /^release/'}]", MAYBE, False),
        ("rules: [{if: $CI_COMMIT_BRANCH == 'main', when: manual}, {when: never}]", False, False),
        ("rules: [{if: $CI_COMMIT_BRANCH, when: manual}]", False, False),
        ("rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]", False, True),
        ("rules: [{if: $CI_MERGE_REQUEST_IID}, {if: $CI_COMMIT_BRANCH, when: never}]", False, True),
        ("rules: [{if: $UNSET}]", MAYBE, MAYBE),
        ("rules: [{if: $UNSET, when: never}, {when: always}]", MAYBE, MAYBE),
        ("rules: [{if: $UNSET, when: never}, {when: manual}]", False, False),
        ("rules: [{if: $FLAG == 'on' && $CI_COMMIT_BRANCH}]", True, False),
        ("rules: [{if: ($FLAG == 'off' || $CI_COMMIT_TAG) && $UNSET}]", False, False),
        ("rules: [{changes: [a]}]", MAYBE, MAYBE),
        ("rules: [{if: $FLAG =~ /^O/i}]", True, True),
        ("rules: [{if: '$FLAG !~ /^o/'}]", False, False),
        ("rules: [{if: $FLAG == null}]", False, False),
        ("rules: [{if: '$FLAG =='}]", MAYBE, MAYBE),
        ("rules: []", False, False),
        ("{when: manual, rules: [{if: $CI_COMMIT_BRANCH}]}", False, False),
    ],
)
def test_rules_are_evaluated_for_anybodys_branch(settings: str, on_branch: Any, on_merge_request: Any) -> None:
    inner = settings[1:-1] if settings.startswith("{") else settings
    found = jobs(f"variables: {{FLAG: 'on'}}\njob: {{script: [x], {inner}}}\n")["job"]["starts"]
    for key, expected in (("on_branch", on_branch), ("on_merge_request", on_merge_request)):
        if expected is MAYBE:
            assert isinstance(found[key], Unknown), (key, found[key])
        else:
            assert found[key] is expected, (key, found[key])


def test_workflow_rules_decide_whether_there_is_a_pipeline() -> None:
    text = "workflow: {rules: [{if: $CI_COMMIT_TAG}]}\njob: {script: [x]}\n"
    assert jobs(text)["job"]["starts"] == {"on_branch": False, "on_merge_request": False}


@pytest.mark.parametrize(
    ("environment", "deploys", "production"),
    [
        ("production", True, True),
        ("{name: prod/eu}", True, True),
        ("{name: review/$CI_COMMIT_REF_SLUG}", True, False),
        ("{name: staging}", True, False),
        ("{name: preprod}", True, False),
        ("{name: eu, deployment_tier: production}", True, True),
        ("{name: production, action: stop}", False, False),
        ("{name: $WHERE}", True, Unknown),
    ],
)
def test_environments_have_the_tier_that_gitlab_guesses(environment: str, deploys: Any, production: Any) -> None:
    found = jobs(f"job: {{script: [x], environment: {environment}}}\n")["job"]
    assert found["deploys"] is deploys
    if production is Unknown:
        assert isinstance(found["production"], Unknown)
    else:
        assert found["production"] is production
