"""What a change does to the findings: which are new, which were there before, and which are gone.

Only the units that the change touches are evaluated, as they are and as they were; for the others nothing can differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from policy_engine.claiming import claim
from policy_engine.finding import Change, Finding, Outcome, Passed
from policy_engine.format import Format
from policy_engine.project import Project
from policy_engine.report import Entry, Status
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, Unit
from policy_engine.workers import Team

UNCHANGED = "the change does not touch it"


class Gathered(Struct, frozen=True):
    """One side of a change.

    changed   units of the changed files alone, of formats in which each file is one
    grouped   all units of the other formats
    touched   those of `grouped` that the change touches
    entries   the ledger's entries of the changed files
    problems  changed files that could not be read
    claimed   of the formats that group files, all unchanged files that are theirs
    """

    paths: Sequence[str]
    changed: Sequence[Unit]
    grouped: Sequence[Unit]
    touched: frozenset[tuple[str, str]]
    entries: Sequence[Entry]
    problems: Sequence[Problem]
    claimed: Mapping[str, Sequence[str]]


def gather(
    tree: Tree,
    paths: Sequence[str],
    touched: frozenset[str],
    around: frozenset[str],
    formats: Iterable[Format],
    other: Gathered | None = None,
    project: Project | None = None,
    *,
    differs: bool = False,
    team: Team | None = None,
) -> Gathered:
    """`touched` are changed paths of this tree; `around` those and the changed paths of the other one: a unit of
    several files is touched, too, by what was taken away, and by any file that it may read. `other` is the other side,
    whose unchanged files are the same. `project` is this side of it where all of one is scanned: its units are touched
    by any change of it, and by names alone that differ (`differs`)."""
    formats = list(formats)
    claimed, entries, problems = claim(tree, [path for path in paths if path in touched], formats)
    changed: list[Unit] = []
    grouped: list[Unit] = []
    names: set[tuple[str, str]] = set()
    above = _folders_above(around)
    # Which files belong together is known only from all of them.
    looking = [each for each in formats if _looks_at_all(each, project)]
    known = {} if other is None else other.claimed
    rest = [path for path in paths if path not in around]
    unchanged = {**known, **_theirs([each for each in looking if each.name not in known], rest, tree, team)}
    asked = {} if other is None else {(unit.format, unit.name): unit for unit in other.grouped}

    def reads_beyond(each: Format, unit: Unit) -> bool:
        # Of a unit whose files have not changed, the other side has been asked.
        name = (unit.format, unit.name)
        if other is not None and asked.get(name) == unit:
            return name in other.touched
        return each.reads_beyond(unit, tree)

    for each in formats:
        if type(each).units is Format.units:
            changed.extend(each.units(claimed[each.name], tree))
        if each not in looking:
            continue
        theirs = sorted([*claimed[each.name], *unchanged[each.name]])
        if theirs and type(each).units is not Format.units:
            for unit in each.units(theirs, tree):
                grouped.append(unit)
                if around and (_is_touched(unit, around, above) or reads_beyond(each, unit)):
                    names.add((unit.format, unit.name))
        if project is not None:
            for unit in each.project_units(theirs, project, tree):
                grouped.append(unit)
                if around or differs:
                    names.add((unit.format, unit.name))
    return Gathered(paths, changed, grouped, frozenset(names), entries, problems, unchanged)


def units_of(side: Gathered, touched: frozenset[tuple[str, str]]) -> list[Unit]:
    """The units to evaluate. `touched` are those of both sides: a file may belong to a unit on one of them only."""
    return [*side.changed, *(unit for unit in side.grouped if (unit.format, unit.name) in touched)]


def ledger_of(side: Gathered, units: Iterable[Unit]) -> list[Entry]:
    """An entry for each path; what no evaluated unit holds is unchanged."""
    taken: dict[str, set[str]] = {}
    for unit in units:
        for path in unit.paths:
            taken.setdefault(path, set()).add(unit.format)
    entries = list(side.entries)
    known = {entry.path for entry in entries}
    for path in side.paths:
        if path not in known:
            names = tuple(sorted(taken.get(path, ())))
            status = Status.EVALUATED if names else Status.UNCHANGED
            entries.append(Entry(path, status, names, "" if names else UNCHANGED))
    return entries


def _looks_at_all(each: Format, project: Project | None) -> bool:
    if type(each).units is not Format.units:
        return True
    return project is not None and type(each).project_units is not Format.project_units


def _theirs(formats: Sequence[Format], paths: Sequence[str], tree: Tree, team: Team | None) -> dict[str, list[str]]:
    """Of each format the files that it claims and recognises."""
    found: dict[str, list[str]] = {each.name: [] for each in formats}
    if not formats:
        return found

    def look(path: str) -> list[str]:
        return _takers(formats, path, tree)

    # What follows is about the other side, which one process alone can ask for.
    looked = map(look, paths) if team is None else team.conclude(look, paths)
    for path, names in zip(paths, looked, strict=True):
        for name in names:
            found[name].append(path)
    return found


def _takers(formats: Sequence[Format], path: str, tree: Tree) -> list[str]:
    """The formats that a file is of. One that cannot be read is of those that need not read it."""
    takers: list[str] = []
    data: bytes | None = None
    for each in formats:
        if not each.claims(path):
            continue
        if not each.knows_by_name(path):
            try:
                data = tree.read(path) if data is None else data
                if not each.recognises(path, data):
                    continue
            except (OSError, ValueError, FileTooLarge):
                continue
        takers.append(each.name)
    return takers


def _folders_above(paths: Iterable[str]) -> set[str]:
    folders = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def _is_touched(unit: Unit, around: frozenset[str], above: Collection[str]) -> bool:
    """Whether a changed file is one of the unit's, or lies below one of its folders."""
    return any(path in around or path.rpartition("/")[0] in above for path in unit.paths)


def compare(
    now: Sequence[Finding],
    passes: Iterable[Passed],
    before: Sequence[Finding],
    renamed: Mapping[str, str],
    not_understood: Collection[str] = (),
) -> tuple[list[Finding], list[Finding]]:
    """The findings of the work tree with what the change made of them, and those of the base that are gone.

    A finding is the same where rule, resource and attribute are, in the same file or the file it was renamed from. One
    that turns up in another file is still the same where it is gone from where it was, resource and all; not where it
    was mended there, nor where it had been set aside there.
    `passes` is what the work tree satisfies; `before` are findings of the base, those set aside there marked;
    `not_understood` are files of the work tree of which a part could not be evaluated: what was there before is not
    gone because of that.
    """
    left: dict[tuple[str, str], list[Finding]] = {}
    for finding in before:
        if finding.outcome is Outcome.FAIL:
            left.setdefault((finding.identity, finding.location.path), []).append(finding)
    settled: list[Finding] = []
    open_ones: list[int] = []
    for finding in now:
        match = None
        if finding.outcome is Outcome.FAIL:
            path = renamed.get(finding.location.path, finding.location.path)
            match = _take(left, finding.identity, path)
            if match is None:
                open_ones.append(len(settled))
        settled.append(finding if match is None else _existing(finding, match))
    names = {old: new for new, old in renamed.items()}
    undecided = {_place(finding, {}) for finding in now if finding.outcome is Outcome.UNKNOWN}
    passed = {(rule.id, one.address, one.location.path) for one in passes for rule in one.rules}
    mended: list[Finding] = []
    moved: dict[str, list[Finding]] = {}
    for finding in (one for findings in left.values() for one in findings):
        place = _place(finding, names)
        broken = names.get(finding.location.path, finding.location.path) in not_understood
        if finding.suppression is not None or broken or place in undecided:
            continue
        if place in passed:
            mended.append(finding)
        else:
            moved.setdefault(finding.identity, []).append(finding)
    for number in open_ones:
        finding = settled[number]
        rest = moved.get(finding.identity)
        settled[number] = _existing(finding, rest.pop(0)) if rest else _new(finding)
    gone = [*mended, *(finding for findings in moved.values() for finding in findings)]
    return settled, sorted(gone, key=lambda one: (one.location, one.rule.id, one.address))


def _place(finding: Finding, names: Mapping[str, str]) -> tuple[str, str, str]:
    """Rule, resource, and the file that the resource's header stands in, by its name in the work tree."""
    path = (finding.block or finding.location).path
    return finding.rule.id, finding.address, names.get(path, path)


def _take(left: dict[tuple[str, str], list[Finding]], identity: str, path: str) -> Finding | None:
    found = left.get((identity, path))
    return found.pop(0) if found else None


def _existing(finding: Finding, match: Finding) -> Finding:
    if finding.suppression is not None and match.suppression is None and finding.suppression.kind == "inline":
        # It counted before: the comment that sets it aside comes with the change.
        finding = finding._replace(suppression=None)
    return finding._replace(change=Change.EXISTING)


def _new(finding: Finding) -> Finding:
    """Nobody sets their own finding aside: a comment does not count for what its own change makes new."""
    if finding.suppression is not None and finding.suppression.kind == "inline":
        message = f"{finding.message} (a comment does not set aside what the same change makes new)"
        finding = finding._replace(suppression=None, message=message)
    return finding._replace(change=Change.NEW)
