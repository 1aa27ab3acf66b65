"""Checks of what macros and expressions put into texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.azure_pipelines.variables import AUTHORED


def pipeline_uses(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each use, in the places asked for, of what is looked for."""
    places = _regex(tuple(parameters["in"]))
    what = parameters["what"]
    for number, use in enumerate(value.get("uses", ())):
        if places.fullmatch(use["path"]) is None:
            continue
        shown = f"${{{{ {use['kind']}s.{use['name']} }}}}" if use["kind"] != "macro" else f"$({use['name']})"
        if what == "parameter":
            if use["kind"] == "parameter" and not use["bounded"]:
                yield Violation(("uses", number), shown)
        elif what == "secret":
            if use["secret"]:
                yield Violation(("uses", number), shown)
        else:
            written = next((name for name in use["flows"] if name in AUTHORED), None)
            if written is not None:
                through = "" if written == use["name"].lower() else f", which holds {written},"
                yield Violation(("uses", number), shown + through)
    if places.fullmatch("script") is not None:
        script = value.get("script")
        if isinstance(script, Unknown) and not any(script.fragments):
            yield Doubt(script, ("script",))


@lru_cache(maxsize=64)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns), re.IGNORECASE)
