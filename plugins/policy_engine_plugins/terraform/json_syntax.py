"""The JSON syntax of configurations (`.tf.json`), read into the same tree as the native one.

JSON does not tell nested blocks from attributes that are maps, and Terraform asks the provider's schema. Without one,
an object is taken for a block unless its name or its keys say that it is a map (see `_is_map`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import Struct

from policy_engine_plugins.terraform.expression import ExpressionParser
from policy_engine_plugins.terraform.lexical import IDENTIFIER, MAX_DEPTH, SyntaxFault
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import (
    Attribute,
    Block,
    Body,
    Expression,
    Fault,
    Invalid,
    Label,
    ListExpression,
    Literal,
    ObjectExpression,
    ObjectItem,
    SyntaxTree,
)

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:"((?:[^"\\\x00-\x1f]|\\.)*)"|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])'
    r"|(true|false|null)(?!\w)|([\[\]{},:]))",
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|(["\\/bfnrt])|(.))', re.DOTALL)
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_NAME = re.compile(rf"{IDENTIFIER}\Z")

# Nested blocks of Terraform itself, whatever the provider.
_CORE_BLOCKS = {"lifecycle", "provisioner", "connection", "backend", "cloud", "timeouts", "precondition", "validation"}
# Arguments of Terraform itself, whose objects are values.
_META = {"for_each", "count", "provider", "depends_on"}
# What every provider has as a map of text.
_MAPS = re.compile(
    r"(?:^|_)(?:tags?|tags_all|labels?|annotations|variables|parameters|metadata|settings|map|headers|triggers)$|^(?:input|triggers_replace)$"
)
_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "provider": 1, "module": 1, "variable": 1, "output": 1, "check": 1}
# In these every object is an attribute, save for the named ones.
_NO_BLOCKS = {"locals", "module", "variable", "output"}


def parse_json(source: Source, *, variables: bool = False) -> SyntaxTree:
    """The tree of a `.tf.json` file, or of a `.tfvars.json` one. This never raises."""
    reader = _Reader(source, templates=not variables)
    faults: list[Fault] = []
    root = Body({}, [])
    try:
        document = reader.document()
        for item in _objects(document):
            for key, value in _properties(item):
                if variables:
                    root.attributes[key.value] = Attribute(key.value, key.start, key.end, value, source)
                else:
                    root.blocks.extend(_top_level(key, value, source))
        _read_literally(root, reader)
        if not variables and ("${" in source.text or "%{" in source.text):
            _read_keys(root, reader)
    except SyntaxFault as fault:
        faults.append(fault.fault)
        root.complete = False
    faults.extend(reader.faults)
    return SyntaxTree(source, root, faults, [])


class _Reader:
    def __init__(self, source: Source, templates: bool) -> None:
        self.source = source
        self.text = source.text
        self.pos = 0
        self.templates = templates
        self.faults: list[Fault] = []

    def document(self) -> Expression:
        value = self.value(0)
        rest = re.compile(r"[ \t\r\n]*").match(self.text, self.pos)
        assert rest is not None
        if rest.end() < len(self.text):
            raise SyntaxFault(rest.end(), rest.end() + 1, "expected the end of the JSON document")
        return value

    def token(self, wanted: str) -> re.Match[str]:
        found = _TOKEN.match(self.text, self.pos)
        if found is None:
            rest = re.compile(r"[ \t\r\n]*").match(self.text, self.pos)
            assert rest is not None
            at = rest.end()
            shown = self.text[at : at + 1]
            what = f"'{shown}'" if shown and shown.isprintable() else "the end of the file" if not shown else "a sign"
            raise SyntaxFault(at, at + len(shown), f"expected {wanted}, found {what}")
        self.pos = found.end()
        return found

    def value(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise SyntaxFault(self.pos, self.pos + 1, f"nested more than {MAX_DEPTH} levels deep")
        found = self.token("a value")
        kind = found.lastindex
        assert kind is not None
        start, end = found.span(kind)
        if kind == 1:
            return self.string(found[1], start - 1, end + 1)
        if kind == 2:
            return Literal(start, end, self.number(found[2], start, end))
        if kind == 3:
            return Literal(start, end, _CONSTANTS[found[3]])
        if found[4] == "[":
            return self.list(start, depth)
        if found[4] == "{":
            return self.object(start, depth)
        raise SyntaxFault(start, end, f"expected a value, found '{found[4]}'")

    def number(self, digits: str, start: int, end: int) -> int | float:
        if len(digits) > 600:
            raise SyntaxFault(start, end, "a number of more than 600 digits")
        if digits.lstrip("-").isdecimal():
            return int(digits)
        number = float(digits)
        if number in (float("inf"), float("-inf")):
            raise SyntaxFault(start, end, "the number is too large")
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    def list(self, start: int, depth: int) -> Expression:
        items: list[Expression] = []
        if self._closes("]"):
            return ListExpression(start, self.pos, ())
        while True:
            items.append(self.value(depth + 1))
            found = self.token("',' or ']'")
            if found[4] == "]":
                return ListExpression(start, self.pos, tuple(items))
            if found[4] != ",":
                raise SyntaxFault(found.end() - len(found[0].strip()), found.end(), "expected ',' or ']'")

    def object(self, start: int, depth: int) -> Expression:
        items: list[ObjectItem] = []
        if self._closes("}"):
            return ObjectExpression(start, self.pos, ())
        while True:
            key = self.token("a key in double quotes")
            if key[1] is None:
                raise SyntaxFault(key.end() - len(key[0].strip()), key.end(), "expected a key in double quotes")
            name = Literal(key.start(1) - 1, key.end(1) + 1, self.decoded(key[1], key.start(1)))
            if self.token("':'")[4] != ":":
                raise SyntaxFault(self.pos - 1, self.pos, "expected ':'")
            items.append(ObjectItem(name, self.value(depth + 1)))
            found = self.token("',' or '}'")
            if found[4] == "}":
                return ObjectExpression(start, self.pos, tuple(items))
            if found[4] != ",":
                raise SyntaxFault(found.end() - len(found[0].strip()), found.end(), "expected ',' or '}'")

    def _closes(self, bracket: str) -> bool:
        found = _TOKEN.match(self.text, self.pos)
        if found is not None and found[4] == bracket:
            self.pos = found.end()
            return True
        return False

    def decoded(self, raw: str, start: int) -> str:
        if "\\" not in raw:
            return raw

        def replace(found: re.Match[str]) -> str:
            if found[3]:
                return _SIMPLE[found[3]]
            if found[4]:
                at = start + found.start()
                raise SyntaxFault(at, at + 2, f"'{found[0]}' is no escape sequence")
            high = int(found[1], 16)
            if found[2] and 0xD800 <= high < 0xDC00:
                return chr(0x10000 + ((high - 0xD800) << 10) + int(found[2], 16) - 0xDC00)
            tail = "" if found[2] is None else "\ufffd"
            return ("\ufffd" if 0xD800 <= high < 0xE000 else chr(high)) + tail

        return _ESCAPE.sub(replace, raw)

    def string(self, raw: str, start: int, end: int) -> Expression:
        text = self.decoded(raw, start + 1)
        if not self.templates or ("${" not in text and "%{" not in text):
            return Literal(start, end, text)
        parser = ExpressionParser(Source(self.source.path, text))
        try:
            node = parser.whole_template()
        except SyntaxFault as fault:
            inner = fault.fault
            if len(text) == len(raw):
                self.faults.append(Fault(start + 1 + inner.start, start + 1 + inner.end, inner.message))
            else:
                self.faults.append(Fault(start, end, inner.message))
            return Invalid(start, end, inner.message)
        _move(node, start + 1 if len(text) == len(raw) else None, start, end)
        node.start, node.end = start, end
        return node


def _move(node: object, shift: int | None, start: int, end: int) -> None:
    """Moves offsets in the string to offsets in the file; to the whole string where escapes make them differ."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, (tuple, list)):
            stack.extend(item)
        elif isinstance(item, Struct) and not isinstance(item, Source):
            for name in item.__struct_fields__:
                held = getattr(item, name)
                if name in ("start", "end"):
                    setattr(item, name, held + shift if shift is not None else (start if name == "start" else end))
                elif name not in ("value", "steps", "source") or not isinstance(held, (str, int)):
                    stack.append(held)


def _read_literally(root: Body, reader: _Reader) -> None:
    """A variable's default is evaluated by nobody: its texts are no templates."""
    starts: list[int] = []
    ends: list[int] = []
    for block in root.blocks:
        if block.type == "variable":
            for attribute in block.body.attributes.values():
                again = _Reader(reader.source, templates=False)
                again.pos = attribute.expression.start
                attribute.expression = again.value(0)
                starts.append(attribute.expression.start)
                ends.append(attribute.expression.end)
    if starts and reader.faults:
        starts.sort()
        ends.sort()
        reader.faults = [
            one for one in reader.faults if bisect_right(starts, one.start) == bisect_right(ends, one.start)
        ]


def _read_keys(root: Body, reader: _Reader) -> None:
    """The keys of objects that are values are templates, unlike those that name attributes and blocks."""
    bodies = [block.body for block in root.blocks if block.type != "variable"]
    while bodies:
        body = bodies.pop()
        bodies.extend(block.body for block in body.blocks)
        values: list[Expression] = [attribute.expression for attribute in body.attributes.values()]
        while values:
            value = values.pop()
            if isinstance(value, ListExpression):
                values.extend(value.items)
            elif isinstance(value, ObjectExpression):
                for item in value.items:
                    raw = reader.text[item.key.start + 1 : item.key.end - 1]
                    item.key = reader.string(raw, item.key.start, item.key.end)
                    values.append(item.value)


# -- from JSON values to blocks


def _objects(value: Expression) -> Iterator[ObjectExpression]:
    """JSON may write one object or a list of them for a body."""
    if isinstance(value, ObjectExpression):
        yield value
    elif isinstance(value, ListExpression):
        for item in value.items:
            yield from _objects(item) if isinstance(item, ObjectExpression) else _refuse(item)
    else:
        yield from _refuse(value)


def _refuse(value: Expression) -> Iterator[ObjectExpression]:
    raise SyntaxFault(value.start, value.end, "expected an object")


def _properties(value: ObjectExpression) -> Iterator[tuple[Label, Expression]]:
    for item in value.items:
        assert isinstance(item.key, Literal)
        name = str(item.key.value)
        if name != "//":  # a comment
            yield Label(item.key.start, item.key.end, name), item.value


def _top_level(key: Label, value: Expression, source: Source) -> Iterator[Block]:
    yield from _labelled(key, (), value, _LABELS.get(key.value, 0), source, key.value not in _NO_BLOCKS)


def _labelled(
    key: Label, labels: tuple[Label, ...], value: Expression, wanted: int, source: Source, nested: bool
) -> Iterator[Block]:
    for item in _objects(value):
        if wanted:
            for label, inner in _properties(item):
                yield from _labelled(key, (*labels, label), inner, wanted - 1, source, nested)
        else:
            header = labels[-1] if labels else key
            body = _body(item, source, nested)
            yield Block(key.value, labels, header.start, header.end, item.end, body, source)


def _body(value: ObjectExpression, source: Source, nested: bool) -> Body:
    body = Body({}, [])
    for key, inner in _properties(value):
        name = key.value
        if name == "dynamic" and nested:
            for item in _objects(inner):
                for label, definition in _properties(item):
                    for one in _objects(definition):
                        body.blocks.append(_dynamic(key, label, one, source))
        elif name in _CORE_BLOCKS or (nested and _is_blocks(name, inner)):
            labels = 1 if name in ("provisioner", "backend") else 0
            body.blocks.extend(_labelled(key, (), inner, labels, source, True))
        else:
            body.attributes[name] = Attribute(name, key.start, key.end, inner, source)
    return body


def _dynamic(key: Label, label: Label, value: ObjectExpression, source: Source) -> Block:
    body = Body({}, [])
    for name, inner in _properties(value):
        if name.value == "content":
            for item in _objects(inner):
                content = _body(item, source, True)
                body.blocks.append(Block("content", (), name.start, name.end, item.end, content, source))
        else:
            body.attributes[name.value] = Attribute(name.value, name.start, name.end, inner, source)
    return Block("dynamic", (label,), label.start, label.end, value.end, body, source)


def _is_blocks(name: str, value: Expression) -> bool:
    if name in _META:
        return False
    if isinstance(value, ListExpression):
        return bool(value.items) and all(isinstance(item, ObjectExpression) for item in value.items)
    return isinstance(value, ObjectExpression) and not _is_map(name, value)


def _is_map(name: str, value: ObjectExpression) -> bool:
    """Whether an object is a map: by its name, or by keys that no attribute can have (`Name`, `app.kubernetes.io`)."""
    if _MAPS.search(name):
        return True
    keys = [str(key.value) for key, _ in _properties(value)]
    return any(not _NAME.match(key) or key != key.lower() for key in keys)


def read_value(source: Source) -> Expression:
    """A whole text as a JSON value; raises SyntaxFault."""
    return _Reader(source, templates=False).document()
