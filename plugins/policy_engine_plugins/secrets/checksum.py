"""What keys carry to prove themselves: checksums and structure that no made-up one has by chance."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def base62_crc32(body: str) -> str:
    """Six characters, as GitHub's and npm's tokens end with.
    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/"""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


def base36_crc32(body: str) -> str:
    """Seven characters, as GitLab's routable tokens end with."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(7, "0")


def decoded(text: str) -> bytes | None:
    """Base64 in either alphabet, padded or not; None where it is none."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def json_object(text: str) -> dict[str, Any] | None:
    """A JSON object in base64."""
    data = decoded(text)
    if data is None or data[:1] != b"{":
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def aws_account(key_id: str) -> int | None:
    """The account number that an access key id of the present form encodes; None where it decodes to none."""
    try:
        data = base64.b32decode(key_id[4:])
    except (binascii.Error, ValueError):
        return None
    account = (int.from_bytes(data[:6], "big") & 0x7FFFFFFFFF80) >> 7
    return account if account < 10**12 else None


def is_macaroon(text: str, place: bytes) -> bool:
    """Whether base64 text is a version 2 macaroon issued for a place, as PyPI's tokens are."""
    data = decoded(text)
    return data is not None and data.startswith(b"\x02\x01" + bytes([len(place)]) + place + b"\x02")


def is_bech32(text: str) -> bool:
    """Whether the checksum of a Bech32 string holds: https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki"""
    prefix, _, data = text.lower().rpartition("1")
    if not prefix or any(char not in _BECH32 for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    values += [_BECH32.index(char) for char in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    return check == 1
