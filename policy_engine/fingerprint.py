"""A finding's identity, which survives moved lines, renamed folders and added neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

try:
    # Where CPython keeps it; `hashlib` loads OpenSSL first, which takes a twentieth of the time of a short run.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

if TYPE_CHECKING:
    from policy_engine.finding import Finding


def fingerprint(rule_id: str, address: str, path: str) -> str:
    """32 hexadecimal digits of what is at fault: no file name and no line number is in it."""
    return blake2b(f"{rule_id}\0{address}\0{path}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def number_repeats(findings: Iterable[Finding]) -> list[Finding]:
    """Makes fingerprints unique: of several alike, in the given order, all but the first get their ordinal mixed in."""
    seen: dict[str, int] = {}
    settled = []
    for finding in findings:
        own = finding.fingerprint
        ordinal = seen.get(own, 0)
        seen[own] = ordinal + 1
        settled.append(finding.numbered(fingerprint(own, str(ordinal), "")) if ordinal else finding)
    return settled
