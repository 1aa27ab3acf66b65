"""What must hold of every configuration, tried on generated ones."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from terraform_configuration import load_files

from policy_engine.partial import PartialDict, PartialList
from policy_engine.unknown import Embedded, Unknown

# -- unknown monotonicity

_LEAVES = [
    "1",
    "0",
    "2.5",
    '"a"',
    '"10"',
    '""',
    '"a,b"',
    "true",
    "false",
    "null",
    "[]",
    "{}",
    '["a", "b"]',
    "[1, 2]",
    '{ a = 1, b = "x" }',
    "var.u",
    "var.u",
    "var.u",
    "local.k",
    "aws.r.name",
    "aws.r.id",
]


_OPERATORS = ["+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||"]
_ONE = [
    "length",
    "upper",
    "tostring",
    "tonumber",
    "tobool",
    "tolist",
    "toset",
    "tomap",
    "keys",
    "values",
    "jsonencode",
    "flatten",
    "distinct",
    "sort",
    "compact",
    "reverse",
    "sum",
    "alltrue",
    "anytrue",
    "one",
    "max",
    "abs",
    "can",
    "try",
    "sensitive",
    "trimspace",
    "yamlencode",
    "jsondecode",
]
_TWO = [
    "concat",
    "merge",
    "contains",
    "coalesce",
    "try",
    "join",
    "split",
    "lookup",
    "element",
    "setunion",
    "setsubtract",
    "setintersection",
    "setproduct",
    "startswith",
    "endswith",
    "strcontains",
    "format",
    "trimprefix",
    "zipmap",
    "index",
    "coalescelist",
    "chunklist",
    "formatlist",
]
_SHAPES = [
    "({0} ? {1} : {2})",
    "[{0}, {1}]",
    "{{ a = {0}, b = {1} }}",
    '{{ (try(tostring({0}), "k")) = {1} }}',
    '"x-${{{0}}}-${{{1}}}"',
    '"%{{ if {0} }}y%{{ else }}${{{1}}}%{{ endif }}"',
    "[for x in {0} : [x, {1}]]",
    "[for x in {0} : x if x == {1}]",
    "{{ for k, v in {0} : k => {1} }}",
    "({0})[{1}]",
    "({0})[*]",
    "({0}).a",
    *(f"({{0}} {operator} {{1}})" for operator in _OPERATORS),
    *(f"{name}({{0}})" for name in _ONE),
    *(f"{name}({{0}}, {{1}})" for name in _TWO),
]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(_LEAVES))
    shape = draw(st.sampled_from(_SHAPES))
    used = [at for at in range(3) if f"{{{at}}}" in shape]
    return shape.format(*(draw(expressions(depth - 1)) for _ in used))


@st.composite
def undecided_expressions(draw: st.DrawFn) -> str:
    """Expressions that something unknown takes part in."""
    expression = draw(expressions())
    if "var.u" in expression or "aws.r" in expression:
        return expression
    shape = draw(st.sampled_from(_SHAPES))
    used = [at for at in range(3) if f"{{{at}}}" in shape]
    unknown = draw(st.sampled_from(used))
    return shape.format(*("var.u" if at == unknown else expression for at in used))


@st.composite
def concrete_values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 4)) if depth else 0
    if kind < 3:
        return draw(st.sampled_from(["1", "0", '"a"', '""', '"10"', "true", "false", "null", '"b,c"', '"x-a-a"']))
    items = [draw(concrete_values(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == 3:
        return f"[{', '.join(items)}]"
    return "{ " + ", ".join(f"{key} = {value}" for key, value in zip("abc", items, strict=False)) + " }"


def evaluated(expression: str, default: str | None) -> Any:
    given_default = "" if default is None else f"default = {default}"
    text = (
        f'variable "u" {{ {given_default} }}\nlocals {{ k = "a" }}\nresource "aws" "r" {{ name = var.u }}\n'
        f'resource "a" "b" {{ v = {expression} }}\n'
    )
    configuration = load_files({"main.tf": text})
    assert configuration.problems == []
    return configuration["a.b"].value["v"]


def agrees(before: Any, after: Any) -> bool:
    """Whether what was known before still holds. Terraform's conversion of a conditional's sides to one type may make
    a string of a number, where the other side was not known."""
    if isinstance(before, Unknown):
        known = [part for part in before.fragments if part]
        return not known or isinstance(after, Unknown) or all(part in str(after) for part in known)
    if isinstance(before, Embedded):
        return isinstance(after, Embedded) and agrees(before.value, after.value)
    if isinstance(after, Unknown):
        return False
    if isinstance(before, PartialDict):
        return isinstance(after, dict) and all(key in after and agrees(before[key], after[key]) for key in before)
    if isinstance(before, PartialList):
        # Sets are sorted, and what becomes known may be there already: each known element is there, somewhere.
        known_items = [item for item in before if not isinstance(item, Unknown)]
        return isinstance(after, list) and all(any(agrees(item, other) for other in after) for item in known_items)
    if isinstance(before, dict):
        return (
            isinstance(after, dict)
            and before.keys() == after.keys()
            and all(agrees(before[k], after[k]) for k in before)
        )
    if isinstance(before, list):
        return isinstance(after, list) and len(before) == len(after) and all(map(agrees, before, after))
    return _text(before) == _text(after)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(undecided_expressions(), concrete_values())
def test_knowing_more_never_changes_what_was_known(expression: str, concrete: str) -> None:
    before = evaluated(expression, None)
    after = evaluated(expression, concrete)
    if isinstance(after, Unknown):
        assume(False)  # refused with this value: Terraform would stop
    assert agrees(before, after), f"{expression}: {before!r} became {after!r} with {concrete}"


# -- any text at all

_SNIPPETS = [
    *('resource "a" "b" {', "locals {", 'dynamic "d" {', "content {", "}", "x = ", "for_each = ", "count = "),
    *("{", "[", "]", "(", ")", '"', "${", "%{ if x }", "%{ endif }", "~}", "$${", "<<EOT\n", "EOT\n", "\\"),
    *("\n", "\r\n", "/*", "*/", "# c\n", "for k, v in ", ": ", "=> ", "...", "? ", ".*", "[*]", "var.x", "1e9", "é"),
    *("&&", "!", "-", "\x00", "\ufeff"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_SNIPPETS), st.text(max_size=4)), max_size=40).map("".join))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    configuration = load_files({"main.tf": text.encode("utf-8", "replace").decode()})
    for resource in configuration.resources.values():
        resource.locate(("x", 0))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    from policy_engine.tree import MemoryTree
    from policy_engine_plugins.terraform import TerraformFormat

    tree = MemoryTree({"main.tf": data, "more.tf.json": data, "terraform.tfvars": data})
    format_ = TerraformFormat()
    (unit,) = format_.units(["main.tf", "more.tf.json"], tree)
    format_.load(unit, tree)
    list(format_.comments("main.tf", data))


# -- the order of things

_BLOCKS = [
    'variable "a" { default = "x" }',
    "locals { b = upper(var.a) }",
    'locals { c = "${local.b}${r.one.name}" }',
    'resource "r" "one" { name = "n-${local.b}" }',
    'resource "r" "two" {\n  for_each = toset([local.b, local.c])\n  name = each.key\n}',
    'output "o" { value = [for r in r.two : r.name] }',
    """resource "r" "three" {
      count = length(r.two)
      dynamic "d" {
        for_each = r.two
        content { k = d.key }
      }
    }""",
]


@settings(max_examples=30, deadline=None)
@given(st.permutations(_BLOCKS), st.integers(1, 4))
def test_values_depend_on_no_order_of_blocks_or_files(blocks: list[str], files: int) -> None:
    expected = load_files({"main.tf": "\n".join(_BLOCKS)})
    split = {f"f{number}.tf": "\n".join(blocks[number::files]) for number in range(files)}
    found = load_files(split)
    assert {address: one.value for address, one in found.resources.items()} == {
        address: one.value for address, one in expected.resources.items()
    }
