"""Options that formats offer: `--var-file` and `--tf-var-env` of Terraform, and the same in the settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURATION = 'variable "acl" {}\nvariable "names" {\n  type = list(string)\n  default = []\n}\n'
BUCKET = 'resource "aws_s3_bucket" "b" {\n  for_each = toset(concat(["a"], var.names))\n  acl = var.acl\n}\n'


def scan(folder: Path, *arguments: str, **environment: str) -> tuple[int, list[tuple[str, str, int]], str]:
    """Exit code, (address, path, line) of open buckets, and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "policy_engine", "scan", ".", "--format", "json", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 2:
        return 2, [], done.stderr
    failed = [
        (address, each["location"]["path"], each["location"]["start_line"])
        for each in json.loads(done.stdout)["findings"]
        if each["rule"] == "storage-acl-not-public" and each["outcome"] == "fail"
        for address in (each["address"], *(twin["address"] for twin in each["twins"]))
    ]
    return done.returncode, failed, done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(CONFIGURATION + BUCKET)
    (tmp_path / "open.tfvars").write_text('acl = "public-read"\n')
    (tmp_path / "closed.tfvars").write_text('acl = "private"\n')
    return tmp_path


def test_without_a_value_nothing_is_found(project: Path) -> None:
    assert scan(project)[1] == []


def test_a_variable_file_gives_the_value_and_is_the_place_to_change(project: Path) -> None:
    assert scan(project, "--var-file", "open.tfvars")[1] == [('aws_s3_bucket.b["a"]', "open.tfvars", 1)]


def test_the_last_variable_file_counts(project: Path) -> None:
    assert scan(project, "--var-file", "open.tfvars", "--var-file", "closed.tfvars")[1] == []


def test_the_environment_counts_only_when_asked(project: Path) -> None:
    values = {"TF_VAR_acl": "public-read", "TF_VAR_names": '["x"]'}
    assert scan(project, **values)[1] == []
    assert scan(project, "--tf-var-env", **values)[1] == [
        ('aws_s3_bucket.b["a"]', "main.tf", 8),
        ('aws_s3_bucket.b["x"]', "main.tf", 8),
    ]


def test_a_variable_file_counts_more_than_the_environment(project: Path) -> None:
    assert scan(project, "--tf-var-env", "--var-file", "closed.tfvars", TF_VAR_acl="public-read")[1] == []


def test_the_settings_name_them_too(project: Path) -> None:
    (project / ".policy-engine.yaml").write_text("formats:\n  terraform:\n    var-file: [open.tfvars]\n")
    assert len(scan(project)[1]) == 1


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ("", ["--var-file", "absent.tfvars"], "--var-file absent.tfvars: cannot be read: No such file or directory"),
        ("", ["--var-file", "/etc/hostname"], "lies outside the root"),
        ("formats:\n  terraforn: {}\n", [], "unknown format 'terraforn' under 'formats'; did you mean 'terraform'?"),
        ("formats:\n  terraform:\n    var-files: [a]\n", [], "no option 'var-files'; did you mean 'var-file'?"),
        ("formats:\n  terraform:\n    var-file: a\n", [], "formats.terraform.var-file is a list of file names"),
    ],
)
def test_a_wrong_choice_is_one_line(project: Path, settings: str, arguments: list[str], message: str) -> None:
    if settings:
        (project / ".policy-engine.yaml").write_text(settings)
    code, _, error = scan(project, *arguments)
    assert code == 2
    assert message in error
    assert len(error.splitlines()) == 1


CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"


def test_a_switch_works_on_the_command_line_and_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(CHART)
    (tmp_path / "templates" / "a.yaml").write_text("a: {{ .Values.a }}\n")
    assert scan(tmp_path, PATH="/nowhere")[0] == 3
    assert scan(tmp_path, "--no-render", PATH="/nowhere")[0] == 0
    (tmp_path / ".policy-engine.yaml").write_text("formats: {kubernetes: {no-render: true}}\n")
    assert scan(tmp_path, PATH="/nowhere")[0] == 0
    (tmp_path / ".policy-engine.yaml").write_text("formats: {kubernetes: {no-render: 1}}\n")
    assert "formats.kubernetes.no-render is true or false" in scan(tmp_path)[2]
