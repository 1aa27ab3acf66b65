"""Reads the catalogue files beside it. A rule names no control of these: they follow from its 2022 controls."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from policy_engine.control import Control, Framework


@lru_cache(maxsize=8)
def load(name: str) -> Framework:
    path = Path(__file__).with_name(f"{name.replace('-', '_')}.json")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    from_2022: dict[str, list[str]] = document["from_2022"]
    sources: dict[str, list[str]] = {}
    for control, own in from_2022.items():
        for each in own:
            sources.setdefault(each, []).append(control)
    controls = {
        entry["id"]: Control(
            id=entry["id"],
            theme=entry["theme"],
            name=entry["name"],
            guidance=f"Corresponds to {', '.join(sources[entry['id']])} of ISO/IEC 27001:2022 Annex A.",
            evidence="partial",
            corresponds={"iso27001-2022": tuple(sources[entry["id"]])},
        )
        for entry in document["controls"]
    }
    return Framework(
        name=document["name"],
        title=document["title"],
        source=document["source"],
        url=document["url"],
        themes=document["themes"],
        controls=controls,
        from_2022=from_2022,
    )
