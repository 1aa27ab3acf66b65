"""Attestations: `.policy-engine/attestations.yaml`, what people say of controls that no code can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date as Date
from typing import Any

from msgspec import Struct

from policy_engine.control import Framework, counterparts
from policy_engine.errors import ConfigError
from policy_engine.resource import Resource
from policy_engine.span import Fixed, Location
from policy_engine.suppression import RESOURCE_FORMAT

DEFAULT_FRAMEWORK = "iso27001-2022"


class Attestation(Struct, frozen=True):
    """What somebody attests of controls, for a time.

    framework    the catalogue that the controls are of
    valid_until  the last day on which it counts
    document     path in the project, or address, of the document behind it; empty where there is none
    sha256       the document's digest on the day of the attestation
    """

    framework: str
    controls: tuple[str, ...]
    statement: str
    owner: str
    date: Date
    valid_until: Date
    location: Location
    document: str = ""
    sha256: str = ""

    @property
    def in_project(self) -> bool:
        return bool(self.document) and not self.document.startswith("https://")

    def in_force(self, today: Date) -> bool:
        return self.date <= today <= self.valid_until


def parse_attestations(data: bytes, path: str) -> tuple[Attestation, ...]:
    """Raises ConfigError with the place of the first mistake. Whether a control exists, `check_attestations` tells."""
    from policy_engine.schema import checked_document, load_schema

    document = checked_document(data, path, load_schema("attestations"))
    framework = document.value.get("framework", DEFAULT_FRAMEWORK)
    found = []
    for number, entry in enumerate(document.value["attestations"]):
        at: tuple[str | int, ...] = ("attestations", number)
        days = {}
        for key in ("date", "valid_until"):
            try:
                days[key] = Date.fromisoformat(entry[key])
            except ValueError:
                raise ConfigError(
                    f"'{entry[key]}' is no date; write it as 2027-01-31", path=path, span=document.at((*at, key))
                ) from None
        if days["valid_until"] < days["date"]:
            raise ConfigError("it ends before its date", path=path, span=document.at((*at, "valid_until")))
        held = entry.get("document") or {}
        found.append(
            Attestation(
                framework,
                tuple(entry["controls"]),
                entry["statement"].strip(),
                entry["owner"].strip(),
                days["date"],
                days["valid_until"],
                Location(path, document.at((*at, "controls"))),
                held.get("path") or held.get("url") or "",
                held.get("sha256", ""),
            )
        )
    return tuple(found)


def check_attestations(attestations: Sequence[Attestation], frameworks: Callable[[str], Framework]) -> None:
    """Raises ConfigError for a control that its catalogue does not have."""
    for each in attestations:
        framework = frameworks(each.framework)
        for name in each.controls:
            if name not in framework.controls:
                from policy_engine.suggestion import suggest

                raise ConfigError(
                    f"{framework.title} has no control '{name}'{suggest(name, framework.controls)}",
                    path=each.location.path,
                    span=each.location.span,
                )


def attested_in(
    attestations: Sequence[Attestation], framework: Framework, today: Date
) -> dict[str, tuple[list[Attestation], list[Attestation]]]:
    """For each control of a catalogue that somebody speaks for: the attestations in force on a day, and the others.
    In another catalogue than the attestation's own it speaks for a control once all its counterparts are spoken for."""
    found: dict[str, tuple[list[Attestation], list[Attestation]]] = {}
    if not attestations:
        return found
    names = {each.framework for each in attestations}
    for control in framework.controls:
        own: list[Attestation] = []
        covered = False
        for other in names:
            needed = counterparts(framework, control, other)
            ours = [each for each in attestations if each.framework == other and set(needed) & set(each.controls)]
            now = {name for each in ours if each.in_force(today) for name in each.controls}
            covered = covered or (bool(needed) and now.issuperset(needed))
            own += ours
        if own:
            valid = [each for each in own if each.in_force(today)] if covered else []
            found[control] = (valid, [each for each in own if each not in valid])
    return found


def as_resources(
    attestations: Sequence[Attestation], today: Date, warn_days: int, read: Callable[[str], bytes]
) -> list[Resource]:
    """The attestations as resources of type `attestation`, so that rules can judge them. `read` gives a file of the
    project."""
    resources = []
    for each in attestations:
        left = (each.valid_until - today).days
        name = ", ".join(each.controls)
        value: Mapping[str, Any] = {
            "controls": list(each.controls),
            "owner": each.owner,
            "date": each.date.isoformat(),
            "valid_until": each.valid_until.isoformat(),
            "days": (each.valid_until - each.date).days,
            "begun": each.date <= today,
            "expired": left < 0,
            "expires_soon": 0 <= left <= warn_days,
            "document": each.document,
            "document_state": _document_state(each, read),
        }
        resources.append(
            Resource(
                RESOURCE_FORMAT,
                "attestation",
                f"attestations/{name}/{each.date}",
                name,
                value,
                each.location,
                Fixed(each.location),
            )
        )
    return resources


def _document_state(attestation: Attestation, read: Callable[[str], bytes]) -> str:
    """`none`, `elsewhere` (never fetched), `unaltered`, `altered` or `missing`."""
    if not attestation.document:
        return "none"
    if not attestation.in_project:
        return "elsewhere"
    from hashlib import sha256

    from policy_engine.tree import FileTooLarge, join

    path = join("", attestation.document)
    try:
        data = read(path) if path else None
    except (OSError, ValueError, FileTooLarge):
        data = None
    if data is None:
        return "missing"
    return "unaltered" if sha256(data).hexdigest() == attestation.sha256 else "altered"
