"""The parser of files: bodies, blocks and attributes, and how it goes on after a mistake.

A mistake costs the item it stands in: it is recorded with its place and reading resumes at the next item. When a brace
is missing, the text alone does not say which one; then everything from that top-level block on is read once more, this
time trusting that Terraform's own block types at the start of a line are top-level blocks. Reading never goes back
otherwise, so the time stays proportional to the text.
"""

from __future__ import annotations

import re

from policy_engine_plugins.terraform import lexical
from policy_engine_plugins.terraform.expression import ExpressionParser, name_node
from policy_engine_plugins.terraform.lexical import MAX_BLOCK_DEPTH, SyntaxFault
from policy_engine_plugins.terraform.source import Source
from policy_engine_plugins.terraform.syntax import (
    Attribute,
    Block,
    Body,
    Expression,
    Fault,
    Invalid,
    Label,
    Literal,
    SyntaxTree,
    Template,
)

MAX_FAULTS = 100


def parse(source: Source) -> SyntaxTree:
    """The tree of a whole file. Mistakes are in its `faults`; this never raises."""
    parser = _FileParser(source)
    body = parser.file()
    faults = parser.faults
    if parser.unlisted:
        last = faults[-1]
        faults.append(Fault(last.start, last.end, f"{parser.unlisted} further mistakes are not listed"))
    return SyntaxTree(source, body, faults, parser.comments)


def parse_expression(source: Source) -> Expression:
    """A text that is one expression; raises SyntaxFault."""
    parser = ExpressionParser(source)
    node = parser.expression(True)
    parser.skip(True)
    if parser.pos < len(source.text):
        raise parser.unexpected("the end of the expression", True)
    return node


def parse_template(source: Source) -> Template:
    """A text that is a template throughout, such as a template file; raises SyntaxFault."""
    return ExpressionParser(source).whole_template()


class _FileParser(ExpressionParser):
    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.faults: list[Fault] = []
        self.unlisted = 0

    def file(self) -> Body:
        text = self.text
        match = lexical.ITEM.match
        source = self.source
        body = root = Body({}, [])
        stack: list[Block] = []
        while True:
            item = self.pos
            found = match(text, item)
            assert found is not None
            kind = found.lastindex
            if kind is not None and kind <= 4:
                name = found[1]
                start, end = found.span(1)
                self.pos = found.end()
                expression: Expression
                if kind == 2:
                    expression = Literal(found.start(2) - 1, found.end(2) + 1, found[2])
                elif kind == 4:
                    expression = name_node(found[4], found.start(4), found.end(4))
                elif kind == 3:
                    expression = Literal(found.start(3), found.end(3), int(found[3]))
                else:
                    expression = self._value(body)
                self._add(body, Attribute(name, start, end, expression, source))
            elif kind == 7:
                start = found.start(5)
                if self.by_layout and stack and self._begins_top_block(start):
                    self._close_by_layout(stack)
                    body = root
                    continue
                if len(stack) >= MAX_BLOCK_DEPTH:
                    self.pos = found.end()
                    self.open = ["{"]
                    message = f"blocks are nested more than {MAX_BLOCK_DEPTH} levels deep"
                    self._resume(SyntaxFault(start, found.end(), message), item)
                    body.complete = False
                    continue
                block = self._header(found)
                body.blocks.append(block)
                self.pos = found.end()
                if self._single_line(block, body):
                    continue
                stack.append(block)
                body = block.body
            elif kind == 8:
                self.pos = found.end()
                if not stack:
                    self._record(SyntaxFault(found.start(8), found.end(8), "a closing brace without its opening one"))
                    continue
                block = stack.pop()
                block.end = self.pos
                body = stack[-1].body if stack else root
                self._end_of_item(body, "a newline after a block")
            elif kind == 9:
                self.comments.append(found.span(9))
                self.pos = found.end()
            elif found.end() == len(text):
                if not stack:
                    return root
                if self.by_layout:
                    self._close_by_layout(stack)
                    return root
                self._start_over(root, stack[0])
                stack.clear()
                body = root
            else:
                self.pos = found.end()
                self._resume(self._misplaced(), item)
                body.complete = False

    def _header(self, found: re.Match[str]) -> Block:
        labels: tuple[Label, ...] = ()
        begin, header_end = found.span(6)
        if begin == header_end:
            header_end = found.end(5)
        else:
            labels = tuple(
                Label(label.start(), label.end(), label[label.lastindex or 0])
                for label in lexical.LABEL.finditer(self.text, begin, header_end)
            )
        return Block(found[5], labels, found.start(5), header_end, found.end(), Body({}, []), self.source)

    def _single_line(self, block: Block, outer: Body) -> bool:
        """Reads `{ name = value }` and `{}`; False when the body goes on over the next lines."""
        if lexical.END_OF_ITEM.match(self.text, self.pos) is not None:
            return False
        opening = self.pos
        try:
            self.open = ["{"]
            self.skip(False)
            if lexical.END_OF_ITEM.match(self.text, self.pos) is not None:
                self.open = []
                return False
            if not self.text.startswith("}", self.pos):
                name = lexical.NAME_TOKEN.match(self.text, self.pos)
                if name is None:
                    raise self.unexpected("an attribute, '}' or a newline", False)
                self.pos = name.end()
                self.expect("=", False, "'=' after the attribute's name, or a newline after '{'")
                expression = self.expression(False)
                self._add(block.body, Attribute(name[0], name.start(), name.end(), expression, self.source))
                self.skip(False)
                if not self.text.startswith("}", self.pos):
                    raise self.unexpected("'}' after the only attribute of a one-line block", False)
            self.pos += 1
            self.open = []
        except SyntaxFault as fault:
            block.body.complete = False
            if self._resume(fault, opening):
                outer.complete = False
            block.end = self.pos
            return True
        block.end = self.pos
        self._end_of_item(outer, "a newline after a block")
        return True

    def _value(self, body: Body) -> Expression:
        """The expression of an attribute up to the end of its line; Invalid where there is a mistake in it."""
        begin = self.pos
        try:
            expression = self.expression(False)
            self.skip(False)
            if lexical.END_OF_ITEM.match(self.text, self.pos) is None:
                raise self.unexpected("a newline after the attribute's value", False)
        except SyntaxFault as fault:
            if self._resume(fault, begin):
                body.complete = False
            return Invalid(begin, self.pos, fault.fault.message)
        return expression

    def _end_of_item(self, body: Body, wanted: str) -> None:
        if lexical.END_OF_ITEM.match(self.text, self.pos) is None:
            begin = self.pos
            self.skip(False)
            if lexical.END_OF_ITEM.match(self.text, self.pos) is None:
                fault = self.unexpected(wanted, False)
                # What follows may well be the next item: read on right here.
                self.pos = max(begin, fault.fault.start)
                self._record(fault)

    def _misplaced(self) -> SyntaxFault:
        """What stands at `pos` begins neither an attribute nor a block."""
        name = lexical.NAME_TOKEN.match(self.text, self.pos)
        if name is None:
            return self.unexpected("an attribute or a block", True)
        self.pos = name.end()
        return self.unexpected(f"'=' or a block's '{{' after '{name[0]}'", False)

    def _add(self, body: Body, attribute: Attribute) -> None:
        if attribute.name in body.attributes:
            message = f"'{attribute.name}' is set twice in this block"
            self._record(SyntaxFault(attribute.start, attribute.name_end, message))
        else:
            body.attributes[attribute.name] = attribute

    def _record(self, fault: SyntaxFault) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault.fault)
        else:
            self.unlisted += 1

    # -- going on after a mistake

    def _resume(self, fault: SyntaxFault, item: int) -> bool:
        """Records the fault and moves `pos` behind the item it stands in; tells whether that took more than its line,
        so that other items may have gone with it."""
        self._record(fault)
        self.depth = 0
        begin = max(self.pos, item)
        end = self._skip_item(begin)
        if end == item and end < len(self.text):
            end += 1
        self.pos = end
        self.open.clear()
        return "\n" in self.text[min(fault.fault.start, begin) : end].strip()

    def _skip_item(self, pos: int) -> int:
        """The end of the item: a newline with nothing open, the brace that closes the body, or a new top block."""
        if self.by_layout and self._begins_top_block(pos):
            return pos
        text = self.text
        open_ = self.open
        for index, sign in enumerate(open_):
            if sign.startswith("<<"):
                pos = self._heredoc_end(sign[2:], pos)
            elif sign == '"':
                pos = self._line_end(pos)
            else:
                continue
            del open_[index:]
            break
        braces = open_.count("{")
        search = lexical.RECOVERY.search
        while True:
            found = search(text, pos)
            if found is None:
                return len(text)
            sign = found[0]
            pos = found.end()
            if sign in ("\n", "\r", "\r\n"):
                if not open_:
                    return found.start()
                if self._begins_top_block(pos):
                    self.by_layout = True
                    return pos
            elif sign in "([{":
                open_.append(sign)
                braces += sign == "{"
            elif sign == "}":
                if not braces:
                    return found.start()
                braces -= 1
                while open_.pop() != "{":
                    pass
            elif sign in ")]":
                if open_ and open_[-1] == ("(" if sign == ")" else "["):
                    open_.pop()
            elif sign == "/*":
                close = text.find("*/", pos)
                pos = len(text) if close < 0 else close + 2
                self.comments.append((found.start(), pos))
            elif sign[0] in "#/":
                self.comments.append(found.span())

    def _heredoc_end(self, marker: str, pos: int) -> int:
        """Behind the heredoc's end marker, which is known to exist: the parser enters no heredoc without one."""
        while (lone := lexical.LONE_WORD.search(self.text, pos)) is not None:
            pos = lone.end()
            if lone[1] == marker:
                break
        return pos

    def _begins_top_block(self, pos: int) -> bool:
        return (pos == 0 or self.text[pos - 1] in "\r\n") and lexical.TOP_BLOCK.match(self.text, pos) is not None

    def _start_over(self, root: Body, block: Block) -> None:
        """Forgets everything from the top-level block on and reads it again by layout."""
        root.blocks.pop()
        self.faults = [fault for fault in self.faults if fault.start < block.start]
        self.comments = [comment for comment in self.comments if comment[0] < block.start]
        self.pos = block.start
        self.by_layout = True

    def _close_by_layout(self, stack: list[Block]) -> None:
        unclosed = stack[-1]
        self._record(SyntaxFault(unclosed.start, unclosed.header_end, f"the '{unclosed.type}' block is not closed"))
        for block in stack:
            block.body.complete = False
            block.end = self.pos
        stack.clear()
