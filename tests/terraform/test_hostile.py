"""Values made to cost much: they are unknown, within bounded time, and the rest is evaluated."""

from __future__ import annotations

import random
import time

import pytest
from terraform_configuration import load_files

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
    started = time.perf_counter()
    configuration = load_files({"main.tf": HOSTILE[name] + '\nresource "a" "b" { v = local.v }\n'})
    assert time.perf_counter() - started < 10
    assert "a.b" in configuration.resources


def test_files_in_random_pieces_are_read() -> None:
    chance = random.Random(7)
    whole = HOSTILE["many blocks"] + _CHAIN[:400]
    for _ in range(100):
        cut = chance.randrange(len(whole))
        load_files({"main.tf": whole[:cut] + whole[cut + chance.randrange(9) :]})
