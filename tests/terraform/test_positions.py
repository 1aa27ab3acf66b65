"""Every attribute's place in the source, cut out and read again, is that attribute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import configuration_cases
import pytest
from module_cases import cases, read
from msgspec import Struct

from policy_engine_plugins.terraform.parser import parse, parse_expression
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import Attribute, Block, Body, Literal

CORPUS = Path(__file__).parents[1] / "corpus" / "terraform"


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(CORPUS.rglob("*.tf")):
        yield str(path.relative_to(CORPUS)), path.read_bytes().decode("utf-8", "replace")
    for case in cases():
        for name, text in read(case)[0].items():
            if name.endswith(".tf"):
                yield f"{case.parent.name}/{case.stem}/{name}", text
    for name in configuration_cases.names():
        for path, text in configuration_cases.read(name).sources.items():
            if path.endswith((".tf", ".tofu", ".tfvars")):
                yield f"{name}/{path}", text


def attributes(body: Body) -> Iterator[Attribute]:
    yield from body.attributes.values()
    for block in body.blocks:
        yield from attributes(block.body)


def blocks(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        yield block
        yield from blocks(block.body)


def without_places(node: object) -> object:
    """A tree's content, its offsets left out."""
    if isinstance(node, Struct):
        return type(node).__name__, [
            without_places(getattr(node, name)) for name in node.__struct_fields__ if name not in ("start", "end")
        ]
    if isinstance(node, (tuple, list)):
        return [without_places(item) for item in node]
    return node


def cut(text: str, source: Source, start: int, end: int) -> str:
    """The stretch by its lines and columns, as a report gives them."""
    span = source.span(start, end)
    lines = text.split("\n")
    if span.start_line == span.end_line:
        return lines[span.start_line - 1][span.start_column - 1 : span.end_column - 1]
    first, *middle, last = lines[span.start_line - 1 : span.end_line]
    return "\n".join([first[span.start_column - 1 :], *middle, last[: span.end_column - 1]])


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in texts()])
def test_every_attribute_is_where_its_place_says(name: str, text: str) -> None:
    source = Source(name, text)
    for attribute in attributes(parse(source).body):
        stretch = cut(text, source, attribute.start, attribute.end)
        if "\r" in text:
            continue  # columns are the same, but this cut keeps the carriage returns
        again = parse(Source(name, stretch + "\n"))
        assert not again.faults or _is_faulty(attribute)
        if not again.faults:
            (read_again,) = again.body.attributes.values()
            assert without_places(read_again.expression) == without_places(attribute.expression)
        assert stretch.startswith(attribute.name)


def _is_faulty(attribute: Attribute) -> bool:
    return type(attribute.expression).__name__ == "Invalid"


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in texts()])
def test_every_expression_within_is_where_its_place_says(name: str, text: str) -> None:
    source = Source(name, text)
    for attribute in attributes(parse(source).body):
        for node in _inner(attribute.expression):
            stretch = source.text[node.start : node.end]
            assert without_places(parse_expression(Source(name, stretch))) == without_places(node), stretch


def _inner(node: Any) -> Iterator[Any]:
    """List items, arguments, operands and object values: what findings point at. Keys and parts of texts are no
    expressions that stand alone."""
    kind = type(node).__name__
    if kind == "ListExpression":
        children = list(node.items)
    elif kind == "ObjectExpression":
        children = [item.value for item in node.items]
    elif kind == "Call":
        children = list(node.arguments)
    elif kind == "Conditional":
        children = [node.condition, node.then, node.otherwise]
    elif kind == "Binary":
        children = [node.left, node.right]
    elif kind == "For":
        children = [node.collection, node.result]
    elif kind == "Parentheses":
        children = [node.inner]
    else:
        children = []
    for child in children:
        yield child
        yield from _inner(child)


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in texts()])
def test_every_block_is_where_its_place_says(name: str, text: str) -> None:
    source = Source(name, text)
    tree = parse(source)
    for block in blocks(tree.body):
        header = source.text[block.start : block.header_end]
        assert header.split()[0].strip('"') == block.type
        for label in block.labels:
            written = source.text[label.start : label.end]
            assert written.strip('"') == label.value or "\\" in written
        if not tree.faults:
            assert source.text[block.end - 1] == "}"


def test_there_is_something_to_look_at() -> None:
    found = [one for _, text in texts() for one in attributes(parse(Source("", text)).body)]
    assert len(found) > 700
    assert sum(isinstance(one.expression, Literal) for one in found) > 200
