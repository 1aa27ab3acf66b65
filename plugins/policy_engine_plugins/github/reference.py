"""What `uses` and `image` name: an action, a workflow, a container image, and how firmly."""

from __future__ import annotations

import re
from typing import Any

from policy_engine.unknown import Unknown

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBER = re.compile(r"\bv?(\d+(?:\.\d+)*)\b")
_VERSION = re.compile(r"v?\d+(?:[.-].*)?", re.IGNORECASE)


def action_reference(uses: Any, comment: str = "") -> Any:
    """`uses` taken apart: {kind: repository|local|docker, owner, repository, path, ref, pin}; docker as an image too.

    pin is `commit`, `version` (a name such as v4 that can be moved), `ref` (a branch or other name), `none` or `local`.
    `comment` is what stands behind it on its line; `version` what it says it is, as text of digits and dots: by its
    name, or at a commit by that comment. `plain` tells whether it is written without detours (`actions/./checkout`).
    A local one is `./path`, looked up in the workspace, or `$/path`, in the repository at the workflow's own commit:
    `workspace` tells them apart.
    """
    if isinstance(uses, Unknown) or not isinstance(uses, str):
        return uses
    text = uses.strip()
    if text.startswith("docker://"):
        return {"kind": "docker", "name": text, **image_reference(text.removeprefix("docker://"))}
    if text.startswith(("./", "../", "$/")) or text in (".", ".."):
        own = text.startswith("$/")
        plain = _is_plain(text[2:] if text.startswith(("./", "$/")) else text)
        return {"kind": "local", "name": text, "path": text, "pin": "local", "workspace": not own, "plain": plain}
    where, at, ref = text.rpartition("@")
    if not at:
        where, ref = text, ""
    owner, _, rest = where.partition("/")
    repository, _, path = rest.partition("/")
    pin = _pin(ref)
    version = _NUMBER.search(comment if pin == "commit" else ref if pin == "version" else "")
    known: dict[str, Any] = {"version": version.group(1)} if version else {}
    return known | {
        "kind": "repository",
        "name": where,
        "owner": owner.lower(),
        "repository": repository.lower(),
        "path": path,
        "ref": ref,
        "pin": pin,
        "comment": comment,
        "plain": _is_plain(where),
    }


def _is_plain(path: str) -> bool:
    parts = path.rstrip("/").split("/")
    return path == "" or not any(part in ("", ".", "..") for part in parts)


def _pin(ref: str) -> str:
    if not ref:
        return "none"
    if _COMMIT.fullmatch(ref):
        return "commit"
    return "version" if _VERSION.fullmatch(ref) else "ref"


def image_reference(image: Any) -> Any:
    """A container image taken apart: {registry, repository, tag, digest, pin}; pin is `digest`, `tag` or `none`."""
    if isinstance(image, Unknown) or not isinstance(image, str):
        return image
    name, _, digest = image.strip().partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    first, slash, rest = head.partition("/")
    registry, repository = ("docker.io", head)
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    pin = "digest" if digest else "tag" if tag else "none"
    return {"registry": registry, "repository": repository, "tag": tag, "digest": digest, "pin": pin}
