"""From a text file to its `secret` resources."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from policy_engine.resource import Resource
from policy_engine.source_text import source_text
from policy_engine.span import Fixed, Location, Span
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine.unknown import Unknown
from policy_engine_plugins.secrets.assignment import assignments
from policy_engine_plugins.secrets.found import CHECKSUM, CONFIDENCE, FORM, MISMATCH, STRUCTURE, Found
from policy_engine_plugins.secrets.hint import has_mixed_run, is_lock
from policy_engine_plugins.secrets.identity import identity, identity_key
from policy_engine_plugins.secrets.key import private_keys
from policy_engine_plugins.secrets.placeholder import stands_for_show
from policy_engine_plugins.secrets.token import tokens

MAX_SECRETS = 1000
_MADE_FOR_TESTS = ("key", "session", "registry", "url", "database")
# A line of a file in base64: whatever looks like a token in it is a part of something else.
_ENCODED_LINE = re.compile(r"[\s\"'>#*/+]*[A-Za-z0-9+/_-]{60,}={0,2}[\s\"'\\n,;+)]*\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SPOKEN = {CHECKSUM: "its checksum holds", STRUCTURE: "its structure holds", MISMATCH: "its checksum does not hold"}


def load(unit: Unit, tree: Tree) -> Loaded:
    path = unit.paths[0]
    data = tree.read(path)
    text = source_text(data)
    problems: list[Problem] = []
    lines = Lines(path, text)
    found = list(find(path, text, data, problems))
    if len(found) > MAX_SECRETS:
        message = f"more than {MAX_SECRETS} secrets; the first ones are told"
        last = found[MAX_SECRETS]
        problems.append(Problem(path, message, lines.span(last.start, last.end), ProblemKind.LIMITED))
    key = identity_key() if found else None
    hidden = [place for each in found if each.made_up is not True for place in lines.pieces(each.start, each.end)]
    return Loaded(list(_resources(path, found[:MAX_SECRETS], lines, key)), problems, hidden)


def find(path: str, text: str, data: bytes, problems: list[Problem]) -> list[Found]:
    """Everything in a text, by place; where two overlap, what is known better is kept."""
    show = stands_for_show(path)
    taken = bytearray()
    kept: list[Found] = []

    def take(some: Iterable[Found]) -> None:
        for each in some:
            if each.basis == FORM and each.kind.group != "key" and _is_part_of_base64(text, each):
                continue
            if not taken:
                taken.extend(bytes(len(text)))
            if taken.find(1, each.start, each.end) < 0:
                taken[each.start : each.end] = b"\1" * (each.end - each.start)
                kept.append(each)
                if len(kept) > MAX_SECRETS:
                    break

    take(private_keys(text))
    take(tokens(text))
    if not is_lock(path) and has_mixed_run(data if data.isascii() else text.encode("utf-8", "replace")):
        from policy_engine_plugins.secrets.library import Missing, known

        try:
            take(known(text))
        except Missing:
            message = "not looked at by Kingfisher's detectors, which are not installed here; our own looked at it"
            problems.append(Problem(path, message, None, ProblemKind.LIMITED))
    take(assignments(path, text))
    if show:
        kept = [_for_show(each, show) for each in kept]
    return sorted(kept, key=lambda each: each.start)


def _is_part_of_base64(text: str, found: Found) -> bool:
    start, end = max(text.rfind("\n", 0, found.start) + 1, found.start - 200), text.find("\n", found.end)
    line = text[start : min(end if end >= 0 else len(text), found.end + 200)]
    return found.end - found.start < len(line.strip(" \t\r\"',;")) and _ENCODED_LINE.match(line) is not None


def _for_show(found: Found, show: str) -> Found:
    """Keys and session tokens among tests are nearly always made for them, however well-formed they are."""
    from dataclasses import replace

    if found.made_up is False and found.kind.group in _MADE_FOR_TESTS and found.basis != CHECKSUM:
        return replace(found, made_up=show)
    return found


def _resources(path: str, found: Iterable[Found], lines: Lines, key: bytes | None) -> Iterator[Resource]:
    counts: dict[str, int] = {}
    file = path.rpartition("/")[2]
    for each in found:
        number = counts[each.kind.name] = counts.get(each.kind.name, 0) + 1
        location = Location(path, lines.span(*(each.shown or (each.start, each.end))))
        told = identity(each, key)
        details = ", ".join(part for part in (_SPOKEN.get(each.basis), f"identity {told}" if told else None) if part)
        value: dict[str, Any] = {
            "kind": each.kind.name,
            "group": each.kind.group,
            "basis": each.basis,
            "verified": each.basis in (CHECKSUM, STRUCTURE),
            "confidence": CONFIDENCE[each.basis],
            "placeholder": Unknown(each.made_up, location) if isinstance(each.made_up, str) else each.made_up,
            "encrypted": each.encrypted,
            "identity": told,
        }
        yield Resource(
            format="text",
            type="secret",
            address=f"{file}#{each.kind.name}" + (f"/{number}" if number > 1 else ""),
            name=f"{each.kind.title} ({details})" if details else each.kind.title,
            value=value,
            location=location,
            locate=Fixed(location),
        )


class Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text

    @cached_property
    def _starts(self) -> list[int]:
        """Most texts hold nothing that has to be placed."""
        return [0, *(match.end() for match in _LINE_END.finditer(self._text))]

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        return Span(*self.position(start), *self.position(end))

    def pieces(self, start: int, end: int) -> Iterator[Location]:
        """The parts of a stretch, each within one line and without what ends it."""
        first, last = self.position(start)[0], self.position(max(start, end - 1))[0]
        for line in range(first, last + 1):
            begin = max(start, self._starts[line - 1])
            stop = min(end, self._starts[line] if line < len(self._starts) else len(self._text))
            while stop > begin and self._text[stop - 1] in "\r\n":
                stop -= 1
            if stop > begin:
                column = begin - self._starts[line - 1] + 1
                yield Location(self._path, Span(line, column, line, column + stop - begin))
