"""Values made to cost much: they are unknown, within bounded time, and the rest is evaluated."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terraform_configuration import load_files

from policy_engine.unknown import Unknown

_DOUBLING = "\n".join(f'  t{n} = "${{local.t{n - 1}}}${{local.t{n - 1}}}"' for n in range(1, 60))
_NESTING = "\n".join(f"  n{n} = [local.n{n - 1}, local.n{n - 1}]" for n in range(1, 60))
_CHAIN = "\n".join(f"  c{n} = local.c{n + 1}" for n in range(5000))
_RESOURCES = "\n".join(f'resource "r" "r{n}" {{ name = r.r{n + 1}.name }}' for n in range(400))
_WRAPPING = "\n".join(f"  w{n} = [local.w{n - 1}]" for n in range(1, 3000))
HOSTILE = {
    "a value of many levels": f"locals {{\n  w0 = 1\n{_WRAPPING}\n  v = local.w2999\n}}",
    "a value of many levels looked at": f"locals {{\n  w0 = 1\n{_WRAPPING}\n  v = jsonencode(toset([local.w2999]))\n}}",
    "doubling text": f'locals {{\n  t0 = "xxxxxxxx"\n{_DOUBLING}\n  v = local.t59\n}}',
    "doubling lists": f"locals {{\n  n0 = []\n{_NESTING}\n  v = local.n59\n}}",
    "doubling lists as JSON": f"locals {{\n  n0 = []\n{_NESTING}\n  v = jsonencode(local.n59)\n}}",
    "doubling lists compared": f"locals {{\n  n0 = []\n{_NESTING}\n  v = local.n59 == local.n58\n}}",
    "doubling lists in a set": f"locals {{\n  n0 = []\n{_NESTING}\n  v = toset([local.n59])\n}}",
    "loops in loops": "locals { v = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]] }",
    "template loops": 'locals { v = "%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x'
    '%{ endfor }%{ endfor }%{ endfor }" }',
    "a product": "locals { v = setproduct(range(1000), range(1000), range(1000)) }",
    "a power": "locals { v = pow(9, pow(9, 9)) }",
    "a factorial": "locals {\n  f0 = 9999999999\n"
    + "\n".join(f"  f{n} = local.f{n - 1} * local.f{n - 1}" for n in range(1, 40))
    + "\n  v = local.f39\n}",
    "a wide format": 'locals { v = format("%999999999d", 1) }',
    "a wide indent": 'locals { v = indent(999999999, "a\\nb") }',
    "a long chain": f'locals {{\n{_CHAIN}\n  c5000 = "end"\n  v = local.c0\n}}',
    "a long cycle": f"locals {{\n{_CHAIN}\n  c5000 = local.c0\n  v = local.c0\n}}",
    "a chain of resources": f'locals {{ v = r.r0.name }}\n{_RESOURCES}\nresource "r" "r400" {{ name = "x" }}',
    "a pattern": 'locals { v = regex("(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") }',
    "a pattern over a long text": 'locals { v = regexall("x*x*x*y", join("", [for n in range(1000) : "xxxxxxx"])) }',
    "deep JSON": 'locals { v = jsondecode("' + "[" * 20_000 + '") }',
    "a long sum": "locals { v = 1" + " + 1" * 20_000 + " }",
    "a long conjunction": "locals { v = true" + " && true" * 20_000 + " }",
    "a deep list": "locals { v = " + "[" * 140 + "]" * 140 + " }",
    "deep calls": "locals { v = " + "try(" * 140 + "1" + ")" * 140 + " }",
    "many instances": 'locals { v = 1 }\nresource "r" "r" {\n  count = 999999999\n  name = range(999)\n}',
    "many blocks": 'locals { v = 1 }\nresource "r" "r" {\n  dynamic "d" {\n    for_each = '
    "flatten([for a in range(300) : range(300)])\n    content { v = d.value }\n  }\n}",
    "a template of itself": 'locals { v = templatefile("main.tf", {}) }',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_cost_bounded_time(name: str) -> None:
    started = time.process_time()
    configuration = load_files({"main.tf": HOSTILE[name] + '\nresource "a" "b" { v = local.v }\n'})
    assert time.process_time() - started < 10
    assert "a.b" in configuration.resources


# -- many times many

_COUNTED = "count = 1000\n"
_BIG = "[for i in range(100) : range(1000)]"
_ALIASES = "".join(f"a{n}: &a{n} [" + f"*a{n - 1}, " * 10 + "]\n" for n in range(1, 30))
MULTIPLIED = {
    "modules and resources": {
        "main.tf": f'module "m" {{\n{_COUNTED}source = "./m"\n}}\n',
        "m/main.tf": f'resource "a" "c" {{\n{_COUNTED}v = count.index\n}}\n',
    },
    "modules in modules": {
        "main.tf": f'module "m" {{\n{_COUNTED}source = "./m"\n}}\n',
        "m/main.tf": f'module "n" {{\n{_COUNTED}source = "../n"\n}}\n',
        "n/main.tf": 'resource "a" "c" {}\n',
    },
    "resources and dynamic blocks": {
        "main.tf": f'resource "a" "c" {{\n{_COUNTED}dynamic "d" {{\nfor_each = range(1000)\ncontent {{\n}}\n}}\n}}\n'
    },
    "resources and blocks": {"main.tf": f'resource "a" "c" {{\n{_COUNTED}' + "d {}\n" * 5000 + "}\n"},
    "dynamic blocks in dynamic blocks": {
        "main.tf": 'resource "a" "c" {\n'
        + "".join(f'dynamic "d{n}" {{\nfor_each = range(1000)\ncontent {{\n' for n in range(3))
        + "}\n" * 7
    },
    "resources and large values": {
        "main.tf": f'locals {{ big = {_BIG} }}\nresource "a" "c" {{\n{_COUNTED}v = local.big\n}}\n'
    },
    "documents read again and again": {
        "main.tf": f'resource "a" "c" {{\n{_COUNTED}v = jsondecode(file("x.json"))[0]\n'
        'w = yamldecode(file("x.json"))[0]\n}\n',
        "x.json": "[" + "1, " * 100_000 + "1]",
    },
    "aliases of aliases": {
        "main.tf": 'resource "a" "c" {\nv = yamldecode(file("x.yaml"))\n}\n',
        "x.yaml": "a0: &a0 [x]\n" + _ALIASES,
    },
    "documents written again and again": {
        "main.tf": f"locals {{\nbig = flatten({_BIG})\nv = [for i in range(1000) : jsonencode(local.big)]\n}}\n"
    },
    "searches": {
        "main.tf": f"locals {{\nbig = flatten({_BIG})\nv = [for i in range(1000) : contains(local.big, -1)]\n}}\n"
    },
    "statements of a policy": {
        "main.tf": 'data "aws_iam_policy_document" "d" {\ndynamic "statement" {\nfor_each = range(1000)\ncontent {\n'
        'actions = [for i in range(1000) : "s3:${i}"]\n}\n}\n}\n'
    },
    "templates of each other": {
        "main.tf": 'resource "a" "c" {\nv = templatefile("x.tpl", {})\n}\n',
        "x.tpl": '${templatefile("y.tpl", {})}',
        "y.tpl": '${templatefile("x.tpl", {})}',
    },
    "calls of one module": {
        "main.tf": "".join(f'module "m{n}" {{\nsource = "./m"\n}}\n' for n in range(5000)),
        "m/main.tf": 'resource "a" "c" {}\n',
    },
    "a long list": {"main.tf": 'resource "a" "c" {\nv = [' + "1," * 500_000 + "]\n}\n"},
}


_MEASURED = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from test_hostile import MULTIPLIED
from terraform_configuration import load_files

def most_memory():
    # Of this process alone; what getrusage tells begins with that of the process which started it. Linux has it.
    if sys.platform != "linux":
        return 0
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024

files = MULTIPLIED[sys.argv[2]]
if "v =" in files["main.tf"] and "locals" in files["main.tf"]:
    files = {**files, "use.tf": 'resource "a" "d" {\\n  v = local.v\\n}\\n'}
before, started = most_memory(), time.process_time()
found = load_files({**files, "z.tf": 'resource "a" "b" { v = 1 }\\n'})
for resource in list(found.resources.values())[:20]:
    resource.locate(("v", 0))
print(json.dumps({
    "seconds": time.process_time() - started,
    "megabytes": most_memory() - before,
    "understood": "a.b" in found.resources or bool(found.problems),
}))
"""


@pytest.mark.parametrize("name", MULTIPLIED)
def test_what_multiplies_costs_bounded_time_and_memory(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(Path(__file__).parent), name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seconds"] < 20
    assert told["megabytes"] < 1000
    assert told["understood"]


# -- broken, and told where

_GOOD = 'resource "a" "b" { v = 1 }\n'
_DEEP = 5000
TOLD = {
    "breaks off in a block": ({"x.tf": 'resource "a" "c" {\n  v = 1\n'}, ["x.tf:1:1"]),
    "breaks off in an expression": ({"x.tf": 'resource "a" "c" {\n  v = [1,\n'}, ["x.tf:1:1", "x.tf:3:1"]),
    "breaks off in a name": ({"x.tf": "resourc"}, ["x.tf:1:8"]),
    "an unclosed string": ({"x.tf": 'resource "a" "c" {\n  v = "x\n  w = 2\n}\n'}, ["x.tf:2:7"]),
    "an unclosed heredoc": ({"x.tf": 'resource "a" "c" {\n  v = <<EOT\n  x\n}\n'}, ["x.tf:1:1", "x.tf:2:7"]),
    "an unclosed interpolation": ({"x.tf": 'locals {\n  v = "a${1 + "\n}\n'}, ["x.tf:2:15"]),
    "an unclosed comment": ({"x.tf": 'resource "a" "c" {}\n/* x\n'}, ["x.tf:2:1"]),
    "an unclosed directive": ({"x.tf": 'locals {\n  v = "%{ if true }x"\n}\n'}, ["x.tf:2:8"]),
    "brackets": ({"x.tf": "locals {\n  v = " + "[" * _DEEP + "]" * _DEEP + "\n}\n"}, ["x.tf:2:157"]),
    "open brackets": ({"x.tf": "locals {\n  v = " + "[" * _DEEP + "\n}\n"}, ["x.tf:2:157"]),
    "braces": ({"x.tf": "locals {\n  v = " + "{ a = " * _DEEP + "\n}\n"}, ["x.tf:1:1", "x.tf:2:907"]),
    "parentheses": ({"x.tf": "locals {\n  v = " + "(" * _DEEP + "1" + ")" * _DEEP + "\n}\n"}, ["x.tf:2:157"]),
    "blocks": ({"x.tf": "a {\n" * _DEEP + "}\n" * _DEEP}, ["x.tf:1:1"]),
    "templates": ({"x.tf": "locals {\n  v = " + '"${' * _DEEP + "1" + '}"' * _DEEP + "\n}\n"}, ["x.tf:2:232"]),
    "signs": ({"x.tf": "locals {\n  v = " + "!" * _DEEP + "true\n}\n"}, ["x.tf:2:158"]),
    "conditionals": ({"x.tf": "locals {\n  v = " + "true ? 1 : " * _DEEP + "2\n}\n"}, ["x.tf:2:1656"]),
    "brackets in JSON": ({"x.tf.json": '{"locals": {"v": ' + "[" * _DEEP + "]" * _DEEP + "}}"}, ["x.tf.json:1:167"]),
    "a control character": ({"x.tf": "locals {\n  v = \x00\n}\n"}, ["x.tf:2:7"]),
    "a cycle": ({"x.tf": 'locals {\n  a = local.b\n  b = local.a\n}\noutput "o" { value = local.a }\n'}, ["x.tf:2:3"]),
    "a module of itself": (
        {"x.tf": 'module "m" {\n  source = "./m"\n}\n', "m/x.tf": 'module "m" {\n  source = "../m"\n}\n'},
        ["m/x.tf:2:3"],
    ),
    "a module outside": ({"x.tf": 'module "m" {\n  source = "../../../.."\n}\n'}, ["x.tf:2:3"]),
    "a module outside by a detour": ({"x.tf": 'module "m" {\n  source = "./a/../../b"\n}\n'}, ["x.tf:2:3"]),
    "a broken variable file": ({"terraform.tfvars": "v = [\n"}, ["terraform.tfvars:2:1"]),
    "a broken JSON variable file": ({"terraform.tfvars.json": '{"v": '}, ["terraform.tfvars.json:1:7"]),
    "a broken list of modules": (
        {"x.tf": 'module "m" {\n  source = "a/b/c"\n}\n', ".terraform/modules/modules.json": '{"Modules": ['},
        [".terraform/modules/modules.json:1:14", "x.tf:2:3"],
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_broken_is_told_where_it_is_and_the_rest_evaluated(name: str) -> None:
    files, places = TOLD[name]
    started = time.process_time()
    found = load_files({**files, "good.tf": _GOOD})
    assert time.process_time() - started < 5
    told = [problem for problem in found.problems if problem.span is not None]
    assert len(told) == len(found.problems)
    first = [f"{one.path}:{one.span.start_line}:{one.span.start_column}" for one in told if one.span is not None]
    assert first[: len(places)] == places
    assert found["a.b"].value == {"v": 1}


@pytest.mark.parametrize(
    "expression",
    ["range(999999999)", "range(0, 1, 1e-9)", "setproduct(range(1000), range(1000), range(1000))", "pow(9, pow(9, 9))"],
)
def test_a_value_too_large_is_unknown_with_its_place(expression: str) -> None:
    found = load_files({"main.tf": f'resource "a" "b" {{\n  v = {expression}\n  w = 1\n}}\n'})
    value = found["a.b"].value
    assert isinstance(value["v"], Unknown)
    assert value["v"].origin is not None
    assert found.slice(value["v"].origin) == f"v = {expression}"
    assert value["w"] == 1


def test_files_in_random_pieces_are_read() -> None:
    chance = random.Random(7)
    whole = HOSTILE["many blocks"] + _CHAIN[:400]
    for _ in range(100):
        cut = chance.randrange(len(whole))
        load_files({"main.tf": whole[:cut] + whole[cut + chance.randrange(9) :]})
