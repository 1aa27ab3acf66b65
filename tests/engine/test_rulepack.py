"""Rules in compiled form are the rules of the files, and none is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_engine.errors import RuleError
from policy_engine.rulepack import RulePack, load_pack

RULE = """\
id: disk-encrypted
title: Disks are encrypted
severity: high
controls: [A.8.24]
rationale: A disk that is lost is read.
targets:
  - format: terraform
    resource: aws_ebs_volume
    require: {path: encrypted, equals: true}
message: "{name} is not encrypted"
remediation: Set encrypted to true.
"""


@pytest.fixture
def pack(tmp_path: Path) -> RulePack:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "disk-encrypted.yaml").write_text(RULE)
    return RulePack("policies", str(folder))


def test_what_was_kept_is_what_was_written(pack: RulePack, tmp_path: Path) -> None:
    made = load_pack(pack, "1.0", str(tmp_path / "cache")).rules("terraform")
    kept = load_pack(pack, "1.0", str(tmp_path / "cache")).rules("terraform")
    assert [rule.id for rule in kept] == ["disk-encrypted"]
    assert kept == made


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"[{")])
def test_rules_that_are_lost_stop_the_run(pack: RulePack, tmp_path: Path, damage: object) -> None:
    load_pack(pack, "1.0", str(tmp_path / "cache"))
    (compiled,) = (tmp_path / "cache").rglob("terraform.json")
    assert callable(damage)
    damage(compiled)
    with pytest.raises(RuleError, match="cannot be read; remove their folder"):
        load_pack(pack, "1.0", str(tmp_path / "cache")).rules("terraform")
    assert not load_pack(pack, "1.0", str(tmp_path / "cache")).rules("kubernetes")
