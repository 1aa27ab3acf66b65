"""Encoding functions. What encodes a document gives text that keeps the document beside it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from policy_engine.unknown import Embedded, Unknown
from policy_engine_plugins.terraform.functions.signature import Function, function, never
from policy_engine_plugins.terraform.values import (
    MAX_TEXT,
    EvaluationError,
    UnknownDocument,
    Value,
    all_unknown_in,
    combine,
    from_plain,
    measure,
    number_text,
    plain,
    to_text,
)

MAX_DEPTH = 200
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode_json(value: Value) -> str:
    """As Terraform writes JSON: keys sorted, no white space. An Unknown shows as a placeholder."""
    measure(value)
    pieces: list[str] = []
    _write_json(value, pieces, 0)
    text = "".join(pieces)
    if len(text) > MAX_TEXT:
        raise EvaluationError(f"the text grows beyond {MAX_TEXT} characters")
    return text


def _write_json(value: Value, pieces: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EvaluationError("the value is nested too deeply")
    if value is None:
        pieces.append("null")
    elif isinstance(value, bool):
        pieces.append("true" if value else "false")
    elif isinstance(value, (int, float)):
        pieces.append(number_text(value))
    elif isinstance(value, str):
        pieces.append(_json_text(value))
    elif isinstance(value, Unknown):
        pieces.append(_json_text("".join("(unknown)" if part is None else part for part in value.fragments or (None,))))
    elif isinstance(value, dict):
        separator = "{"
        for key in sorted(value):
            pieces.append(f"{separator}{_json_text(key)}:")
            _write_json(value[key], pieces, depth + 1)
            separator = ","
        pieces.append("}" if value else "{}")
    else:
        separator = "["
        for item in value:
            pieces.append(separator)
            _write_json(item, pieces, depth + 1)
            separator = ","
        pieces.append("]" if value else "[]")


def _json_text(text: str) -> str:
    return json.dumps(str(text), ensure_ascii=False).translate(_ESCAPED)


def document(value: Value) -> Value:
    """A value as the JSON text that stands for it."""
    return _document(value, encode_json(value))


def _document(value: Value, text: str) -> Value:
    document = Embedded(text, plain(value))
    unknowns = all_unknown_in(value)
    return UnknownDocument(combine(unknowns), document) if unknowns else document


def _json_encode(value: Value) -> Value:
    return document(value)


def _json_decode(text: Value) -> Value:
    if isinstance(text, UnknownDocument):
        return from_plain(text.document.value)
    if isinstance(text, Unknown):
        return combine((text,))
    return load_json(to_text(text))


def load_json(text: str) -> Value:
    deepest = depth = 0
    for bracket in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        sign = bracket[0]
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    if deepest > MAX_DEPTH:
        raise EvaluationError("the JSON document is nested too deeply")

    def refuse(constant: str) -> Value:
        raise EvaluationError(f"the text is not valid JSON: {constant}")

    def integer(digits: str) -> int:
        if len(digits) > 600:
            raise EvaluationError("a number in the JSON document is too large")
        return int(digits)

    try:
        return json.loads(text, parse_constant=refuse, parse_float=_float, parse_int=integer)
    except json.JSONDecodeError as error:
        raise EvaluationError(f"the text is not valid JSON: {error.msg}") from None


def _float(digits: str) -> int | float:
    from policy_engine_plugins.terraform.values import to_number

    number = to_number(digits) if len(digits) <= 600 else float(digits)
    if number in (float("inf"), float("-inf")):
        raise EvaluationError("a number in the JSON document is too large")
    return number


def _yaml_encode(value: Value) -> Value:
    measure(value)
    pieces: list[str] = []
    _write_yaml(value, pieces, 0, False)
    if value is None or isinstance(value, (bool, int, float)):
        pieces.append("...\n")
    return _document(value, "".join(pieces))


def _write_yaml(value: Value, pieces: list[str], depth: int, in_list: bool) -> None:
    """Block style with every string quoted, as Terraform writes it."""
    if depth > MAX_DEPTH:
        raise EvaluationError("the value is nested too deeply")
    indent = "  " * depth
    if isinstance(value, dict) and value:
        for at, key in enumerate(sorted(value)):
            pieces.append(("" if in_list and at == 0 else indent) + f"{json.dumps(key, ensure_ascii=False)}:")
            item = value[key]
            if isinstance(item, dict) and item:
                pieces.append("\n")
                _write_yaml(item, pieces, depth + 1, False)
            elif isinstance(item, list) and item:
                pieces.append("\n")
                _write_yaml(item, pieces, depth, False)
            else:
                pieces.append(" ")
                _write_yaml(item, pieces, depth + 1, False)
    elif isinstance(value, list) and value:
        for at, item in enumerate(value):
            pieces.append(("" if in_list and at == 0 else indent) + "- ")
            _write_yaml(item, pieces, depth + 1, True)
    elif isinstance(value, str) and "\n" in value:
        _write_lines(value, pieces, indent or "  ")
    else:
        pieces.append(("{}" if isinstance(value, dict) else encode_json(value)) + "\n")


def _write_lines(text: str, pieces: list[str], indent: str) -> None:
    """A text of several lines as a literal block, with what tells its indentation and its end."""
    leading = "2" if text[0] in " \n" else ""
    ending = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    body = text if ending == "-" else text[:-1]
    pieces.append(f"|{leading}{ending}\n")
    pieces.extend(f"{indent}{line}\n" if line else "\n" for line in body.split("\n"))


def _yaml_decode(text: Value) -> Value:
    if isinstance(text, UnknownDocument):
        return from_plain(text.document.value)
    if isinstance(text, Unknown):
        return combine((text,))
    from policy_engine.yaml_document import parse_yaml

    # A front door of its own for untrusted YAML: bounded in depth and aliases.
    parsed = parse_yaml(to_text(text).encode(), "", yaml_1_1=False)
    if parsed.problems:
        raise EvaluationError(f"the text is not valid YAML: {parsed.problems[0].message}")
    if len(parsed.documents) > 1:
        raise EvaluationError("the text holds more than one YAML document")
    if not parsed.documents:
        raise EvaluationError("the text holds no YAML document")
    return _from_yaml(parsed.documents[0].value)


# Where Terraform's reader of YAML sees more than text, unless it is quoted, which cannot be told here.
_AMBIGUOUS = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?|(?i:y|yes|n|no|on|off)")


def _from_yaml(value: Any) -> Value:
    if isinstance(value, dict):
        return {key: _from_yaml(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_yaml(item) for item in value]
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise EvaluationError("a number that is not finite")
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, str) and _AMBIGUOUS.fullmatch(value):
        return Unknown("in YAML this may be text, a date or a boolean, by how it is quoted")
    return value


def _csv_decode(text: Value) -> Value:
    import csv
    import io

    try:
        rows = list(csv.reader(io.StringIO(to_text(text)), strict=True))
    except csv.Error as error:
        raise EvaluationError(f"the text is not valid CSV: {error}") from None
    rows = [row for row in rows if row]
    if not rows:
        raise EvaluationError("the CSV document has no header")
    header, *records = rows
    if len(set(header)) != len(header):
        raise EvaluationError("the CSV document names a column twice")
    if any(len(record) != len(header) for record in records):
        raise EvaluationError("a CSV record has another number of fields than the header")
    return [dict(zip(header, record, strict=True)) for record in records]


def _base64_decode(text: Value) -> str:
    try:
        return base64.b64decode(to_text(text).encode(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, UnicodeEncodeError):
        raise EvaluationError("the text is not the base64 form of UTF-8 text") from None


def _charset(name: Value) -> str:
    import codecs

    try:
        return codecs.lookup(to_text(name)).name
    except LookupError:
        raise EvaluationError("the character encoding is not known") from None


def _text_encode(text: Value, encoding: Value) -> str:
    try:
        return base64.b64encode(to_text(text).encode(_charset(encoding))).decode()
    except (UnicodeError, LookupError):
        raise EvaluationError("the text cannot be written in this encoding") from None


def _text_decode(text: Value, encoding: Value) -> str:
    try:
        return base64.b64decode(to_text(text).encode(), validate=True).decode(_charset(encoding))
    except (binascii.Error, UnicodeError, LookupError):
        raise EvaluationError("the text cannot be read in this encoding") from None


def _url_encode(text: Value) -> str:
    from urllib.parse import quote_plus

    return quote_plus(to_text(text))


def _url_decode(text: Value) -> str:
    from urllib.parse import unquote_plus

    return unquote_plus(to_text(text))


FUNCTIONS: dict[str, Function] = {
    "base64decode": function(1, 1, _base64_decode),
    "base64encode": function(1, 1, lambda text: base64.b64encode(to_text(text).encode()).decode()),
    "base64gunzip": never("compressed text is not unpacked"),
    "base64gzip": never("what compressed text looks like depends on the compressor"),
    "csvdecode": function(1, 1, _csv_decode, weight=100),
    "jsondecode": function(1, 1, _json_decode, unknowns=True, weight=100),
    "jsonencode": function(1, 1, _json_encode, nulls=True, unknowns=True, weight=20),
    "textdecodebase64": function(2, 2, _text_decode),
    "textencodebase64": function(2, 2, _text_encode),
    "urldecode": function(1, 1, _url_decode),
    "urlencode": function(1, 1, _url_encode),
    "yamldecode": function(1, 1, _yaml_decode, unknowns=True, weight=500),
    "yamlencode": function(1, 1, _yaml_encode, nulls=True, unknowns=True, weight=30),
}
