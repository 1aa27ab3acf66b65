"""Hash functions."""

from __future__ import annotations

import base64
import hashlib
import uuid

from policy_engine_plugins.terraform.functions.signature import Function, function, never
from policy_engine_plugins.terraform.values import EvaluationError, Value, to_text

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


def digest(name: str, data: bytes) -> str:
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


def digest64(name: str, data: bytes) -> str:
    return base64.b64encode(hashlib.new(name, data, usedforsecurity=False).digest()).decode()


def _named_uuid(namespace: Value, name: Value) -> str:
    space = to_text(namespace)
    try:
        known = _NAMESPACES.get(space) or uuid.UUID(space)
    except ValueError:
        raise EvaluationError("the namespace is no UUID") from None
    return str(uuid.uuid5(known, to_text(name)))


def _plain(name: str) -> Function:
    return function(1, 1, lambda text: digest(name, to_text(text).encode()))


def _encoded(name: str) -> Function:
    return function(1, 1, lambda text: digest64(name, to_text(text).encode()))


FUNCTIONS: dict[str, Function] = {
    "base64sha256": _encoded("sha256"),
    "base64sha512": _encoded("sha512"),
    "bcrypt": never("bcrypt salts its result by chance"),
    "md5": _plain("md5"),
    "rsadecrypt": never("nothing is decrypted"),
    "sha1": _plain("sha1"),
    "sha256": _plain("sha256"),
    "sha512": _plain("sha512"),
    "uuid": never("uuid() is made by chance"),
    "uuidv5": function(2, 2, _named_uuid, weight=8),
}
