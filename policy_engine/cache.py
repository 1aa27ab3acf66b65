"""The user's own cache folder. What is kept there is trusted as the user's own files are."""

from __future__ import annotations

import os


def user_cache() -> str | None:
    """The cache folder of this product, or None where there is no home to put one in."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "policy-engine") if os.path.isabs(base) else None


def write_atomically(path: str, data: bytes) -> None:
    """Writes a file so that no reader sees half of it. A cache that cannot be written is done without."""
    import tempfile

    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=os.path.dirname(path))
        with open(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(made, path)
    except OSError:
        return
