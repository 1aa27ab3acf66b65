"""What secrets look like. Imported only once a text gives a hint of one."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

MASK = "****"

_KNOWN = re.compile(
    r"""
    \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b                      # AWS access key id
  | \bgh[pousr]_[A-Za-z0-9]{20,}\b | \bgithub_pat_[A-Za-z0-9_]{20,}\b
  | \bglpat-[A-Za-z0-9_-]{16,}
  | \bxox[abeoprs]-[A-Za-z0-9-]{10,}
  | \b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}\b                     # Stripe
  | \bAIza[A-Za-z0-9_-]{30,}                                     # Google
  | \bnpm_[A-Za-z0-9]{30,}\b | \bpypi-[A-Za-z0-9_-]{30,}
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*     # JSON web token
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*
    """,
    re.VERBOSE,
)
_IN_URL = re.compile(r"(?<=://)([^\s/:@]{0,200}):([^\s/@]{1,200})(?=@)")
_ASSIGNED = re.compile(
    r"""(?ix)
    ( ["']? [\w.-]{0,60} (?: passw(?:or)?d | passwd | passphrase | secret | token | api_?key | access_?key
        | private_?key | credential ) [\w.-]{0,30} ["']? \s* (?: = | : ) \s* )
    ( "(?:[^"\\]|\\.){3,}" | '[^']{3,}' | [^\s"'#,;{}\[\]()$<]{6,} )
    """
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
# What follows such a name but is a reference or a switch rather than a secret.
_REFERENCE = re.compile(
    r"""(?ix) ^["']? (?: true | false | null | none | yes | no | \d{1,3}
      | (?:var|local|data|module|each|self|random_password|aws_\w+|azurerm_\w+|google_\w+)\..*
      | \$.* | .*\$\{.* | arn:.* | https?://.* ) ["']?$"""
)
# Names that hold a place or a kind more often than a secret: a plain word after them is left as it is.
_WORD = re.compile(r"(?i)[a-z]+(?:[-_./:][a-z]+)*")


def mask(text: str) -> str:
    text = _KNOWN.sub(MASK, text)
    text = _IN_URL.sub(lambda match: f"{match[1]}:{MASK}", text)
    text = _ASSIGNED.sub(_assignment, text)
    return _TOKEN.sub(lambda match: MASK if _looks_random(match[0]) else match[0], text)


def _assignment(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    if _REFERENCE.match(value):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    if "pass" not in name.lower() and _WORD.fullmatch(value.strip("\"'")):
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
