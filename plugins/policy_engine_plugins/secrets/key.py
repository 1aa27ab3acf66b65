"""Private keys, read far enough to tell a key from a mention of one, and a protected one from a bare one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_engine_plugins.secrets.checksum import decoded
from policy_engine_plugins.secrets.found import FORM, STRUCTURE, Found
from policy_engine_plugins.secrets.kind import KINDS
from policy_engine_plugins.secrets.placeholder import made_up

MAX_KEY = 100_000
_BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,4})PRIVATE KEY( BLOCK)?-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-[23]: ?[\w.@-]{1,60}")
_PRIVATE_LINES = re.compile(r"Private-Lines: ?[0-9]{1,4}[ \t]*(?:\r\n|\r|\n)")
_ENCODED = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,20000}={0,2}")
# Line ends as text, as they are written in a string of JSON or of a program.
_ESCAPES = re.compile(r"[\"'][ \t]{0,10}\+|\\[nrt]|[\s\"',\\>|]")
_HEADER = re.compile(
    r"(?:Proc-Type|DEK-Info|Comment|Version|Hash|Charset|MessageID): ?[^\r\n\\]{0,200}(?:\\n|\r\n|\r|\n)?"
)
_LEAST = 64
UNREADABLE = "what stands between the marks cannot be read as a key"


def private_keys(text: str) -> Iterator[Found]:
    position = 0
    while True:
        begin = _BEGIN.search(text, position)
        if begin is None:
            break
        label = begin[1] + "PRIVATE KEY" + (begin[2] or "")
        end = text.find(f"-----END {label}-----", begin.end(), begin.end() + MAX_KEY)
        position = begin.end()
        if end < 0:
            continue
        body = text[begin.end() : end]
        if "-----BEGIN" in body:
            continue
        found = _judge(body, begin[1].strip())
        if found is not None:
            basis, encrypted, doubt = found
            kind = KINDS["private-key"]
            if re.search(r"\"type\"\s{0,5}:\s{0,5}\"service_account\"", text):
                kind = KINDS["google-service-account-key"]
            yield Found(kind, begin.end(), end, basis, body, doubt, encrypted, (begin.start(), begin.end()))
        position = end
    yield from _putty(text)
    for match in _ENCODED.finditer(text):
        inner = decoded(match[0])
        if inner is None or b"PRIVATE KEY" not in inner:
            continue
        for found_ in private_keys(inner.decode("latin-1")):
            start, stop = match.span()
            yield Found(found_.kind, start, stop, found_.basis, match[0], found_.made_up, found_.encrypted)
            break


def _judge(body: str, algorithm: str) -> tuple[str, bool, bool | str] | None:
    """Basis, whether it is encrypted, and whether it is made up; None where there is no key at all."""
    encrypted = algorithm == "ENCRYPTED" or "4,ENCRYPTED" in body
    content = _ESCAPES.sub("", _HEADER.sub("", body))
    if algorithm == "PGP":
        content = content.rpartition("=")[0] if content[-5:-4] == "=" else content
    if len(content) < _LEAST:
        return None
    data = decoded(content)
    if data is None:
        if made_up(content) is True or "..." in content:
            return FORM, encrypted, True
        return FORM, encrypted, UNREADABLE
    if data.startswith(b"openssh-key-v1\0"):
        length = int.from_bytes(data[15:19], "big")
        return STRUCTURE, data[19 : 19 + length] != b"none", False
    # A PGP secret key packet, old or new form; or encrypted bytes, which have no form.
    if algorithm == "PGP":
        return (
            (STRUCTURE, False, False) if data[:1] in (b"\x94", b"\x95", b"\x97", b"\xc5") else (FORM, False, UNREADABLE)
        )
    if "4,ENCRYPTED" in body or _is_sequence(data):
        return STRUCTURE, encrypted, False
    return FORM, encrypted, True if made_up(content) is True else UNREADABLE


def _is_sequence(data: bytes) -> bool:
    """Whether it is one whole ASN.1 sequence, as every key in DER is."""
    if len(data) < 4 or data[0] != 0x30:
        return False
    if data[1] < 0x80:
        return len(data) == 2 + data[1]
    octets = data[1] & 0x7F
    return 1 <= octets <= 3 and len(data) == 2 + octets + int.from_bytes(data[2 : 2 + octets], "big")


def _putty(text: str) -> Iterator[Found]:
    for begin in _PUTTY.finditer(text):
        lines = _PRIVATE_LINES.search(text, begin.end(), begin.end() + MAX_KEY)
        if lines is None:
            continue
        stop = text.find("Private-MAC", lines.end(), lines.end() + MAX_KEY)
        body = text[lines.end() : stop] if stop > 0 else ""
        if len(body) >= _LEAST:
            encrypted = "Encryption: none" not in text[begin.end() : lines.start()]
            yield Found(KINDS["private-key"], lines.end(), stop, STRUCTURE, body, False, encrypted, begin.span())
