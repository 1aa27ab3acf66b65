"""`policy-engine rules` and `controls`: the shipped rules prove themselves, and users' rules the same way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy_engine.cli import root
from policy_engine.harness import prove
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook


def call(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments), standalone_mode=False, catch_exceptions=False)


def test_every_shipped_rule_proves_itself(plugins: Plugins, rulebook: Rulebook) -> None:
    folders = {pack.pack.name: pack.pack.path for pack in rulebook.packs}
    mistakes = []
    for rule in rulebook.rules():
        count, found = prove(rule, folders[rule.pack], rule.pack, plugins, rulebook)
        assert count, f"{rule.id} has no examples"
        mistakes += found
    assert [str(mistake) for mistake in mistakes] == []


def test_there_are_sixty_rules_over_three_formats_and_twenty_controls(rulebook: Rulebook) -> None:
    rules = rulebook.rules()
    assert len(rules) >= 60
    assert {name for rule in rules for name in rule.formats()} >= {"terraform", "kubernetes", "github"}
    assert len({control for rule in rules for control in rule.controls}) >= 20


def test_a_new_rule_proves_itself_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("rules", "new", "my-rule").return_value is None
    assert call("rules", "lint", "rules").output == "1 rules, no mistakes\n"
    assert call("rules", "test", "my-rule", "--rules", "rules").output == "1 rules, 3 examples, no mistakes\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("controls: [A.8.9]", "controls: [A.8.99]", "rules/my-rule.yaml:4:12: unknown control 'A.8.99'"),
        ("format: terraform", "format: terrafrom", "unknown format 'terrafrom'; did you mean 'terraform'?"),
        ("equals: true", "equal: true", "unknown key 'equal'; did you mean 'equals'?"),
        ("{name}", "{nam}", "unknown placeholder '{nam}'; did you mean '{name}'?"),
        ("id: my-rule", "id: other-rule", "the file is named 'my-rule.yaml', but the id is 'other-rule'"),
        ("severity: medium", "severity: mediun", "did you mean 'medium'?"),
        ("{path: some_attribute, equals: true}", "{check: no-such}", "unknown check 'no-such'"),
        ("title: State", "titel: State", "'title' is missing"),
    ],
)
def test_lint_tells_mistakes_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    call("rules", "new", "my-rule")
    path = tmp_path / "rules/my-rule.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = call("rules", "lint", "rules")
    assert result.return_value == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fail: [2]", "fail: [1]", "main.tf:1 should fail and does not"),
        ("fail: [2]", "quiet: true", "main.tf:2 should not fail"),
        ("unknown: [3]", "inapplicable: true", "main.tf:3 should not be unknown"),
        ("some_attribute = true", "some_attribute = false", "main.tf:2 should not fail"),
        ('"aws_s3_bucket" "good"', '"aws_sqs_queue" "good"', "applies to nothing in it"),
    ],
)
def test_examples_that_do_not_hold_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    call("rules", "new", "my-rule")
    path = tmp_path / "rules/my-rule.test.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result = call("rules", "test", "my-rule", "--rules", "rules")
    assert result.return_value == 1
    assert message in result.output


def test_a_missing_kind_of_example_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call("rules", "new", "my-rule")
    path = tmp_path / "rules/my-rule.test.yaml"
    path.write_text(path.read_text().split("  - name: undecided")[0])
    assert "no example for terraform in which it cannot be decided" in call("rules", "lint", "rules").output
    path.unlink()
    assert "has no examples" in call("rules", "lint", "rules").output


def test_a_rule_is_found_by_control_format_and_severity() -> None:
    listed = json.loads(call("rules", "list", "--control", "A.8.24", "--format", "terraform", "--json").output)
    assert listed
    assert all("A.8.24" in rule["controls"] and "terraform" in rule["formats"] for rule in listed)
    by_2013 = json.loads(call("rules", "list", "--control", "A.10.1.1", "--json").output)
    assert {rule["id"] for rule in listed} <= {rule["id"] for rule in by_2013}


def test_all_controls_of_both_editions_are_listed() -> None:
    for name, count in (("iso27001-2022", 93), ("iso27001-2013", 114)):
        listed = json.loads(call("controls", "list", "--framework", name, "--json").output)
        assert len(listed["controls"]) == count
        assert listed["source"].startswith("Based on ISO/IEC 27001:")


def test_a_control_shows_words_counterparts_and_rules() -> None:
    shown = call("controls", "show", "A.8.24").output
    assert "Counterparts" in shown
    assert "A.10.1.1" in shown
    assert "Rules that give evidence" in shown
    assert "Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance" in shown


def test_schemas_that_ship_are_those_of_the_engine() -> None:
    from policy_engine.schema import GENERATED, load_schema

    for name, make in GENERATED.items():
        assert load_schema(name) == make(), f"run `make docs`: {name}"


def test_shipped_schemas_are_valid() -> None:
    from jsonschema import Draft202012Validator

    from policy_engine.schema import GENERATED

    for make in GENERATED.values():
        Draft202012Validator.check_schema(make())


def test_completion_scripts_are_printed() -> None:
    assert "_POLICY_ENGINE_COMPLETE" in call("completion", "bash").output
