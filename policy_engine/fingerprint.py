"""A finding's identity, which survives moved lines, renamed folders and added neighbours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy_engine.finding import Finding


def fingerprint(rule_id: str, address: str, path: str) -> str:
    """32 hexadecimal digits of what is at fault: no file name and no line number is in it."""
    return hashlib.blake2b(f"{rule_id}\0{address}\0{path}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint_of(finding: Finding) -> str:
    """Its fingerprint. What passes gets none until somebody asks: there are many, and nobody follows them."""
    return finding.fingerprint or fingerprint(finding.rule.id, finding.address, "")


def number_repeats(findings: Iterable[Finding]) -> list[Finding]:
    """Makes fingerprints unique: of several alike, in the given order, all but the first get their ordinal mixed in.

    What passes counts as well: the others keep their ordinals when one before them is mended.
    """
    seen: dict[str | tuple[str, str], int] = {}
    settled = []
    for finding in findings:
        # As what passes is told by: rule and resource, without an attribute.
        whole = not finding.path or finding.path == ("",)
        key = (finding.rule.id, finding.address) if whole else finding.fingerprint
        ordinal = seen.get(key, 0)
        seen[key] = ordinal + 1
        if ordinal and finding.fingerprint:
            finding = finding.numbered(fingerprint(finding.fingerprint, str(ordinal), ""))
        settled.append(finding)
    return settled
