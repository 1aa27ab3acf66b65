"""The check for secrets written out in a mapping."""

from __future__ import annotations

from typing import Any

import pytest

from policy_engine.check import Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.secrets.plain_text import judge, judge_attribute

UNKNOWN = Unknown("variable 'x' has no default")
GENERATED = Unknown("known after apply", refers_to=("random_password.db",))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", "correct-horse", "violation"),
        ("stripe_api_key", "not-a-real-key", "violation"),
        ("DB_PASSWORD", UNKNOWN, "doubt"),
        ("DB_PASSWORD", GENERATED, "nothing"),
        ("DB_PASSWORD", "", "nothing"),
        ("DB_PASSWORD", "${PASSWORD}", "nothing"),
        ("DB_PASSWORD", "/run/secrets/db", "nothing"),
        ("API_KEY", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db", "nothing"),
        ("USE_PASSWORD", "true", "nothing"),
        ("PASSWORD_FILE", "db.txt", "nothing"),
        ("REGION", "eu-central-1", "nothing"),
    ],
)
def test_secrets_are_told_by_name_and_form(name: str, value: Any, expected: str) -> None:
    found = list(judge({"env": [{"variables": {name: value}}]}, {"mapping": "env.0.variables"}))
    if expected == "nothing":
        assert found == []
    else:
        assert [isinstance(each, Violation) for each in found] == [expected == "violation"]
        assert found[0].path == ("env", 0, "variables", name)


@pytest.mark.parametrize("value", [{}, {"env": []}, {"env": "x"}, {"env": [{"variables": 7}]}])
def test_other_shapes_hold_no_secret(value: Any) -> None:
    assert list(judge(value, {"mapping": "env.0.variables"})) == []


def test_an_unknown_mapping_is_a_doubt() -> None:
    found = list(judge({"env": [{"variables": UNKNOWN}]}, {"mapping": "env.0.variables"}))
    assert [each.path for each in found] == [("env", 0, "variables")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": "correct-horse"}, "violation"),
        ({"password": UNKNOWN}, "doubt"),
        ({"password": GENERATED}, "nothing"),
        ({"password": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db"}, "nothing"),
        ({"password": ""}, "nothing"),
        ({"password": None}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_an_attribute_that_is_a_secret_is_taken_from_elsewhere(value: Any, expected: str) -> None:
    found = list(judge_attribute(value, {"path": "password"}))
    if expected == "nothing":
        assert found == []
    else:
        assert [isinstance(each, Violation) for each in found] == [expected == "violation"]
        assert found[0].path == ("password",)
