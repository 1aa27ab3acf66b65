"""Signatures as DSSE envelopes (Dead Simple Signing Envelope 1.0) by Ed25519 keys in PEM files, through `cryptography`.

`openssl genpkey -algorithm ed25519` makes such a key, and `openssl pkey -pubout` its public part.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def generate(password: str | None = None) -> tuple[bytes, bytes]:
    """A new key: the private and the public part, in PEM."""
    _needed()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    return private, _public_pem(key.public_key())


def read_private(data: bytes, path: str, password: str | None) -> Ed25519PrivateKey:
    """Raises ConfigError for what is no such key, or needs another password."""
    _needed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(data, password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError(
            "no private key in PEM, or POLICY_ENGINE_KEY_PASSWORD is not its password", path=path
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("the private key is not an Ed25519 one", path=path)
    return key


def read_public(data: bytes, path: str) -> Ed25519PublicKey:
    """Raises ConfigError for what is no such key."""
    _needed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError("no public key in PEM", path=path) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError("the public key is not an Ed25519 one", path=path)
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 digest of the raw public key, in hexadecimal."""
    from cryptography.hazmat.primitives import serialization

    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def sign(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> bytes:
    """The envelope, with the public key beside the signature."""
    public = key.public_key()
    return _envelope(payload, payload_type, public, key.sign(_encoded(payload, payload_type)))


def check(envelope: bytes, payload: bytes, payload_type: str, trusted: Ed25519PublicKey | None) -> str:
    """The fingerprint of the key that signed the payload. Raises ValueError with what is wrong: the envelope, the
    signature, or, where one is given, that it is not by the trusted key."""
    _needed()
    from cryptography.exceptions import InvalidSignature

    try:
        document: Any = json.loads(envelope)
        [entry] = document["signatures"]
        public = read_public(entry["public_key"].encode(), "the signature")
        signature = base64.b64decode(entry["sig"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError):
        raise ValueError("the signature's envelope was altered") from None
    # There is one envelope of a payload, a key and a signature; any other text is an alteration.
    if envelope != _envelope(payload, payload_type, public, signature):
        raise ValueError("the signature's envelope was altered, or is of another manifest")
    try:
        public.verify(signature, _encoded(payload, payload_type))
    except InvalidSignature:
        raise ValueError("the signature does not fit the manifest") from None
    if trusted is not None and fingerprint(trusted) != fingerprint(public):
        raise ValueError(f"it is signed by another key, {fingerprint(public)}")
    return fingerprint(public)


def _envelope(payload: bytes, payload_type: str, public: Ed25519PublicKey, signature: bytes) -> bytes:
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [
            {
                "keyid": fingerprint(public),
                "public_key": _public_pem(public).decode(),
                "sig": base64.b64encode(signature).decode(),
            }
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


def _encoded(payload: bytes, payload_type: str) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _public_pem(key: Ed25519PublicKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem


def _needed() -> None:
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError("signatures need the package 'cryptography'; install policy-engine[evidence]") from None
