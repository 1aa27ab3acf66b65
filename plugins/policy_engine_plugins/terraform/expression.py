"""The parser of expressions and templates.

Binary operators are folded with two stacks and signs in a loop, so recursion grows with brackets alone, and those are
counted against `MAX_DEPTH`.
"""

from __future__ import annotations

import re

from policy_engine_plugins.terraform import lexical, template
from policy_engine_plugins.terraform.lexical import KEYWORDS, MAX_DEPTH, MAX_DIGITS, PRECEDENCE, SyntaxFault
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    GetAttribute,
    Index,
    Invalid,
    ListExpression,
    Literal,
    ObjectExpression,
    ObjectItem,
    Parentheses,
    Part,
    Reference,
    Splat,
    SplatItem,
    Step,
    Template,
    Text,
    Unary,
)


class ExpressionParser:
    """Reads expressions from `text` at `pos`.

    `free` tells whether a newline is mere white space (inside parentheses, brackets and interpolations) or ends the
    expression (in bodies and between the items of an object).
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.pos = 0
        self.depth = 0
        self.comments: list[tuple[int, int]] = []
        # What is open at `pos` within the current item, for resuming after a mistake.
        self.open: list[str] = []
        self._heredoc_ends: dict[str, int] | None = None
        # Whether a top-level block at the start of a line ends all that is open: set after some mistakes.
        self.by_layout = False

    # -- expressions

    def expression(self, free: bool) -> Expression:
        found = (lexical.SIMPLE_FREE if free else lexical.SIMPLE).match(self.text, self.pos)
        if found is not None:
            self.pos = found.end()
            kind = found.lastindex
            if kind == 1:
                return Literal(found.start(1) - 1, found.end(1) + 1, found[1])
            if kind == 2:
                return Literal(found.start(2), found.end(2), int(found[2]))
            return name_node(found[3], found.start(3), found.end(3))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fault(f"nested more than {MAX_DEPTH} levels deep")
        left = self._binary(free)
        if self.text.startswith("?", self.pos):
            self.pos += 1
            then = self.expression(free)
            self.expect(":", free, "':' and the value for the other case")
            otherwise = self.expression(free)
            left = Conditional(left.start, otherwise.end, left, then, otherwise)
        self.depth -= 1
        return left

    def _binary(self, free: bool) -> Expression:
        """Terms and binary operators; stops before anything else, with `pos` on a `?` if that comes next."""
        text = self.text
        match = (lexical.OPERATOR_FREE if free else lexical.OPERATOR).match
        operands = [self._term(free)]
        operators: list[str] = []
        while True:
            found = match(text, self.pos)
            if found is None:
                break
            if found.lastindex == 2:
                self.comments.append(found.span(2))
                self.pos = found.end()
                continue
            operator = found[1]
            if operator == "?":
                self.pos = found.start(1)
                break
            self.pos = found.end()
            precedence = PRECEDENCE[operator]
            while operators and PRECEDENCE[operators[-1]] >= precedence:
                _fold(operands, operators)
            operators.append(operator)
            operands.append(self._term(free))
        while operators:
            _fold(operands, operators)
        return operands[0]

    def _term(self, free: bool) -> Expression:
        text = self.text
        match = (lexical.TERM_FREE if free else lexical.TERM).match
        signs: list[tuple[str, int]] = []
        while True:
            found = match(text, self.pos)
            if found is None:
                raise self.unexpected("a value", free)
            kind = found.lastindex
            assert kind is not None
            self.pos = found.end()
            if kind == 6:
                signs.append((found[6], found.start(6)))
                if len(signs) > MAX_DEPTH:
                    raise self.fault(f"nested more than {MAX_DEPTH} levels deep")
            elif kind == 8:
                self.comments.append(found.span(8))
            else:
                break
        start, end = found.span(kind)
        node: Expression
        if kind == 1:
            node = Literal(start - 1, end + 1, found[1])
        elif kind == 4:
            name = found[4]
            after = lexical.SKIP.match(text, end)
            assert after is not None
            if text.startswith("(", after.end()) and "." not in name:
                if after[1]:
                    self.comments.append(after.span(1))
                self.pos = after.end() + 1
                node = self._call(name, start)
            elif "::" in name:
                raise SyntaxFault(start, end, "expected the arguments of a function in parentheses")
            else:
                node = name_node(name, start, end)
        elif kind == 3:
            node = Literal(start, end, _number(found[3], start, end))
        elif kind == 5:
            bracket = found[5]
            if bracket == "[":
                node = self._list(start)
            elif bracket == "{":
                node = self._object(start)
            else:
                self.open.append("(")
                inner = self.expression(True)
                self.expect(")", True, "')'")
                self.open.pop()
                node = Parentheses(start, self.pos, inner)
        elif kind == 2:
            node = self._quoted(start)
        else:
            node = self._heredoc(start, end)
        node = self._traversals(node, free)
        while signs:
            sign, begin = signs.pop()
            node = Unary(begin, node.end, sign, node)
        return node

    def _traversals(self, node: Expression, free: bool) -> Expression:
        """What follows a term: attributes, indexes and splats. Literal steps join the reference itself."""
        text = self.text
        match = (lexical.TRAIL_FREE if free else lexical.TRAIL).match
        steps: list[Step] | None = list(node.steps) if isinstance(node, Reference) else None
        start = node.start
        links = 0
        while True:
            found = match(text, self.pos)
            if found is None:
                break
            kind = found.lastindex
            self.pos = end = found.end()
            if kind == 1 or kind == 2:
                step: Step = found[1] if kind == 1 else int(found[2])
                if steps is not None:
                    steps.append(step)
                    continue
                node = GetAttribute(start, end, node, step)
            elif kind == 5:
                self.open.append("[")
                key = self.expression(True)
                self.expect("]", True, "']'")
                self.open.pop()
                end = self.pos
                if steps is not None and isinstance(key, Literal) and type(key.value) in (int, str):
                    steps.append(key.value)  # type: ignore[arg-type]
                    continue
                if steps is not None:
                    node, steps = _reference(node, steps, start, found.start(5)), None
                node = Index(start, end, node, key)
            else:
                begin = found.start(3) if kind == 3 else found.start(4)
                if steps is not None:
                    node, steps = _reference(node, steps, start, begin), None
                item = SplatItem(begin, end)
                each: Expression
                self.depth += 1
                if self.depth > MAX_DEPTH:
                    raise self.fault(f"nested more than {MAX_DEPTH} levels deep")
                each = self._traversals(item, free) if kind == 4 else self._splat_attributes(item)
                self.depth -= 1
                node = Splat(start, self.pos, node, each)
            links += 1
            if links > MAX_DEPTH:
                raise self.fault(f"more than {MAX_DEPTH} steps in one expression")
        if steps is not None:
            return _reference(node, steps, start, self.pos)
        return node

    def _splat_attributes(self, each: Expression) -> Expression:
        links = 0
        while True:
            found = lexical.SPLAT_TRAIL.match(self.text, self.pos)
            if found is None:
                return each
            links += 1
            if links > MAX_DEPTH:
                raise self.fault(f"more than {MAX_DEPTH} steps in one expression")
            self.pos = found.end()
            each = GetAttribute(each.start, self.pos, each, found[1] if found.lastindex == 1 else int(found[2]))

    def _call(self, name: str, start: int) -> Expression:
        self.open.append("(")
        arguments: list[Expression] = []
        expand = False
        while True:
            self.skip(True)
            if self.text.startswith(")", self.pos):
                break
            arguments.append(self.expression(True))
            self.skip(True)
            if self.text.startswith(",", self.pos):
                self.pos += 1
                continue
            if self.text.startswith("...", self.pos):
                self.pos += 3
                expand = True
                self.skip(True)
            if not self.text.startswith(")", self.pos):
                raise self.unexpected("',' or ')' after an argument", True)
        self.pos += 1
        self.open.pop()
        return Call(start, self.pos, name, tuple(arguments), expand)

    def _list(self, start: int) -> Expression:
        text = self.text
        self.open.append("[")
        if self._begins_loop():
            return self._for(start, "]")
        items: list[Expression] = []
        match = lexical.LIST_ITEM.match
        while True:
            found = match(text, self.pos)
            if found is not None:
                kind = found.lastindex
                comma = kind == 4
                self.pos = found.end()
                if found[1] is not None:
                    items.append(Literal(found.start(1) - 1, found.end(1) + 1, found[1]))
                elif found[2] is not None:
                    items.append(Literal(found.start(2), found.end(2), int(found[2])))
                else:
                    items.append(name_node(found[3], found.start(3), found.end(3)))
                if comma:
                    continue
            self.skip(True)
            if text.startswith("]", self.pos):
                break
            items.append(self.expression(True))
            self.skip(True)
            if text.startswith(",", self.pos):
                self.pos += 1
            elif not text.startswith("]", self.pos):
                raise self.unexpected("',' or ']' after a list item", True)
        self.pos += 1
        self.open.pop()
        return ListExpression(start, self.pos, tuple(items))

    def _object(self, start: int) -> Expression:
        text = self.text
        self.open.append("{")
        if self._begins_loop():
            return self._for(start, "}")
        items: list[ObjectItem] = []
        match = lexical.OBJECT_ITEM.match
        while True:
            found = match(text, self.pos)
            if found is not None:
                self.pos = found.end()
                name, quoted = found.span(1), found.span(2)
                if name[0] >= 0:
                    key: Expression = Literal(*name, found[1])
                else:
                    key = Literal(quoted[0] - 1, quoted[1] + 1, found[2])
                kind = found.lastindex
                value: Expression
                if kind == 3:
                    value = Literal(found.start(3) - 1, found.end(3) + 1, found[3])
                elif kind == 4:
                    value = Literal(found.start(4), found.end(4), int(found[4]))
                elif kind == 5:
                    value = name_node(found[5], found.start(5), found.end(5))
                else:
                    value = self.expression(False)
            else:
                self.skip(True)
                if text.startswith("}", self.pos):
                    break
                key = self._object_key()
                value = self.expression(False)
            items.append(ObjectItem(key, value))
            self.skip(False)
            following = text[self.pos : self.pos + 1]
            if following == ",":
                self.pos += 1
            elif following and following not in "\r\n}#" and not text.startswith("//", self.pos):
                raise self.unexpected("a newline, ',' or '}' after an object item", False)
        self.pos += 1
        self.open.pop()
        return ObjectExpression(start, self.pos, tuple(items))

    def _object_key(self) -> Expression:
        key = self.expression(False)
        self.skip(False)
        if isinstance(key, Reference):
            if len(key.steps) > 1:
                # Right where names are meant, as in `providers = { aws.west = aws.east }`; it has no value.
                key = Invalid(key.start, key.end, "a key that is an expression must stand in parentheses")
            else:
                key = Literal(key.start, key.end, str(key.steps[0]))
        elif isinstance(key, Literal) and not isinstance(key.value, str):
            key = Literal(key.start, key.end, self.text[key.start : key.end])
        if not self.text.startswith(("=", ":"), self.pos):
            raise self.unexpected("'=' or ':' after a key", False)
        self.pos += 1
        return key

    def _begins_loop(self) -> bool:
        keyword = lexical.FOR_KEYWORD.match(self.text, self.pos)
        if keyword is not None and keyword[1] is None:
            self.skip(True)  # a comment may stand before it
            keyword = lexical.FOR_KEYWORD.match(self.text, self.pos)
        if keyword is None or keyword[1] is None:
            return False
        self.pos = keyword.end()
        return True

    def _for(self, start: int, closing: str) -> Expression:
        names = self._for_names()
        collection = self.expression(True)
        self.expect(":", True, "':' after the collection")
        result = self.expression(True)
        key_result: Expression | None = None
        group = False
        if closing == "}":
            self.expect("=>", True, "'=>' and the value")
            key_result, result = result, self.expression(True)
            self.skip(True)
            if self.text.startswith("...", self.pos):
                self.pos += 3
                group = True
        condition: Expression | None = None
        self.skip(True)
        keyword = lexical.NAME_TOKEN.match(self.text, self.pos)
        if keyword is not None and keyword[0] == "if":
            self.pos = keyword.end()
            condition = self.expression(True)
        self.expect(closing, True, f"'{closing}'")
        self.open.pop()
        return For(start, self.pos, *names, collection, key_result, result, condition, group)

    def _for_names(self) -> tuple[str | None, str]:
        found = lexical.FOR_NAMES.match(self.text, self.pos)
        if found is not None:
            self.pos = found.end()
            return (None, found[1]) if found[2] is None else (found[1], found[2])
        # Perhaps there are comments in between.
        words: list[str] = []
        while not words or words[-1] != "in":
            self.skip(True)
            if len(words) == 1 and self.text.startswith(",", self.pos):
                self.pos += 1
                self.skip(True)
                words.append(",")
            word = lexical.NAME_TOKEN.match(self.text, self.pos)
            if word is None or len(words) > 3:
                raise self.unexpected("the name of the loop's variable and 'in'", True)
            self.pos = word.end()
            words.append(word[0])
        if len(words) == 2:
            return None, words[0]
        if len(words) == 4 and words[1] == ",":
            return words[0], words[2]
        raise self.unexpected("the name of the loop's variable and 'in'", True)

    # -- templates

    def _quoted(self, start: int) -> Expression:
        text = self.text
        match = lexical.TEMPLATE_PART.match
        self.open.append('"')
        tokens: list[template.Token] = []
        while True:
            found = match(text, self.pos)
            if found is None:
                raise SyntaxFault(start, self._line_end(self.pos), "the string is not closed on its line")
            kind = found.lastindex
            self.pos = found.end()
            if kind == 1:
                begin, end = found.span(1)
                tokens.append(Text(begin, end, lexical.decode_quoted(found[1], begin)))
            elif kind == 5:
                break
            elif kind == 4:
                tokens.append(self._directive(found.start(4), found[4][-1] == "~"))
            else:
                tokens.append(self._interpolation(found.start(2), found[2][-1] == "~", found[3], found.start(3)))
        self.open.pop()
        end = self.pos
        if len(tokens) == 1 and isinstance(tokens[0], Text):
            return Literal(start, end, tokens[0].value)
        template.strip(tokens)
        return Template(start, end, template.assemble(template.join(tokens)))

    def _heredoc(self, start: int, begin: int) -> Expression:
        text = self.text
        introduction = text[start:begin].rstrip()
        flush = introduction.startswith("<<-")
        marker = introduction[3 if flush else 2 :]
        if self._heredoc_ends is None:
            self._heredoc_ends = {found[1]: found.start() for found in lexical.LONE_WORD.finditer(text)}
        if self._heredoc_ends.get(marker, -1) < begin:
            # What follows is text without an end: only the next top-level block is a place to resume.
            self._to_next_top_block(begin)
            raise SyntaxFault(start, start + len(introduction), f"the heredoc has no line with its end marker {marker}")
        self.open.append("<<" + marker)
        self.pos = begin
        tokens: list[template.Token] = []
        line_begins = True
        while True:
            if line_begins:
                lone = lexical.LONE_WORD.match(text, self.pos)
                if lone is not None and lone[1] == marker:
                    end = lone.end(1)
                    break
            found = lexical.LINE_PART.match(text, self.pos)
            if found is None:
                self._to_next_top_block(self.pos)
                raise SyntaxFault(
                    start, start + len(introduction), f"the heredoc has no line with its end marker {marker}"
                )
            line_begins = self._line_part(found, tokens)
        self.pos = end
        self.open.pop()
        return Template(start, end, _heredoc_parts(tokens, flush), heredoc=True)

    def _line_part(self, found: re.Match[str], tokens: list[template.Token]) -> bool:
        """Takes one piece of a heredoc's line; tells whether a new line begins after it."""
        kind = found.lastindex
        self.pos = found.end()
        if kind == 1:
            begin, end = found.span(1)
            raw = found[1]
            tokens.append(Text(begin, end, lexical.decode_verbatim(raw)))
            return raw.endswith(("\n", "\r"))
        if kind == 4:
            tokens.append(self._directive(found.start(4), found[4][-1] == "~"))
        else:
            tokens.append(self._interpolation(found.start(2), found[2][-1] == "~", found[3], found.start(3)))
        return False

    def whole_template(self) -> Template:
        """The whole text as a template: a template file, or a string of the JSON syntax."""
        tokens: list[template.Token] = []
        while self.pos < len(self.text):
            found = lexical.LINE_PART.match(self.text, self.pos)
            if found is None:
                raise self.fault("expected the end of the template")
            self._line_part(found, tokens)
        return Template(0, len(self.text), _heredoc_parts(tokens, False))

    def _interpolation(self, start: int, strip_before: bool, name: str | None, name_start: int) -> template.Token:
        if name is not None:
            simple = name_node(name, name_start, name_start + len(name))
            return template.Marker(start, self.pos, "${", strip_before, False, simple)
        self.open.append("{")
        # A template costs more frames than a bracket.
        self.depth += 1
        node = self.expression(True)
        self.depth -= 1
        strip_after = self._sequence_end()
        return template.Marker(start, self.pos, "${", strip_before, strip_after, node)

    def _directive(self, start: int, strip_before: bool) -> template.Token:
        self.open.append("{")
        self.depth += 1
        found = lexical.DIRECTIVE.match(self.text, self.pos)
        if found is None:
            raise self.unexpected("'if', 'else', 'endif', 'for' or 'endfor'", True)
        self.pos = found.end()
        kind = found[1]
        node: Expression | None = None
        names: tuple[str | None, str] = (None, "")
        if kind == "for":
            names = self._for_names()
        if kind in ("if", "for"):
            node = self.expression(True)
        self.depth -= 1
        strip_after = self._sequence_end()
        return template.Marker(start, self.pos, kind, strip_before, strip_after, node, *names)

    def _sequence_end(self) -> bool:
        self.skip(True)
        found = lexical.SEQUENCE_END.match(self.text, self.pos)
        if found is None:
            raise self.unexpected("'}'", True)
        self.pos = found.end()
        self.open.pop()
        return found[1] == "~"

    def _to_next_top_block(self, pos: int) -> None:
        found = lexical.TOP_BLOCK.search(self.text, pos)
        self.pos = len(self.text) if found is None else found.start()
        self.by_layout = True

    # -- small things

    def skip(self, free: bool) -> None:
        match = (lexical.SKIP_FREE if free else lexical.SKIP).match
        while True:
            found = match(self.text, self.pos)
            assert found is not None
            self.pos = found.end()
            if found[1] is None:
                return
            self.comments.append(found.span(1))

    def expect(self, token: str, free: bool, wanted: str) -> None:
        self.skip(free)
        if not self.text.startswith(token, self.pos):
            raise self.unexpected(wanted, free)
        self.pos += len(token)

    def _line_end(self, pos: int) -> int:
        end = len(self.text)
        for sign in "\n\r":  # in this order, so that no search runs past the line
            at = self.text.find(sign, pos, end)
            if at >= 0:
                end = at
        return end

    def fault(self, message: str) -> SyntaxFault:
        return SyntaxFault(self.pos, self.pos + 1, message)

    def unexpected(self, wanted: str, free: bool) -> SyntaxFault:
        self.skip(free)
        start = self.pos
        if self.text.startswith("/*", start):
            # Everything behind it is comment.
            self.pos = len(self.text)
            return SyntaxFault(start, start + 2, "the comment is not closed")
        found = lexical.FOUND.match(self.text, start)
        if found is None:
            return SyntaxFault(start, start, f"expected {wanted}, found the end of the file")
        if found[0] in "\r\n":
            return SyntaxFault(start, start, f"expected {wanted}, found the end of the line")
        shown = found[0] if len(found[0]) <= 40 else found[0][:40] + "..."
        shown = f"'{shown}'" if shown.isprintable() else f"character U+{ord(shown[0]):04X}"
        return SyntaxFault(start, found.end(), f"expected {wanted}, found {shown}")


def _fold(operands: list[Expression], operators: list[str]) -> None:
    right = operands.pop()
    left = operands.pop()
    operands.append(Binary(left.start, right.end, operators.pop(), left, right))


def name_node(name: str, start: int, end: int) -> Literal | Reference:
    if name in KEYWORDS:
        return Literal(start, end, KEYWORDS[name])
    if "[" not in name:
        return Reference(start, end, tuple(name.split(".")) if "." in name else (name,))
    before, _, after = name.partition("[")
    index, _, rest = after.partition("]")
    return Reference(start, end, (*before.split("."), int(index), *rest[1:].split(".")))


def _reference(node: Expression, steps: list[Step], start: int, end: int) -> Expression:
    assert isinstance(node, Reference)
    if len(steps) == len(node.steps):
        return node
    return Reference(start, end, tuple(steps))


def _number(text: str, start: int, end: int) -> int | float:
    if len(text) > MAX_DIGITS:
        raise SyntaxFault(start, end, f"a number of more than {MAX_DIGITS} digits")
    if text.isdecimal():
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise SyntaxFault(start, end, "the number is too large")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _heredoc_parts(tokens: list[template.Token], flush: bool) -> tuple[Part, ...]:
    template.strip(tokens)
    if flush:
        template.unindent(tokens)
    return template.assemble(template.join(tokens))
