"""Configurations as folders of real files, each with an `expected.yaml` that says what is to be made of it.

says         the claim, in one sentence
needs        what is not built yet: the case has to fail until that is, and then this line goes
terraform    `false` where Terraform itself cannot be asked (a provider is needed, or OpenTofu is meant)
var_files    variable files given on the command line, last one counting
environment  TF_VAR_ values given
files        texts that cannot lie in a repository as files (control characters, `.terraform`), by path
resources    every resource and data source by address, with values by attribute path. `.` is the whole value;
             `{unknown: words}` is an Unknown whose reason has the words, `refers_to` the addresses it leads to;
             `{absent: true}` is not set at all; `{somewhere_unknown: words}` has such an Unknown in it
others       the same for variables, outputs, providers, calls: those listed only
units        the root modules, where there is more than the top folder
problems     every problem: `at` (file:line:column), `says` (words of it), `kind` (not_understood unless told)
places       where a value is to be changed: `of` (address), `path`, `at`, `text` (the source there), `through` (the way
             it took, nearest first: `file:line:column`), `sensitive`
outcomes     what rules decide: `rule`, `of` (address), `outcome`, `at`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policy_engine.partial import PartialDict, PartialList
from policy_engine.path import ABSENT, lookup, parse_path
from policy_engine.resource import Resource
from policy_engine.span import Location
from policy_engine.tree import MemoryTree
from policy_engine.unit import Problem
from policy_engine.unknown import Embedded, Unknown
from policy_engine_plugins.terraform import TerraformFormat

FOLDER = Path(__file__).parent / "configurations"
EXPECTED = "expected.yaml"
_KEYS = frozenset(re.findall(r"^(\w+)  +\S", __doc__ or "", re.MULTILINE))
_OTHER_TYPES = ("variable", "module", "output", "terraform")


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    files: Mapping[str, bytes]
    expected: Mapping[str, Any]

    @property
    def sources(self) -> dict[str, str]:
        return {path: data.decode("utf-8", "replace") for path, data in self.files.items()}


@dataclass(slots=True)
class Made:
    """What a case gives."""

    units: list[str] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def names() -> list[str]:
    return sorted(str(path.parent.relative_to(FOLDER)) for path in FOLDER.rglob(EXPECTED))


def read(name: str) -> Case:
    folder = FOLDER / name
    expected = yaml.safe_load((folder / EXPECTED).read_text(encoding="utf-8"))
    unknown = set(expected) - _KEYS
    assert not unknown, f"{name}: {EXPECTED} has no {sorted(unknown)}"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    del files[EXPECTED]
    files.update({path: text.encode() for path, text in expected.get("files", {}).items()})
    return Case(name, files, expected)


def evaluate(case: Case) -> Made:
    """Through the public seam, as a scan does: units of the claimed files, each loaded with the tree."""
    given = [(path, case.files[path]) for path in case.expected.get("var_files", ())]
    format_ = TerraformFormat().configured({"var-file": given, "tf-var-env": case.expected.get("environment")})
    tree = MemoryTree(case.files)
    paths = [path for path in case.files if format_.claims(path) and format_.recognises(path, case.files[path])]
    made = Made()
    for unit in format_.units(paths, tree):
        made.units.append(unit.name)
        loaded = format_.load(unit, tree)
        for one in loaded.resources:
            assert one.address not in made.resources or one.type in _OTHER_TYPES, f"{one.address} is there twice"
            made.resources[one.address] = one
        made.problems.extend(loaded.problems)
    return made


def is_managed(resource: Resource) -> bool:
    return resource.type not in _OTHER_TYPES and not resource.type.startswith("provider.")


# -- what differs


def mistakes(case: Case, made: Made) -> Iterator[str]:
    expected = case.expected
    if made.units != expected.get("units", ["."]):
        yield f"units are {made.units}"
    wanted: dict[str, dict[str, Any]] = expected.get("resources", {})
    found = {address for address, one in made.resources.items() if is_managed(one)}
    for address in sorted(found ^ set(wanted)):
        yield f"{address} is {'not there' if address in wanted else 'there'}"
    for address, values in {**wanted, **expected.get("others", {})}.items():
        resource = made.resources.get(address)
        if resource is None:
            if address not in wanted:
                yield f"{address} is not there"
            continue
        for path, want in (values or {}).items():
            got = resource.value if path == "." else lookup(resource.value, parse_path(path))
            complaint = unlike(want, got)
            if complaint:
                yield f"{address} {path}: {complaint}"
    yield from _problems(expected.get("problems", []), made.problems)
    for place in expected.get("places", []):
        yield from _place(case, place, made)


def unlike(want: Any, got: Any) -> str:
    """In what the value is not the one wanted; nothing where it is."""
    if isinstance(want, dict) and "unknown" in want:
        if not isinstance(got, Unknown):
            return f"{got!r} is no unknown"
        if want["unknown"] not in got.reason:
            return f"is unknown because {got.reason!r}"
        if "refers_to" in want and list(got.refers_to) != want["refers_to"]:
            return f"refers to {list(got.refers_to)}"
        if "fragments" in want and list(got.fragments) != want["fragments"]:
            return f"has the fragments {list(got.fragments)}"
        return ""
    if want == {"absent": True}:
        return "" if got is ABSENT else f"{got!r} is there"
    if isinstance(want, dict) and "somewhere_unknown" in want:
        reasons = [one.reason for one in unknowns(got)]
        return "" if any(want["somewhere_unknown"] in reason for reason in reasons) else f"{got!r}: {reasons}"
    if isinstance(got, (PartialDict, PartialList, Unknown)) or got is ABSENT:
        return f"is {got!r}, wanted {want!r}"
    if isinstance(want, dict) and isinstance(got, dict) and list(want) and set(want) == set(got):
        return "; ".join(f"{key}: {text}" for key in want if (text := unlike(want[key], got[key])))
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = enumerate(zip(want, got, strict=True))
        return "; ".join(f"[{at}]: {text}" for at, (one, other) in pairs if (text := unlike(one, other)))
    if isinstance(want, bool) is not isinstance(got, bool) or want != got:
        return f"is {got!r}, wanted {want!r}"
    return ""


def unknowns(value: Any) -> Iterator[Unknown]:
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, Embedded):
        yield from unknowns(value.value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
        if isinstance(value, PartialDict):
            yield value.rest
    elif isinstance(value, list):
        for item in value:
            yield from unknowns(item)


def _problems(wanted: list[dict[str, str]], found: list[Problem]) -> Iterator[str]:
    left = list(found)
    for want in wanted:
        for one in left:
            where = _at(Location(one.path, one.span)) if one.span else one.path
            if (
                want["says"] in one.message
                and want.get("at", where) == where
                and want.get("kind", "not_understood") == one.kind.value
            ):
                left.remove(one)
                break
        else:
            yield f"no such problem: {want}"
    for one in left:
        yield f"a further problem ({one.kind.value}): {one}"


def _place(case: Case, want: Mapping[str, Any], made: Made) -> Iterator[str]:
    resource = made.resources.get(want["of"])
    if resource is None:
        yield f"{want['of']}, whose place is wanted, is not there"
        return
    path = tuple(step for step in parse_path(want["path"]) if isinstance(step, (str, int)))
    trace = resource.locate(path)
    what = f"the place of {want['of']} {want['path']}"
    if _at(trace.location) != want["at"]:
        yield f"{what} is {_at(trace.location)}"
    if "text" in want and cut(case, trace.location) != want["text"]:
        yield f"{what} is the text {cut(case, trace.location)!r}"
    if "through" in want and [_at(place) for place, _ in trace.related] != want["through"]:
        yield f"{what}: the way is {[_at(place) for place, _ in trace.related]}"
    if trace.sensitive is not want.get("sensitive", False):
        yield f"{what} is {'' if trace.sensitive else 'not '}sensitive"


def _at(location: Location) -> str:
    return f"{location.path}:{location.span.start_line}:{location.span.start_column}"


def cut(case: Case, location: Location) -> str:
    """The source at a place."""
    span = location.span
    lines = case.sources[location.path].split("\n")[span.start_line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.start_column - 1 :]
    return "\n".join(lines)
