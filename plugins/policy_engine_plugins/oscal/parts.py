"""What all OSCAL documents share: identifiers, properties, metadata."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policy_engine.control import Framework
from policy_engine.escape import for_terminal
from policy_engine.report import Report

VERSION = "1.2.1"
NAMESPACE = "urn:policy-engine:oscal"
_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_TOKEN = re.compile(r"[^A-Za-z0-9._-]")


def identifier(*parts: object) -> str:
    """The same for the same parts, so that two reports of the same scan are equal."""
    return str(uuid.uuid5(_ROOT, "\0".join(for_terminal(str(part)) for part in parts)))


def line(text: object) -> str:
    """Text as OSCAL takes it: of one line, with something in it."""
    return for_terminal(str(text)).strip() or "-"


def token(text: str) -> str:
    """A name that OSCAL takes as a token."""
    cleaned = _TOKEN.sub("_", text)
    return cleaned if cleaned[:1].isalpha() or cleaned[:1] == "_" else f"_{cleaned}"


def prop(name: str, value: object, remarks: str = "") -> dict[str, str]:
    found = {"name": name, "ns": NAMESPACE, "value": line(value)}
    return {**found, "remarks": line(remarks)} if remarks else found


def moment(report: Report) -> str:
    """The day of the report. A scan is a function of files and that day; it knows no time."""
    return f"{report.today or '1970-01-01'}T00:00:00+00:00"


def metadata(
    report: Report, title: str, frameworks: Iterable[Framework], parties: Sequence[str] = (), remarks: str = ""
) -> dict[str, Any]:
    """`parties` are people or teams that the document names."""
    found: dict[str, Any] = {
        "title": line(title),
        "last-modified": moment(report),
        "version": str(report.today or "undated"),
        "oscal-version": VERSION,
        "props": [prop("tool", f"policy-engine {report.version}")],
        "remarks": line(" ".join([*(f"{each.source}." for each in frameworks), remarks])),
    }
    if parties:
        found["roles"] = [{"id": "attester", "title": "Who attests"}, {"id": "risk-owner", "title": "Who bears a risk"}]
        found["parties"] = [
            {"uuid": identifier("party", name), "type": "organization", "name": line(name)}
            for name in dict.fromkeys(parties)
        ]
    return found


def document(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: dict(content)}
