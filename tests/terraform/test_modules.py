"""What a folder of files means: variables, locals, references, repetition, nested blocks, overrides."""

from __future__ import annotations

import pytest
from terraform_configuration import Loader, load_files

from policy_engine.unit import ProblemKind
from policy_engine.unknown import Embedded, Unknown


def value_of(load: Loader, text: str, **others: str) -> object:
    """The attribute `v` of the resource `a.b`."""
    return load(text, **others)["a.b"].value["v"]


# -- variables and locals


def test_variable_gives_its_default(load: Loader) -> None:
    assert value_of(load, 'variable "x" { default = "d" }\nresource "a" "b" { v = var.x }') == "d"


def test_variable_without_default_is_unknown_and_says_so(load: Loader) -> None:
    value = value_of(load, 'variable "x" {}\nresource "a" "b" { v = var.x }')
    assert isinstance(value, Unknown)
    assert value.reason == "variable 'x' has no default"
    assert str(value.origin) == "main.tf:1:1"


def test_variable_files_win_over_defaults_in_terraforms_order(load: Loader) -> None:
    text = """
        variable "a" { default = "default" }
        variable "b" { default = "default" }
        variable "c" { default = "default" }
        resource "a" "b" { v = [var.a, var.b, var.c] }
    """
    files = {
        "terraform__tfvars": 'a = "tfvars"\nb = "tfvars"\n',
        "x__auto__tfvars": 'b = "auto"\n',
        "y__auto__tfvars__json": '{"c": "json"}',
        "other__tfvars": 'a = "not read"',
    }
    assert value_of(load, text, **files) == ["tfvars", "auto", "json"]


@pytest.mark.parametrize(
    ("type_", "default", "expected"),
    [
        ("string", "5", "5"),
        ("number", '"5"', 5),
        ("bool", '"true"', True),
        ("list(string)", "[1, true]", ["1", "true"]),
        ("set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("map(number)", '{ a = "1" }', {"a": 1}),
        ("tuple([string, number])", '[1, "2"]', ["1", 2]),
        (
            "object({ a = string, b = optional(number, 3), c = optional(bool) })",
            "{ a = 1 }",
            {"a": "1", "b": 3, "c": None},
        ),
        ('list(object({ a = optional(string, "x") }))', "[{}, { a = null, z = 1 }]", [{"a": "x"}, {"a": "x"}]),
        ("any", "[1]", [1]),
        ('"string"', '"x"', "x"),
    ],
)
def test_variable_converts_to_its_type(load: Loader, type_: str, default: str, expected: object) -> None:
    text = f'variable "x" {{\n  type = {type_}\n  default = {default}\n}}\nresource "a" "b" {{ v = var.x }}'
    assert value_of(load, text) == expected


def test_variable_that_does_not_fit_its_type_is_unknown(load: Loader) -> None:
    value = value_of(load, 'variable "x" {\n  type = number\n  default = "abc"\n}\nresource "a" "b" { v = var.x }')
    assert isinstance(value, Unknown)
    assert value.reason == "variable 'x': a number is needed, not this string"


def test_locals_in_any_order_and_any_file(load: Loader) -> None:
    text = 'resource "a" "b" { v = local.c }\nlocals {\n  c = "${local.a}-${local.d}"\n  d = upper(local.a)\n}'
    assert value_of(load, text, other__tf='locals { a = "x" }') == "x-X"


def test_a_chain_of_a_thousand_locals_is_followed(load: Loader) -> None:
    chain = "\n".join(f"  l{n} = local.l{n + 1} + 1" for n in range(1000))
    assert value_of(load, f'locals {{\n{chain}\n  l1000 = 0\n}}\nresource "a" "b" {{ v = local.l0 }}') == 1000


def test_a_cycle_is_told_once_and_its_members_are_unknown(load: Loader) -> None:
    configuration = load("""
        locals {
          a = local.b
          b = "${local.c}x"
          c = local.a
          d = "fine"
        }
        resource "a" "b" {
          v = local.c
          w = local.a
          x = local.d
        }
    """)
    (problem,) = configuration.problems
    assert str(problem) == "main.tf:3:3: local.a refers to itself: local.a -> local.b -> local.c -> local.a"
    value = configuration["a.b"].value
    assert isinstance(value["v"], Unknown)
    assert isinstance(value["w"], Unknown)
    assert value["x"] == "fine"


@pytest.mark.parametrize("first", ["v = local.a\nw = local.b", "w = local.b\nv = local.a"])
def test_a_cycle_gives_the_same_whoever_asks_first(load: Loader, first: str) -> None:
    text = f'locals {{\n  a = local.b ? 1 : 2\n  b = local.a || true\n}}\nresource "a" "b" {{\n{first}\n}}'
    value = load(text)["a.b"].value
    assert isinstance(value["v"], Unknown)
    assert isinstance(value["w"], Unknown)


# -- references between resources


def test_an_attribute_set_elsewhere_is_known(load: Loader) -> None:
    text = 'resource "k" "k" { description = "d-${1 + 1}" }\nresource "a" "b" { v = k.k.description }'
    assert value_of(load, text) == "d-2"


def test_a_computed_attribute_is_unknown_and_refers_to_its_resource(load: Loader) -> None:
    value = value_of(load, 'resource "k" "k" {}\nresource "a" "b" { v = k.k.arn }')
    assert isinstance(value, Unknown)
    assert value.reason == "k.k.arn is known only after apply"
    assert value.refers_to == ("k.k",)
    assert value.present
    assert str(value.origin) == "main.tf:1:1"


def test_partly_known_text_keeps_what_is_known(load: Loader) -> None:
    value = value_of(load, 'resource "k" "k" {}\nresource "a" "b" { v = "arn:${k.k.id}/x${1}/${k.k.id}" }')
    assert isinstance(value, Unknown)
    assert value.fragments == ("arn:", None, "/x1/", None)
    assert value.refers_to == ("k.k",)
    assert not value.present


@pytest.mark.parametrize(
    ("expression", "refers_to"),
    [
        ("k.one.id", ("k.one",)),
        ("k.many[1].id", ("k.many[1]",)),
        ('k.each["x"].id', ('k.each["x"]',)),
        ("k.unsure[0].id", ("k.unsure",)),
        ("data.d.d.id", ("data.d.d",)),
        ("k.missing.id", ("k.missing",)),
        ("module.m.out", ("module.m",)),
        ("var.no ? k.one.id : k.many[0].id", ("k.one", "k.many[0]")),
        ('"${k.one.id}-${k.many[0].id}"', ("k.one", "k.many[0]")),
        ("upper(k.one.id)", ("k.one",)),
        ("[k.one.id, k.many[0].id][var.no]", ("k.one", "k.many[0]")),
    ],
)
def test_unknown_says_what_it_derives_from(load: Loader, expression: str, refers_to: tuple[str, ...]) -> None:
    value = value_of(
        load,
        f"""
        variable "no" {{}}
        resource "k" "one" {{}}
        resource "k" "many" {{ count = 2 }}
        resource "k" "each" {{ for_each = toset(["x"]) }}
        resource "k" "unsure" {{ count = var.no }}
        data "d" "d" {{}}
        module "m" {{ source = "./m" }}
        resource "a" "b" {{ v = {expression} }}
        """,
    )
    assert isinstance(value, Unknown)
    assert value.refers_to == refers_to


def test_splats_and_loops_over_instances(load: Loader) -> None:
    configuration = load("""
        resource "k" "k" {
          count = 2
          name  = "k${count.index}"
        }
        resource "e" "e" {
          for_each = { x = 1, y = 2 }
          size     = each.value
        }
        resource "a" "b" {
          names = k.k[*].name
          old   = k.k.*.name
          ids   = k.k[*].id
          sizes = { for key, one in e.e : key => one.size }
          all   = values(e.e)[*].size
          count_of = length(k.k)
          one   = k.k[1].name
          whole = e.e["x"]
        }
    """)
    value = configuration["a.b"].value
    assert value["names"] == value["old"] == ["k0", "k1"]
    assert [item.refers_to for item in value["ids"]] == [("k.k[0]",), ("k.k[1]",)]
    assert value["sizes"] == {"x": 1, "y": 2}
    assert value["all"] == [1, 2]
    assert value["count_of"] == 2
    assert value["one"] == "k1"
    assert type(value["whole"]) is Unknown


def test_nested_blocks_of_other_resources_are_seen(load: Loader) -> None:
    text = 'resource "k" "k" {\n  rule { id = "r" }\n}\nresource "a" "b" { v = k.k.rule[0].id }'
    assert value_of(load, text) == "r"


# -- repetition


@pytest.mark.parametrize(
    ("repetition", "addresses"),
    [
        ("", ["a.b"]),
        ("count = 0", []),
        ("count = 2", ["a.b[0]", "a.b[1]"]),
        ('count = "1"', ["a.b[0]"]),
        ("count = var.no", ["a.b"]),
        ("count = false ? 1 : 0", []),
        ("for_each = {}", []),
        ("for_each = toset([])", []),
        ('for_each = toset(["y", "x"])', ['a.b["x"]', 'a.b["y"]']),
        ('for_each = { "k 1" = 1 }', ['a.b["k 1"]']),
        ('for_each = { "q\\"\\\\" = 1 }', ['a.b["q\\"\\\\"]']),
        ("for_each = var.no", ["a.b"]),
        ("for_each = { x = var.no }", ['a.b["x"]']),
        ('for_each = ["x"]', ["a.b"]),
        ("count = -1", ["a.b"]),
    ],
)
def test_instances_have_terraforms_addresses(load: Loader, repetition: str, addresses: list[str]) -> None:
    configuration = load(f'variable "no" {{}}\nresource "a" "b" {{\n  {repetition}\n}}')
    assert [one for one in configuration.resources if one.startswith("a.b")] == addresses


def test_each_and_count_in_instances(load: Loader) -> None:
    configuration = load("""
        resource "a" "b" {
          for_each = { x = { size = 1 }, y = { size = 2 } }
          v        = "${each.key}${each.value.size}"
        }
        resource "c" "d" {
          count = 2
          v     = count.index
        }
    """)
    assert {address: one.value.get("v") for address, one in configuration.resources.items()} == {
        'a.b["x"]': "x1",
        'a.b["y"]': "y2",
        "c.d[0]": 0,
        "c.d[1]": 1,
    }
    assert "for_each" not in configuration['a.b["x"]'].value


def test_unknown_repetition_gives_one_resource_that_stands_for_all(load: Loader) -> None:
    configuration = load("""
        variable "names" {}
        resource "a" "b" {
          for_each = toset(var.names)
          fixed    = "f"
          name     = "x-${each.key}"
        }
    """)
    value = configuration["a.b"].value
    assert value["fixed"] == "f"
    assert value["name"].fragments == ("x-", None)


def test_too_many_instances_are_cut_and_told(load: Loader) -> None:
    configuration = load('resource "a" "b" { count = 1000000000 }')
    assert len(configuration.resources) == 1000
    (problem,) = configuration.problems
    assert problem.kind.value == "limited"
    assert problem.message == "a.b has 1000000000 instances; only the first 1000 are looked at"


# -- nested blocks


def test_blocks_are_lists_of_mappings_with_their_labels(load: Loader) -> None:
    configuration = load("""
        resource "a" "b" {
          one { x = 1 }
          one { x = 2 }
          provisioner "local-exec" { command = "echo" }
          deep {
            inner { y = [1] }
          }
        }
    """)
    assert configuration["a.b"].value == {
        "one": [{"x": 1}, {"x": 2}],
        "provisioner": [{"__labels__": ["local-exec"], "command": "echo"}],
        "deep": [{"inner": [{"y": [1]}]}],
    }


def test_dynamic_blocks_are_expanded(load: Loader) -> None:
    configuration = load("""
        resource "a" "b" {
          rule { port = 1 }
          dynamic "rule" {
            for_each = [22, 80]
            content {
              port  = rule.value
              index = rule.key
              dynamic "inner" {
                for_each = toset(["q"])
                iterator = it
                content { v = "${rule.value}${it.value}" }
              }
            }
          }
          dynamic "none" {
            for_each = {}
            content {}
          }
        }
    """)
    assert configuration["a.b"].value == {
        "rule": [
            {"port": 1},
            {"port": 22, "index": 0, "inner": [{"v": "22q"}]},
            {"port": 80, "index": 1, "inner": [{"v": "80q"}]},
        ],
        "none": [],
    }


def test_dynamic_block_over_something_unknown_stands_for_all(load: Loader) -> None:
    configuration = load("""
        variable "ports" {}
        resource "a" "b" {
          dynamic "rule" {
            for_each = var.ports
            content {
              port = rule.value
              cidr = "0.0.0.0/0"
            }
          }
        }
    """)
    (rule,) = configuration["a.b"].value["rule"]
    assert rule["cidr"] == "0.0.0.0/0"
    assert rule["port"].reason == "variable 'ports' has no default"


# -- documents


def test_jsonencode_gives_text_with_its_document(load: Loader) -> None:
    value = value_of(load, 'resource "a" "b" { v = jsonencode({ b = [1, true], a = "x" }) }')
    assert value == '{"a":"x","b":[1,true]}'
    assert isinstance(value, Embedded)
    assert value.value == {"a": "x", "b": [1, True]}


def test_jsonencode_with_an_unknown_inside_keeps_the_rest(load: Loader) -> None:
    value = value_of(load, 'resource "k" "k" {}\nresource "a" "b" { v = jsonencode({ a = "x", r = k.k.arn }) }')
    assert isinstance(value, Embedded)
    assert value.value["a"] == "x"  # type: ignore[index]
    assert value.value["r"].refers_to == ("k.k",)  # type: ignore[index]


def test_text_made_of_an_unknown_document_is_unknown(load: Loader) -> None:
    text = 'resource "k" "k" {}\nlocals { p = jsonencode([k.k.arn]) }\nresource "a" "b" { v = length(local.p) }'
    assert isinstance(value_of(load, text), Unknown)
    assert isinstance(value_of(load, text.replace("length(local.p)", "jsondecode(local.p)[0]")), Unknown)


def test_heredoc_document_with_an_unknown_piece_is_read(load: Loader) -> None:
    configuration = load("""
        resource "k" "k" {}
        resource "a" "b" {
          v = <<-EOT
            {
              "Action": "*",
              "Resource": ["${k.k.arn}/*", "\\"q"],
              "Count": ${k.k.size}
            }
          EOT
        }
    """)
    value = configuration["a.b"].value["v"]
    assert isinstance(value, Embedded)
    document = value.value
    assert document["Action"] == "*"  # type: ignore[index]
    assert document["Resource"][0].fragments == (None, "/*")  # type: ignore[index]
    assert document["Resource"][1] == '"q'  # type: ignore[index]
    assert isinstance(document["Count"], Unknown)  # type: ignore[index]


# -- files


def test_file_functions_see_the_scanned_tree_alone() -> None:
    configuration = load_files(
        {
            "m/main.tf": """
                resource "a" "b" {
                  text   = file("${path.module}/x.txt")
                  filled = templatefile("t.tpl", { name = "n", list = [1, 2] })
                  digest = filemd5("x.txt")
                  names  = fileset(path.module, "*.txt")
                  there  = fileexists("x.txt")
                  gone   = fileexists("y.txt")
                  up     = file("../secret.txt")
                  out    = file("../../etc/passwd")
                  abs    = file("/etc/passwd")
                }
            """,
            "m/x.txt": "hello",
            "m/t.tpl": "%{ for x in list ~}\n${x}-${name}\n%{ endfor ~}\n",
            "secret.txt": "s",
        },
        "m",
    )
    value = configuration["a.b"].value
    assert value["text"] == "hello"
    assert value["filled"] == "1-n\n2-n\n"
    assert value["digest"] == "5d41402abc4b2a76b9719d911017c592"
    assert value["names"] == ["x.txt"]
    assert value["there"] is True
    assert isinstance(value["gone"], Unknown)
    assert value["up"] == "s"
    assert value["out"].reason == "the file '../../etc/passwd' lies outside of what is scanned"
    assert value["abs"].reason == "the file '/etc/passwd' lies outside of what is scanned"


# -- other blocks


def test_every_kind_of_block_has_a_type_and_an_address(load: Loader) -> None:
    configuration = load("""
        terraform {
          required_version = ">= 1.5"
          required_providers {
            aws = {
              source                = "hashicorp/aws"
              version               = "~> 5.0"
              configuration_aliases = [aws.west]
            }
          }
          backend "s3" { encrypt = true }
        }
        provider "aws" { region = "eu-west-1" }
        provider "aws" {
          alias  = "west"
          region = "us-west-1"
        }
        variable "x" {
          type      = list(string)
          sensitive = true
        }
        output "o" {
          value = 1 + 1
        }
        module "m" {
          source    = "./m"
          providers = { aws = aws.west }
        }
        data "aws_ami" "i" { owners = ["self"] }
        resource "aws_x" "y" {
          provider   = aws.west
          depends_on = [module.m, data.aws_ami.i]
          lifecycle {
            ignore_changes = [tags["a"], name]
          }
        }
    """)
    assert [one.kind for one in configuration.problems] == [ProblemKind.LIMITED]  # there is no folder m
    assert {one.address: one.type for one in configuration.resources.values()} == {
        "aws_x.y": "aws_x",
        "data.aws_ami.i": "data.aws_ami",
        "provider.aws": "provider.aws",
        "provider.aws.west": "provider.aws",
        "module.m": "module",
        "var.x": "variable",
        "output.o": "output",
        "terraform": "terraform",
    }
    assert configuration["output.o"].value == {"value": 2}
    assert configuration["var.x"].value == {"type": "list(string)", "sensitive": True}
    assert configuration["module.m"].value == {"source": "./m", "providers": {"aws": "aws.west"}}
    assert configuration["aws_x.y"].value == {
        "provider": "aws.west",
        "depends_on": ["module.m", "data.aws_ami.i"],
        "lifecycle": [{"ignore_changes": ['tags["a"]', "name"]}],
    }
    settings = configuration["terraform"].value
    assert settings["required_providers"] == [
        {"aws": {"source": "hashicorp/aws", "version": "~> 5.0", "configuration_aliases": ["aws.west"]}}
    ]
    assert settings["backend"] == [{"__labels__": ["s3"], "encrypt": True}]


def test_override_files_are_merged(load: Loader) -> None:
    configuration = load(
        """
        resource "a" "b" {
          v = 1
          w = 1
          x { y = 1 }
          z { y = 1 }
        }
        locals { l = 1 }
        resource "c" "d" { l = local.l }
        """,
        override__tf='resource "a" "b" { v = 2 }\nlocals { l = 2 }',
        more_override__tf='resource "a" "b" {\n  x { y = 2 }\n  x { y = 3 }\n}',
    )
    assert configuration["a.b"].value == {"v": 2, "w": 1, "z": [{"y": 1}], "x": [{"y": 2}, {"y": 3}]}
    assert configuration["c.d"].value == {"l": 2}


def test_json_syntax_reads_like_the_native_one() -> None:
    configuration = load_files(
        {
            "main.tf.json": """{
  "//": "a comment",
  "variable": {"x": {"type": "list(string)", "default": ["p"]}},
  "locals": {"l": "${upper(var.x[0])}"},
  "resource": {
    "a": {
      "b": {
        "v": "${local.l}-x",
        "tags": {"Name": "n"},
        "rule": [{"port": 1}, {"port": 2}],
        "versioning": {"enabled": true},
        "dynamic": {"block": {"for_each": [1], "content": {"n": "${block.value}"}}},
        "escaped": "q\\"${1 + 1}\\u00e9",
        "count": "${1}"
      }
    }
  },
  "output": {"o": [{"value": "$${literal}"}]}
}
"""
        }
    )
    assert configuration.problems == []
    assert configuration["a.b[0]"].value == {
        "v": "P-x",
        "tags": {"Name": "n"},
        "rule": [{"port": 1}, {"port": 2}],
        "versioning": [{"enabled": True}],
        "block": [{"n": 1}],
        "escaped": 'q"2é',
    }
    assert configuration["output.o"].value == {"value": "${literal}"}
    assert configuration.place("a.b[0]", "rule", 1, "port") == '"port": 2'
    assert configuration.place("a.b[0]", "tags", "Name") == '"Name": "n"'
    assert configuration.place("a.b[0]", "escaped") == '"escaped": "q\\"${1 + 1}\\u00e9"'
    assert configuration.slice(configuration["a.b[0]"].location) == '"b"'


def test_json_has_texts_that_are_no_templates_and_keys_that_are() -> None:
    configuration = load_files(
        {
            "main.tf.json": """{
  "variable": {"x": {"default": "${not} a %{template}"}, "k": {"default": {"a${1}": "$${k}"}}},
  "locals": {"name": "n"},
  "resource": {
    "a": {
      "b": {"v": {"${local.name}-1": ["${var.x}", {"%{if true}y%{endif}": "${var.k}"}], "$${z}": 1}},
      "c": {"for_each": {"one": {"size": 1}, "${local.name}": {"size": 2}}, "size": "${each.value.size}"}
    }
  }
}
"""
        }
    )
    assert configuration.problems == []
    deep = {"n-1": ["${not} a %{template}", {"y": {"a${1}": "$${k}"}}], "${z}": 1}
    assert configuration["a.b"].value == {"v": deep}
    assert configuration['a.c["one"]'].value == {"size": 1}
    assert configuration['a.c["n"]'].value == {"size": 2}
    assert configuration.place("a.b", "v", "n-1", 1, "y", "a${1}") == '"a${1}": "$${k}"'
    assert configuration.place('a.c["n"]', "size") == '"size": 2'


# -- mistakes


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('resorce "a" "b" {}\n', ["main.tf:1:1: 'resorce' is no kind of block that Terraform knows here"]),
        ('resource "a" {}\n', ["main.tf:1:1: a 'resource' block has two labels, not 1"]),
        ("x = 1\n", ["main.tf:1:1: an attribute outside of any block"]),
        ('resource "a" "b" {}\nresource "a" "b" {}\n', ["main.tf:2:1: resource 'a.b' is declared twice"]),
        ("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", ["main.tf:5:3: local value 'a' is declared twice"]),
        ('resource "a" "b" {\n  v = [1\n}\n', ["main.tf:3:1: expected ',' or ']' after a list item, found '}'"]),
    ],
)
def test_mistakes_are_problems_with_their_place(load: Loader, text: str, problems: list[str]) -> None:
    assert [str(problem) for problem in load(text).problems] == problems


def test_a_broken_attribute_is_unknown_and_not_absent(load: Loader) -> None:
    configuration = load('resource "a" "b" {\n  v = 1 +\n  w = 2\n}\n')
    value = configuration["a.b"].value
    assert isinstance(value["v"], Unknown)
    assert value["w"] == 2


def test_a_resource_read_in_part_is_not_judged_and_the_others_are(load: Loader) -> None:
    configuration = load('resource "a" "b" {\n  nested {\n\nresource "c" "d" {\n  v = 1\n}\n')
    assert list(configuration.resources) == ["c.d"]
    assert [str(problem) for problem in configuration.problems] == ["main.tf:2:3: the 'nested' block is not closed"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ('1 + "a"', "a number is needed, not this string"),
        ("[1][5]", "index 5 is outside of the 1 elements"),
        ("{ a = 1 }.b", "there is no attribute 'b'"),
        ("nosuch(1)", "there is no function 'nosuch'"),
        ("var.nope", "variable 'nope' is not declared in this module"),
        ("local.nope", "local value 'nope' is not declared in this module"),
        ("nothing", "there is no 'nothing' here"),
        ("each.key", "'each' means nothing here"),
        ("{ a.b = 1 }", "not understood: a key that is an expression must stand in parentheses"),
    ],
)
def test_what_terraform_refuses_is_unknown_with_the_reason(load: Loader, expression: str, reason: str) -> None:
    value = value_of(load, f'resource "a" "b" {{ v = {expression} }}')
    assert isinstance(value, Unknown)
    assert value.reason == reason


def test_names_of_provider_configurations_may_be_keys(load: Loader) -> None:
    configuration = load("""
        module "m" {
          source    = "./m"
          providers = { aws = aws.west, aws.us-east-1 = aws, "aws.eu" = aws.eu }
          acl       = "private"
        }
    """)
    called = configuration["module.m"].value
    assert called["providers"] == {"aws": "aws.west", "aws.us-east-1": "aws", "aws.eu": "aws.eu"}
    assert called["acl"] == "private"
    assert all("no configuration files" in problem.message for problem in configuration.problems)


def test_text_that_is_not_utf_8_is_told_and_the_rest_read() -> None:
    from policy_engine.tree import MemoryTree
    from policy_engine_plugins.terraform import TerraformFormat

    tree = MemoryTree({"main.tf": b'resource "a" "b" {\n  v = "\xff"\n}\n'})
    format_ = TerraformFormat()
    (unit,) = format_.units(["main.tf"], tree)
    loaded = format_.load(unit, tree)
    assert [str(problem) for problem in loaded.problems] == ["main.tf:2:8: not UTF-8 text: invalid start byte"]
    assert len(loaded.resources) == 1


POLICY = """
    variable "account" {}
    data "aws_iam_policy_document" "base" {
      statement {
        sid       = "Base"
        actions   = ["sts:AssumeRole"]
        principals {
          type        = "AWS"
          identifiers = ["*"]
        }
      }
    }
    data "aws_iam_policy_document" "p" {
      source_policy_documents = [data.aws_iam_policy_document.base.json]
      statement {
        effect    = "Deny"
        actions   = ["s3:Get*", "s3:*"]
        resources = ["arn:aws:s3:::${var.account}/*"]
        condition {
          test     = "Bool"
          variable = "aws:SecureTransport"
          values   = ["false"]
        }
      }
    }
    data "aws_iam_policy_document" "unsure" {
      source_policy_documents = [var.account]
      statement {
        actions   = ["*"]
        resources = ["*"]
        principals {
          type        = "*"
          identifiers = ["*"]
        }
      }
    }
    resource "r" "p" { v = data.aws_iam_policy_document.p.json }
    resource "r" "unsure" { v = data.aws_iam_policy_document.unsure.json }
    resource "r" "base" { v = data.aws_iam_policy_document.base.json }
"""


def test_policy_documents_are_computed(load: Loader) -> None:
    configuration = load(POLICY)
    base = configuration["r.base"].value["v"]
    statement = {"Sid": "Base", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    assert base.value == {"Version": "2012-10-17", "Statement": [statement]}
    assert (
        base
        == '{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"AWS":"*"},"Sid":"Base"}],'
        + ('"Version":"2012-10-17"}')
    )
    first, second = configuration["r.p"].value["v"].value["Statement"]
    assert first == statement
    assert second["Action"] == ["s3:Get*", "s3:*"]
    assert second["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert second["Resource"].fragments == ("arn:aws:s3:::", None, "/*")


def test_policy_document_with_unknown_source_keeps_its_own_statements(load: Loader) -> None:
    first, second = load(POLICY)["r.unsure"].value["v"].value["Statement"]
    assert isinstance(first, Unknown)
    assert second == {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}


def test_policy_document_leads_to_the_argument(load: Loader) -> None:
    configuration = load(POLICY)
    assert configuration.place("r.base", "v", "Statement", 0, "Action") == 'actions   = ["sts:AssumeRole"]'
    assert configuration.place("r.p", "v", "Statement", 0, "Action") == "v = data.aws_iam_policy_document.p.json"
