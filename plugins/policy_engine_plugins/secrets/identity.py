"""Tells the same secret at two places without telling it.

With a key in POLICY_ENGINE_SECRET_KEY it is an HMAC of the value, which nobody without the key can check guesses
against. Without one, only values that were generated get an identity: 128 random bits are not guessed, a password is.
"""

from __future__ import annotations

import hmac
import math
import os
from collections import Counter

from policy_engine.errors import ConfigError
from policy_engine_plugins.secrets.found import NAME, Found

VARIABLE = "POLICY_ENGINE_SECRET_KEY"
LEAST_KEY = 16
DIGITS = 16
_LEAST_BITS = 100
_CHOSEN_BY_PEOPLE = ("database", "url", "password")
_CHOSEN_KINDS = ("registry-login", "npmrc-credential", "pypirc-password")
# No secret: it only keeps these hashes apart from those of other products.
_PUBLIC_KEY = b"policy-engine secret identity"


def identity_key() -> bytes | None:
    """Raises ConfigError for a key that is too short to keep guesses out."""
    key = os.environ.get(VARIABLE, "")
    if not key:
        return None
    if len(key) < LEAST_KEY:
        raise ConfigError(f"{VARIABLE} is shorter than {LEAST_KEY} characters; make one with: openssl rand -hex 32")
    return key.encode("utf-8", "surrogateescape")


def identity(found: Found, key: bytes | None) -> str | None:
    if key is None:
        if found.kind.group in _CHOSEN_BY_PEOPLE or found.kind.name in _CHOSEN_KINDS or found.basis == NAME:
            return None
        if _bits(found.value) < _LEAST_BITS:
            return None
        key = _PUBLIC_KEY
    digest = hmac.new(key, found.value.encode("utf-8", "surrogatepass"), "sha256")
    return digest.hexdigest()[:DIGITS]


def _bits(value: str) -> float:
    """How much there is to guess, taken low: what the distribution of its characters leaves."""
    return sum(-n * math.log2(n / len(value)) for n in Counter(value).values())
