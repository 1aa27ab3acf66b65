"""What OpenTofu has and Terraform has not."""

from __future__ import annotations

from terraform_configuration import Loader, load_files
from test_calls import load as load_all


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
