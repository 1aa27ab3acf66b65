"""Which format takes which files, and how they group into units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from policy_engine.format import Format
from policy_engine.linked_format import LinkedFormat
from policy_engine.project import Project
from policy_engine.report import Entry, Status
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind, Unit
from policy_engine.workers import Team

Item = TypeVar("Item")
Result = TypeVar("Result")


def claim(
    tree: Tree, paths: Sequence[str], formats: Iterable[Format], team: Team | None = None
) -> tuple[dict[str, list[str]], list[Entry], list[Problem]]:
    """Which format takes which files; every file's line in the ledger; and the files that could not be read."""
    formats = list(formats)
    claimed: dict[str, list[str]] = {each.name: [] for each in formats}
    entries: list[Entry] = []
    problems: list[Problem] = []

    def takers_of(path: str) -> tuple[tuple[str, ...], Problem | None]:
        return _takers(path, tree, formats)

    for path, (takers, problem) in zip(paths, _shared(takers_of, paths, team), strict=True):
        for name in takers:
            claimed[name].append(path)
        if problem is not None:
            problems.append(problem)
        entries.append(Entry(path, Status.EVALUATED if takers else Status.NOT_CLAIMED, takers))
    return claimed, entries, problems


def _shared(work: Callable[[Item], Result], items: Sequence[Item], team: Team | None) -> list[Result]:
    return [work(item) for item in items] if team is None else team.share(work, items)


def _takers(path: str, tree: Tree, formats: Sequence[Format]) -> tuple[tuple[str, ...], Problem | None]:
    """The names of the formats that take a file, and why none can where it cannot be read."""
    takers = [each for each in formats if each.claims(path)]
    if not takers:
        return (), None
    try:
        data = tree.read(path)
    except FileTooLarge as error:
        # Whoever takes any text takes no image, however large: that it is one is seen in how it begins.
        if any(not each.plain_text or each.recognises(path, error.head) for each in takers):
            return (), Problem(path, error.message, None, ProblemKind.TOO_LARGE)
        return (), None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return (), Problem(path, f"cannot be read: {reason}", None, ProblemKind.UNREADABLE)
    return tuple([each.name for each in takers if each.recognises(path, data)]), None


def make_units(
    tree: Tree,
    claimed: Mapping[str, Sequence[str]],
    formats: Mapping[str, Format],
    project: Project | None = None,
    team: Team | None = None,
) -> Iterator[Unit]:
    """`project` is given where all of one is scanned."""
    links = _links(tree, claimed, formats, team)
    for name, files in claimed.items():
        each = formats[name]
        if isinstance(each, LinkedFormat):
            yield from each.units(files, tree, links.get(name))
        elif files:
            yield from each.units(files, tree)
        if project is not None:
            yield from each.project_units(files, project, tree)


def _links(
    tree: Tree, claimed: Mapping[str, Sequence[str]], formats: Mapping[str, Format], team: Team | None
) -> dict[str, dict[str, Sequence[str]]]:
    """Of each format of linked files what its files take in."""
    linked = {name: each for name, each in formats.items() if isinstance(each, LinkedFormat)}
    asked = [(name, path) for name in linked for path in claimed[name]]

    def links_of(of: tuple[str, str]) -> Sequence[str]:
        name, path = of
        return linked[name].links(path, tree, claimed[name])

    found: dict[str, dict[str, Sequence[str]]] = {}
    for (name, path), links in zip(asked, _shared(links_of, asked, team), strict=True):
        found.setdefault(name, {})[path] = links
    return found


def taken(entries: Iterable[Entry], units: Iterable[Unit]) -> list[Entry]:
    """The ledger's entries once the units are known: what one of them holds is evaluated, though its name and content
    alone did not say so; what none holds is not, though a format knew it for its own."""
    formats: dict[str, set[str]] = {}
    for unit in units:
        for path in unit.paths:
            formats.setdefault(path, set()).add(unit.format)
    settled = []
    for entry in entries:
        if entry.status in (Status.EVALUATED, Status.NOT_CLAIMED):
            names = tuple(sorted(formats.get(entry.path, ())))
            entry = replace(entry, status=Status.EVALUATED if names else Status.NOT_CLAIMED, formats=names)
        settled.append(entry)
    return settled
