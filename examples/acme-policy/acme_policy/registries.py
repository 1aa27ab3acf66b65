"""Judges addresses among settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown


def judge(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    for key, address in value.items():
        if not key.endswith(parameters["keys_ending"]):
            continue
        if isinstance(address, Unknown):
            if not (address.fragments[0] or "").startswith("https://"):
                yield Doubt(address, (key,))
        elif not address.startswith("https://"):
            yield Violation((key,), address)
