"""The words of the language as regular expressions, and the decoding of string literals.

Most of a configuration is `name = "text"`, `name = reference` and block headers, so the patterns are made to swallow
whole items at once; the parser takes single tokens only where an item is more than that. Every pattern is free of
nested repetition over the same characters, so that hostile text costs no more than plain text.
"""

from __future__ import annotations

import re

from policy_engine_plugins.terraform.syntax import Fault

# Deeper nesting than any person writes; it keeps the parser and the evaluator well below Python's recursion limit.
MAX_DEPTH = 150
MAX_BLOCK_DEPTH = 50
MAX_DIGITS = 600


class SyntaxFault(Exception):
    """Raised inside the parser and caught where it resumes."""

    def __init__(self, start: int, end: int, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(start, end, message)


KEYWORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

IDENTIFIER = r"[^\W\d][\w-]*"
PLAIN = r'"([^"\\$%\r\n]*)"'
INTEGER = r"(\d{1,18})(?![.\w])"
REFERENCE = rf"({IDENTIFIER}(?:\.{IDENTIFIER})*(?:\[\d{{1,9}}\](?:\.{IDENTIFIER})+)?)"
SIMPLE_VALUE = rf"(?:{PLAIN}|{INTEGER}|{REFERENCE})"
COMMENT = r"#[^\r\n]*|//[^\r\n]*|/\*(?s:.*?)\*/"
BLOCK_COMMENT = r"/\*(?s:.*?)\*/"

# An item of a body. Groups: 1 attribute name, 2-4 its value when it is simple and ends the line; 5 block type,
# 6 labels, 7 brace; 8 closing brace; 9 comment.
ITEM = re.compile(
    rf"\s*(?:({IDENTIFIER})[ \t]*(?:=(?![=>])[ \t]*(?:{SIMPLE_VALUE}[ \t]*(?=[\r\n#]|//|\Z))?)"
    rf'|({IDENTIFIER})((?:[ \t]*"[^"\\$%\r\n]*(?:[$%](?!\{{)[^"\\$%\r\n]*)*"|[ \t]+{IDENTIFIER})*)[ \t]*(\{{)'
    rf"|(\}})|({COMMENT}))?"
)
LABEL = re.compile(rf'"([^"\\$%\r\n]*(?:[$%](?!\{{)[^"\\$%\r\n]*)*)"|({IDENTIFIER})')
END_OF_ITEM = re.compile(r"[ \t]*(?:(?=[\r\n#]|//)|\Z)")

# A simple value with nothing behind it that could continue it.
SIMPLE = re.compile(rf"[ \t]*{SIMPLE_VALUE}[ \t]*(?=[,\])}}\r\n#]|:(?!:)|\Z)")
SIMPLE_FREE = re.compile(rf"\s*{SIMPLE_VALUE}\s*(?=[,\])}}]|:(?!:)|=>|~\}})")
LIST_ITEM = re.compile(rf"\s*{SIMPLE_VALUE}\s*(?:(,)|(?=\]))")
OBJECT_ITEM = re.compile(
    rf'\s*(?:({IDENTIFIER})|"([^"\\$%\r\n]*)")[ \t]*[=:](?![=>])[ \t]*'
    rf"(?:{SIMPLE_VALUE}[ \t]*(?=[,}}\r\n#]|//))?"
)

# The first token of a term. Groups: 1 plain string, 2 quote, 3 number, 4 dotted name, 5 opening bracket, 6 sign,
# 7 heredoc, 8 comment.
_TERM = (
    rf'(?:{PLAIN}|(")|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|({IDENTIFIER}(?:(?:\.|::){IDENTIFIER})*)'
    rf"|([(\[{{])|([-!])|(<<-?{IDENTIFIER}[ \t]*(?:\r\n?|\n))"
)
TERM = re.compile(rf"[ \t]*{_TERM}|({BLOCK_COMMENT}))")
TERM_FREE = re.compile(rf"\s*{_TERM}|({COMMENT}))")

# What may follow a term. Groups: 1 name, 2 legacy index, 3 attribute splat, 4 full splat, 5 opening bracket.
_TRAIL = rf"(?:\.(?!\.)\s*(?:({IDENTIFIER})|(\d{{1,9}})|(\*))|(\[\s*\*\s*\])|(\[))"
TRAIL = re.compile(r"[ \t]*" + _TRAIL)
TRAIL_FREE = re.compile(r"\s*" + _TRAIL)
SPLAT_TRAIL = re.compile(rf"[ \t]*\.(?!\.)\s*(?:({IDENTIFIER})|(\d{{1,9}}))")

_OPERATOR = r"(\|\||&&|==|!=|<=|>=|<(?!<)|>|\+|-|\*|/(?![/*])|%(?!\{)|\?)"
OPERATOR = re.compile(rf"[ \t]*(?:{_OPERATOR}|({BLOCK_COMMENT}))")
OPERATOR_FREE = re.compile(rf"\s*(?:{_OPERATOR}|({COMMENT}))")
PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}

SKIP = re.compile(rf"[ \t]*({BLOCK_COMMENT})?")
SKIP_FREE = re.compile(rf"\s*({COMMENT})?")
# What a list or an object begins with: group 1 where that is a loop, without it where it is a comment.
FOR_KEYWORD = re.compile(r"\s*(?:(for)(?![\w-])|#|/[/*])")
FOR_NAMES = re.compile(rf"\s*({IDENTIFIER})\s*(?:,\s*({IDENTIFIER})\s*)?(?<![\w-])in(?![\w-])")
NAME_TOKEN = re.compile(rf"{IDENTIFIER}")
FOUND = re.compile(rf'{IDENTIFIER}|\d+|[=!<>]=|&&|\|\||\.\.\.|=>|"|.', re.DOTALL)

# A part of a quoted template. Groups: 1 text, 2 opening of an interpolation with its strip marker, 3 simple reference
# inside with its closing brace, 4 opening of a directive, 5 closing quote.
_TEXT = r"\$\$\{|%%\{|[$%](?!\{)"
TEMPLATE_PART = re.compile(
    rf'((?:[^"\\$%\r\n]+|\\[^\r\n]|{_TEXT})+)'
    rf'|(\$\{{~?)(?:[ \t]*({IDENTIFIER}(?:\.{IDENTIFIER})*)[ \t]*\}})?|(%\{{~?)|(")'
)
# The same for a line of a heredoc or a template file, where backslashes and quotes mean themselves.
# (Unrolled, so that no text can be split in two ways: what follows the repetition may fail.)
_RUN = r"[^$%\r\n]"
_NEWLINE = r"(?:\r\n?|\n)"
LINE_PART = re.compile(
    rf"({_RUN}+(?:(?:{_TEXT}){_RUN}*)*{_NEWLINE}?|(?:(?:{_TEXT}){_RUN}*)+{_NEWLINE}?|{_NEWLINE})"
    rf"|(\$\{{~?)(?:[ \t]*({IDENTIFIER}(?:\.{IDENTIFIER})*)[ \t]*\}})?|(%\{{~?)"
)
DIRECTIVE = re.compile(r"\s*(if|else|endif|for|endfor)(?![\w-])")
SEQUENCE_END = re.compile(r"\s*(~?)\}")

# Lines that hold one word alone: where heredocs can end.
LONE_WORD = re.compile(rf"^[ \t]*({IDENTIFIER})[ \t]*(?=\r|\n|\Z)", re.MULTILINE)

# For finding the next place to resume after a mistake. The block types are Terraform's own, at the start of a line.
TOP_BLOCK = re.compile(
    r"^(?:resource|data|variable|output|locals|module|provider|terraform|moved|import|check|removed|ephemeral|action)"
    r"(?![\w-])[^\r\n={}]*\{",
    re.MULTILINE,
)
RECOVERY = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|#[^\r\n]*|//[^\r\n]*|/\*|[\[\](){}]|\r\n?|\n')

_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)|\$\$\{|%%\{', re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DOUBLED = re.compile(r"\$\$\{|%%\{")


def decode_quoted(raw: str, start: int) -> str:
    """What the text between quotes stands for. `start` is its offset, for the fault."""
    if "\\" not in raw and "{" not in raw:
        return raw

    def replace(found: re.Match[str]) -> str:
        kind = found.lastindex
        if kind == 1:
            return _SIMPLE_ESCAPES[found[1]]
        if kind is not None:
            code = int(found[kind], 16)
            if code <= 0x10FFFF:
                # A lone surrogate has no meaning in UTF-8 and could not be printed later.
                return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)
        elif found[0][0] != "\\":
            return found[0][1:]
        begin = start + found.start()
        raise SyntaxFault(begin, begin + len(found[0]), f"'{found[0]}' is no escape sequence")

    return _ESCAPE.sub(replace, raw)


def decode_verbatim(raw: str) -> str:
    """What the text of a heredoc or a template file stands for."""
    if "${" not in raw and "%{" not in raw:
        return raw
    return _DOUBLED.sub(lambda found: found[0][1:], raw)
