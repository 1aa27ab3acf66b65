"""The format as the engine meets it: what it claims, how it groups files, and the comments it finds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from policy_engine.tree import MemoryTree
from policy_engine_plugins.terraform import TerraformFormat

FORMAT = TerraformFormat()


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("main.tf", True),
        ("a/b/main.tofu", True),
        ("x.tf.json", True),
        ("x.tofu.json", True),
        ("plan.json", True),  # by its name it may be a plan; its content tells
        ("terraform.tfvars.json", False),
        ("x.tfvars", False),
        ("x.tfstate", False),
        (".terraform/modules/m/main.tf", False),
        ("a/.terraform/modules/m/main.tf", False),
        ("my.terraform/main.tf", True),
    ],
)
def test_claims_by_name(path: str, claimed: bool) -> None:
    assert FORMAT.claims(path) is claimed


@pytest.mark.parametrize(
    ("path", "data", "recognised"),
    [
        ("main.tf", b"", True),
        ("package.json", b'{"name": "x"}', False),
        ("plan.json", b'{"format_version":"1.2","planned_values":{}}', True),
    ],
)
def test_recognises_plans_by_content(path: str, data: bytes, recognised: bool) -> None:
    assert FORMAT.recognises(path, data) is recognised


def test_a_folder_is_a_unit_and_one_file_brings_the_others() -> None:
    tree = MemoryTree(
        dict.fromkeys(
            [
                "main.tf",
                "variables.tf",
                "terraform.tfvars",
                "prod.tfvars",
                "z.auto.tfvars",
                "README.md",
                "m/main.tf",
                "m/o.tf",
            ],
            b"",
        )
    )
    units = list(FORMAT.units(["main.tf", "m/o.tf"], tree))
    assert [(unit.name, unit.paths) for unit in units] == [
        (".", ("main.tf", "terraform.tfvars", "variables.tf", "z.auto.tfvars")),
        ("m", ("m/main.tf", "m/o.tf")),
    ]


def test_opentofu_reads_its_own_file_in_place_of_the_other() -> None:
    tree = MemoryTree({"main.tf": b'resource "a" "terraform" {}', "main.tofu": b'resource "a" "tofu" {}'})
    (unit,) = FORMAT.units(["main.tf", "main.tofu"], tree)
    assert [resource.name for resource in FORMAT.load(unit, tree).resources] == ["tofu"]


def test_a_file_that_is_gone_is_a_problem() -> None:
    tree = MemoryTree({"main.tf": b'resource "a" "b" {}'})
    (unit,) = FORMAT.units(["main.tf", "gone.tf"], tree)
    loaded = FORMAT.load(unit, tree)
    assert [problem.kind.value for problem in loaded.problems] == ["unreadable"]
    assert len(loaded.resources) == 1


def test_comments_come_from_the_tokens() -> None:
    text = (
        "# first\n"
        'a = "# no comment" // second\r\n'
        "/* third\n */ b = 1 /* fourth */ # fifth\n"
        "c = <<EOT\n# text\n${1 + /* sixth */ 1}\nEOT\n"
        "d = [\n  1, # seventh\n  # eighth\n]\n"
        "e {} # ninth\n"
        "f { # tenth\n}\n"
    )
    found = [(comment.text.strip(), comment.alone, comment.location.span.start_line) for comment in
             FORMAT.comments("main.tf", text.encode())]  # fmt: skip
    assert found == [
        ("first", True, 1),
        ("second", False, 2),
        ("third", True, 3),
        ("fourth", False, 4),
        ("fifth", False, 4),
        ("sixth", False, 7),
        ("seventh", False, 10),
        ("eighth", True, 11),
        ("ninth", False, 13),
        ("tenth", False, 14),
    ]


def test_comments_of_a_broken_file_are_still_found() -> None:
    text = b"a = [1 2 # one\n]\n# two\nb {\n# three\n"
    assert [comment.text for comment in FORMAT.comments("main.tf", text)] == [" one", " two", " three"]


def test_the_package_is_light() -> None:
    code = (
        "import sys; import policy_engine_plugins.terraform; "
        "print([m for m in ('re', 'json', 'hashlib', 'ipaddress', 'yaml') if m in sys.modules and m not in before])"
    )
    before = "import policy_engine.format, policy_engine.hookspecs, sys; before = set(sys.modules); "
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
