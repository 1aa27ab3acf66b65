"""Regular expressions of rules, made ready for being tried on text after text.

Most of those in rules are words with `|` between them, alone or from the start to the end of the text. Python's `re`
tries every word at every character, and takes long to compile; looking for words as words says the same many times
faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

Search = Callable[[str], bool]

MAX_REMEMBERED = 4096
"""Texts of which it is kept whether one pattern is found in them; a stranger's files may hold any number."""
MAX_REMEMBERED_TEXT = 200
_SPECIAL = frozenset(".^$*+?{}[]()")


def search_for(patterns: Sequence[str]) -> Search:
    """Tells of a text whether one of the patterns is found in it. Patterns that need `re` are compiled when first
    tried."""
    searches = [_search(pattern) for pattern in patterns]
    if len(searches) == 1:
        return searches[0]

    def search(text: str) -> bool:
        for each in searches:  # noqa: SIM110 - a generator takes three times as long
            if each(text):
                return True
        return False

    return search


@lru_cache(maxsize=4096)
def _search(pattern: str) -> Search:
    words = _words(pattern)
    if words is not None:
        return _contains(words)
    if pattern.startswith("^(?:") and pattern.endswith(")$"):
        words = _words(pattern[4:-2])
        if words is not None:
            return _is_one_of(frozenset(words))
    return _matches(pattern)


def _contains(words: Sequence[str]) -> Search:
    def search(text: str) -> bool:
        for word in words:  # noqa: SIM110
            if word in text:
                return True
        return False

    return search


def _is_one_of(words: frozenset[str]) -> Search:
    # A `$` matches before a line break that ends the text, too.
    return lambda text: text in words or (text[-1:] == "\n" and text[:-1] in words)


def _matches(pattern: str) -> Search:
    compiled: list[Callable[[str], object]] = []
    known: dict[str, bool] = {}

    def search(text: str) -> bool:
        # The same names, lines and options come again and again.
        found = known.get(text)
        if found is None:
            if not compiled:
                import re

                compiled.append(re.compile(pattern).search)
            found = compiled[0](text) is not None
            if len(text) <= MAX_REMEMBERED_TEXT and len(known) < MAX_REMEMBERED:
                known[text] = found
        return found

    return search


def _words(pattern: str) -> tuple[str, ...] | None:
    """The words of a pattern that is nothing but words with `|` between them (`curl|wget|\\$`); else None."""
    words: list[str] = []
    word, escaped = "", False
    for char in f"{pattern}|":
        if escaped:
            if char.isalnum() or char == "_":
                return None  # a class, a boundary or the like
            word, escaped = word + char, False
        elif char == "\\":
            escaped = True
        elif char == "|":
            words.append(word)
            word = ""
        elif char in _SPECIAL:
            return None
        else:
            word += char
    return None if escaped else tuple(words)
