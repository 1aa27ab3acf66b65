"""What a change does to the findings: which are new, which were there before, and which are gone.

Only the units that the change touches are evaluated, as they are and as they were; for the others nothing can differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policy_engine.finding import Change, Finding, Outcome
from policy_engine.format import Format
from policy_engine.report import Entry, Status
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, Unit

UNCHANGED = "the change does not touch it"


@dataclass(frozen=True, slots=True)
class Touched:
    """The units that a change touches, the ledger's entries of all files, and files that could not be read."""

    units: Sequence[Unit]
    entries: Sequence[Entry]
    problems: Sequence[Problem]


def touched_units(
    tree: Tree, paths: Sequence[str], touched: frozenset[str], around: frozenset[str], formats: Iterable[Format]
) -> Touched:
    """`touched` are changed paths of this tree; `around` those and the changed paths of the other one: a unit of
    several files is touched, too, by what was taken away, and by any file below its folders, which it may read."""
    from policy_engine.scan import claim

    formats = list(formats)
    changed = [path for path in paths if path in touched]
    claimed, entries, problems = claim(tree, changed, formats)
    units: list[Unit] = []
    taken: dict[str, set[str]] = {}
    for each in formats:
        if type(each).units is Format.units:
            units.extend(each.units(claimed[each.name], tree))
            continue
        # Which files belong together is known only from all of them.
        others = [path for path in paths if path not in touched and each.claims(path) and _recognised(each, path, tree)]
        for unit in each.units(sorted([*claimed[each.name], *others]), tree):
            if _is_touched(unit, around):
                units.append(unit)
                taken.setdefault(each.name, set()).update(unit.paths)
    known = {entry.path for entry in entries}
    for path in paths:
        if path not in known:
            names = tuple(name for name, members in sorted(taken.items()) if path in members)
            status = Status.EVALUATED if names else Status.UNCHANGED
            entries.append(Entry(path, status, names, "" if names else UNCHANGED))
    return Touched(units, entries, problems)


def _recognised(each: Format, path: str, tree: Tree) -> bool:
    if each.knows_by_name(path):
        return True
    try:
        return each.recognises(path, tree.read(path))
    except (OSError, ValueError, FileTooLarge):
        return False


def _is_touched(unit: Unit, around: frozenset[str]) -> bool:
    folders = {path.rpartition("/")[0] for path in unit.paths}
    return any(
        path in unit.paths or any(not folder or path.startswith(f"{folder}/") for folder in folders) for path in around
    )


def compare(
    now: Sequence[Finding], before: Sequence[Finding], renamed: Mapping[str, str]
) -> tuple[list[Finding], list[Finding]]:
    """The findings of the work tree with what the change made of them, and those of the base that are gone.

    A finding is the same where rule, resource and attribute are, in the same file or the file it was renamed from; a
    finding that moved to another file is still the same one if only one of its kind is left over.
    `before` are findings of the base, those set aside there marked.
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
    by_identity: dict[str, list[Finding]] = {}
    for (identity, _), findings in left.items():
        by_identity.setdefault(identity, []).extend(findings)
    for number in open_ones:
        finding = settled[number]
        rest = by_identity.get(finding.identity)
        settled[number] = _existing(finding, rest.pop(0)) if rest else _new(finding)
    gone = [finding for findings in by_identity.values() for finding in findings if finding.suppression is None]
    return settled, sorted(gone, key=lambda one: (one.location, one.rule.id, one.address))


def _take(left: dict[tuple[str, str], list[Finding]], identity: str, path: str) -> Finding | None:
    found = left.get((identity, path))
    return found.pop(0) if found else None


def _existing(finding: Finding, match: Finding) -> Finding:
    if finding.suppression is not None and match.suppression is None and finding.suppression.kind == "inline":
        # It counted before: the comment that sets it aside comes with the change.
        finding = replace(finding, suppression=None)
    return replace(finding, change=Change.EXISTING)


def _new(finding: Finding) -> Finding:
    """Nobody sets their own finding aside: a comment that comes with it does not count."""
    if finding.suppression is not None and finding.suppression.kind == "inline":
        message = f"{finding.message} (the comment that sets it aside comes with the same change and does not count)"
        finding = replace(finding, suppression=None, message=message)
    return replace(finding, change=Change.NEW)
