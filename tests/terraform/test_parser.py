"""The syntax tree: every node's span, sliced from the text, is what a reader would point at."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from msgspec import Struct

from policy_engine.span import Span
from policy_engine_plugins.terraform import syntax
from policy_engine_plugins.terraform.parser import parse
from policy_engine_plugins.terraform.source import Source


def tree_of(text: str) -> syntax.SyntaxTree:
    return parse(Source("main.tf", text))


def expression_of(text: str) -> syntax.Expression:
    tree = tree_of(f"x = {text}\n")
    assert tree.faults == []
    return tree.body.attributes["x"].expression


def nodes(node: object) -> Iterator[object]:
    yield node
    if isinstance(node, Struct) and not isinstance(node, Source):
        for name in node.__struct_fields__:
            yield from nodes(getattr(node, name))
    elif isinstance(node, (tuple, list)):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from nodes(item)


def shape(node: object) -> object:
    """The tree as nested text, to compare precedence and structure at a glance."""
    match node:
        case syntax.Literal():
            return node.value
        case syntax.Reference():
            return ".".join(str(step) for step in node.steps)
        case syntax.Binary():
            return (shape(node.left), node.operator, shape(node.right))
        case syntax.Unary():
            return (node.operator, shape(node.operand))
        case syntax.Conditional():
            return ("if", shape(node.condition), shape(node.then), shape(node.otherwise))
        case syntax.Parentheses():
            return shape(node.inner)
        case syntax.Call():
            return (node.name + ("..." if node.expand else ""), *(shape(argument) for argument in node.arguments))
        case syntax.ListExpression():
            return [shape(item) for item in node.items]
        case syntax.ObjectExpression():
            return {str(shape(item.key)): shape(item.value) for item in node.items}
        case syntax.Index():
            return (shape(node.source), "[]", shape(node.key))
        case syntax.GetAttribute():
            return (shape(node.source), ".", node.name)
        case syntax.Splat():
            return (shape(node.source), "*", shape(node.each))
        case syntax.SplatItem():
            return "it"
        case syntax.For():
            names = (node.key_name, node.value_name)
            key = None if node.key_result is None else shape(node.key_result)
            condition = None if node.condition is None else shape(node.condition)
            return ("for", names, shape(node.collection), key, shape(node.result), condition, node.group)
        case syntax.Template():
            return ("template", *(shape(part) for part in node.parts))
        case syntax.Text():
            return node.value
        case syntax.Interpolation():
            return ("$", shape(node.expression))
        case syntax.IfDirective():
            return ("%if", shape(node.condition), [shape(p) for p in node.then], [shape(p) for p in node.otherwise])
        case syntax.ForDirective():
            return ("%for", node.key_name, node.value_name, shape(node.collection), [shape(p) for p in node.parts])
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("2.5", 2.5),
        ("1e3", 1000),
        ("1.5e-3", 0.0015),
        ("12345678901234567890123", 12345678901234567890123),
        ("true", True),
        ("null", None),
        ('"a$b%c"', "a$b%c"),
        (r'"tab\t quote\" back\\ \u00e9 \U0001F600"', 'tab\t quote" back\\ é 😀'),
        ('"$${not} %%{either}"', "${not} %{either}"),
        ('"$$${x}"', "$${x}"),
        ("var.a", "var.a"),
        ("truely", "truely"),
        ("a-b.c-d", "a-b.c-d"),
        ("aws_x.y[0].id", "aws_x.y.0.id"),
        ('aws_x.y["k"].id', "aws_x.y.k.id"),
        ("a.b.0.c", "a.b.0.c"),
        ("a . b", "a.b"),
        ("a.b[var.i]", ("a.b", "[]", "var.i")),
        ("a.b[var.i].c[0]", ((("a.b", "[]", "var.i"), ".", "c"), "[]", 0)),
        ("a.*.b.c", ("a", "*", (("it", ".", "b"), ".", "c"))),
        ("a.*.b[0]", (("a", "*", ("it", ".", "b")), "[]", 0)),
        ("a[*].b[0]", ("a", "*", (("it", ".", "b"), "[]", 0))),
        ("a[*].b[*].c", ("a", "*", (("it", ".", "b"), "*", ("it", ".", "c")))),
        ("f()", ("f",)),
        ("f(1, [2],)", ("f", 1, [2])),
        ("f(a, b...)", ("f...", "a", "b")),
        ("provider::acme::f(1)", ("provider::acme::f", 1)),
        ("1 + 2 * 3", (1, "+", (2, "*", 3))),
        ("1 - 2 - 3", ((1, "-", 2), "-", 3)),
        ("(1 - 2) * 3", ((1, "-", 2), "*", 3)),
        ("-a.b * 2", (("-", "a.b"), "*", 2)),
        ("!a && b || c", ((("!", "a"), "&&", "b"), "||", "c")),
        (
            "a || b && c == d < e + f % g",
            ("a", "||", ("b", "&&", ("c", "==", ("d", "<", ("e", "+", ("f", "%", "g")))))),
        ),
        ("a ? b : c ? d : e", ("if", "a", "b", ("if", "c", "d", "e"))),
        ("a ? b ? 1 : 2 : 3", ("if", "a", ("if", "b", 1, 2), 3)),
        ("a == b ? 1 : 2", ("if", ("a", "==", "b"), 1, 2)),
        ("a-b", "a-b"),
        ("a - b", ("a", "-", "b")),
        ("[]", []),
        ("[\n1, # one\n  2 /* two */\n]", [1, 2]),
        ('["a", var.b, [1]]', ["a", "var.b", [1]]),
        ("(1\n+\n2)", (1, "+", 2)),
        ("{}", {}),
        ('{ a = 1, "b" : 2 }', {"a": 1, "b": 2}),
        ("{\n  a = 1 # c\n  b = {\n c = 2 }\n\n (var.k) = 3\n}", {"a": 1, "b": {"c": 2}, "var.k": 3}),
        ("{ true = 1, 2 = 3 }", {"true": 1, "2": 3}),
        ("[for x in a : x]", ("for", (None, "x"), "a", None, "x", None, False)),
        ("[for k, v in a : v if v != null]", ("for", ("k", "v"), "a", None, "v", ("v", "!=", None), False)),
        ("{for k, v in a : v => k...}", ("for", ("k", "v"), "a", "v", "k", None, True)),
        ("[\n  for x in [1] :\n  x\n]", ("for", (None, "x"), [1], None, "x", None, False)),
        ("[format(1)]", [("format", 1)]),
        ('"${a}"', ("template", ("$", "a"))),
        ('"x-${var.a}-${ f("in ${b}") }"', None),
        ('"%{ if a }y%{ else }n%{ endif }"', ("template", ("%if", "a", ["y"], ["n"]))),
        ('"%{ for k, v in m }${k}%{ endfor }"', ("template", ("%for", "k", "v", "m", [("$", "k")]))),
        ('"a ${~ b ~} c"', ("template", "a", ("$", "b"), "c")),
    ],
)
def test_expression_reads_as(text: str, expected: object) -> None:
    node = expression_of(text)
    if expected is not None:
        assert shape(node) == expected
    assert ("x = " + text)[node.start : node.end] == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<<EOT\n  a\n b\nEOT", "  a\n b\n"),
        ("<<-EOT\n    a\n      b\n\n    c\n    EOT", "a\n  b\n\nc\n"),
        ('<<EOT\nback\\slash "quoted" $${x} $5 100%\nEOT', 'back\\slash "quoted" ${x} $5 100%\n'),
        ("<<EOT\nEOT", ""),
        ("<<EOT\nEOT not yet\n  EOT", "EOT not yet\n"),
        ("<<EOT\r\na\r\nEOT", "a\r\n"),
        ("<<-EOT\n\ta\n\t\tb\nEOT", "a\n\tb\n"),
    ],
)
def test_heredoc_gives_its_text(text: str, value: str) -> None:
    node = expression_of(text)
    assert isinstance(node, syntax.Template)
    assert node.heredoc
    assert "".join(part.value for part in node.parts if isinstance(part, syntax.Text)) == value
    assert ("x = " + text)[node.start : node.end] == text


def test_heredoc_strip_marker_takes_white_space_of_its_own_line_only() -> None:
    node = expression_of("<<EOT\nfirst\n  %{ if a ~}\n    second\n  %{~ endif }\nEOT")
    assert shape(node) == ("template", "first\n  ", ("%if", "a", ["    second\n"], []), "\n")


def test_indented_heredoc_with_interpolation_keeps_relative_indentation() -> None:
    node = expression_of("<<-EOT\n    a ${x}\n      b\n    ${y}\n  EOT")
    assert shape(node) == ("template", "a ", ("$", "x"), "\n", "  b\n", ("$", "y"), "\n")


NESTED = """\
# about the bucket
resource "aws_s3_bucket" "logs" { // trailing
  acl    = "public-read" /* odd */
  größe  = "é-${var.größe}-😀" # multi-byte
  tags   = { Name = "x", "k" : [1, var.b[0].c] }
  dynamic "rule" {
    for_each = { for k, v in var.m : k => v... if v != null }
    content { id = rule.key }
  }
  empty {}
}
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spans_slice_to_what_they_name(newline: str) -> None:
    text = NESTED.replace("\n", newline)
    tree = tree_of(text)
    assert tree.faults == []
    (bucket,) = tree.body.blocks
    assert text[bucket.start : bucket.header_end] == 'resource "aws_s3_bucket" "logs"'
    assert text[bucket.start : bucket.end] == text[text.index("resource") :].rstrip()
    assert [text[label.start : label.end] for label in bucket.labels] == ['"aws_s3_bucket"', '"logs"']
    attributes = {name: text[item.start : item.end] for name, item in bucket.body.attributes.items()}
    assert attributes == {
        "acl": 'acl    = "public-read"',
        "größe": 'größe  = "é-${var.größe}-😀"',
        "tags": 'tags   = { Name = "x", "k" : [1, var.b[0].c] }',
    }
    rule, empty = bucket.body.blocks
    assert text[rule.start : rule.header_end] == 'dynamic "rule"'
    assert text[empty.start : empty.end] == "empty {}"
    (content,) = rule.body.blocks
    assert text[content.start : content.end] == "content { id = rule.key }"
    assert [text[start:end] for start, end in tree.comments] == [
        "# about the bucket",
        "// trailing",
        "/* odd */",
        "# multi-byte",
    ]
    size = bucket.body.attributes["größe"].expression
    assert isinstance(size, syntax.Template)
    assert [text[part.start : part.end] for part in size.parts] == ["é-", "${var.größe}", "-😀"]
    column = NESTED.splitlines()[3].index("-😀") + 1
    assert tree.source.span(size.parts[2].start, size.parts[2].end) == Span(4, column, 4, column + 2)


def test_lines_end_as_the_model_says() -> None:
    source = Source("x", "a\nb\r\nc\rd\u2028e")
    assert [source.span(at, at + 1).start_line for at in (0, 2, 5, 7, 9)] == [1, 2, 3, 4, 4]
    assert source.span(0, 3) == Span(1, 1, 2, 2)


def test_bodies_hold_blocks_of_every_shape() -> None:
    tree = tree_of('a "l" m {\n}\nb{ x = 1 }\nc"x"{}\nd {\n  e {\n    f = 1\n  }\n}\n')
    assert tree.faults == []
    kinds = [(block.type, [label.value for label in block.labels]) for block in tree.body.blocks]
    assert kinds == [("a", ["l", "m"]), ("b", []), ("c", ["x"]), ("d", [])]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a = \n", (1, 5, 1, 5), "expected a value, found the end of the line"),
        ("a = [1 2]\n", (1, 8, 1, 9), "expected ',' or ']' after a list item, found '2'"),
        ("a = {b 1}\n", (1, 8, 1, 9), "expected '=' or ':' after a key, found '1'"),
        ("a = f(1\n", (2, 1, 2, 1), "expected ',' or ')' after an argument, found the end of the file"),
        ('a = "x\nb = 1\n', (1, 5, 1, 7), "the string is not closed on its line"),
        ('é = "ü" 1\n', (1, 9, 1, 10), "expected a newline after the attribute's value, found '1'"),
        ('a = "\\q"\n', (1, 6, 1, 8), "'\\q' is no escape sequence"),
        ("a = <<EOT\nx\n", (1, 5, 1, 10), "the heredoc has no line with its end marker EOT"),
        ("a = 1 /* x\n", (1, 7, 1, 9), "the comment is not closed"),
        ('a = "%{ if x }y"\n', (1, 6, 1, 15), "the 'if' directive has no 'endif'"),
        ('a = "%{ endfor }"\n', (1, 6, 1, 17), "'endfor' without an 'for' directive before it"),
        ("a = x ? 1\n", (1, 10, 1, 10), "expected ':' and the value for the other case, found the end of the line"),
        ("a = 1\na = 2\n", (2, 1, 2, 2), "'a' is set twice in this block"),
        ("a\n", (1, 2, 1, 2), "expected '=' or a block's '{' after 'a', found the end of the line"),
        ("}\n", (1, 1, 1, 2), "a closing brace without its opening one"),
        ("a {\n", (1, 1, 1, 2), "the 'a' block is not closed"),
        (
            "a { b = 1\n}\n",
            (1, 10, 1, 10),
            "expected '}' after the only attribute of a one-line block, found the end of the line",
        ),
        ("a = 1 + \x00\n", (1, 9, 1, 10), "expected a value, found character U+0000"),
    ],
)
def test_mistake_is_told_where_it_is(text: str, place: tuple[int, int, int, int], message: str) -> None:
    tree = tree_of(text)
    first = tree.faults[0]
    assert (tree.source.span(first.start, first.end), first.message) == (Span(*place), message)


@pytest.mark.parametrize(
    "broken",
    [
        "  x = [1, 2\n",
        "  x = {\n",
        "  x = (1 +\n",
        '  x = "abc\n',
        "  x = <<EOT\n  abc\n",
        '  x = "${f(}"\n',
        "  x =\n",
        "  x y z\n",
        "  ]\n",
        "  nested {\n",
        '  x = "${<<EOT\n',
    ],
)
def test_what_follows_a_mistake_is_still_read(broken: str) -> None:
    text = f'resource "a" "first" {{\n  before = 1\n{broken}}}\n\nresource "a" "second" {{\n  after = 2\n}}\n'
    tree = tree_of(text)
    assert tree.faults
    assert [block.labels[1].value for block in tree.body.blocks] == ["first", "second"]
    first, second = tree.body.blocks
    assert "before" in first.body.attributes
    assert second.body.complete
    assert shape(second.body.attributes["after"].expression) == 2


def test_an_attribute_with_a_mistake_is_invalid_and_its_neighbours_are_read() -> None:
    tree = tree_of("a {\n  x = [1,\n    2 3]\n  y = 1 1\n  z = 4\n}\n")
    attributes = tree.body.blocks[0].body.attributes
    assert isinstance(attributes["x"].expression, syntax.Invalid)
    assert isinstance(attributes["y"].expression, syntax.Invalid)
    assert shape(attributes["z"].expression) == 4
    assert tree.body.blocks[0].body.complete


def test_missing_brace_does_not_swallow_the_next_block() -> None:
    tree = tree_of('resource "a" "one" {\n  x = 1\n  inner {\n    y = 2\n\nresource "a" "two" {\n  z = 3\n}\n')
    one, two = tree.body.blocks
    assert (one.body.complete, two.body.complete) == (False, True)
    assert [fault.message for fault in tree.faults] == ["the 'inner' block is not closed"]


def test_faults_are_bounded() -> None:
    tree = tree_of("]\n" * 5000)
    assert len(tree.faults) == 101
    assert tree.faults[-1].message == "4900 further mistakes are not listed"


HOSTILE = {
    "brackets": "a = " + "[" * 5000,
    "closed brackets": "a = " + "[" * 5000 + "]" * 5000 + "\n",
    "many brackets": "a = " + "(" * 200_000,
    "objects": "a = " + "{a=" * 5000,
    "object keys": "a = {" + "{({(" * 50_000,
    "brackets against braces": "a = " + "[" * 100_000 + "}" * 100_000,
    "blocks": "a {\n" * 50_000,
    "headers": 'resource "a" "b" {\n' * 20_000,
    "headers with lists": 'resource "a" "b" {\n x = [\n' * 20_000,
    "heredocs": "a = <<E\n" * 50_000,
    "heredocs with their own marker": "".join(f"a{i} = <<E{i}\n" for i in range(50_000)),
    "broken heredocs": "a = <<E\n${(]}\nE\n" * 20_000,
    "long heredoc line": "a = <<E\n" + "some text $ % ${" * 20_000,
    "strings": 'a = "x\n' * 50_000,
    "comments": "a = /*\n" * 50_000,
    "templates": "a = " + '"${' * 5000,
    "signs": "a = " + "!-" * 50_000 + "1\n",
    "indexes": "a = b" + "[c]" * 50_000 + "\n",
    "splats": "a = b" + "[*]" * 50_000 + "\n",
    "attribute splats": "a = b" + ".*.c" * 50_000 + "\n",
    "conditionals": "a = " + "b ? c : " * 50_000 + "d\n",
    "directives": 'a = "' + "%{if a}" * 50_000 + '"\n',
    "loops": "a = " + "[for a in " * 50_000,
    "digits": "a = " + "1" * 200_000 + "\n",
    "dollars": 'a = "' + "$" * 200_000 + '"\n',
    "escapes": 'a = "' + "\\" * 200_000 + '"\n',
    "white space": "a = [\n" + " \n" * 100_000 + "?",
    "words": "a " * 100_000,
    "labels": 'a "b" ' * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_linear_time(name: str) -> None:
    started = time.process_time()
    tree_of(HOSTILE[name])
    assert time.process_time() - started < 5


def test_long_chains_are_no_nesting() -> None:
    assert tree_of("a = 1" + " + 1" * 20_000 + "\n").faults == []
    assert tree_of("a = [" + "[1], " * 20_000 + "]\n").faults == []


def test_too_deep_nesting_is_told() -> None:
    tree = tree_of("a = " + "[" * 151 + "]" * 151 + "\nb = 1\n")
    assert [fault.message for fault in tree.faults] == ["nested more than 150 levels deep"]
    assert "b" in tree.body.attributes
    assert tree_of("a = " + "[" * 149 + "]" * 149 + "\n").faults == []


@pytest.mark.parametrize(
    "text",
    [
        "[ # c\n for k in a : k]",
        "[\n // c\n\n # d\n for k in a : k\n]",
        "[/* c */ for k in a : k]",
        "[for /* c */ k /* d */ in # e\n a # f\n : k # g\n]",
        "[for k // x\nin a : k]",
        "[ for k in a : k ]",
    ],
)
def test_comments_may_stand_anywhere_in_a_loop(text: str) -> None:
    tree = tree_of(f"x = {text}\n")
    assert tree.faults == []
    assert type(tree.body.attributes["x"].expression).__name__ == "For"
    assert len(tree.comments) == text.count("#") + text.count("//") + text.count("/*")


def test_comments_may_stand_before_the_loop_of_an_object() -> None:
    tree = tree_of(
        "x = {\n  # c\n  for k /* d */ , /* e */ v in a : k => v\n}\ny = { # c\n  a = 1\n}\nz = [ # c\n  1\n]\n"
    )
    assert tree.faults == []
    kinds = [type(one.expression).__name__ for one in tree.body.attributes.values()]
    assert kinds == ["For", "ObjectExpression", "ListExpression"]
    assert len(tree.comments) == 5


def test_labels_may_hold_dollar_and_percent_signs() -> None:
    tree = tree_of('a "100%" "$x" "%v$" {}\na "${x}" {}\n')
    assert [label.value for label in tree.body.blocks[0].labels] == ["100%", "$x", "%v$"]
    assert tree.faults
