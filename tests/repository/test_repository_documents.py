"""JSON, TOML and XML with places; whatever they hold."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine_plugins.repository.json_document import parse_json
from policy_engine_plugins.repository.toml_document import parse_toml
from policy_engine_plugins.repository.xml_document import parse_xml

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def shown(text: str, span: Span) -> str:
    line = text.split("\n")[span.start_line - 1]
    return line[span.start_column - 1 : span.end_column - 1]


@given(VALUES, st.sampled_from([None, 1, "\t"]))
@settings(max_examples=300, deadline=None)
def test_json_is_read_as_the_standard_library_reads_it(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    document, problems = parse_json(text.encode(), "x.json")
    assert not problems
    assert document is not None
    assert document.value == json.loads(text)


@given(st.text(alphabet="{}[],:\"'\\ntu0123456789.eE+-/* \n\ttrufalsn$_", max_size=60))
@settings(max_examples=500, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    document, problems = parse_json(text.encode(), "x.json")
    assert (document is None) == bool(problems)
    try:
        expected = json.loads(text)
    except ValueError:
        return
    assert document is not None
    assert document.value == expected or text.strip() in ("NaN", "-NaN") or expected != expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1}", {"a": 1}),
        ("{'a': 'it\\'s', /* c */ \"b\": [1, 2,], }", {"a": "it's", "b": [1, 2]}),
        (
            "// first\n{\n  // second\n  $x_1: .5, y: +1, z: 0xFF, w: 5.,\n}\n",
            {"$x_1": 0.5, "y": 1, "z": 255, "w": 5.0},
        ),
        ('{"a": "x\\\ny"}', {"a": "xy"}),
        ('{"u": "\\u00e9\\ud83d\\ude00"}', {"u": "é😀"}),
        ("\ufeff[true, false, null]", [True, False, None]),
    ],
)
def test_settings_as_people_write_them(text: str, value: Any) -> None:
    document, problems = parse_json(text.encode(), "x.json5")
    assert not problems
    assert document is not None
    assert document.value == value


@pytest.mark.parametrize(
    ("path", "expected"),
    [(("a",), '"a": "x"'), (("b", 1), "22"), (("c", "d"), '"d": true'), (("c",), '"c"'), (("b",), '"b"')],
)
def test_places_in_json(path: AttributePath, expected: str) -> None:
    text = '{\n\t"a": "x",\n\t"b": [\n\t\t1,\n\t\t22\n\t],\n\t"c": {\n\t\t"d": true\n\t}\n}\n'
    document, _ = parse_json(text.encode(), "x.json")
    assert document is not None
    assert shown(text, document.at(path)) == expected


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "empty"),
        ("{\n  a 1\n}", 2, "':' is missing"),
        ("[1\n2]", 2, "',' or ']' is missing"),
        ("{} {}", 1, "more than one value"),
        ('{"a": "x\n"}', 1, "not closed"),
        ("{\n'a': b}", 2, "no value"),
        ("[1, 2", 1, "is missing"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, line: int, message: str) -> None:
    document, (problem,) = parse_json(text.encode(), "x.json")
    assert document is None
    assert problem.span is not None
    assert problem.span.start_line == line
    assert message in problem.message


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{'a':" * 100_000, '"' + "\\u0041" * 100_000, "/*" * 200_000, "9" * 300_000, "[" + "1," * 400_000],
)
def test_hostile_json_ends(text: str) -> None:
    started = time.perf_counter()
    parse_json(text.encode(), "x.json")
    assert time.perf_counter() - started < 20


def test_places_in_toml() -> None:
    text = (
        'title = """\n[not.a.table]\nx = 1\n"""\n[tool.poetry.dependencies]\nz = { git = "u" }\n'
        "list = [\n  'a = 1',\n]\n\"quoted.key\" = 1\na.b = 2\n"
        "[[tool.uv.index]]\nurl = 'x'\n[[tool.uv.index]]\nurl = 'y'\n"
    )
    document, problems = parse_toml(text.encode(), "pyproject.toml")
    assert not problems
    assert document is not None
    table = ("tool", "poetry", "dependencies")
    assert document.at(("title",)).start_line == 1
    assert document.at((*table, "z")).start_line == 6
    assert document.at((*table, "list")).start_line == 7
    assert document.at((*table, "quoted.key")).start_line == 10
    assert document.at((*table, "a", "b")).start_line == 11
    assert document.at(("tool", "uv", "index", 0, "url")).start_line == 13
    assert document.at(("tool", "uv", "index", 1, "url")).start_line == 15
    assert document.at((*table, "gone")).start_line == 5


@pytest.mark.parametrize("text", ["a = ", "[a\n", "a = 1\na = 2\n", "a = " + "[" * 100_000])
def test_broken_toml_is_a_problem(text: str) -> None:
    document, problems = parse_toml(text.encode(), "pyproject.toml")
    assert document is None
    assert len(problems) == 1


def test_places_in_xml() -> None:
    text = '<?xml version="1.0"?>\n<project xmlns="urn:x">\n  <a>\n    <url k="v"> x </url>\n  </a>\n</project>\n'
    root, problems = parse_xml(text.encode(), "pom.xml")
    assert not problems
    assert root is not None
    url = root.walk()[2]
    assert (url.name, url.text.strip(), url.attributes, url.span.start_line, url.span.start_column) == (
        "url",
        "x",
        {"k": "v"},
        4,
        5,
    )


@pytest.mark.parametrize(
    "text",
    [
        "<a><b></a>",
        "",
        "<a>" * 5000,
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "<a b='1' b='2'/>",
    ],
)
def test_broken_and_hostile_xml_is_a_problem(text: str) -> None:
    root, problems = parse_xml(text.encode(), "pom.xml")
    assert root is None
    assert len(problems) == 1
    assert problems[0].span is not None
