"""The code owners of a project as resources: of each line alone, and of what the lines come to for its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policy_engine.project import Project
from policy_engine.resource import Resource
from policy_engine.span import WHOLE_FILE, Location, Span
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind
from policy_engine_plugins.repository.codeowners import (
    GITHUB_BYTES,
    MAX_ENTRIES,
    Entry,
    Ownership,
    Paths,
    ownership,
    parse,
)
from policy_engine_plugins.repository.names import CODEOWNERS
from policy_engine_plugins.repository.places import fault, resource

GITHUB_ORDER = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
GITLAB_ORDER = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
PIPELINES = (".gitlab-ci.yml", "Jenkinsfile", "azure-pipelines.yml", ".circleci/config.yml", "bitbucket-pipelines.yml")
_SHOWN = 20


def host_of(path: str, tree: Tree) -> str:
    """Who reads a code owners file, by where it lies and what lies beside it."""
    if path.startswith(".gitlab/"):
        return "gitlab"
    if path.startswith(".github/"):
        return "github"
    return "gitlab" if tree.is_file(".gitlab-ci.yml") else "github"


def entries_of(path: str, data: bytes, host: str) -> tuple[list[Resource], list[Problem]]:
    """The lines of a file, each by itself."""
    resources: list[Resource] = []
    problems: list[Problem] = []
    entries = parse(data, host)
    if len(entries) >= MAX_ENTRIES:
        message = f"only the first {MAX_ENTRIES} lines are looked at"
        problems.append(Problem(path, message, None, ProblemKind.LIMITED))
    seen: dict[str, int] = {}
    for entry in entries:
        value = {
            "pattern": entry.pattern,
            "owners": list(entry.owners),
            "faults": [fault(text, ("pattern",)) for text in entry.faults],
            "owner_faults": [fault(text, ("owners", index)) for index, text in entry.owner_faults.items()],
        }
        resources.append(
            resource("codeowners_entry", _address(entry, seen), entry.pattern, value, path, entry.span, _places(entry))
        )
    return resources, problems


def _places(entry: Entry) -> dict[tuple[str | int, ...], Span | Location]:
    return {("owners", index): span for index, span in enumerate(entry.owner_spans)}


def _address(entry: Entry, seen: dict[str, int]) -> str:
    address = f"codeowners/{entry.section}/{entry.pattern}" if entry.section else f"codeowners/{entry.pattern}"
    seen[address] = seen.get(address, 0) + 1
    return address if seen[address] == 1 else f"{address}#{seen[address]}"


def in_effect(project: Project) -> tuple[str | None, str, list[str]]:
    """The file that counts, who reads it, and other ones, which do not count."""
    there = set(project.paths)
    found = [path for path in CODEOWNERS if path in there]
    gitlab = ".gitlab-ci.yml" in there or any(path.startswith(".gitlab/") for path in found)
    if any(path.startswith(".github/") for path in project.paths) and ".gitlab-ci.yml" not in there:
        gitlab = False
    host = "gitlab" if gitlab else "github"
    order = GITLAB_ORDER if gitlab else GITHUB_ORDER
    chosen = next((path for path in order if path in there), None)
    # A project on both hosts has a file for each.
    both = {".github/CODEOWNERS", ".gitlab/CODEOWNERS"}
    ignored = [path for path in found if path != chosen and not (path in both and chosen in both)]
    return chosen, host, ignored if chosen is not None else []


def of_project(project: Project, tree: Tree) -> tuple[list[Resource], list[Problem]]:
    path, host, ignored = in_effect(project)
    if path is None:
        return [], []
    try:
        data = tree.read(path)
    except (OSError, FileTooLarge):
        return [], []  # Told where the file is read for itself.
    entries = parse(data, host)
    paths = Paths(project.paths)
    owned = ownership(entries, paths, host)
    if owned is None:
        message = "too many lines for too many files: what they come to is not looked at"
        return [], [Problem(path, message, None, ProblemKind.LIMITED)]
    resources = [_file(path, host, ignored, entries, paths, owned, len(data))]
    resources.extend(_lines(path, entries, owned))
    return resources, []


def _file(
    path: str,
    host: str,
    ignored: Sequence[str],
    entries: Sequence[Entry],
    paths: Paths,
    owned: Ownership,
    size: int,
) -> Resource:
    unowned = [paths.paths[index] for index in range(len(paths.paths)) if not _owners(owned, entries, index)]
    note = ""
    if unowned:
        example = next((each for each in unowned if "/" in each), unowned[0])
        note = f"{len(unowned)} of {len(paths.paths)} files ({example[-40:]}, ...)"
    sensitive = list(_sensitive(path, entries, paths, owned))
    value: dict[str, Any] = {
        "host": host,
        "size": size,
        "read": host != "github" or size <= GITHUB_BYTES,
        "ignored": [{"name": each} for each in ignored],
        "unowned": note,
        "sensitive": [{key: item for key, item in each.items() if key != "place"} for each in sensitive],
    }
    places: dict[tuple[str | int, ...], Span | Location] = {
        ("ignored", index): Location(each, WHOLE_FILE) for index, each in enumerate(ignored)
    }
    places.update({("sensitive", index): each["place"] for index, each in enumerate(sensitive)})
    return resource("codeowners", "codeowners", path, value, path, WHOLE_FILE, places)


def _owners(owned: Ownership, entries: Sequence[Entry], index: int) -> bool:
    """Whether a file has an owner whose review is asked for."""
    return any(entries[number].owners and not entries[number].optional for number in owned.by.get(index, ()))


def _kind(path: str, codeowners: str) -> str | None:
    """What makes a file one that decides over others."""
    name = path.rpartition("/")[2]
    if path == codeowners:
        return "the code owners file itself"
    if path.startswith((".github/workflows/", ".gitlab/ci/")) or path in PIPELINES:
        return "the build and release pipelines"
    if path.startswith((".policy-engine/", ".policy-engine.")):
        return "the policy of this scan"
    if name.endswith((".tf", ".tofu", ".bicep")):
        return "infrastructure code"
    if path in (".github/dependabot.yml", "renovate.json"):
        return "the settings of dependency updates"
    return None


def _sensitive(path: str, entries: Sequence[Entry], paths: Paths, owned: Ownership) -> Iterator[dict[str, Any]]:
    """For each kind of such files whether all have an owner; the place is where one was taken away, or the file."""
    kinds: dict[str, tuple[str, bool, Span]] = {}
    counts: dict[str, int] = {}
    for index, each in enumerate(paths.paths):
        kind = _kind(each, path)
        if kind is None:
            continue
        has = _owners(owned, entries, index)
        counts[kind] = counts.get(kind, 0) + (not has)
        if kind not in kinds or (kinds[kind][1] and not has):
            last = owned.by.get(index, ())
            kinds[kind] = (each, has, entries[last[-1]].span if last and not has else WHOLE_FILE)
    for kind, (each, has, span) in sorted(kinds.items()):
        more = f" and {counts[kind] - 1} more" if counts[kind] > 1 else ""
        shown = f"{kind} ({each[-60:]}{more})"
        yield {"name": kind, "shown": shown, "owned": has, "place": span}


def _lines(path: str, entries: Sequence[Entry], owned: Ownership) -> Iterator[Resource]:
    before: set[str] = set()
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        address = _address(entry, seen)
        if not entry.usable:
            continue
        value = {
            "pattern": entry.pattern,
            "matches": owned.matches[number],
            "effective": owned.effective[number],
            "takes_away": not entry.owners and not entry.excluded and bool(before) and owned.effective[number] > 0,
        }
        if entry.owners:
            before.add(entry.pattern)
        yield resource("codeowners_match", address, entry.pattern, value, path, entry.span)
