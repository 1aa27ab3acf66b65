"""Tells what people write in a secret's place: examples, placeholders, references."""

from __future__ import annotations

import re

_WORDS = re.compile(
    r"(?i)example|sample|placeholder|dummy|fake|changeme|change[-_]me|change[-_]this|replace|redacted|insert|"
    r"your[-_]?(?:own|api|key|token|secret|password|account)|yourtoken|todo|not[-_]?a?[-_]?real|"
    r"x{5,}|\*{3,}|\.{3,}|0{8,}|1{8,}|a{8,}|deadbeef|foobar|lorem|<|>"
)
_REFERENCE = re.compile(
    r"""(?ix)
    \$\{ | \$\( | \{\{ | \}\} | \$[A-Za-z_]\w*$ | ^\$ | %\( | ^%[A-Za-z_]\w*%$ | ^%[-\d.]*[sdvq]$ | ^@ | ^\{ | \{\w*\}
    | ^\[ | ^\( | ^< | ^\# | ^!\w | ^arn: | ^https?:// | ^file: | ^/[\w.-]+/ | ^\.{1,2}/ | ^~/ | ^[A-Za-z]:\\
    | ^(?:vault|op|ssm|secretsmanager|keyvault|sops|env|ref\+\w+|gcp|aws-sm):
    | ^(?:os|process|env|var|local|data|module|secrets|vars|self|this|config|settings|settings?)[.\[]
    | ^(?:ENC\[|AQICA|-----BEGIN\ PGP\ MESSAGE)
    """
)
_LADDERS = (
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "zyxwvutsrqponmlkjihgfedcba",
    "9876543210",
    "qwertyuiopasdfghjklzxcvbnm",
)


def is_reference(value: str) -> bool:
    """A way to the secret rather than the secret: a variable, a template, a path, a store's address."""
    return _REFERENCE.search(value) is not None


def made_up(value: str) -> bool | str:
    """Of what has a generated secret's form: True where nobody generated it, a reason where that is in doubt."""
    if _WORDS.search(value):
        return True
    body = value.rsplit("_", 1)[-1] if "_" in value[:12] else value
    letters = [char for char in body.lower() if char.isalnum()]
    if len(letters) >= 12 and len(set(letters)) <= max(4, len(letters) // 8):
        return True
    longest, total = _regular(body.lower())
    if longest >= 10 or total * 2 >= len(body):
        return True
    if longest >= 5:
        return "a part of it runs up or down the alphabet or the keyboard, as made-up ones do"
    return False


def is_example(value: str) -> bool:
    """Whether it says so itself: told as one, where other placeholders are passed over."""
    return "example" in value.lower()


def _regular(text: str) -> tuple[int, int]:
    """The longest stretch of characters in order or all alike, and how many characters such stretches have."""
    longest = total = 0
    place = 0
    while place < len(text):
        length = max(_alike(text, place), *(_along(text, place, ladder) for ladder in _LADDERS))
        if length >= 4:
            longest, total = max(longest, length), total + length
            place += length
        else:
            place += 1
    return longest, total


def _alike(text: str, place: int) -> int:
    end = place
    while end < len(text) and text[end] == text[place]:
        end += 1
    return end - place


def _along(text: str, place: int, ladder: str) -> int:
    step = ladder.find(text[place])
    if step < 0:
        return 0
    end = place
    while end < len(text) and step < len(ladder) and text[end] == ladder[step]:
        end, step = end + 1, step + 1
    return end - place


_TEST_FOLDERS = frozenset(
    {
        *("test", "tests", "testing", "testdata", "test_data", "__tests__", "spec", "specs", "fixtures", "fixture"),
        *("mocks", "__mocks__", "examples", "example", "samples", "sample", "demo", "demos", "e2e", "testsuite"),
        *("doc", "docs", "documentation", "certdata", "idlelib", "benchmarks"),
    }
)
_TEST_NAMES = re.compile(
    r"(?i)(?:^|[._-])(?:test|tests|spec|examples?|samples?|mocks?|fixtures?|dist|template)(?:[._-]|$)|^conftest\.py$|"
    r"(?:Test|Tests|Spec)\.\w+$|\.(?:md|mdx|rst|adoc|html?|ipynb|svg|po|pot|pyi|css|map)$"
)


def stands_for_show(path: str) -> str | None:
    """Why a file's passwords may be there for show: it belongs to tests, examples or documentation."""
    *folders, name = path.split("/")
    if _TEST_NAMES.search(name) or any(folder.lower() in _TEST_FOLDERS for folder in folders):
        return "it stands among tests, examples or documentation, where passwords are made up as often as not"
    return None
