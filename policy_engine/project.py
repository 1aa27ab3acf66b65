"""A whole project by name: everything it holds, whether a format reads it or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field


class Project(Struct, frozen=True):
    """What there is, without what is in it.

    paths  its files, sorted: those git tracks, and those it would take in (no .gitignore leaves them out)
    links  its symbolic links, and what each says it leads to
    """

    paths: Sequence[str]
    links: Mapping[str, str] = field(default_factory=dict)
