"""Every attribute is found where it stands, and a value that came from elsewhere where it is to be changed."""

from __future__ import annotations

import pytest
from terraform_configuration import Loader

BUCKET = """\
resource "aws_s3_bucket" "b" {
  acl  = "public-read" # wrong
  tags = merge({ Name = "n" }, {
    Owner = "o"
  })
  cidr = ["10.0.0.0/8",
    "0.0.0.0/0"]
  rule {
    id = 1
  }
  rule {
    id = 2
    deep "label" {
      on = false
    }
  }
  dynamic "port" {
    for_each = [22, 80]
    content {
      number = port.value
      fixed  = true
    }
  }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Deny" },
      {
        "Effect" : "Allow"
        Action   = ["s3:*", "s3:Get"]
      },
    ]
  })
  heredoc = <<-EOT
    {
      "Statement": [
        {"Action": "s3:*",  "Resource": "${aws_s3_bucket.b.arn}/*"}
      ]
    }
  EOT
  choice = true ? { a = 1 } : { a = 2 }
  made   = { for k, v in { x = 1, y = 2 } : k => { size = v } }
  listed = [for v in [1, 2, 3] : v * 10 if v > 1]
  joined = concat(["a"], ["b", "c"])
}
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("acl",), 'acl  = "public-read"'),
        (("cidr", 0), '"10.0.0.0/8"'),
        (("cidr", 1), '"0.0.0.0/0"'),
        (("cidr", 7), 'cidr = ["10.0.0.0/8",\n    "0.0.0.0/0"]'),
        (("tags", "Name"), 'Name = "n"'),
        (("tags", "Owner"), 'Owner = "o"'),
        (("rule",), "rule"),
        (("rule", 0), "rule"),
        (("rule", 1, "id"), "id = 2"),
        (("rule", 1, "missing"), "rule"),
        (("rule", 9, "id"), 'resource "aws_s3_bucket" "b"'),
        (("rule", 1, "deep", 0), 'deep "label"'),
        (("rule", 1, "deep", 0, "on"), "on = false"),
        (("rule", 1, "deep", 0, "off"), 'deep "label"'),
        (("port", 1), 'dynamic "port"'),
        (("port", 1, "fixed"), "fixed  = true"),
        (("port", 1, "number"), "80"),
        (("port", 0, "missing"), 'dynamic "port"'),
        (("missing",), 'resource "aws_s3_bucket" "b"'),
        ((), 'resource "aws_s3_bucket" "b"'),
        (("policy", "Version"), 'Version = "2012-10-17"'),
        (("policy", "Statement", 0), '{ Effect = "Deny" }'),
        (("policy", "Statement", 1, "Effect"), '"Effect" : "Allow"'),
        (("policy", "Statement", 1, "Action", 0), '"s3:*"'),
        (("policy", "Statement", 0, "Action"), '{ Effect = "Deny" }'),
        (("heredoc", "Statement", 0, "Action"), '"Action": "s3:*"'),
        (("heredoc", "Statement", 0, "Resource"), '"Resource": "${aws_s3_bucket.b.arn}/*"'),
        (("heredoc", "Statement", 0), '{"Action": "s3:*",  "Resource": "${aws_s3_bucket.b.arn}/*"}'),
        (("choice", "a"), "a = 1"),
        (("made", "y", "size"), "y = 2"),
        (("listed", 1), "v * 10"),
        (("joined", 2), '"c"'),
    ],
)
def test_path_leads_to(load: Loader, path: tuple[str | int, ...], expected: str, newline: str) -> None:
    configuration = load(BUCKET.replace("\n", newline))
    assert configuration.problems == []
    assert configuration.place("aws_s3_bucket.b", *path) == expected.replace("\n", newline)


def test_header_and_extent_of_a_resource(load: Loader) -> None:
    configuration = load("# é\n" + BUCKET + "\n# end\n")
    bucket = configuration["aws_s3_bucket.b"]
    assert configuration.slice(bucket.location) == 'resource "aws_s3_bucket" "b"'
    assert bucket.extent is not None
    assert configuration.slice(bucket.extent) == BUCKET.rstrip("\n")


THROUGH = """
variable "acl" {
  default = "public-read"
}
variable "given" {
  default = "x"
}
variable "rules" {
  default = {
    ssh = { port = 22, cidr = ["0.0.0.0/0"] }
  }
}
locals {
  acl     = var.acl
  wrapped = "${local.acl}"
  by_env  = { prod = { open = true }, dev = { open = false } }
}
resource "t" "other" {
  size = 5
}
resource "t" "counted" {
  count = 2
  size  = 7
}
resource "t" "t" {
  direct  = var.acl
  chained = local.wrapped
  given   = var.given
  listed  = ["a", var.acl]
  nested  = local.by_env["prod"].open
  indexed = local.by_env[var.given == "x" ? "prod" : "dev"].open
  upper   = upper(var.acl)
  other   = t.other.size
  item    = t.counted[1].size
  tried   = try(local.nope.x, var.acl)
  looked  = lookup(local.by_env.prod, "open", false)
  default = lookup(local.by_env.prod, "none", "fallback")
}
resource "t" "each" {
  for_each = var.rules
  port     = each.value.port
  cidr     = each.value.cidr
  name     = each.key
}
resource "t" "set" {
  for_each = toset(["b", "a"])
  name     = each.value
}
"""


@pytest.mark.parametrize(
    ("address", "path", "place", "way"),
    [
        ("t.t", ("direct",), 'default = "public-read"', [("direct  = var.acl", "used by t.t here")]),
        (
            "t.t",
            ("chained",),
            'default = "public-read"',
            [
                ("acl     = var.acl", "used by local.acl here"),
                ('wrapped = "${local.acl}"', "used by local.wrapped here"),
                ("chained = local.wrapped", "used by t.t here"),
            ],
        ),
        ("t.t", ("given",), 'given = "y"', [("given   = var.given", "used by t.t here")]),
        ("t.t", ("listed", 0), '"a"', []),
        ("t.t", ("listed", 1), 'default = "public-read"', [("var.acl", "used by t.t here")]),
        ("t.t", ("nested",), "open = true", [('nested  = local.by_env["prod"].open', "used by t.t here")]),
        ("t.t", ("upper",), "upper   = upper(var.acl)", []),
        ("t.t", ("other",), "size = 5", [("other   = t.other.size", "used by t.t here")]),
        ("t.t", ("item",), "size  = 7", [("item    = t.counted[1].size", "used by t.t here")]),
        ("t.t", ("looked",), "open = true", None),
        ("t.t", ("default",), 'default = lookup(local.by_env.prod, "none", "fallback")', []),
        ('t.each["ssh"]', ("port",), "port = 22", None),
        ('t.each["ssh"]', ("cidr", 0), '"0.0.0.0/0"', None),
        ('t.each["ssh"]', ("name",), "name     = each.key", []),
        ('t.set["b"]', ("name",), '"b"', None),
    ],
)
def test_value_is_followed_to_the_place_to_change(
    load: Loader, address: str, path: tuple[str | int, ...], place: str, way: list[tuple[str, str]] | None
) -> None:
    configuration = load(THROUGH, terraform__tfvars='given = "y"\n')
    assert configuration.place(address, *path) == place
    if way is not None:
        assert configuration.way(address, *path) == way


def test_value_that_nobody_sets_stays_at_its_use(load: Loader) -> None:
    configuration = load('variable "x" {}\nresource "a" "b" { v = [var.x] }')
    assert configuration.place("a.b", "v", 0) == "var.x"
    assert configuration.place("a.b", "v") == "v = [var.x]"
    assert configuration.way("a.b", "v", 0) == []


@pytest.mark.parametrize(
    "expression",
    ["local.a", "local.a.b.c", "[for x in local.a : x]", "{ a = local.a }", "local.a[local.a]", "1 / 0", "[", "var.v"],
)
@pytest.mark.parametrize("path", [("v",), ("v", 0), ("v", "a"), ("v", "a", 0, "b"), ("v", -1), ("v", 10**30)])
def test_locating_never_fails(load: Loader, expression: str, path: tuple[str | int, ...]) -> None:
    configuration = load(f'locals {{\n a = local.b\n b = local.a\n}}\nresource "a" "b" {{\n  v = {expression}\n}}\n')
    for resource in configuration.resources.values():
        resource.locate(path)


def test_columns_count_code_points(load: Loader) -> None:
    configuration = load('resource "a" "b" {\n  v = ["é😀", "x"]\n}\n')
    span = configuration["a.b"].locate(("v", 1)).location.span
    assert (span.start_line, span.start_column, span.end_line, span.end_column) == (2, 14, 2, 17)
