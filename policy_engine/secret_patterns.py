"""What secrets look like. Imported only once a text gives a hint of one."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache, lru_cache

MASK = "****"

# Each is compiled when the first text may hold what it finds: a short run needs none or one of them.
_KNOWN = r"""
    \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b                      # AWS access key id
  | \bgh[pousr]_[A-Za-z0-9]{20,}\b | \bgithub_pat_[A-Za-z0-9_]{20,}\b
  | \bglpat-[A-Za-z0-9_-]{16,}
  | \bxox[abeoprs]-[A-Za-z0-9-]{10,}
  | \b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}\b                     # Stripe
  | \bAIza[A-Za-z0-9_-]{30,}                                     # Google
  | \bnpm_[A-Za-z0-9]{30,}\b | \bpypi-[A-Za-z0-9_-]{30,}
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*     # JSON web token
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*
    """
_KNOWN_MARKS = (
    *("AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("k_live_", "k_test_", "AIza", "npm_", "pypi-", "eyJ", "PRIVATE KEY"),
)
_IN_URL = r"(?<=://)([^\s/:@]{0,200}):([^\s/@]{1,200})(?=@)"
_ASSIGNED = r"""(?ix)
    ( ["']? [\w.-]{0,60} (?: passw(?:or)?d | passwd | passphrase | secret | token | api_?key | access_?key
        | private_?key | credential ) [\w.-]{0,30} ["']? \s* (?: = | : ) \s* )
    ( "(?:[^"\\]|\\.){3,}" | '[^']{3,}' | [^\s"'#,;{}\[\]()$<]{6,} )
    """
_ASSIGNED_NAMES = ("passw", "passphrase", "secret", "token", "key", "credential")
_LONG = 32
_TOKEN = rf"[A-Za-z0-9+/_=-]{{{_LONG},}}"
# What follows such a name but is a reference or a switch rather than a secret.
_REFERENCE = r"""(?ix) ^["']? (?: true | false | null | none | yes | no | \d{1,3}
      | (?:var|local|data|module|each|self|random_password|aws_\w+|azurerm_\w+|google_\w+)\..*
      | \$.* | .*\$\{.* | arn:.* | https?://.* ) ["']?$"""
# Names that hold a place or a kind more often than a secret: a plain word after them is left as it is.
_WORD = r"(?i)[a-z]+(?:[-_./:][a-z]+)*"


def mask(text: str) -> str:
    if any(mark in text for mark in _KNOWN_MARKS):
        text = _compiled(_KNOWN, re.VERBOSE).sub(MASK, text)
    if "://" in text and "@" in text:
        text = _compiled(_IN_URL).sub(lambda match: f"{match[1]}:{MASK}", text)
    folded = text.casefold()
    if any(name in folded for name in _ASSIGNED_NAMES):
        text = _compiled(_ASSIGNED).sub(_assignment, text)
    if any(len(word) >= _LONG for word in text.split()):
        text = _compiled(_TOKEN).sub(lambda match: MASK if _looks_random(match[0]) else match[0], text)
    return text


@cache
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def _assignment(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    if _compiled(_REFERENCE).match(value):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    if "pass" not in name.lower() and _compiled(_WORD).fullmatch(value.strip("\"'")):
        return match[0]
    return f"{name}{quote}{MASK}{quote}"


@lru_cache(maxsize=256)
def _looks_random(token: str) -> bool:
    """Long, mixed and without pattern: a generated credential rather than a word, a path or a digest."""
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", token):
        return False  # Digests and commit ids are public; a hexadecimal secret is caught by its name.
    kinds = sum(bool(re.search(kind, token)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    counts = Counter(token).values()
    entropy = -sum(n / len(token) * math.log2(n / len(token)) for n in counts)
    return kinds == 3 and entropy > 4.0
