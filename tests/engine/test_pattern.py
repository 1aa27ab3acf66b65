"""Patterns that are looked for as words say what `re` says of every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.pattern import search_for

PATTERNS = [
    r"curl|wget|\$",
    r"apt-get",
    r"^(?:apt|apt-get|apk)$",
    r"^(?:go|npm|pip[0-9.]*)$",
    r"^(?:a)|(?:b)$",
    r"^apt$",
    r"a\.b|c",
    r"a\d|b",
    r"a|",
    r"(?i)token",
    r"\bkey\b",
    r"x\\y",
]
TEXTS = [
    *("", "curl", "a curl b", "apt", "apt\n", "apt\n\n", "\napt", "apt-get", "APT", "$", "\\$", "a.b", "axb", "c"),
    *("a1", "ad", "b", "my key", "monkey", "Token", "x\\y", "xy", "pip3.11", "apt|apk", "^(?:a", "é curl"),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_is_found_where_re_finds_it(pattern: str) -> None:
    search = search_for([pattern])
    for _ in range(2):  # what is found is remembered
        assert [search(text) for text in TEXTS] == [re.search(pattern, text) is not None for text in TEXTS]


@given(st.lists(st.text("ab|$\\.^(?:)n\n", max_size=8), max_size=3), st.text("ab$.n\n|", max_size=6))
def test_any_pattern_and_any_text(patterns: list[str], text: str) -> None:
    try:
        expected = any(re.search(pattern, text) is not None for pattern in patterns)
    except re.error:
        return
    assert search_for(patterns)(text) is expected


def test_one_of_several_is_enough() -> None:
    assert search_for(["curl", "^wget$"])("wget")
    assert not search_for(["curl", "^wget$"])("a wget")
