"""Durations as GitLab writes them: `3 hours 30 minutes`, `1h 30m`, `90 min`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from policy_engine.unknown import Unknown

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_MINUTES = (
    (("mo", "month"), 60 * 24 * 30),
    (("w", "wk", "week"), 60 * 24 * 7),
    (("d", "day"), 60 * 24),
    (("h", "hr", "hour"), 60),
    (("m", "min", "minute"), 1),
    (("s", "sec", "second"), 1 / 60),
    (("y", "yr", "year"), 60 * 24 * 365),
)


def minutes(given: Any) -> Any:
    """The duration in minutes; a bare number is seconds."""
    if given is None or isinstance(given, Unknown):
        return given
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return given / 60
    return _of_text(str(given).strip())


@lru_cache(maxsize=256)
def _of_text(text: str) -> float | Unknown:
    if text.isdecimal() and len(text) < 10:
        return int(text) / 60
    total = 0.0
    for number, unit in _PART.findall(text[:100]):
        name = unit.lower()
        name = name if len(name) < 3 else name.rstrip("s")
        factor = next((factor for names, factor in _MINUTES if name in names), None)
        if factor is None:
            return Unknown(f"the duration '{text[:40]}' is not understood")
        total += float(number) * factor
    return total if total else Unknown(f"the duration '{text[:40]}' is not understood")
