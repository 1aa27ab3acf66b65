"""The tree of a configuration file: bodies, blocks, attributes, expressions and template parts, each with its offsets.

The classes are slotted but not frozen: a large repository makes a million of them, and a frozen dataclass costs five
times as much to build. Nothing changes a node once the parser has handed it over.

`start` and `end` are offsets into the text of the file (code points, end exclusive).
"""

from __future__ import annotations

from dataclasses import dataclass

from policy_engine_plugins.terraform.source import Source

# What a reference is made of after its first name: attribute names, and literal indexes (`[0]`, `.0`, `["key"]`).
Step = str | int


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Literal:
    """A number, a boolean, null, or a string without interpolation (its span holds the quotes)."""

    start: int
    end: int
    value: str | int | float | bool | None


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Text:
    """Literal text inside a template: `value` is what it stands for, the span what is written."""

    start: int
    end: int
    value: str


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Interpolation:
    """`${expression}`."""

    start: int
    end: int
    expression: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class IfDirective:
    """`%{ if condition }...%{ else }...%{ endif }`."""

    start: int
    end: int
    condition: Expression
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class ForDirective:
    """`%{ for key, value in collection }...%{ endfor }`."""

    start: int
    end: int
    key_name: str | None
    value_name: str
    collection: Expression
    parts: tuple[Part, ...]


Part = Text | Interpolation | IfDirective | ForDirective


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Template:
    """A quoted template or a heredoc with its markers."""

    start: int
    end: int
    parts: tuple[Part, ...]
    heredoc: bool = False


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Reference:
    """A name with literal steps behind it: `var.a`, `aws_instance.web[0].id`. `steps[0]` is the first name."""

    start: int
    end: int
    steps: tuple[Step, ...]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class GetAttribute:
    """`source.name` (or the older `source.0`) where `source` is more than a name."""

    start: int
    end: int
    source: Expression
    name: Step


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Index:
    """`source[key]` with a computed key, or on a source that is more than a name."""

    start: int
    end: int
    source: Expression
    key: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Splat:
    """`source.*.name` or `source[*].name`; `each` is what is done to every element, written over
    `SplatItem`."""

    start: int
    end: int
    source: Expression
    each: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class SplatItem:
    start: int
    end: int


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Call:
    """`name(arguments)`; `expand` when the last argument is followed by `...`."""

    start: int
    end: int
    name: str
    arguments: tuple[Expression, ...]
    expand: bool


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Unary:
    start: int
    end: int
    operator: str
    operand: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Binary:
    start: int
    end: int
    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Conditional:
    start: int
    end: int
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Parentheses:
    start: int
    end: int
    inner: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class ListExpression:
    start: int
    end: int
    items: tuple[Expression, ...]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class ObjectItem:
    """`key = value`; a bare name as key is a Literal."""

    key: Expression
    value: Expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class ObjectExpression:
    start: int
    end: int
    items: tuple[ObjectItem, ...]


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class For:
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


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Invalid:
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


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Attribute:
    """`name = expression`; it starts at the name and ends with the expression."""

    name: str
    start: int
    name_end: int
    expression: Expression
    source: Source

    @property
    def end(self) -> int:
        return self.expression.end


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Label:
    start: int
    end: int
    value: str


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Body:
    """What stands between braces, or a whole file. `complete` is False when part of it could not be understood so that
    what is absent from it may stand in the file after all."""

    attributes: dict[str, Attribute]
    blocks: list[Block]
    complete: bool = True


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Block:
    """`type "label" { body }`; the header runs from `start` to `header_end`, without the brace."""

    type: str
    labels: tuple[Label, ...]
    start: int
    header_end: int
    end: int
    body: Body
    source: Source


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in the text, with the stretch where it shows."""

    start: int
    end: int
    message: str


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class SyntaxTree:
    """A parsed file. `comments` are the offsets of each comment, sign included, in order."""

    source: Source
    body: Body
    faults: list[Fault]
    comments: list[tuple[int, int]]
