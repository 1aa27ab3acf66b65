"""The code owners file: its lines, and which files each of them speaks of.

GitHub reads patterns as .gitignore has them, without negation, character ranges and an escaped `#`; GitLab has
sections, exclusions and the patterns of Ruby's File.fnmatch.
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
https://docs.gitlab.com/user/project/codeowners/reference/
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache

from msgspec import Struct, field

from policy_engine.span import Span
from policy_engine_plugins.repository.places import lines, on_line

MAX_ENTRIES = 20_000
MAX_WORK = 10_000_000
"""Files looked at for all lines together: a hostile file must not make the two numbers' product."""
GITHUB_BYTES = 3 * 1024 * 1024
"""GitHub does not read a larger file at all."""

_WORD = re.compile(r"(?:\\.|[^\s\\]|\\$)+")
_SECTION = re.compile(r"(\^?)\[([^\]]*)\](?:\[(\d*)\])?\s*(.*)$")
_GITHUB_OWNER = re.compile(
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]+)?(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?$|[^\s@]+@[^\s@]+\.[^\s@.]+$"
)
_GITLAB_OWNER = re.compile(
    r"@@(?:developer|maintainer|owner)s?$|@[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)*$|[^\s@]+@[^\s@]+\.[^\s@.]+$"
)


class Entry(Struct):
    """One line. `faults` are of the pattern, which the host then leaves out; `owner_faults` by the owner's index.

    excluded  a GitLab line that takes files out of its section
    """

    number: int
    pattern: str
    span: Span
    owners: list[str]
    owner_spans: list[Span]
    section: str = ""
    optional: bool = False
    excluded: bool = False
    faults: list[str] = field(default_factory=list)
    owner_faults: dict[int, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether the host goes by it. GitHub leaves out a whole line for one owner that cannot be."""
        return not self.faults and (not self.owner_faults or len(self.owner_faults) < len(self.owners))


def parse(data: bytes, host: str) -> list[Entry]:
    """The lines that name a pattern, broken ones included."""
    entries: list[Entry] = []
    section, optional, defaults = "", False, list[str]()
    for number, line in lines(data):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if host == "gitlab":
            heading = _SECTION.match(text)
            if heading is not None and not text.startswith("[^"):
                optional, section, defaults = bool(heading[1]), heading[2].strip().lower(), heading[4].split()
                continue
        entry = _entry(number, line, host)
        entry.section, entry.optional = section, optional
        if host == "gitlab" and not entry.owners and not entry.excluded:
            entry.owners = list(defaults)
            entry.owner_spans = [entry.span] * len(defaults)
        entries.append(entry)
        if len(entries) >= MAX_ENTRIES:
            break
    return entries


def _entry(number: int, line: str, host: str) -> Entry:
    words = list(_WORD.finditer(line))
    first, rest = words[0], words[1:]
    pattern = first[0]
    owners, spans = [], []
    for word in rest:
        if word[0].startswith("#"):
            break
        owners.append(word[0])
        spans.append(on_line(number, word.start(), word.end()))
    entry = Entry(number, pattern, on_line(number, first.start(), first.end()), owners, spans)
    if host == "gitlab":
        if pattern.startswith("!"):
            entry.excluded, entry.pattern = True, pattern[1:]
    else:
        if pattern.startswith("!"):
            entry.faults.append("'!' does not negate a pattern here, and the line is left out")
        elif pattern.startswith("\\#"):
            entry.faults.append("'#' cannot be escaped here, and the line is left out")
        elif "[" in pattern or "]" in pattern:
            entry.faults.append("'[ ]' is no range of characters here, and the line is left out")
    if pattern.strip("/") == "" and pattern != "/":
        entry.faults.append("the pattern names nothing")
    valid = _GITLAB_OWNER if host == "gitlab" else _GITHUB_OWNER
    for index, owner in enumerate(owners):
        if not valid.match(owner):
            entry.owner_faults[index] = _why(owner)
    return entry


def _why(owner: str) -> str:
    if "@" not in owner:
        return f"'{owner[:60]}' is neither @user, @organisation/team nor an e-mail address; is the '@' missing?"
    if owner.startswith("@") and owner.count("/") > 1:
        return f"'{owner[:60]}' is no team: it is written @organisation/team"
    if owner.endswith((",", ";")):
        return f"'{owner[:60]}' ends in a separator; owners are separated by blanks alone"
    return f"'{owner[:60]}' is no name that a user, a team or an e-mail address can have"


class Paths:
    """The files of a project, sorted, found by folder, by name and by ending, so that a line does not look at all.
    `work` counts those that were looked at."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = sorted(paths)
        self.work = 0

    @cached_property
    def by_part(self) -> dict[str, list[int]]:
        """Files by each folder name they lie below, and by their own name."""
        found: dict[str, list[int]] = {}
        for number, path in enumerate(self.paths):
            for part in set(path.split("/")):
                found.setdefault(part, []).append(number)
        return found

    @cached_property
    def by_ending(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, path in enumerate(self.paths):
            for part in set(path.split("/")):
                _, dot, ending = part.rpartition(".")
                if dot:
                    found.setdefault(ending, []).append(number)
        return found

    def below(self, folder: str) -> range:
        """Files that lie in a folder or are it."""
        start = bisect_left(self.paths, folder)
        return range(start, bisect_left(self.paths, folder + "0", start)) if folder else range(len(self.paths))

    def candidates(self, parts: Sequence[str], *, anchored: bool) -> Sequence[int]:
        """Files that a pattern of these parts can match, and perhaps others."""
        found = self._candidates(parts, anchored=anchored)
        # To compare with many wildcards takes some times longer than with few.
        self.work += len(found) * (4 if sum(part.count("*") for part in parts) > 2 else 1)
        return found

    def _candidates(self, parts: Sequence[str], *, anchored: bool) -> Sequence[int]:
        if anchored:
            literal = []
            for part in parts:
                if "*" in part or "?" in part or "\\" in part:
                    break
                literal.append(part)
            return self.below("/".join(literal))
        last = parts[-1]
        if "*" not in last and "?" not in last and "\\" not in last:
            return self.by_part.get(last, ())
        ending = last.rpartition("*")[2]
        if ending.startswith(".") and "?" not in ending and "\\" not in ending and ending.rfind(".") == 0:
            return self.by_ending.get(ending[1:], ())
        return range(len(self.paths))


def glob_part(pattern: str, name: str) -> bool:
    """Whether one part of a path matches: `*` any characters, `?` one, `\\` the next as it is. In linear time, whatever
    the pattern."""
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        return len(pieces[0]) == len(name) and _at(pieces[0], name, 0)
    first, last = pieces[0], pieces[-1]
    if len(first) + len(last) > len(name) or not _at(first, name, 0) or not _at(last, name, len(name) - len(last)):
        return False
    position, end = len(first), len(name) - len(last)
    for piece in pieces[1:-1]:
        position = _find(piece, name, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


@lru_cache(maxsize=1024)
def _pieces(pattern: str) -> list[list[str]]:
    """Between the stars; a `?` is an empty text."""
    pieces: list[list[str]] = [[]]
    escaped = False
    for char in pattern:
        if escaped:
            pieces[-1].append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "*":
            pieces.append([])
        else:
            pieces[-1].append("" if char == "?" else char)
    return pieces


def _at(piece: Sequence[str], name: str, start: int) -> bool:
    return all(not char or name[start + i] == char for i, char in enumerate(piece))


def _find(piece: Sequence[str], name: str, start: int, end: int) -> int:
    if all(piece):
        return name.find("".join(piece), start, end)
    return next((at for at in range(start, end - len(piece) + 1) if _at(piece, name, at)), -1)


def match_parts(
    parts: Sequence[str], names: Sequence[str], *, to_end: bool, same: Callable[[str, str], bool] = glob_part
) -> bool:
    """Whether the parts match the names from their beginning; `**` is any number of names. `to_end` asks for all of the
    names, else further ones may follow. The leftmost match of each stretch is as good as any."""
    part = name = 0
    star = star_name = -1
    while True:
        if part == len(parts):
            if not to_end or name == len(names):
                return True
        elif parts[part] == "**":
            star, star_name = part, name
            part += 1
            continue
        elif name < len(names) and same(parts[part], names[name]):
            part += 1
            name += 1
            continue
        if star < 0 or star_name >= len(names):
            return False
        star_name += 1
        part, name = star + 1, star_name


def collapse(parts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == "**" and kept and kept[-1] == "**":
            continue
        kept.append(part)
    return kept


def match_github(pattern: str, paths: Paths) -> list[int]:
    """Files that a pattern owns, by GitHub's reading."""
    trimmed = pattern.strip("/")
    if not trimmed:
        return []
    anchored = "/" in pattern[:-1]
    parts = collapse(trimmed.split("/"))
    if trimmed in ("*", "**") and not (anchored and trimmed == "*"):
        return list(range(len(paths.paths)))
    folder_only = pattern.endswith("/")
    files_only = pattern.endswith("/*")
    # `**` at the end wants something below.
    if parts[-1] == "**":
        parts = [*parts[:-1], "*"] if len(parts) > 1 else ["*"]
        files_only = False
    simple = not any(char in trimmed for char in "*?\\")
    quick = None if anchored else _quick(parts[0], folder_only=folder_only)
    found = []
    for number in paths.candidates(parts, anchored=anchored and parts[0] != "**"):
        path = paths.paths[number]
        if simple and anchored:
            if path.startswith(f"{trimmed}/") or (path == trimmed and not folder_only):
                found.append(number)
            continue
        if quick is not None:
            if quick.search(path):
                found.append(number)
            continue
        names = path.split("/")
        if folder_only:
            names = names[:-1]
        if not anchored:
            if any(glob_part(parts[0], name) for name in names):
                found.append(number)
        elif match_parts(parts, names, to_end=files_only):
            found.append(number)
    return found


def _quick(part: str, *, folder_only: bool) -> re.Pattern[str] | None:
    """One name of a path as a regular expression, where its wildcards are so few that none can be slow."""
    if part.count("*") > 2 or "\\" in part:
        return None
    text = re.escape(part).replace("\\*", "[^/]*").replace("\\?", "[^/]")
    return re.compile(f"(?:^|/){text}{'/' if folder_only else '(?:/|$)'}")


def match_gitlab(pattern: str, paths: Paths) -> list[int]:
    """Files that a pattern owns, by GitLab's reading: nothing below a name that does not end in a slash."""
    if pattern in ("*", "/**/*", "/**"):
        return list(range(len(paths.paths)))
    text = pattern.removeprefix("\\") if pattern.startswith("\\#") else pattern
    anchored = text.startswith("/")
    if text.endswith("/"):
        text += "**/*"
    parts = collapse(each for each in text.split("/") if each)
    if not parts:
        return []
    # A `**` that no slash follows is a plain star.
    if parts[-1] == "**":
        parts[-1] = "*"
    if not anchored and parts[0] != "**":
        parts = ["**", *parts]
    literal = parts if parts[0] != "**" else ()
    if len(parts) == 2 and parts[0] == "**":
        candidates: Iterable[int] = paths.candidates(parts[1:], anchored=False)
    elif literal:
        candidates = paths.candidates(literal, anchored=True)
    else:
        known = [part for part in parts if part != "**" and not any(char in part for char in "*?\\")]
        candidates = paths.by_part.get(known[0], ()) if known else range(len(paths.paths))
    return [number for number in candidates if match_parts(parts, paths.paths[number].split("/"), to_end=True)]


class Ownership(Struct):
    """What the lines of a file come to for the files of a project.

    matches    for each entry, how many files its pattern speaks of
    effective  how many of these no later line takes over
    by         for each file, the numbers of the entries that have the last word: one for each section
    """

    matches: list[int]
    effective: list[int]
    by: dict[int, list[int]]


def ownership(entries: Sequence[Entry], paths: Paths, host: str) -> Ownership | None:
    """None where the file asks for more work than is good."""
    match = match_gitlab if host == "gitlab" else match_github
    sections: dict[str, dict[int, int]] = {}
    excluded: dict[str, set[int]] = {}
    matches = [0] * len(entries)
    known: dict[str, list[int]] = {}
    work = 0
    for number, entry in enumerate(entries):
        if not entry.usable:
            continue
        found = known.get(entry.pattern)
        if found is None:
            found = known[entry.pattern] = match(entry.pattern, paths)
        work += len(found)
        if work + paths.work > MAX_WORK:
            return None
        matches[number] = len(found)
        if entry.excluded:
            excluded.setdefault(entry.section, set()).update(found)
        else:
            last = sections.setdefault(entry.section, {})
            for index in found:
                last[index] = number
    effective = [0] * len(entries)
    by: dict[int, list[int]] = {}
    for section, last in sections.items():
        out = excluded.get(section, ())
        for index, number in last.items():
            effective[number] += 1
            if index not in out:
                by.setdefault(index, []).append(number)
    return Ownership(matches, effective, by)
