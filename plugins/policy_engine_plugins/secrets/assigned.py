"""Where a literal is assigned to a name of a secret, told from the form alone: what a file is first asked.

A name is looked for first and its neighbourhood is read from there, so that a line of a million characters costs no
more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A core of a name; what stands around it decides. Anchored reading starts at each.
_CORE = re.compile(
    r"(?i)passw(?:or)?d|passphrase|(?<![a-z])pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|"
    r"auth[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|credentials?(?![a-z])"
)
REST = re.compile(
    r"""(?x) (?P<rest>[\w.-]{0,40}) ["'`]? \]? [ \t]{0,20}
        (?: (?::[ \t]{0,5}[A-Za-z_][\w.\[\], |&*]{0,40})? (?P<sign>=>|:=|===?|!==?|\?=|=|:) )
        [ \t]{0,20} (?P<value>
            (?:[fFbBuU@$]?[rR]?)"(?:[^"\\\r\n]|\\.){4,200}"
          | (?:[fFbBuU@$]?[rR]?)'(?:[^'\\\r\n]|\\.){4,200}'
          | `[^`\r\n]{4,200}`
          | [^\s"'`,;(){}\[\]<>\#&|]{6,200} (?=[\s,;]|$)
        )"""
)
# Files in which a value stands without quotes.
UNQUOTED = re.compile(
    r"(?i)(?:^|/)(?:\.env(?:\.[\w.-]+)?|[\w.-]*\.env|\.?npmrc|\.?pypirc|\.?netrc|_netrc|credentials|dockerfile[\w.-]*|"
    r"[\w.-]+\.(?:properties|ini|cfg|conf|config|ya?ml|toml|tfvars|env|sh|bash|zsh|ps1|envrc|list|service|txt))$"
)
_ENDS = ("passwd", "password", "passphrase", "pwd", "secret", "token", "key", "credential")
_BEFORE_KEY = re.compile(r"(?:api|access|account|private|auth|encryption|signing|master)[_-]?\Z")
_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def small(text: str) -> str:
    """In small letters, as long as it was: those of ASCII alone."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def cores(text: str) -> Iterator[re.Match[str]]:
    """What `_CORE` finds, many times as fast: it is tried only where one of the words stands."""
    lower = small(text)
    places = []
    for word in _ENDS:
        place = lower.find(word)
        while place >= 0:
            begin = place
            if word == "key":
                before = _BEFORE_KEY.search(lower, max(0, place - 11), place)
                begin = before.start() if before else -1
            if begin >= 0:
                places.append(begin)
            place = lower.find(word, place + 1)
    for place in sorted(set(places)):
        match = _CORE.match(text, place)
        if match is not None:
            yield match


def literal(match: re.Match[str]) -> tuple[bool, str, int]:
    """Of a match of `REST`: whether the value is quoted, the value without its quotes, and where it begins."""
    text, start = match["value"], match.start("value")
    quote = next((char for char in text[:3] if char in "\"'`"), "") if text[-1] in "\"'`" else ""
    if not quote or text[-1] != quote:
        return False, text, start
    inner = text.index(quote) + 1
    return True, text[inner:-1], start + inner


def may_connect(lower: str) -> bool:
    """Whether a text in small letters may hold a connection string with a password."""
    return ";" in lower and any(f"{name}{sign}" in lower for name in ("password", "pwd") for sign in ("=", " ="))


def may_assign(path: str, lower: bytes) -> bool:
    """Whether a file that has a name of a secret in it assigns a literal to one. `lower` is the file in small letters,
    so that only the form of an assignment is looked at."""
    text = lower.decode("latin-1")
    if may_connect(text):
        return True
    name = path.rpartition("/")[2].lower()
    if name.endswith(("npmrc", "netrc", "pypirc")):
        return True
    unquoted = UNQUOTED.search(path) is not None
    for core in cores(text):
        match = REST.match(text, core.end())
        if match is None:
            continue
        quoted, value, _ = literal(match)
        if (quoted or unquoted) and re.search(r"[0-9]|[^a-z0-9_.\-/:\s]", value):
            # Few files come as far, and the patterns in there take milliseconds to compile.
            from policy_engine_plugins.secrets.placeholder import is_reference

            if not is_reference(value):
                return True
    return '"auth"' in text or ("basic " in text and re.search("basic [a-z0-9+/]{8}", text) is not None)
