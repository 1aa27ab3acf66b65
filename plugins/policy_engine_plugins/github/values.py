"""Turns a document's scalars into values: decided `${{ }}` are evaluated, the rest unknown; and lists expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.path import show_path
from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine.unit import Problem
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import Mark, YamlDocument, YamlMapping, YamlSequence
from policy_engine_plugins.github.expression import ExpressionError, Node, contexts, flows, parse
from policy_engine_plugins.github.source import Source
from policy_engine_plugins.github.template import OPEN, Part, known, split
from policy_engine_plugins.github.traits import SURROUNDED, parsed_contexts, traits


class Found(Struct, frozen=True):
    """An expression: the path of its scalar in the document, its text and tree, and its place.

    surrounded  of the first expression of a condition: true where the condition is a text around it, an Unknown where
                that depends on the run
    """

    path: AttributePath
    text: str
    node: Node
    span: Span
    surrounded: Any = None

    def described(self, base: AttributePath) -> dict[str, Any]:
        path = show_path(self.path[len(base) :])
        return {
            "name": f"{path}: {self.text}",
            "path": path,
            "text": self.text,
            "contexts": contexts(self.node),
            "flows": flows(self.node),
            "parsed": parsed_contexts(self.node),
            "traits": traits(self.node) | ({} if self.surrounded is None else {SURROUNDED: self.surrounded}),
        }


class Reader(Struct):
    """Reads the values of one document."""

    document: YamlDocument
    source: Source
    known_contexts: Mapping[str, Any] = field(default_factory=dict)
    expressions: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def value(self, value: Any, path: AttributePath, mark: Mark) -> Any:
        """The value at a path of the document, with unknowns in it."""
        if type(value) is YamlMapping:
            return {key: self.value(item, (*path, key), value.marks[key][1]) for key, item in value.items()}
        if type(value) is YamlSequence:
            return [self.value(item, (*path, i), value.marks[i]) for i, item in enumerate(value)]
        if isinstance(value, str):
            if OPEN in value:
                return self.template(value, path, mark)
            if path and path[-1] == "if":
                return self.condition(value, path, mark)
            return str(value)
        return value

    def template(self, text: str, path: AttributePath, mark: Mark) -> Any:
        parts, faults = split(text)
        for fault in faults:
            span = self.place(text, mark, fault.offset, min(fault.offset + 3, len(text)))
            self.problems.append(Problem(self.document.path, f"in an expression: {fault.message}", span))
        surrounded = _surrounded(parts) if path and path[-1] == "if" else None
        for part in parts:
            if part.node is not None:
                span = self.place(text, mark, part.start, part.end)
                self.expressions.append(Found(path, part.text, part.node, span, surrounded))
                surrounded = None
        if all(part.node is None for part in parts):
            return Unknown("holds an expression that cannot be read") if faults else text
        return known(parts, self.known_contexts)

    def condition(self, text: str, path: AttributePath, mark: Mark) -> Any:
        """An `if` is an expression without its braces too."""
        from policy_engine_plugins.github.evaluate import evaluate

        try:
            node = parse(text)
        except ExpressionError as error:
            span = self.place(text, mark, error.offset, min(error.offset + 1, len(text)))
            self.problems.append(Problem(self.document.path, f"in an expression: {error}", span))
            return Unknown("holds an expression that cannot be read")
        self.expressions.append(Found(path, text, node, self.place(text, mark, 0, len(text))))
        value = evaluate(node, self.known_contexts)
        return Unknown(f"depends on {text.strip()}", fragments=(None,)) if isinstance(value, Unknown) else value

    def place(self, text: str, mark: Mark, start: int, end: int) -> Span:
        return self.source.stretch(mark, text, start, end) or Span(*mark)


def _surrounded(parts: list[Part]) -> Any:
    if any(part.node is None for part in parts):
        return True
    return Unknown("two expressions in a row are a text, which is true unless both are empty") if parts[1:] else None
