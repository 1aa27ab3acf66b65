"""Rules find what belongs to a resource through locals, module outputs and keys: the reference graph at work."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy_engine.cli import root

BUCKET = 'resource "aws_s3_bucket" "b" {\n  bucket = "data"\n}\n'
VERSIONING = """
resource "aws_s3_bucket_versioning" "v" {
  bucket = %s
  versioning_configuration {
    status = "Enabled"
  }
}
"""


def versioned(folder: Path, **files: str) -> dict[str, str]:
    """What storage-versioned says of each bucket; files by name, `__` standing for the slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path = path.with_suffix(".tf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    result = CliRunner().invoke(root, ["scan", str(folder), "--format", "json", "--rule", "storage-versioned"])
    report = json.loads(result.stdout)
    told = {
        address: one["outcome"]
        for one in report["findings"]
        for address in (one["address"], *(twin["address"] for twin in one["twins"]))
    }
    return told | {one["address"]: "pass" for one in report["passes"]}


@pytest.mark.parametrize(
    ("reference", "outcome"),
    [
        ("aws_s3_bucket.b.id", "pass"),
        ("aws_s3_bucket.b.bucket", "pass"),
        ("local.bucket", "pass"),
        ('"data"', "pass"),
        ('"other"', "fail"),
        ("aws_s3_bucket.missing.id", "fail"),
        ("var.unknown", "unknown"),
    ],
)
def test_a_companion_is_found_by_what_it_refers_to(tmp_path: Path, reference: str, outcome: str) -> None:
    more = 'variable "unknown" {}\nlocals {\n  bucket = aws_s3_bucket.b.id\n}\n'
    assert versioned(tmp_path, main=BUCKET + more + VERSIONING % reference) == {"aws_s3_bucket.b": outcome}


def test_a_companion_outside_of_the_module_is_found_through_its_output(tmp_path: Path) -> None:
    calls = """
        module "a" {
          source = "./bucket"
        }
        module "b" {
          source = "./bucket"
        }
    """
    inner = 'resource "aws_s3_bucket" "b" {}\noutput "id" {\n  value = aws_s3_bucket.b.id\n}\n'
    found = versioned(tmp_path, main=textwrap.dedent(calls) + VERSIONING % "module.a.id", bucket__main=inner)
    assert found == {"module.a.aws_s3_bucket.b": "pass", "module.b.aws_s3_bucket.b": "fail"}


def test_a_companion_inside_of_a_module_is_found_through_its_input(tmp_path: Path) -> None:
    main = BUCKET + 'module "v" {\n  source = "./versioning"\n  bucket = aws_s3_bucket.b.id\n}\n'
    inner = 'variable "bucket" {}\n' + VERSIONING % "var.bucket"
    assert versioned(tmp_path, main=main, versioning__main=inner) == {"aws_s3_bucket.b": "pass"}


def test_keys_tell_the_instances_apart(tmp_path: Path) -> None:
    main = """
        resource "aws_s3_bucket" "b" {
          for_each = toset(["kept", "lost"])
          bucket   = each.key
        }
        resource "aws_s3_bucket_versioning" "v" {
          for_each = { for key, one in aws_s3_bucket.b : key => one if key == "kept" }
          bucket   = each.value.id
          versioning_configuration {
            status = "Enabled"
          }
        }
    """
    assert versioned(tmp_path, main=main) == {'aws_s3_bucket.b["kept"]': "pass", 'aws_s3_bucket.b["lost"]': "fail"}
