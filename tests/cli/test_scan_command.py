"""`policy-engine scan` as a user meets it: exit codes, one-line errors, and findings that follow the flaws."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SHOP = Path(__file__).parents[2] / "examples" / "shop"

BAD = """\
resource "aws_ebs_volume" "data" {
  availability_zone = "eu-central-1a"
  size              = 10
  encrypted         = false
}
"""


def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def findings(cwd: Path, *arguments: str) -> list[dict[str, Any]]:
    """The failures of a scan that count, from its JSON report."""
    report = json.loads(run("scan", ".", "--format", "json", *arguments, cwd=cwd).stdout)
    return [each for each in report["findings"] if each["outcome"] == "fail" and each["suppression"] is None]


def test_the_example_shop_has_findings_and_says_where() -> None:
    done = run("scan", str(SHOP), cwd=SHOP)
    assert done.returncode == 1
    assert "variables.tf:9:3" in done.stdout
    assert "A.8.24" in done.stdout
    assert "Based on ISO/IEC 27001:2022 Annex A" in done.stdout


def test_a_clean_folder_passes_quietly(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("locals {\n  a = 1\n}\n")
    done = run("scan", ".", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= 5


@pytest.mark.parametrize(("threshold", "code"), [("info", 1), ("critical", 0), ("never", 0)])
def test_the_threshold_decides_the_exit_code(tmp_path: Path, threshold: str, code: int) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    assert run("scan", ".", "--fail-on", threshold, cwd=tmp_path).returncode == code


def test_a_broken_file_is_told_and_the_others_are_still_evaluated(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "good/main.tf").write_text(BAD)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/main.tf").write_text('resource "x" "y" {\n  a = [1, 2\n')
    done = run("scan", ".", cwd=tmp_path)
    assert done.returncode == 1
    assert "broken/main.tf:" in done.stdout
    assert run("scan", ".", "--fail-on", "never", cwd=tmp_path).returncode == 3
    assert len(findings(tmp_path)) == 1


def test_only_the_report_goes_to_standard_output(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    done = run("scan", ".", "--format", "sarif", "--format", "junit=out.xml", cwd=tmp_path)
    assert json.loads(done.stdout)["version"] == "2.1.0"
    assert (tmp_path / "out.xml").read_text().startswith("<?xml")


def test_two_runs_give_the_same_bytes() -> None:
    first, second = (run("scan", str(SHOP), "--format", "sarif", cwd=SHOP).stdout for _ in range(2))
    assert first == second


def test_a_finding_is_at_its_attribute_and_goes_with_the_flaw(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    (found,) = findings(tmp_path)
    span = found["location"]
    assert (span["start_line"], span["start_column"]) == (4, 3)
    line = BAD.splitlines()[3]
    assert line[span["start_column"] - 1 : span["end_column"] - 1] == "encrypted         = false"
    (tmp_path / "main.tf").write_text(BAD.replace("false", "true"))
    assert findings(tmp_path) == []


def test_blank_lines_above_change_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    before = [each["fingerprint"] for each in findings(tmp_path)]
    (tmp_path / "main.tf").write_text("\n" * 5 + BAD)
    assert [each["fingerprint"] for each in findings(tmp_path)] == before
    (tmp_path / "moved").mkdir()
    (tmp_path / "main.tf").rename(tmp_path / "moved/main.tf")
    assert [each["fingerprint"] for each in findings(tmp_path)] == before


def test_a_suppression_needs_a_reason_and_a_finding(tmp_path: Path) -> None:
    rule = findings_of(tmp_path, BAD)[0]["rule"]
    comment = f"  # policy-engine: ignore[{rule}]"
    flawed = "  encrypted         = false\n"
    assert findings_of(tmp_path, BAD.replace(flawed, f"{comment} scratch data only\n{flawed}")) == []
    assert findings_of(tmp_path, BAD.replace("false", f"false {comment.strip()} scratch data only")) == []
    assert findings_of(tmp_path, f"# policy-engine: ignore[{rule}] scratch data only\n{BAD}") == []
    without = findings_of(tmp_path, BAD.replace(flawed, f"{comment}\n{flawed}"))
    assert sorted(each["rule"] for each in without) == sorted([rule, "suppression-has-reason"])
    stale = findings_of(tmp_path, f"{comment} scratch data only\n" + BAD.replace("false", "true"))
    assert [each["rule"] for each in stale] == ["suppression-has-effect"]


def test_a_suppression_in_a_file_that_was_not_judged_in_full_is_not_called_useless(tmp_path: Path) -> None:
    """What a rule would have found where the file could not be understood, or no format reads it, nobody knows."""
    comment = "# policy-engine: ignore[storage-acl-not-public] the public web site\n"
    good = 'resource "aws_s3_bucket" "b" {\n  acl = "private"\n}\n'

    def useless() -> list[str]:
        return [one["location"]["path"] for one in findings(tmp_path) if one["rule"] == "suppression-has-effect"]

    (tmp_path / "main.tf").write_text(comment + good)
    (tmp_path / "notes.txt").write_text(comment)
    assert useless() == ["main.tf"]
    (tmp_path / "main.tf").write_text(comment + good + 'resource "x" {')
    assert useless() == []


def findings_of(folder: Path, text: str) -> list[dict[str, Any]]:
    (folder / "main.tf").write_text(text)
    return findings(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "nothing-here"], "'nothing-here' does not exist"),
        (["scan", ".", "--format", "sarf"], "unknown report format 'sarf'; did you mean 'sarif'?"),
        (["scan", ".", "--format", "json", "--format", "sarif"], "only one format can go to standard output"),
        (["scan", ".", "--format", "json=/nowhere/x"], "/nowhere/x: the json report cannot be written"),
        (["scan", ".", "--rule", "no-such-rule"], "the settings name the rule 'no-such-rule', which does not exist"),
        (["scan", ".", "--config", "missing.yaml"], "missing.yaml: cannot be read"),
        (["scan", ".", "--rules", "missing"], "does not exist"),
        (["scan", ".", "--bogus"], "No such option"),
        (["rules", "show", "no-such"], "unknown rule 'no-such'"),
        (["controls", "show", "A.9.99"], "unknown control 'A.9.99'"),
        (["explain", "ffffffff"], "no finding with fingerprint ffffffff"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_wrong_settings_are_one_line_with_their_place(tmp_path: Path) -> None:
    (tmp_path / ".policy-engine.yaml").write_text("fail_on: high\nexcludes: [a]\n")
    done = run("scan", ".", "--root", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "policy-engine: error: .policy-engine.yaml:2:1: unknown key 'excludes'; did you mean 'exclude'?\n",
    )


def test_a_wrong_rule_is_one_line_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "id: mine\ntitle: T\nseverity: low\ncontrols: [A.8.9]\nrationale: R\ntargets:\n  - format: terraform\n"
        "    resource: x\n    require: {path: a, equal: 1}\nmessage: M\nremediation: R\n"
    )
    done = run("scan", ".", "--rules", "rules", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ("policy-engine: error: rules/mine.yaml:9:24: unknown key 'equal'; did you mean 'equals'?\n")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('boom')", "does not load: RuntimeError: boom"),
        (
            "from policy_engine.hookspecs import hookimpl\n@hookimpl\ndef register_format(): return []",
            "unknown hook 'register_format'",
        ),
    ],
)
def test_a_broken_plugin_stops_the_run(tmp_path: Path, source: str, message: str) -> None:
    site = tmp_path / "site"
    info = site / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[policy_engine]\nbroken = broken_plugin\n")
    (site / "broken_plugin.py").write_text(source)
    done = run(
        "scan", ".", cwd=tmp_path, env={"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_too_large_makes_the_scan_incomplete(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("# " + "x" * 200)
    (tmp_path / ".policy-engine.yaml").write_text("limits: {max_file_bytes: 100}\n")
    done = run("scan", ".", "--root", ".", cwd=tmp_path)
    assert done.returncode == 3
    assert "larger than 100 bytes" in done.stdout


def test_files_can_come_from_a_list(tmp_path: Path) -> None:
    (tmp_path / "one.tf").write_text(BAD)
    (tmp_path / "list").write_text("one.tf\n")
    assert run("scan", "--files-from", "list", cwd=tmp_path).returncode == 1
    (tmp_path / "list").write_text("")
    assert run("scan", "--files-from", "list", cwd=tmp_path).returncode == 0


def test_explain_tells_a_rule_and_a_finding(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(BAD)
    (found,) = findings(tmp_path)
    rule = run("explain", found["rule"], cwd=tmp_path)
    assert rule.returncode == 0
    assert "How to mend a finding" in rule.stdout
    finding = run("explain", found["fingerprint"][:10], cwd=tmp_path)
    assert "main.tf:4:3" in finding.stdout
