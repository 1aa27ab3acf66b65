"""Modules that call modules: what goes in, what comes out, how instances are named and where flaws are told."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping

import pytest
from terraform_configuration import Configuration

from policy_engine.resource import Resource
from policy_engine.span import Location
from policy_engine.tree import MemoryTree
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform import TerraformFormat


def load(files: Mapping[str, str]) -> Configuration:
    """Everything the root modules among the files make; files under `.terraform` are there but not given."""
    format_ = TerraformFormat()
    texts = {path: textwrap.dedent(text) for path, text in files.items()}
    tree = MemoryTree({path: text.encode() for path, text in texts.items()})
    resources: dict[str, Resource] = {}
    problems = []
    for unit in format_.units([path for path in texts if format_.claims(path)], tree):
        loaded = format_.load(unit, tree)
        resources.update((one.address, one) for one in loaded.resources)
        problems.extend(loaded.problems)
    return Configuration(texts, resources, problems)


def buckets(configuration: Configuration) -> dict[str, object]:
    return {
        address: one.value.get("acl") for address, one in configuration.resources.items() if one.type == "aws_s3_bucket"
    }


BUCKET = """\
    variable "acl" {
      type    = string
      default = "private"
    }
    variable "name" {}
    resource "aws_s3_bucket" "this" {
      bucket = "${var.name}-data"
      acl    = var.acl
    }
    output "id" {
      value = aws_s3_bucket.this.id
    }
    output "name" {
      value = aws_s3_bucket.this.bucket
    }
"""


def test_a_module_called_twice_is_evaluated_for_each_call() -> None:
    found = load(
        {
            "main.tf": """
                module "one" {
                  source = "./bucket"
                  name   = "one"
                }
                module "two" {
                  source = "./bucket"
                  name   = "two"
                  acl    = "public-read"
                }
            """,
            "bucket/main.tf": BUCKET,
        }
    )
    assert buckets(found) == {
        "module.one.aws_s3_bucket.this": "private",
        "module.two.aws_s3_bucket.this": "public-read",
    }
    assert found["module.two.aws_s3_bucket.this"].value["bucket"] == "two-data"
    assert not found.problems


def test_a_value_from_the_call_is_told_at_the_call() -> None:
    found = load(
        {
            "main.tf": """
                locals {
                  access = "public-read"
                }
                module "logs" {
                  source = "./bucket"
                  name   = "logs"
                  acl    = local.access
                }
            """,
            "bucket/main.tf": BUCKET,
        }
    )
    address = "module.logs.aws_s3_bucket.this"
    assert found.place(address, "acl") == 'access = "public-read"'
    assert found.way(address, "acl") == [
        ("acl    = local.access", "used by module.logs.var.acl here"),
        ("acl    = var.acl", "used by module.logs.aws_s3_bucket.this here"),
    ]


def test_a_default_is_told_in_the_module() -> None:
    found = load(
        {
            "main.tf": 'module "logs" {\n  source = "./bucket"\n  name = "logs"\n}\n',
            "bucket/main.tf": BUCKET,
        }
    )
    place = found["module.logs.aws_s3_bucket.this"].locate(("acl",)).location
    assert (place.path, found.slice(place)) == ("bucket/main.tf", 'default = "private"')


def test_outputs_feed_resources_and_other_modules() -> None:
    found = load(
        {
            "main.tf": """
                module "logs" {
                  source = "./bucket"
                  name   = "logs"
                }
                module "copy" {
                  source = "./bucket"
                  name   = module.logs.name
                }
                resource "aws_s3_bucket_policy" "p" {
                  bucket = module.logs.id
                }
            """,
            "bucket/main.tf": BUCKET,
        }
    )
    assert found["module.copy.aws_s3_bucket.this"].value["bucket"] == "logs-data-data"
    linked = found["aws_s3_bucket_policy.p"].value["bucket"]
    assert isinstance(linked, Unknown)
    assert linked.refers_to == ("module.logs.aws_s3_bucket.this",)


def test_modules_nest_and_count_and_for_each_name_their_instances() -> None:
    found = load(
        {
            "main.tf": """
                module "team" {
                  for_each = { red = "private", blue = "public-read" }
                  source   = "./team"
                  name     = each.key
                  acl      = each.value
                }
            """,
            "team/main.tf": """
                variable "name" {}
                variable "acl" {}
                module "stage" {
                  count  = 2
                  source = "../bucket"
                  name   = "${var.name}-${count.index}"
                  acl    = var.acl
                }
                output "names" {
                  value = module.stage[*].name
                }
            """,
            "bucket/main.tf": BUCKET,
        }
    )
    assert buckets(found) == {
        'module.team["blue"].module.stage[0].aws_s3_bucket.this': "public-read",
        'module.team["blue"].module.stage[1].aws_s3_bucket.this': "public-read",
        'module.team["red"].module.stage[0].aws_s3_bucket.this': "private",
        'module.team["red"].module.stage[1].aws_s3_bucket.this': "private",
    }
    assert found.place('module.team["blue"].module.stage[0].aws_s3_bucket.this', "acl") == 'blue = "public-read"'


def test_a_module_that_is_called_is_no_unit_of_its_own() -> None:
    format_ = TerraformFormat()
    files = {
        "examples/small/main.tf": 'module "it" {\n  source = "../.."\n}\n',
        "main.tf": 'module "part" {\n  source = "./modules/part"\n}\n',
        "modules/part/main.tf": 'output "x" { value = 1 }\n',
        "other/main.tf": "",
    }
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    units = {unit.name: unit.paths for unit in format_.units(list(files), tree)}
    assert units == {
        "examples/small": ("examples/small/main.tf", "main.tf", "modules/part/main.tf"),
        "other": ("other/main.tf",),
    }


def test_modules_that_call_each_other_in_a_circle_are_told_and_still_judged() -> None:
    found = load(
        {
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\nresource "aws_s3_bucket" "a" {\n  acl = "private"\n}\n',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\nresource "aws_s3_bucket" "b" {\n  acl = "private"\n}\n',
        }
    )
    assert buckets(found) == {"aws_s3_bucket.a": "private", "module.b.aws_s3_bucket.b": "private"}
    assert [(one.path, one.message) for one in found.problems] == [
        ("b/main.tf", "module 'a' is not evaluated: it calls the module in 'a' from inside of it, without end")
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("../../../..", "'../../../..' lies outside of what is scanned"),
        ("./missing", "there are no configuration files in 'missing'"),
        ("terraform-aws-modules/vpc/aws", "is not installed; run init before the scan to have it looked at"),
        ("git::https://example.org/x.git?ref=v1", "is not installed; run init before the scan to have it looked at"),
    ],
)
def test_a_module_that_is_not_there_is_told_at_its_source_and_its_outputs_are_unknown(
    source: str, message: str
) -> None:
    found = load(
        {
            "main.tf": f"""
                module "net" {{
                  source = "{source}"
                }}
                resource "aws_s3_bucket" "b" {{
                  acl = module.net.acl
                }}
            """
        }
    )
    (problem,) = found.problems
    assert problem.kind is ProblemKind.LIMITED
    assert problem.span is not None
    assert found.slice(Location("main.tf", problem.span)) == f'source = "{source}"'
    assert message in problem.message
    acl = found["aws_s3_bucket.b"].value["acl"]
    assert isinstance(acl, Unknown)
    assert acl.refers_to == ("module.net",)


INSTALLED = """
    {"Modules": [
      {"Key": "", "Source": "", "Dir": "."},
      {"Key": "logs", "Source": "registry.terraform.io/acme/bucket/aws", "Version": "1.2.0",
       "Dir": ".terraform/modules/logs"}
    ]}
"""


def test_an_installed_module_is_followed_and_its_flaws_are_told_at_the_call() -> None:
    found = load(
        {
            "main.tf": """
                module "logs" {
                  source  = "acme/bucket/aws"
                  version = "~> 1.0"
                  name    = "logs"
                }
            """,
            ".terraform/modules/modules.json": INSTALLED,
            ".terraform/modules/logs/main.tf": BUCKET,
        }
    )
    assert not found.problems
    trace = found["module.logs.aws_s3_bucket.this"].locate(("acl",))
    assert found.slice(trace.location) == 'module "logs"'
    assert next((found.slice(place), place.path) for place, _ in trace.related) == (
        'default = "private"',
        ".terraform/modules/logs/main.tf",
    )


def test_another_module_installed_in_its_place_is_not_taken_for_it() -> None:
    found = load(
        {
            "main.tf": 'module "logs" {\n  source = "acme/other/aws"\n}\n',
            ".terraform/modules/modules.json": INSTALLED,
            ".terraform/modules/logs/main.tf": BUCKET,
        }
    )
    assert "is not installed" in found.problems[0].message


def test_files_and_path_module_are_seen_from_where_terraform_runs() -> None:
    found = load(
        {
            "live/main.tf": 'module "m" {\n  source = "../modules/m"\n}\n',
            "modules/m/main.tf": """
                resource "aws_s3_bucket" "b" {
                  bucket = path.module
                  acl    = trimspace(file("${path.module}/acl.txt"))
                }
            """,
            "modules/m/acl.txt": "public-read\n",
        }
    )
    bucket = found["module.m.aws_s3_bucket.b"].value
    assert (bucket["bucket"], bucket["acl"]) == ("../modules/m", "public-read")


def test_a_call_without_instances_makes_nothing() -> None:
    found = load(
        {
            "main.tf": """
                variable "on" {
                  default = false
                }
                module "m" {
                  count  = var.on ? 1 : 0
                  source = "./bucket"
                  name   = "x"
                }
                resource "aws_s3_bucket" "b" {
                  acl = one(module.m[*].id)
                }
            """,
            "bucket/main.tf": BUCKET,
        }
    )
    assert buckets(found) == {"aws_s3_bucket.b": None}


def test_modules_that_need_each_others_outputs_are_a_cycle() -> None:
    found = load(
        {
            "main.tf": """
                module "a" {
                  source = "./pass"
                  given  = module.b.made
                }
                module "b" {
                  source = "./pass"
                  given  = module.a.made
                }
            """,
            "pass/main.tf": 'variable "given" {}\noutput "made" {\n  value = var.given\n}\n',
        }
    )
    assert len(found.problems) == 1
    assert "module.a.output.made refers to itself" in found.problems[0].message


def test_modules_that_multiply_are_cut_off_and_told() -> None:
    levels = 16
    files = {
        f"m{level}/main.tf": "".join(
            f'module "{name}" {{\n  source = "../m{level + 1}"\n}}\n' for name in ("a", "b", "c")
        )
        for level in range(levels)
    }
    files[f"m{levels}/main.tf"] = 'resource "aws_s3_bucket" "b" {\n  acl = "private"\n}\n'
    started = time.monotonic()
    found = load(files)
    assert time.monotonic() - started < 20
    assert found.problems
    assert all("there are more than 2000 module instances" in one.message for one in found.problems)
    assert len(found.problems) <= 3 * levels


def test_modules_nested_very_deep_are_cut_off_and_told() -> None:
    files = {f"m{level}/main.tf": f'module "a" {{\n  source = "../m{level + 1}"\n}}\n' for level in range(60)}
    (problem,) = load(files).problems
    assert problem.path == "m19/main.tf"
    assert "nested more than 20 levels deep" in problem.message
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD  # what lies deeper is judged nowhere: the scan is incomplete


def test_data_sources_that_only_read_what_is_there_are_known() -> None:
    found = load(
        {
            "main.tf": """
                data "template_file" "t" {
                  template = "hello $${name}, $${upper(name)}"
                  vars     = { name = "x" }
                }
                data "local_file" "f" {
                  filename = "${path.module}/acl.txt"
                }
                data "local_file" "absent" {
                  filename = "absent.txt"
                }
                resource "aws_s3_bucket" "b" {
                  bucket = data.template_file.t.rendered
                  acl    = data.local_file.f.content
                  other  = data.local_file.absent.content
                }
            """,
            "acl.txt": "public-read",
        }
    )
    value = found["aws_s3_bucket.b"].value
    assert (value["bucket"], value["acl"]) == ("hello x, X", "public-read")
    assert isinstance(value["other"], Unknown)
