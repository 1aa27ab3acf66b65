"""A module called three times has its flaw once; instances with flaws of their own keep their findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from policy_engine.cli import root

BUCKET = 'variable "acl" {}\nresource "aws_s3_bucket" "b" {\n  acl = var.acl\n}\n'


def failures(folder: Path) -> list[dict[str, Any]]:
    result = CliRunner().invoke(root, ["scan", str(folder), "--format", "json"])
    report = json.loads(result.stdout)
    return [one for one in report["findings"] if one["rule"] == "storage-acl-not-public" and one["outcome"] == "fail"]


def write(folder: Path, calls: str) -> None:
    (folder / "bucket").mkdir()
    (folder / "bucket" / "main.tf").write_text(BUCKET)
    (folder / "main.tf").write_text(calls)


def test_the_same_flaw_of_several_instances_is_one_finding_that_names_them(tmp_path: Path) -> None:
    write(tmp_path, 'module "m" {\n  count  = 3\n  source = "./bucket"\n  acl    = "public-read"\n}\n')
    (found,) = failures(tmp_path)
    assert found["location"]["path"] == "main.tf"
    assert found["address"] == "module.m[0].aws_s3_bucket.b"
    assert [twin["address"] for twin in found["twins"]] == [
        "module.m[1].aws_s3_bucket.b",
        "module.m[2].aws_s3_bucket.b",
    ]
    assert len({found["fingerprint"], *(twin["fingerprint"] for twin in found["twins"])}) == 3


def test_flaws_at_places_of_their_own_stay_apart(tmp_path: Path) -> None:
    calls = "".join(
        f'module "{name}" {{\n  source = "./bucket"\n  acl    = "public-read"\n}}\n' for name in ("one", "two")
    )
    write(tmp_path, calls)
    assert [(one["address"], one["location"]["start_line"], one["twins"]) for one in failures(tmp_path)] == [
        ("module.one.aws_s3_bucket.b", 3, []),
        ("module.two.aws_s3_bucket.b", 7, []),
    ]
