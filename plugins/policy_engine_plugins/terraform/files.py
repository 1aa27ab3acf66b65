"""The files of configurations, each parsed once however many modules, units and calls look at it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from policy_engine.errors import PolicyEngineError
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.terraform.parser import parse
from policy_engine_plugins.terraform.source import decode
from policy_engine_plugins.terraform.syntax import SyntaxTree

# Trees take some thirty times the room of their text.
MAX_KEPT_BYTES = 6_000_000


class ParsedFile(Struct, frozen=True):
    """A file's tree, or None where it cannot be read; and what is wrong with it."""

    syntax: SyntaxTree | None
    problems: tuple[Problem, ...] = ()


class Files:
    """Keeps trees under their path and content: the same bytes give the same tree, whichever scan asks."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bytes], ParsedFile] = {}
        self._size = 0

    def read(self, path: str, tree: Tree) -> ParsedFile:
        try:
            data = tree.read(path)
        except FileTooLarge as error:
            return ParsedFile(None, (Problem(path, error.message, kind=ProblemKind.TOO_LARGE),))
        except (OSError, PolicyEngineError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return ParsedFile(None, (Problem(path, f"cannot be read: {reason}", kind=ProblemKind.UNREADABLE),))
        return self.parse(path, data)

    def parse(self, path: str, data: bytes) -> ParsedFile:
        kept = self._kept.get((path, data))
        if kept is None:
            kept = _parse(path, data)
            self._size += len(data)
            if self._size > MAX_KEPT_BYTES:
                self._kept.clear()
                self._size = len(data)
            self._kept[path, data] = kept
        return kept


def _parse(path: str, data: bytes) -> ParsedFile:
    problems = []
    source, undecodable = decode(path, data)
    if undecodable is not None:
        at, message = undecodable
        problems.append(Problem(path, message, source.span(at, at + 1)))
    if path.endswith(".json"):
        from policy_engine_plugins.terraform.json_syntax import parse_json

        syntax = parse_json(source, variables=path.endswith(".tfvars.json"))
    else:
        syntax = parse(source)
    problems.extend(Problem(path, fault.message, source.span(fault.start, fault.end)) for fault in syntax.faults)
    return ParsedFile(syntax, tuple(problems))


def reads_above(paths: Iterable[str], tree: Tree) -> bool:
    """Whether a configuration may read files above its folders: somewhere in it a reading function is called, and a
    `..` is written that is not the source of a module."""
    texts: list[bytes] = []
    for path in paths:
        try:
            texts.append(tree.read(path))
        except (OSError, PolicyEngineError):
            continue
    # A `..` is the rarer of the two: most configurations are told by looking for it alone.
    return any(_leads_above(text) for text in texts) and any(_reads(text) for text in texts)


def _leads_above(text: bytes) -> bool:
    return b".." in text and b".." in re.sub(rb'"?source"?\s*[=:]\s*"[^"$]*"', b"", text).replace(b"...", b"")


def _reads(text: bytes) -> bool:
    return b"file" in text and re.search(rb"file\w*\s*\(", text) is not None
