"""Regular expressions of a configuration: RE2's syntax run by Python's engine, within bounds.

RE2 takes linear time whatever the pattern; Python's engine does not. So a pattern is run only where it cannot take
long: no repetition inside a repetition, and few of them for long texts. Otherwise the result is unknown.
"""

from __future__ import annotations

import re
import sys
import warnings
from functools import lru_cache
from importlib import import_module
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.terraform.values import EvaluationError, NotKnown

_MAX_WORK = 20_000_000
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\t\n\v\f\r ",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
    "blank": r"\t ",
}


def compiled(pattern: str, text: str) -> re.Pattern[str]:
    """The pattern, made sure that searching the text with it stays within bounds."""
    expression, repetitions = _compile(pattern)
    if expression is None:
        raise NotKnown(Unknown("a regular expression that is too complex to run safely"))
    work = 1
    for _ in range(repetitions + 1):
        work *= max(len(text), 1)
        if work > _MAX_WORK:
            raise NotKnown(Unknown("a regular expression over a text that is too long to run it safely"))
    return expression


@lru_cache(maxsize=256)
def _compile(pattern: str) -> tuple[re.Pattern[str] | None, int]:
    if len(pattern) > 2000:
        return None, 0
    translated = re.sub(r"\[:(\w+):\]", lambda found: _POSIX.get(found[1], found[0]), pattern)
    translated = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", translated)
    if re.search(r"(?<!\\)(?:\\\\)*\\[pPQCX]|\(\?[a-zA-Z-]*U|\(\?<?[=!]|\\[1-9]|\(\?P=|\(\?\(", translated):
        # Unicode classes and swapped greediness are RE2's alone; what looks around or back is Python's alone.
        return None, 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expression = re.compile(translated, re.ASCII)
            tree = _parse(translated)
    except (re.error, OverflowError, RecursionError) as error:
        raise EvaluationError(f"the regular expression is not valid: {error}") from None
    repetitions = _repetitions(tree)
    return (expression, repetitions) if repetitions is not None else (None, 0)


def _parse(pattern: str) -> Any:
    # Python 3.11 moved it; its types are nobody's business.
    module = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
    return module.parse(pattern, re.ASCII)


def _repetitions(tree: Any, inside: bool = False) -> int | None:
    """How many open-ended repetitions follow each other; None where one stands inside another."""
    total = 0
    for operation, argument in tree:
        name = str(operation)
        if "REPEAT" in name:
            _, high, body = argument
            count = _repetitions(body, True)
            if count is None or (count and int(high) > 1) or (inside and int(high) > 20):
                return None
            total += count + (int(high) > 20)
        elif name == "SUBPATTERN":
            count = _repetitions(argument[-1], inside)
            if count is None:
                return None
            total += count
        elif name == "BRANCH":
            for branch in argument[1]:
                count = _repetitions(branch, inside)
                if count is None:
                    return None
                total += count
            if inside:
                return None
        elif name in ("ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS", "ATOMIC_GROUP"):
            return None
    return total
