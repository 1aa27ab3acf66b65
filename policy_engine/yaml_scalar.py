"""What a plain YAML scalar means: null, a boolean, a number or text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from policy_engine.yaml_document import TaggedScalar

_NULLS = ("", "~", "null", "Null", "NULL")
_CORE_WORDS: dict[str, Any] = {
    **dict.fromkeys(_NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_OLD_WORDS: dict[str, Any] = {
    **_CORE_WORDS,
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
# First characters of plain scalars that may be something else than text.
CORE_STARTS = frozenset(["", *"~nNtTfF.+-0123456789"])
OLD_STARTS = CORE_STARTS | frozenset("yYoO")
_NUMBER_STARTS = frozenset("+-._0123456789")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CORE_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_OLD_INT = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)")
# A longer run of digits is no number that any consumer holds, and Python refuses to convert it.
_MAX_NUMBER_LENGTH = 400


def resolve_core(text: str) -> Any:
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if text[0] in _NUMBER_STARTS and len(text) <= _MAX_NUMBER_LENGTH:
        if _CORE_INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def resolve_old(text: str) -> Any:
    if text in _OLD_WORDS:
        return _OLD_WORDS[text]
    if text[0] in _NUMBER_STARTS and len(text) <= _MAX_NUMBER_LENGTH:
        digits = text.replace("_", "")
        if _OLD_INT.fullmatch(digits):
            unsigned = digits.lstrip("+-")
            if len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1].isdigit():
                return int(digits, 8)
            return int(digits, 0)
        if _FLOAT.fullmatch(digits):
            return float(digits)
    return text


_TAG_PREFIX = "tag:yaml.org,2002:"
CORE_TAGS = {_TAG_PREFIX + name: name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


def resolve_tagged(text: str, tag: str, resolve: Callable[[str], Any]) -> Any:
    name = CORE_TAGS.get(tag)
    if name is None:
        return TaggedScalar(text, tag)
    if name == "str":
        return text
    value = resolve(text)
    return float(value) if name == "float" and type(value) is int else value
