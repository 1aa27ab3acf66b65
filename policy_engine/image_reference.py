"""Container images taken apart."""

from __future__ import annotations

from typing import Any

from policy_engine.unknown import Unknown


def image_reference(image: Any) -> Any:
    """{registry, repository, tag, digest, pin}; pin is `digest`, `tag` or `none`. Where only a part of the name is
    known, what that part says already."""
    if isinstance(image, Unknown):
        last = image.fragments[-1] if image.fragments else None
        if last is not None and "@sha256:" in last:
            return {"pin": "digest", "registry": image, "repository": image, "tag": image}
        return image
    if not isinstance(image, str):
        return image
    name, _, digest = image.strip().partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    first, slash, rest = head.partition("/")
    registry, repository = "docker.io", head
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    pin = "digest" if digest else "tag" if tag else "none"
    return {"registry": registry, "repository": repository, "tag": tag, "digest": digest, "pin": pin}
