"""Settings: what is read, and how mistakes are told."""

from __future__ import annotations

import pytest

from policy_engine.errors import ConfigError
from policy_engine.rule import Severity
from policy_engine.settings import Settings, parse_settings

FULL = b"""\
frameworks: [iso27001-2013]
exclude:
  - vendor/
  - "*.generated.yaml"
fail_on: high
rules:
  paths: [policies]
  select: {tags: [aws], controls: [A.8.24]}
  ignore: {ids: ["bucket-*"]}
  severity: {database-encrypted: critical}
limits: {max_file_bytes: 1000, timeout_s: 2.5}
"""


def test_every_setting_is_read() -> None:
    settings = parse_settings(FULL, "s.yaml")
    assert settings.frameworks == ("iso27001-2013",)
    assert [(each.pattern, each.origin) for each in settings.excludes] == [
        ("vendor/", "s.yaml:3"),
        ("*.generated.yaml", "s.yaml:4"),
    ]
    assert settings.fail_on is Severity.HIGH
    assert settings.rule_paths == ("policies",)
    assert settings.select.tags == ("aws",)
    assert settings.ignore.ids == ("bucket-*",)
    assert settings.severities == {"database-encrypted": Severity.CRITICAL}
    assert (settings.max_file_bytes, settings.timeout_s) == (1000, 2.5)


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse_settings(b"# nothing yet\n", "s.yaml") == Settings(path="s.yaml")


def test_never_is_no_threshold() -> None:
    assert parse_settings(b"fail_on: never\n", "s.yaml").fail_on is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"exclud: [x]\n", "s.yaml:1:1: unknown key 'exclud'; did you mean 'exclude'?"),
        (b"rules:\n  selct: {}\n", "s.yaml:2:3: unknown key 'selct'; did you mean 'select'?"),
        (
            b"fail_on: hihg\n",
            "s.yaml:1:1: 'hihg' is none of critical, high, medium, low, info, never; did you mean 'high'?",
        ),
        (b"exclude: vendor\n", "s.yaml:1:1: 'vendor' is not of type array"),
        (b"frameworks: []\n", "s.yaml:1:1: must not be empty"),
        (b"- a\n", "s.yaml:1:1: ['a'] is not of type object"),
        (b"a: 1\n---\nb: 2\n", "s.yaml: a settings file holds one document"),
    ],
)
def test_mistakes_are_told_with_place_and_suggestion(text: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_settings(text, "s.yaml")
    assert str(raised.value) == message


def test_broken_yaml_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"^s\.yaml:2:"):
        parse_settings(b"a: [1\nb: 2\n", "s.yaml")
