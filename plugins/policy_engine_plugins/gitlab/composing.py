"""A pipeline put together: files with their inputs filled in, merged in the order in which they are included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policy_engine.linked_format import MAX_FILES
from policy_engine.placed import Origin, Placed
from policy_engine.scalar_source import ScalarSource
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine.unknown import Unknown
from policy_engine.yaml_document import YamlMapping
from policy_engine_plugins.gitlab import include
from policy_engine_plugins.gitlab.grouping import targets
from policy_engine_plugins.gitlab.inputs import OPEN, Given, Interpolation, Place, Use, inputs_of
from policy_engine_plugins.gitlab.merging import Budget, merge
from policy_engine_plugins.gitlab.reading import FILES, split

MAX_NESTING = 100


class Composer:
    """`known` are the unit's files. What is found on the way: `problems`, `includes` and, where anything stays
    elsewhere, `elsewhere`, the entry that was not followed first."""

    def __init__(self, tree: Tree, known: Sequence[str]) -> None:
        self.tree = tree
        self.known = known
        self.budget = Budget()
        self.problems: list[Problem] = []
        self.includes: list[include.Entry] = []
        self.uses: dict[Place, list[Use]] = {}
        self.elsewhere: include.Entry | None = None
        self.has_references = False
        self._files = 0
        self._sources: dict[str, ScalarSource] = {}

    def compose(self, path: str) -> tuple[Any, Origin] | None:
        """The whole of a file with all that it includes; None where the file holds nothing that can be read."""
        return self._file(path, None, (), None)

    def _file(
        self, path: str, entry: include.Entry | None, chain: tuple[str, ...], given: Mapping[str, Given] | None
    ) -> tuple[Any, Origin] | None:
        self._files += 1
        try:
            data = self.tree.read(path)
        except (OSError, FileTooLarge) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.tell_path(path, f"cannot be read: {reason}", ProblemKind.UNREADABLE)
            return None
        parsed = FILES.parse(data, path)
        self.problems.extend(parsed.problems)
        source = self._sources.setdefault(path, ScalarSource(data))
        header, document = split(parsed)
        if document is None:
            if not parsed.problems and not chain:
                self.tell_path(path, "the pipeline file is empty", ProblemKind.NOT_UNDERSTOOD)
            return None
        origin = Origin(document, (), source)
        if type(document.value) is not YamlMapping:
            self.tell(origin, "a pipeline file holds a mapping", ProblemKind.NOT_UNDERSTOOD)
            return None
        self.has_references = self.has_references or b"!reference" in data
        value: Any = document.value
        if OPEN.encode() in data:
            value, origin = self._filled(value, origin, header, source, entry)
        own_includes = value.get("include") if isinstance(value, dict) else None
        if own_includes is None:
            return value, origin
        below: tuple[Any, Origin] = Placed(), origin
        place = origin.child("include")
        for each in include.entries(own_includes, place):
            self.includes.append(each)
            for target in self._targets(each, path, (*chain, path)):
                found = self._file(target, each, (*chain, path), None)
                if found is not None:
                    below = merge(*below, *found, self.budget)
        return merge(*below, value, origin, self.budget, without="include")

    def _filled(
        self, value: Any, origin: Origin, header: Any, source: ScalarSource, entry: include.Entry | None
    ) -> tuple[Any, Origin]:
        arguments, arguments_origin = (None, None) if entry is None else entry.arguments
        spec_origin = origin if header is None else Origin(header, ("spec",), source)
        spec = None if header is None else header.value.get("spec")
        given, wrong = inputs_of(spec, spec_origin, arguments, arguments_origin)
        for message, place in wrong:
            self.tell(place, message)
        filling = Interpolation(given, self.budget)
        filled = filling.apply(value, origin)
        if entry is None:
            self.uses.update(filling.uses)
        return filled

    def _targets(self, entry: include.Entry, path: str, chain: tuple[str, ...]) -> list[str]:
        """The files here that an entry names and that are to be read; says so where there are none."""
        if entry.kind in ("local", "component"):
            found = targets(entry.kind, entry.target, path, self.tree, self.known)
            circle = [each for each in found if each in chain]
            if circle and "*" not in str(entry.target):
                self.tell(entry.origin, f"'{circle[0]}' includes itself", ProblemKind.NOT_UNDERSTOOD)
            followed = [each for each in found if each not in chain]
            if len(chain) > MAX_NESTING or self._files + len(followed) > MAX_FILES:
                self.tell(entry.origin, f"more than {MAX_FILES} files are included", ProblemKind.NOT_UNDERSTOOD)
                return []
            if found:
                return followed
        self.elsewhere = self.elsewhere or entry
        self.tell(entry.origin, _not_followed(entry))
        return []

    def tell(self, origin: Origin, message: str, kind: ProblemKind = ProblemKind.LIMITED) -> None:
        location = origin.location()
        self.problems.append(Problem(location.path, message, location.span, kind))

    def tell_path(self, path: str, message: str, kind: ProblemKind) -> None:
        self.problems.append(Problem(path, message, None, kind))


def _not_followed(entry: include.Entry) -> str:
    if isinstance(entry.target, Unknown):
        return f"what is included is not known ({entry.target.reason}); what it defines is not seen"
    name = str(entry.target)[:100]
    if entry.kind == "local":
        why = "depends on variables" if "$" in name else "is not in the scanned files"
        return f"the included file '{name}' {why}; what it defines is not seen"
    return f"the {entry.kind} '{name}' is not in this repository; what it defines is not seen"
