"""Which YAML files of a telling name are Compose files, told from their top-level keys."""

from __future__ import annotations

import re

_TOP = re.compile(rb"""(?m)^(?:["']?(?:services|include)["']?[ \t]*:|\{[ \t\r\n]*["']?services["']?[ \t]*:)""")
_FOREIGN = re.compile(rb"""(?m)^["']?(?:apiVersion|kind)["']?[ \t]*:""")


def recognises(data: bytes) -> bool:
    """Whether it has `services:` (or `include:`) at the top, and is no Kubernetes manifest."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n")
    return _TOP.search(data) is not None and _FOREIGN.search(data) is None
