"""XML with places, by the standard library's parser: no entities, no document outside, bounded depth and size."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from policy_engine.span import Span
from policy_engine.unit import Problem

MAX_DEPTH = 200
MAX_ELEMENTS = 200_000


class Element(Struct):
    """`name` without its namespace; `span` is where its tag begins."""

    name: str
    attributes: dict[str, str]
    span: Span
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def find(self, name: str) -> Element | None:
        return next((each for each in self.children if each.name == name), None)

    def all(self, name: str) -> list[Element]:
        return [each for each in self.children if each.name == name]

    def value(self, name: str) -> str:
        found = self.find(name)
        return found.text.strip() if found is not None else ""

    def walk(self) -> list[Element]:
        found, waiting = [], [self]
        while waiting:
            each = waiting.pop()
            found.append(each)
            waiting.extend(reversed(each.children))
        return found


class _Refused(Exception):
    pass


def parse_xml(data: bytes, path: str) -> tuple[Element | None, list[Problem]]:
    from xml.parsers import expat

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    top = Element("", {}, Span(1, 1, 1, 2))
    stack = [top]
    count = 0

    def place() -> Span:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        return Span(line, column, line, column + 1)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels, or more than {MAX_ELEMENTS} elements")
        name = name.rpartition(" ")[2]
        span = place()
        span = Span(span.start_line, span.start_column, span.end_line, span.start_column + len(name) + 1)
        element = Element(name, {key.rpartition(" ")[2]: value for key, value in attributes.items()}, span)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        if len(stack[-1].text) < 10_000:
            stack[-1].text += text

    def refuse(*_: Any) -> None:
        raise _Refused("it declares entities, which are not expanded")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        span = Span(error.lineno, error.offset + 1, error.lineno, error.offset + 2)
        return None, [Problem(path, f"not valid XML: {expat.ErrorString(error.code)}", span)]
    except (_Refused, ValueError, LookupError) as error:
        return None, [Problem(path, f"not valid XML: {error}", place())]
    return (top.children[0] if top.children else None), []
