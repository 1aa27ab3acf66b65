"""What is declared sensitive is judged like any other value, and shown nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from terraform_configuration import Loader

SECRET = 'variable "s" {\n  sensitive = true\n  default   = "public-read"\n}\n'


@pytest.mark.parametrize(
    ("expression", "sensitive"),
    [
        ("var.s", True),
        ('"x${var.s}"', True),
        ("upper(local.made)", True),
        ("sensitive(var.open)", True),
        ("nonsensitive(var.s)", False),
        ("a.other.v", True),
        ("a.other.w", False),
        ("[for x in [var.s] : x]", True),
        ("var.open", False),
        ('"public-read"', False),
    ],
)
def test_value_made_of_something_sensitive_is_sensitive(load: Loader, expression: str, sensitive: bool) -> None:
    found = load(f"""
{SECRET}
variable "open" {{ default = "public-read" }}
locals {{ made = "${{var.s}}-made" }}
resource "a" "other" {{
  v = var.s
  w = var.open
}}
resource "a" "b" {{
  v = {expression}
}}
""")
    assert found["a.b"].locate(("v",)).sensitive is sensitive


def test_no_report_shows_a_sensitive_value_or_its_line(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(SECRET + 'resource "aws_s3_bucket" "b" {\n  acl = var.s\n}\n')
    for name in ("text", "json", "sarif", "junit", "markdown"):
        done = subprocess.run(
            [sys.executable, "-m", "policy_engine", "scan", ".", "--format", name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "storage-acl-not-public" in done.stdout
        assert "public-read" not in done.stdout.replace("storage-acl-not-public", "")
