"""Evidence packs: what a scan found, of what and by what, in an archive that shows every alteration.

A pack holds, in this order:

    manifest.json   the digest and size of every other member but the two below, and what the pack is of
    seal.json       the digest of the manifest, which is the pack's identity
    signature.json  where it is signed: a DSSE envelope around the manifest
    report.json     the scan's report
    inputs.json     every file that the scan met, with its digest and what became of it
    rules.json      the rules that ran, with the digest of each, and the versions of the tool and its plugins
    run.json        who made it, when and where: all that differs between two packs of the same project and rules
    policy/...      settings, waivers, baseline, statement of applicability and attestations, as they were
    README.txt      how to check it by hand

Whoever can write a file can make another pack with another identity. What cannot be done unseen is to alter one whose
identity is known: from a signature by a known key, from the next pack, which names it, or from a record elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins

from policy_engine.archive import ArchiveAltered, pack, unpack
from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from policy_engine.report import Report
    from policy_engine.rule import Rule

FORMAT_VERSION = 1
PAYLOAD_TYPE = "application/vnd.policy-engine.evidence+json"
MANIFEST, SEAL, SIGNATURE, REPORT, RUN = "manifest.json", "seal.json", "signature.json", "report.json", "run.json"
_FRAME = (MANIFEST, SEAL, SIGNATURE)

README = """\
An evidence pack of policy-engine
=================================

{source}.

`policy-engine evidence verify FILE` checks this pack. By hand:

1. Unpack it with any ZIP program.
2. manifest.json lists every file with its SHA-256 digest; `sha256sum` shows the same ones. Nothing else is in the pack
   but manifest.json, seal.json and, where it is signed, signature.json.
3. The SHA-256 digest of manifest.json stands in seal.json. It is the identity of this pack: compare it with the record
   you have of it, or with `previous` in the manifest of the pack that was made after this one.
4. signature.json is a DSSE envelope; its payload is manifest.json in base64, signed by Ed25519.

The report says what rules saw of a part of the controls. It does not say that a control is met.
"""


class Subject(Struct, frozen=True):
    """What a pack is of. `dirty` says whether the files differ from the commit."""

    repository: str
    commit: str
    dirty: bool


class Circumstances(Struct, frozen=True):
    """What differs between two packs of the same: who made it (`by`), when (`at`, UTC), and on what."""

    by: str
    at: str
    python: str
    platform: str


class Verification(Struct):
    """What is known of a pack. `faults` is empty for one that is whole.

    identity  the digest of its manifest
    signer    fingerprint of the key that signed it; empty where it is not signed
    trusted   whether that key is the one that the reader trusts
    """

    identity: str = ""
    subject: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    previous: Mapping[str, Any] | None = None
    members: int = 0
    signer: str = ""
    trusted: bool = False
    faults: list[str] = field(default_factory=list)


def create(
    report: Report,
    document: bytes,
    inputs: Sequence[Mapping[str, Any]],
    policy: Mapping[str, bytes],
    plugins: Mapping[str, str],
    subject: Subject,
    circumstances: Circumstances,
    previous: Mapping[str, Any] | None = None,
    key: Ed25519PrivateKey | None = None,
) -> bytes:
    """The pack. A pure function: the same arguments give the same bytes.

    document  the report in the format that can be read again
    inputs    every file the scan met: path, status, and size and digest where it was read
    policy    the policy files by their path in the project
    plugins   versions of the packages that gave formats, rules and reports, by name
    previous  identity and time of the pack before this one
    """
    sources = "; ".join(each.source for each in report.frameworks)
    rules = {
        "tool": {"name": "policy-engine", "version": report.version},
        "plugins": dict(plugins),
        "rules": [{"id": rule.id, "sha256": rule_digest(rule)} for rule in report.rules],
        "not_applicable": list(report.not_applicable),
    }
    members = {
        "README.txt": README.format(source=sources).encode(),
        "inputs.json": _json(list(inputs)),
        **{f"policy/{name}": data for name, data in policy.items()},
        REPORT: document,
        "rules.json": _json(rules),
        RUN: _json(to_builtins(circumstances)),
    }
    members = dict(sorted(members.items()))
    manifest = _json(
        {
            "format_version": FORMAT_VERSION,
            "source": sources,
            "subject": to_builtins(subject),
            "complete": report.complete,
            "previous": None if previous is None else dict(previous),
            "volatile": [RUN],
            "members": [{"name": name, "size": len(data), "sha256": _digest(data)} for name, data in members.items()],
        }
    )
    frame = {MANIFEST: manifest, SEAL: _json({"manifest_sha256": _digest(manifest)})}
    if key is not None:
        from policy_engine.signature import sign

        frame[SIGNATURE] = sign(manifest, PAYLOAD_TYPE, key)
    return pack({**frame, **members})


def rule_digest(rule: Rule) -> str:
    """Of what a rule says, wherever its file lies."""
    content = {name: value for name, value in to_builtins(rule).items() if name not in ("path", "pack")}
    content["severity"] = rule.severity.value
    return _digest(_json(content))


def verify(
    data: bytes, path: str, trusted: Ed25519PublicKey | None = None, previous: Verification | None = None
) -> Verification:
    """Tells what was altered, added or is missing. `previous` is the pack that this one should follow. Raises
    ArchiveRefused for what is no archive of ours."""
    found = Verification()
    around = ""
    try:
        members = unpack(data, path)
    except ArchiveAltered as error:
        members, around = error.members, error.message
    manifest = _manifest(members, found)
    if manifest is not None:
        _compare(manifest, members, found)
        _check_signature(members, trusted, found)
        _follow(manifest, members, previous, found)
    if around and not found.faults:
        found.faults.append(around)
    return found


def _follow(
    manifest: Mapping[str, Any], members: Mapping[str, bytes], previous: Verification | None, found: Verification
) -> None:
    found.previous = manifest["previous"]
    if previous is not None:
        named = (found.previous or {}).get("manifest_sha256")
        if named != previous.identity:
            found.faults.append(f"it does not follow the pack {previous.identity[:16]}, but {str(named)[:16]}")
    try:
        found.run = dict(json.loads(members.get(RUN, b"{}")))
    except (ValueError, TypeError, RecursionError):
        found.faults.append(f"{RUN} cannot be understood")


def _manifest(members: Mapping[str, bytes], found: Verification) -> Mapping[str, Any] | None:
    for name in (MANIFEST, SEAL):
        if name not in members:
            found.faults.append(f"{name} is missing")
            return None
    found.identity = _digest(members[MANIFEST])
    if members[SEAL] != _json({"manifest_sha256": found.identity}):
        found.faults.append(f"{MANIFEST} or {SEAL} was altered: the digest of the one is not in the other")
    try:
        manifest = json.loads(members[MANIFEST])
        version = manifest["format_version"]
        listed = [(str(each["name"]), int(each["size"]), str(each["sha256"])) for each in manifest["members"]]
        found.subject = dict(manifest["subject"])
        assert manifest["previous"] is None or isinstance(manifest["previous"], dict)
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError):
        found.faults.append(f"{MANIFEST} cannot be understood")
        return None
    if version != FORMAT_VERSION:
        found.faults.append(f"{MANIFEST} has format_version {version}, and this policy-engine knows {FORMAT_VERSION}")
        return None
    found.members = len(listed)
    return {**manifest, "members": listed}


def _compare(manifest: Mapping[str, Any], members: Mapping[str, bytes], found: Verification) -> None:
    names = set()
    for name, size, digest in manifest["members"]:
        names.add(name)
        data = members.get(name)
        if data is None:
            found.faults.append(f"{name} is missing")
        elif len(data) != size or _digest(data) != digest:
            found.faults.append(f"{name} was altered")
    for name in members:
        if name not in names and name not in _FRAME:
            found.faults.append(f"{name} was added")
    order = [*(name for name in _FRAME if name in members), *(name for name, _, _ in manifest["members"])]
    if not found.faults and list(members) != order:
        found.faults.append("the members were reordered")


def _check_signature(members: Mapping[str, bytes], trusted: Ed25519PublicKey | None, found: Verification) -> None:
    envelope = members.get(SIGNATURE)
    if envelope is None:
        if trusted is not None:
            found.faults.append("it is not signed")
        return
    from policy_engine.signature import check

    try:
        found.signer = check(envelope, members[MANIFEST], PAYLOAD_TYPE, trusted)
        found.trusted = trusted is not None
    except ValueError as error:
        found.faults.append(str(error))


def report_of(data: bytes, path: str) -> bytes:
    """The report in a pack. Raises ConfigError where the pack is not whole."""
    found = verify(data, path)
    if found.faults:
        more = f" (and {len(found.faults) - 1} more)" if len(found.faults) > 1 else ""
        raise ConfigError(f"the evidence pack is not whole: {found.faults[0]}{more}", path=path)
    return unpack(data, path)[REPORT]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True).encode() + b"\n"
