"""Accepted risks: `.policy-engine/waivers.yaml`, each with an owner and an end date."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fnmatch import translate
from functools import lru_cache
from typing import Any

from msgspec import Struct

from policy_engine.errors import ConfigError
from policy_engine.finding import Finding, Outcome, Suppression
from policy_engine.resource import Resource
from policy_engine.span import Fixed, Location
from policy_engine.suppression import RESOURCE_FORMAT


class Waiver(Struct, frozen=True):
    """A risk that somebody accepts for a time.

    rule      a rule's id; `*` stands for any characters
    paths     files it covers, `*` for any characters; empty for any file
    resource  address it covers, `*` for any characters; empty for any resource
    expires   the last day on which it counts
    """

    rule: str
    path: str
    resource: str
    reason: str
    owner: str
    approver: str
    ticket: str
    created: date
    expires: date
    location: Location

    def covers(self, finding: Finding, aliases: Mapping[str, str]) -> bool:
        rule = aliases.get(self.rule, self.rule)
        addresses = (finding.address, *(twin.address for twin in finding.twins))
        return (
            _matches(rule, finding.rule.id)
            and (not self.path or _matches(self.path, finding.location.path))
            and (not self.resource or all(_matches(self.resource, address) for address in addresses))
        )


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    # Brackets are part of addresses; only `*` and `?` stand for something else.
    return re.compile(translate(text.replace("[", "[[]")))


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or _pattern(pattern).match(text) is not None


def parse_waivers(data: bytes, path: str) -> tuple[Waiver, ...]:
    """Raises ConfigError with the place of the first mistake."""
    from policy_engine.schema import checked_document, waivers_schema

    document = checked_document(data, path, waivers_schema())
    waivers = []
    for number, entry in enumerate(document.value["waivers"]):
        at: tuple[str | int, ...] = ("waivers", number)
        dates = {}
        for key in ("created", "expires"):
            try:
                dates[key] = date.fromisoformat(entry[key])
            except ValueError:
                raise ConfigError(
                    f"'{entry[key]}' is no date; write it as 2027-01-31", path=path, span=document.at((*at, key))
                ) from None
        if dates["expires"] < dates["created"]:
            raise ConfigError("it expires before it was created", path=path, span=document.at((*at, "expires")))
        waivers.append(
            Waiver(
                rule=entry["rule"],
                path=entry.get("path", ""),
                resource=entry.get("resource", ""),
                reason=entry["reason"],
                owner=entry["owner"],
                approver=entry["approver"],
                ticket=entry.get("ticket", ""),
                created=dates["created"],
                expires=dates["expires"],
                location=Location(path, document.at((*at, "rule"))),
            )
        )
    return tuple(waivers)


def apply_waivers(
    findings: Sequence[Finding], waivers: Sequence[Waiver], today: date, aliases: Mapping[str, str]
) -> tuple[list[Finding], set[Waiver]]:
    """Findings with those that a waiver covers marked, and the waivers that cover something. One that has expired sets
    nothing aside."""
    used: set[Waiver] = set()
    settled = []
    for finding in findings:
        if finding.outcome is Outcome.FAIL and finding.suppression is None and finding.format != RESOURCE_FORMAT:
            for waiver in waivers:
                if waiver.covers(finding, aliases):
                    used.add(waiver)
                    if waiver.created <= today <= waiver.expires:
                        told = f"{waiver.reason} (accepted by {waiver.approver} until {waiver.expires})"
                        finding = finding._replace(suppression=Suppression("waiver", told, waiver.location))
                        break
        settled.append(finding)
    return settled, used


def as_resources(
    waivers: Sequence[Waiver],
    used: Collection[Waiver],
    today: date,
    warn_days: int,
    known_rules: Collection[str],
    evaluated_rules: Collection[str],
    *,
    whole: bool,
) -> list[Resource]:
    """The waivers as resources of type `waiver`, so that rules can judge them.

    `evaluated` says whether the scan saw all that the waiver could cover: only then means covering nothing anything.
    """
    from fnmatch import filter as fnfilter

    resources = []
    for number, waiver in enumerate(waivers):
        rules = fnfilter(list(known_rules), waiver.rule)
        days_left = (waiver.expires - today).days
        value: dict[str, Any] = {
            "rule": waiver.rule,
            "path": waiver.path,
            "resource": waiver.resource,
            "owner": waiver.owner,
            "approver": waiver.approver,
            "approved_by_another": waiver.approver.strip().casefold() != waiver.owner.strip().casefold(),
            "ticket": waiver.ticket,
            "created": waiver.created.isoformat(),
            "expires": waiver.expires.isoformat(),
            "days": (waiver.expires - waiver.created).days,
            "expired": days_left < 0,
            "expires_soon": 0 <= days_left <= warn_days,
            "known_rule": bool(rules),
            "used": waiver in used,
            "evaluated": whole and bool(rules) and all(name in evaluated_rules for name in rules),
        }
        address = f"waivers/{waiver.rule}/{waiver.path}/{waiver.resource}".rstrip("/")
        resources.append(
            Resource(
                format=RESOURCE_FORMAT,
                type="waiver",
                address=address if address else str(number),
                name=" ".join(part for part in (waiver.rule, waiver.path, waiver.resource) if part),
                value=value,
                location=waiver.location,
                locate=Fixed(waiver.location),
            )
        )
    return resources
