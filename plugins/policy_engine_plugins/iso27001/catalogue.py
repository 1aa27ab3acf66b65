"""Reads the catalogue files beside it."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any

from policy_engine.control import Control, Framework

EDITIONS = {"2022": "2013", "2013": "2022"}


@lru_cache(maxsize=2)
def load(edition: str) -> Framework:
    """The catalogue of an edition, `2022` or `2013`."""
    path = os.path.join(os.path.dirname(__file__), f"controls_{edition}.json")
    with open(path, encoding="utf-8") as stream:
        document: dict[str, Any] = json.load(stream)
    other = f"iso27001-{EDITIONS[edition]}"
    controls = {entry["id"]: _control(entry, other) for entry in document["controls"]}
    return Framework(
        name=document["name"],
        title=document["title"],
        source=document["source"],
        url=document["url"],
        themes=document["themes"],
        controls=controls,
        from_2022=None if edition == "2022" else _from_2022(controls, other),
    )


def _control(entry: dict[str, Any], other: str) -> Control:
    return Control(
        id=entry["id"],
        theme=entry["theme"],
        name=entry["name"],
        guidance=entry["guidance"],
        evidence=entry["evidence"],
        evidence_from=tuple(entry.get("evidence_from", ())),
        evidence_examples=entry.get("evidence_examples", ""),
        attributes={key: tuple(values) for key, values in entry.get("attributes", {}).items()},
        corresponds={other: tuple(entry["corresponds"])},
    )


def _from_2022(controls: dict[str, Control], other: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for control in controls.values():
        for successor in control.corresponds[other]:
            found.setdefault(successor, []).append(control.id)
    return found
