"""Image references taken apart: `registry.example.com/shop/web:1.4@sha256:...`.

The value has `reference`, `registry` (`docker.io` where none is written), `repository` (without `library/`), `tag` and
`digest` (absent where not written), `official` (one of Docker's official images) and `scratch`. A part that depends on
something unknown is unknown itself, and only that part.
"""

from __future__ import annotations

from typing import Any

from policy_engine.unknown import Unknown

# Stands for what is not known while the text is taken apart.
_GAP = "\0"


def image_value(reference: str | Unknown) -> dict[str, Any]:
    """The parts of a reference."""
    if isinstance(reference, Unknown):
        text = "".join(_GAP if each is None else each for each in reference.fragments) or _GAP
        reason = reference
    else:
        text, reason = reference.replace(_GAP, ""), Unknown("")

    def part(piece: str) -> str | Unknown:
        if _GAP not in piece:
            return piece
        fragments: list[str | None] = []
        for index, known in enumerate(piece.split(_GAP)):
            if index:
                fragments.append(None)
            if known:
                fragments.append(known)
        partly = len(fragments) > 1
        return Unknown(reason.reason, reason.origin, (), tuple(fragments) if partly else (), present=partly)

    value: dict[str, Any] = {"reference": reference, "scratch": text == "scratch", "official": False}
    name, at, digest = text.partition("@")
    last = name.rpartition("/")[2]
    base, colon, tag = last.partition(":")
    path = name[: len(name) - len(last)] + base
    ends_open = name.endswith(_GAP)
    if at:
        value["digest"] = part(digest)
    elif ends_open:
        # What is filled in at the end may bring a tag or a digest along.
        value["digest"] = Unknown(reason.reason, reason.origin)
    if colon:
        value["tag"] = part(tag)
    elif ends_open or base == _GAP:
        value["tag"] = Unknown(reason.reason, reason.origin)
    first, slash, rest = path.partition("/")
    if text.startswith(_GAP):
        value["registry"] = Unknown(reason.reason, reason.origin)
        value["repository"] = part(path)
        value["official"] = Unknown(reason.reason, reason.origin)
        value["scratch"] = Unknown(reason.reason, reason.origin) if text == _GAP else False
        return value
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    else:
        registry, repository = "docker.io", path
    if registry in ("docker.io", "index.docker.io"):
        registry, repository = "docker.io", repository.removeprefix("library/")
        value["official"] = "/" not in repository and not value["scratch"]
    value["registry"] = part(registry)
    value["repository"] = part(repository)
    return value


# Official images whose own configuration names a user other than root.
_WITH_USER = frozenset(
    (
        *("adminer", "elasticsearch", "haproxy", "irssi", "kibana", "kong", "logstash", "memcached", "open-liberty"),
        *("solr", "sonarqube", "spark", "varnish", "websphere-liberty"),
    )
)


def user_of(image: dict[str, Any]) -> Unknown | None:
    """The user that an image runs as where nothing says otherwise: None for root, which the official images and
    `scratch` leave it at; unknown for all others, as their configuration is not in this file."""
    scratch, official = image["scratch"], image["official"]
    if scratch is True or (official is True and image["repository"] not in _WITH_USER):
        return None
    return Unknown("the base image may set a user", present=False)
