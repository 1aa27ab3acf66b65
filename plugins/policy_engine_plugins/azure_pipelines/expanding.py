"""Works `${{ }}` into the structure of a file: values filled in, branches taken, loops unrolled, templates put in.

Where it cannot be known which branch is taken, every branch that may be is judged: a step that may run is a step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from policy_engine.placed import Origin, Placed, PlacedList, origin_of
from policy_engine.resource import AttributePath
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.evaluate import Result, evaluate, text_of, truthy
from policy_engine_plugins.azure_pipelines.expression import Call, ExpressionError, Member, Name, Node, parse
from policy_engine_plugins.azure_pipelines.scope import Given, Scope

OPEN, CLOSE = "${{", "}}"
MAX_PARTS = 300_000
"""Entries that a pipeline may come to."""
MAX_TOLD = 100
_DIRECTIVE = re.compile(r"\$\{\{\s*(if|elseif|else|each|insert)\b(.*?)\s*\}\}\s*", re.DOTALL)
_EACH = re.compile(r"\s*([A-Za-z_]\w*)\s+in\s+(.*)", re.DOTALL)


class TooMuch(Exception):
    """The pipeline comes to more than `MAX_PARTS` entries."""


class Piece(NamedTuple):
    """A value not yet expanded, with what its expressions mean. `doubt`: it may not be there at all, and why. `done`:
    it has been expanded where it was handed over."""

    value: Any
    origin: Origin
    scope: Scope
    doubt: Unknown | None = None
    done: bool = False

    def part(self, step: str | int, value: Any) -> Piece:
        """An entry or item of the value."""
        return Piece(value, origin_of(self.value, self.origin, step), self.scope, self.doubt, self.done)


class Field(NamedTuple):
    key: str
    piece: Piece


class Use(NamedTuple):
    """A parameter of the pipeline itself, or a variable, that an expression puts into a text; with the text as written
    and the place in it. `bounded`: what the parameter may hold is limited."""

    kind: str
    name: str
    bounded: bool
    text: str
    start: int
    end: int


class Expander:
    """`template` puts the items of a template in place of `- template: path`."""

    def __init__(self, template: Callable[[Piece, str], Iterator[Piece]] | None = None) -> None:
        self.template = template
        self.problems: list[Problem] = []
        self.uses: dict[tuple[str, AttributePath], list[Use]] = {}
        self.left = MAX_PARTS
        self._plain: dict[int, tuple[Any, bool]] = {}
        self.chosen = False
        """Set once something was read that whoever runs the pipeline may choose."""

    def spend(self, parts: int) -> None:
        self.left -= parts
        if self.left < 0:
            raise TooMuch

    def tell(self, origin: Origin, message: str, kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD) -> None:
        if len(self.problems) <= MAX_TOLD:
            location = origin.location()
            self.problems.append(Problem(location.path, message, location.span, kind))

    # --- values -------------------------------------------------------------------------------------------------------

    def expand(self, piece: Piece) -> tuple[Any, Origin]:
        """The value with everything in it worked out."""
        value, origin = piece.value, piece.origin
        if piece.done:
            return value, origin
        if isinstance(value, str):
            return self.text(piece) if OPEN in value else (value, origin)
        if self.is_plain(value):
            return value, origin
        if isinstance(value, dict):
            return self.mapping(self.fields(piece._replace(doubt=None))), origin
        if isinstance(value, list):
            items = PlacedList()
            for each in self.items(piece, ""):
                items.put(*self.expand(each))
            return items, origin
        return value, origin

    def is_plain(self, value: Any) -> bool:
        """Whether no expression stands anywhere in the value, so that it is as it is written."""
        if isinstance(value, str):
            return OPEN not in value
        if not isinstance(value, (dict, list)):
            return True
        known = self._plain.get(id(value))
        if known is None:
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            # Kept with its answer: an id means something only as long as the value is there.
            known = self._plain[id(value)] = value, all(self.is_plain(part) for part in parts)
        return known[1]

    def mapping(self, fields: Iterator[Field]) -> Placed:
        result = Placed()
        for key, each in fields:
            value, place = self.expand(each)
            if key in result and each.doubt is not None and isinstance(value, list) and isinstance(result[key], list):
                joined = PlacedList()
                for number, item in enumerate(result[key]):
                    joined.put(item, origin_of(result[key], result.origins[key], number))
                for number, item in enumerate(value):
                    joined.put(item, origin_of(value, place, number))
                value = joined
            elif each.doubt is not None and not isinstance(value, (dict, list)):
                value = each.doubt
            result.put(key, value, place)
        return result

    def text(self, piece: Piece) -> tuple[Any, Origin]:
        text, origin, scope = piece.value, piece.origin, piece.scope
        parts: list[str | None] = []
        unknown: Unknown | None = None
        uses: list[Use] = []
        for part in split(text):
            if isinstance(part, str):
                parts.append(part)
                continue
            start, end = part
            result = self.result(text[start + 3 : end - 2], origin, scope, uses, text, start, end)
            if start == 0 and end == len(text.rstrip()):
                self._note(origin, uses)
                return result.value, result.origin if result.origin is not None else origin
            if isinstance(result.value, Unknown):
                unknown = result.value if unknown is None else unknown
                parts.append(None)
            else:
                parts.append(text_of(result.value))
        self._note(origin, uses)
        if unknown is not None:
            return Unknown(unknown.reason, unknown.origin, fragments=_joined(parts)), origin
        whole = "".join(part or "" for part in parts)
        self.spend(len(whole) // 100)
        return whole, origin

    def result(
        self, expression: str, origin: Origin, scope: Scope, uses: list[Use], text: str, start: int, end: int
    ) -> Result:
        try:
            node = parse(expression)
        except ExpressionError as error:
            location = origin.stretch(text, start, end)
            if len(self.problems) <= MAX_TOLD:
                self.problems.append(Problem(location.path, f"in an expression: {error}", location.span))
            return Result(Unknown("holds an expression that cannot be read"))
        for kind, name in carried(node):
            if kind == "variable" or scope.outermost:
                uses.append(Use(kind, name, scope.parameter(name).bounded, text, start, end))
        result = evaluate(node, scope)
        self.chosen = self.chosen or result.chosen
        return result

    def _note(self, origin: Origin, uses: list[Use]) -> None:
        if uses:
            self.uses[(origin.document.path, origin.path)] = uses

    def condition(self, expression: str, piece: Piece) -> Any:
        try:
            value = evaluate(parse(expression), piece.scope.for_condition()).value
        except ExpressionError as error:
            self.tell(piece.origin, f"in a condition: {error}")
            return Unknown("holds a condition that cannot be read")
        if isinstance(value, Unknown):
            return Unknown(f"depends on '{expression.strip()[:80]}' ({value.reason})", piece.origin.location())
        return truthy(value)

    # --- structure ----------------------------------------------------------------------------------------------------

    def fields(self, piece: Piece) -> Iterator[Field]:
        """The entries of a mapping, with those of its branches and loops in their place."""
        value = piece.value
        if not isinstance(value, dict):
            return
        if piece.done:
            for key, item in value.items():
                yield Field(key, piece.part(key, item))
            return
        self.spend(len(value) + 1)
        chain = _Chain()
        for key, item in value.items():
            inner = piece.part(key, item)
            match = _DIRECTIVE.fullmatch(key) if key.startswith(OPEN) else None
            if match is None:
                chain = _Chain()
                yield Field(self._key(key, inner), inner)
                continue
            for each in self.taken(match[1], match[2], inner, chain):
                yield from self._inserted(each)

    def _inserted(self, piece: Piece) -> Iterator[Field]:
        if isinstance(piece.value, str) and OPEN in piece.value and not piece.done:
            value, origin = self.text(piece)
            piece = piece._replace(value=value, origin=origin, done=True)
        if isinstance(piece.value, dict):
            yield from self.fields(piece)

    def _key(self, key: str, piece: Piece) -> str:
        if OPEN not in key:
            return key
        text, _ = self.text(piece._replace(value=key))
        return text_of(text) if not isinstance(text, Unknown) else key

    def items(self, piece: Piece, kind: str) -> Iterator[Piece]:
        """The items of a list, with those of its branches, loops, handed-over lists and templates in their place.
        `kind` is what the list is of (`steps`, `jobs` ...); empty for a list of anything."""
        value = piece.value
        if isinstance(value, str) and OPEN in value and not piece.done:
            found, origin = self.text(piece)
            if isinstance(found, list):
                yield from self.items(piece._replace(value=found, origin=origin, done=True), kind)
            elif isinstance(found, Unknown):
                yield piece._replace(value=found, done=True)
            return
        if isinstance(value, dict) and kind == "variables":
            yield piece  # variables may be listed or mapped
            return
        if isinstance(value, dict):
            # `steps: {${{ if }}: [...]}`: what a list may be written as.
            for _, each in self.fields(piece):
                yield from self.items(each, kind)
            return
        if not isinstance(value, list):
            if kind and value is not None and not isinstance(value, Unknown):
                self.tell(piece.origin, f"'{kind}' is not a list")
            return
        self.spend(len(value) + 1)
        chain = _Chain()
        for number, item in enumerate(value):
            yield from self._item(piece.part(number, item), kind, chain)

    def _item(self, piece: Piece, kind: str, chain: _Chain) -> Iterator[Piece]:
        value = piece.value
        if isinstance(value, str) and not piece.done and value.startswith(OPEN):
            found, origin = self.text(piece)
            inner = piece._replace(value=found, origin=origin, done=True)
            if isinstance(found, list):
                yield from self.items(inner, kind)
            else:
                yield inner
            return
        if isinstance(value, dict) and not piece.done:
            keys = list(value)
            matches = [_DIRECTIVE.fullmatch(key) if key.startswith(OPEN) else None for key in keys]
            if keys and all(match is not None and match[1] != "insert" for match in matches):
                for key, match in zip(keys, matches, strict=True):
                    assert match is not None
                    inner = piece.part(key, value[key])
                    for each in self.taken(match[1], match[2], inner, chain):
                        yield from self._branch(each, kind)
                return
        chain.close()
        if kind and self.template is not None and isinstance(value, dict) and "template" in value:
            yield from self.template(piece, kind)
            return
        yield piece

    def _branch(self, piece: Piece, kind: str) -> Iterator[Piece]:
        if isinstance(piece.value, (list, str)):
            yield from self.items(piece, kind)
        elif isinstance(piece.value, dict):
            # An item that is a mapping: `- ${{ each x in y }}: {name: x}`.
            yield piece

    def taken(self, directive: str, rest: str, piece: Piece, chain: _Chain) -> Iterator[Piece]:
        """The bodies of a directive that are, or may be, taken."""
        if directive == "insert":
            yield piece
        elif directive == "each":
            chain.close()
            yield from self._each(rest, piece)
        else:
            if directive == "if":
                chain.open()
            answer: Any = True
            if chain.decided:
                answer = False
            elif directive != "else":
                answer = self.condition(rest, piece)
            doubt = chain.doubt
            if answer is True:
                chain.decided = True
            elif isinstance(answer, Unknown):
                doubt = chain.doubt = answer
            if answer is not False:
                yield piece if doubt is None else piece._replace(doubt=doubt)

    def _each(self, rest: str, piece: Piece) -> Iterator[Piece]:
        match = _EACH.fullmatch(rest)
        if match is None:
            self.tell(piece.origin, "a loop reads: each NAME in LIST")
            return
        name = match[1]
        try:
            result = evaluate(parse(match[2]), piece.scope)
        except ExpressionError as error:
            self.tell(piece.origin, f"in a loop: {error}")
            return
        whole = result.value
        entries: list[Any]
        places: list[Origin | None]
        if isinstance(whole, dict):
            entries = [{"key": key, "value": item} for key, item in whole.items()]
            places = [None] * len(entries)
        elif isinstance(whole, list):
            entries = list(whole)
            known = result.origin
            places = [origin_of(whole, known, n) if known is not None else None for n in range(len(entries))]
        elif isinstance(whole, Unknown):
            unknown = Unknown(f"an item of '{match[2].strip()[:60]}', which is not known ({whole.reason})")
            scope = piece.scope.with_loop(name, Given(unknown))
            yield piece._replace(scope=scope, doubt=unknown if piece.doubt is None else piece.doubt)
            return
        else:
            return
        for entry, place in zip(entries, places, strict=True):
            self.spend(1)
            yield piece._replace(scope=piece.scope.with_loop(name, Given(entry, place, result.chosen)))


class _Chain:
    """An `if` with its `elseif` and `else`: whether one of them was taken, and whether one may have been."""

    def __init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.decided = False
        self.doubt: Unknown | None = None

    def close(self) -> None:
        self.decided = True
        self.doubt = None


def split(text: str) -> Iterator[str | tuple[int, int]]:
    """The text between expressions, and of each expression its place."""
    position = 0
    while True:
        start = text.find(OPEN, position)
        if start < 0:
            break
        end = _closing(text, start + len(OPEN))
        if end < 0:
            break
        if start > position:
            yield text[position:start]
        yield start, end + len(CLOSE)
        position = end + len(CLOSE)
    if position < len(text):
        yield text[position:]


def _closing(text: str, position: int) -> int:
    """Where the `}}` stands that ends an expression: one inside a quoted text does not."""
    while True:
        end = text.find(CLOSE, position)
        quote = text.find("'", position, end) if end >= 0 else -1
        if quote < 0:
            return end
        position = text.find("'", quote + 1) + 1
        if not position:
            return -1


def carried(node: Node) -> Iterator[tuple[str, str]]:
    """The parameters and variables whose text may reach the result: a comparison with one does not carry it on."""
    if isinstance(node, Member):
        root = node.object.name.lower() if isinstance(node.object, Name) else ""
        if root in ("parameters", "variables"):
            value = getattr(node.key, "value", None)
            if isinstance(value, str):
                yield root[:-1], value
            return
        yield from carried(node.object)
    elif isinstance(node, Call) and node.function in _CARRYING:
        for argument in node.arguments[1:] if node.function == "iif" else node.arguments:
            yield from carried(argument)


_CARRYING = frozenset(
    {"format", "join", "coalesce", "lower", "upper", "trim", "replace", "split", "converttojson", "iif"}
)


def _joined(parts: list[str | None]) -> tuple[str | None, ...]:
    joined: list[str | None] = []
    for part in parts:
        if part is not None and joined and joined[-1] is not None:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
