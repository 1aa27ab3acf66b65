"""The smallest group of files that means something alone, and what a format makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import Location, Span


class Unit(Struct, frozen=True):
    """One YAML file, one Terraform root module: the grain of parallel work and of the cache.

    `name` tells units of a format apart (usually the file or the folder); `paths` are its files, sorted. A unit that
    judges a whole project has the names of everything in it as `project`; of those, only `paths` are its files.
    """

    format: str
    name: str
    paths: tuple[str, ...]
    project: Project | None = None


class ProblemKind(Enum):
    NOT_UNDERSTOOD = "not_understood"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    UNREADABLE = "unreadable"
    LIMITED = "limited"
    """Understood, but something it depends on was not there (a remote module); the scan counts as complete."""


class Problem(Struct, frozen=True):
    """Why (part of) a file was not evaluated. All kinds but LIMITED make the scan incomplete."""

    path: str
    message: str
    span: Span | None = None
    kind: ProblemKind = ProblemKind.NOT_UNDERSTOOD

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.path}: {self.message}"
        return f"{self.path}:{self.span.start_line}:{self.span.start_column}: {self.message}"


class Comment(Struct, frozen=True):
    """A comment of a scanned file; `text` is what stands after the comment sign, `alone` when no code is before it."""

    location: Location
    text: str
    alone: bool


class Loaded(Struct, frozen=True):
    """What `Format.load` returns. A broken file yields problems and whatever resources could still be understood.

    hidden  places whose text no output may show, each within one line of `source_text`: what is known to be a secret.
            Only formats that are `plain_text` may say so: they are loaded before the others.
    """

    resources: Sequence[Resource] = ()
    problems: Sequence[Problem] = ()
    hidden: Sequence[Location] = ()
