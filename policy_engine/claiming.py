"""Which format takes which files, and how they group into units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from policy_engine.format import Format
from policy_engine.project import Project
from policy_engine.report import Entry, Status
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind, Unit


def claim(
    tree: Tree, paths: Iterable[str], formats: Iterable[Format]
) -> tuple[dict[str, list[str]], list[Entry], list[Problem]]:
    """Which format takes which files; every file's line in the ledger; and the files that could not be read."""
    formats = list(formats)
    claimed: dict[str, list[str]] = {each.name: [] for each in formats}
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path in paths:
        takers = [each for each in formats if each.claims(path)]
        if takers:
            try:
                data = tree.read(path)
            except FileTooLarge as error:
                # Whoever takes any text takes no image, however large: that it is one is seen in how it begins.
                if any(not each.plain_text or each.recognises(path, error.head) for each in takers):
                    problems.append(Problem(path, error.message, None, ProblemKind.TOO_LARGE))
                takers = []
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                problems.append(Problem(path, f"cannot be read: {reason}", None, ProblemKind.UNREADABLE))
                takers = []
            else:
                takers = [each for each in takers if each.recognises(path, data)]
        for each in takers:
            claimed[each.name].append(path)
        status = Status.EVALUATED if takers else Status.NOT_CLAIMED
        entries.append(Entry(path, status, tuple(each.name for each in takers)))
    return claimed, entries, problems


def make_units(
    tree: Tree, claimed: Mapping[str, Sequence[str]], formats: Mapping[str, Format], project: Project | None = None
) -> Iterator[Unit]:
    """`project` is given where all of one is scanned."""
    for name, files in claimed.items():
        if files:
            yield from formats[name].units(files, tree)
        if project is not None:
            yield from formats[name].project_units(files, project, tree)


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
