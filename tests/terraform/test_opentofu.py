"""What OpenTofu has and Terraform has not."""

from __future__ import annotations

from terraform_configuration import Loader, load_files
from test_calls import load as load_all

from policy_engine.tree import MemoryTree
from policy_engine_plugins.terraform import TerraformFormat


def test_tofu_files_take_the_place_of_their_terraform_twins() -> None:
    found = load_files(
        {
            "main.tf": 'resource "a" "b" {\n  v = "terraform"\n}\n',
            "main.tofu": 'resource "a" "b" {\n  v = "tofu"\n}\n',
            "other.tf": 'resource "a" "c" {\n  v = "both"\n}\n',
        }
    )
    assert {address: one.value["v"] for address, one in found.resources.items()} == {"a.b": "tofu", "a.c": "both"}


def test_a_module_source_may_be_made_of_variables_and_locals() -> None:
    found = load_all(
        {
            "main.tf": """
                variable "kind" {
                  default = "bucket"
                }
                locals {
                  source = "./modules/${var.kind}"
                }
                module "m" {
                  source = local.source
                }
            """,
            "modules/bucket/main.tf": 'resource "a" "b" {\n  v = 1\n}\n',
        }
    )
    assert found["module.m.a.b"].value["v"] == 1
    assert not found.problems


def test_a_provider_may_stand_for_several(load: Loader) -> None:
    found = load("""
        locals {
          regions = { eu = "eu-west-1", us = "us-east-1" }
        }
        provider "aws" {
          alias    = "by_region"
          for_each = local.regions
          region   = each.value
        }
    """)
    assert {address: one.value["region"] for address, one in found.resources.items()} == {
        'provider.aws.by_region["eu"]': "eu-west-1",
        'provider.aws.by_region["us"]': "us-east-1",
    }


def test_a_resource_may_be_switched_off(load: Loader) -> None:
    found = load("""
        variable "unknown" {}
        resource "a" "on" {
          lifecycle {
            enabled = true
          }
        }
        resource "a" "off" {
          lifecycle {
            enabled = 1 > 2
          }
        }
        resource "a" "perhaps" {
          lifecycle {
            enabled = var.unknown
          }
        }
    """)
    assert {address for address in found.resources if address.startswith("a.")} == {"a.on", "a.perhaps"}


def test_a_module_with_a_computed_source_is_called_as_the_values_given_say() -> None:
    files = {
        "main.tf": 'variable "kind" { default = "a" }\nmodule "m" {\n  source = "./modules/${var.kind}"\n}\n',
        "modules/a/main.tf": 'resource "a" "a" {}\n',
        "modules/b/main.tf": 'module "c" {\n  source = "../c"\n}\n',
        "modules/c/main.tf": 'resource "a" "c" {}\n',
    }
    tree = MemoryTree({path: text.encode() for path, text in files.items()})

    def units(format_: TerraformFormat) -> dict[str, tuple[str, ...]]:
        return {unit.name: unit.paths for unit in format_.units(list(files), tree)}

    assert units(TerraformFormat()) == {
        ".": ("main.tf", "modules/a/main.tf"),
        "modules/b": ("modules/b/main.tf", "modules/c/main.tf"),
    }
    assert units(TerraformFormat([("b.tfvars", b'kind = "b"\n')])) == {
        ".": ("b.tfvars", "main.tf", "modules/b/main.tf", "modules/c/main.tf"),
        "modules/a": ("b.tfvars", "modules/a/main.tf"),
    }
