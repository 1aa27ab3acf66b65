"""The tree of a configuration file: bodies, blocks, attributes, expressions and template parts, each with its offsets.

The classes are slotted but not frozen: a large repository makes a million of them, and a frozen dataclass costs five
times as much to build. Nothing changes a node once the parser has handed it over.

`start` and `end` are offsets into the text of the file (code points, end exclusive).
"""

from __future__ import annotations

from msgspec import Struct

from policy_engine_plugins.terraform.source import Source

# What a reference is made of after its first name: attribute names, and literal indexes (`[0]`, `.0`, `["key"]`).
Step = str | int


class Literal(Struct, eq=False):
    """A number, a boolean, null, or a string without interpolation (its span holds the quotes)."""

    start: int
    end: int
    value: str | int | float | bool | None


class Text(Struct, eq=False):
    """Literal text inside a template: `value` is what it stands for, the span what is written."""

    start: int
    end: int
    value: str


class Interpolation(Struct, eq=False):
    """`${expression}`."""

    start: int
    end: int
    expression: Expression


class IfDirective(Struct, eq=False):
    """`%{ if condition }...%{ else }...%{ endif }`."""

    start: int
    end: int
    condition: Expression
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]


class ForDirective(Struct, eq=False):
    """`%{ for key, value in collection }...%{ endfor }`."""

    start: int
    end: int
    key_name: str | None
    value_name: str
    collection: Expression
    parts: tuple[Part, ...]


Part = Text | Interpolation | IfDirective | ForDirective


class Template(Struct, eq=False):
    """A quoted template or a heredoc with its markers."""

    start: int
    end: int
    parts: tuple[Part, ...]
    heredoc: bool = False


class Reference(Struct, eq=False):
    """A name with literal steps behind it: `var.a`, `aws_instance.web[0].id`. `steps[0]` is the first name."""

    start: int
    end: int
    steps: tuple[Step, ...]


class GetAttribute(Struct, eq=False):
    """`source.name` (or the older `source.0`) where `source` is more than a name."""

    start: int
    end: int
    source: Expression
    name: Step


class Index(Struct, eq=False):
    """`source[key]` with a computed key, or on a source that is more than a name."""

    start: int
    end: int
    source: Expression
    key: Expression


class Splat(Struct, eq=False):
    """`source.*.name` or `source[*].name`; `each` is what is done to every element, written over
    `SplatItem`."""

    start: int
    end: int
    source: Expression
    each: Expression


class SplatItem(Struct, eq=False):
    start: int
    end: int


class Call(Struct, eq=False):
    """`name(arguments)`; `expand` when the last argument is followed by `...`."""

    start: int
    end: int
    name: str
    arguments: tuple[Expression, ...]
    expand: bool


class Unary(Struct, eq=False):
    start: int
    end: int
    operator: str
    operand: Expression


class Binary(Struct, eq=False):
    start: int
    end: int
    operator: str
    left: Expression
    right: Expression


class Conditional(Struct, eq=False):
    start: int
    end: int
    condition: Expression
    then: Expression
    otherwise: Expression


class Parentheses(Struct, eq=False):
    start: int
    end: int
    inner: Expression


class ListExpression(Struct, eq=False):
    start: int
    end: int
    items: tuple[Expression, ...]


class ObjectItem(Struct, eq=False):
    """`key = value`; a bare name as key is a Literal."""

    key: Expression
    value: Expression


class ObjectExpression(Struct, eq=False):
    start: int
    end: int
    items: tuple[ObjectItem, ...]


class For(Struct, eq=False):
    """`[for k, v in collection : result if condition]`; with `key_result` it makes an object, grouped when `group`."""

    start: int
    end: int
    key_name: str | None
    value_name: str
    collection: Expression
    key_result: Expression | None
    result: Expression
    condition: Expression | None
    group: bool


class Invalid(Struct, eq=False):
    """Stands where an expression could not be understood, so that its attribute is unknown instead of absent."""

    start: int
    end: int
    message: str


Expression = (
    Literal
    | Template
    | Reference
    | GetAttribute
    | Index
    | Splat
    | SplatItem
    | Call
    | Unary
    | Binary
    | Conditional
    | Parentheses
    | ListExpression
    | ObjectExpression
    | For
    | Invalid
)


class Attribute(Struct, eq=False):
    """`name = expression`; it starts at the name and ends with the expression."""

    name: str
    start: int
    name_end: int
    expression: Expression
    source: Source

    @property
    def end(self) -> int:
        return self.expression.end


class Label(Struct, eq=False):
    start: int
    end: int
    value: str


class Body(Struct, eq=False):
    """What stands between braces, or a whole file. `complete` is False when part of it could not be understood so that
    what is absent from it may stand in the file after all."""

    attributes: dict[str, Attribute]
    blocks: list[Block]
    complete: bool = True


class Block(Struct, eq=False):
    """`type "label" { body }`; the header runs from `start` to `header_end`, without the brace."""

    type: str
    labels: tuple[Label, ...]
    start: int
    header_end: int
    end: int
    body: Body
    source: Source


class Fault(Struct, frozen=True):
    """A mistake in the text, with the stretch where it shows."""

    start: int
    end: int
    message: str


class SyntaxTree(Struct, eq=False):
    """A parsed file. `comments` are the offsets of each comment, sign included, in order."""

    source: Source
    body: Body
    faults: list[Fault]
    comments: list[tuple[int, int]]
