"""Keeps what looks like a secret out of every output."""

from __future__ import annotations

from functools import lru_cache

MAX_CHARACTERS = 4000
"""No line is shown longer than this."""
_HINTS = (
    *("pass", "secret", "token", "key", "cred", "eyj", "gho_", "ghp_", "ghu_", "ghs_", "ghr_", "github_pat", "xox"),
    *("aiza", "glpat", "npm_", "pypi-", "live_", "test_", "akia", "asia", "abia", "acca", "@"),
)
_LONG_WORD = 32


@lru_cache(maxsize=512)
def redact(text: str) -> str:
    """`text` with anything that looks like a secret replaced by ****. Cheap for text that gives no hint of one."""
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] + "..."
    if not _gives_hint(text):
        return text
    from policy_engine.secret_patterns import mask

    return mask(text)


def _gives_hint(text: str) -> bool:
    lower = text.lower()
    for hint in _HINTS:  # every message and line comes here, and a generator takes twice as long
        if hint in lower:
            return True
    return len(text) >= _LONG_WORD and any(len(word) >= _LONG_WORD for word in text.split())
