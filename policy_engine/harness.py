"""Rules prove themselves with examples: a rule's `<id>.test.yaml`, run through the whole scan. For users' rules too."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from policy_engine.finding import Outcome
from policy_engine.project import Project
from policy_engine.rule import Rule
from policy_engine.rulepack import EXAMPLES_ENDING, Mistake
from policy_engine.scan import scan
from policy_engine.settings import Selection, Settings
from policy_engine.span import Span
from policy_engine.suppression import RESOURCE_FORMAT
from policy_engine.tree import MemoryTree
from policy_engine.unit import ProblemKind

if TYPE_CHECKING:
    from policy_engine.plugins import Plugins
    from policy_engine.rulebook import Rulebook
    from policy_engine.yaml_document import YamlDocument

Lines = Mapping[str, Sequence[int]]


class Case(Struct, frozen=True):
    """One example: files, and the lines where the rule must fail or be undecided. `span` is its place in its file."""

    name: str
    format: str
    files: Mapping[str, str]
    fail: Lines
    unknown: Lines
    inapplicable: bool
    path: str
    span: Span
    today: str = "2027-01-01"
    changed: tuple[str, ...] | None = None
    binary: Mapping[str, bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        return not self.fail and not self.unknown and not self.inapplicable


def examples_path(rule_path: str) -> str:
    return rule_path.rsplit(".", 1)[0] + EXAMPLES_ENDING


def read_cases(rule: Rule, path: str, shown: str, plugins: Plugins) -> tuple[list[Case], list[Mistake]]:
    """The examples of a rule, and what is wrong with their file."""
    from policy_engine.schema import cases_schema, mistakes
    from policy_engine.yaml_document import parse_yaml

    if not os.path.exists(path):
        return [], [Mistake(shown, f"rule '{rule.id}' has no examples; write them into this file")]
    try:
        with open(path, "rb") as stream:
            parsed = parse_yaml(stream.read(), shown)
    except OSError as error:
        return [], [Mistake(shown, f"cannot be read: {error.strerror}")]
    if parsed.problems:
        return [], [Mistake(problem.path, problem.message, problem.span) for problem in parsed.problems]
    if len(parsed.documents) != 1:
        return [], [Mistake(shown, f"an examples file holds one document, not {len(parsed.documents)}")]
    document = parsed.documents[0]
    found = [Mistake(shown, text, document.at(place)) for place, text in mistakes(document.value, cases_schema())]
    if found:
        return [], found
    cases = []
    for number, value in enumerate(document.value["cases"]):
        case, problem = _case(rule, value, document, ("cases", number), shown, plugins)
        if problem is not None:
            found.append(problem)
        elif case is not None:
            cases.append(case)
    names = Counter(case.name for case in cases)
    found.extend(
        Mistake(shown, f"the name '{case.name}' is used twice", case.span) for case in cases if names[case.name] > 1
    )
    return cases, found


def _case(
    rule: Rule,
    value: Mapping[str, Any],
    document: YamlDocument,
    place: tuple[str | int, ...],
    shown: str,
    plugins: Plugins,
) -> tuple[Case | None, Mistake | None]:
    span = document.at(place)
    formats = [name for name in rule.formats() if name != RESOURCE_FORMAT]
    name = value.get("format") or (formats[0] if len(formats) == 1 else None)
    if name is None:
        return None, Mistake(shown, "the rule has several formats: say which with 'format'", span)
    if name not in plugins.formats:
        from policy_engine.suggestion import suggest

        return None, Mistake(shown, f"unknown format '{name}'{suggest(name, plugins.formats)}", span)
    if ("code" in value) == ("files" in value):
        return None, Mistake(shown, "an example has either 'code' or 'files'", span)
    given = value.get("files") or {plugins.formats[name].example_path: value["code"]}
    files = {path: each for path, each in given.items() if isinstance(each, str)}
    links = {path: each["link"] for path, each in given.items() if isinstance(each, dict) and "link" in each}
    try:
        binary = {path: _content(each) for path, each in given.items() if isinstance(each, dict) and "link" not in each}
    except ValueError as error:
        return None, Mistake(shown, f"a file of the example is no base64: {error}", span)
    if not any(key in value for key in ("fail", "unknown", "quiet", "inapplicable")):
        return None, Mistake(shown, "say what is expected: fail, unknown, quiet or inapplicable", span)
    if ("quiet" in value or "inapplicable" in value) and sum(
        key in value for key in ("fail", "unknown", "quiet", "inapplicable")
    ) > 1:
        return None, Mistake(shown, "'quiet' and 'inapplicable' stand alone", span)
    try:
        fail, unknown = (_lines(value.get(key, []), given) for key in ("fail", "unknown"))
    except KeyError as error:
        return None, Mistake(shown, f"the example has no file {error}", span)
    case = Case(value["name"], name, files, fail, unknown, "inapplicable" in value, shown, span)
    changed = tuple(value["changed"]) if "changed" in value else None
    today = value.get("today", case.today)
    return replace(case, today=today, changed=changed, binary=binary, links=links), None


def _content(file: Mapping[str, Any]) -> bytes:
    if "size" in file:
        return bytes(file["size"])
    from base64 import b64decode

    return b64decode(file["base64"], validate=True)


def _lines(value: Any, files: Mapping[str, Any]) -> Lines:
    if isinstance(value, list):
        return {next(iter(files)): value} if value else {}
    for name, lines in value.items():
        # A file that should be there and is not has a name and no line.
        if name not in files and set(lines) != {0}:
            raise KeyError(name)
    return dict(value)


def run_case(rule: Rule, case: Case, plugins: Plugins, rulebook: Rulebook) -> list[Mistake]:
    """Where the scan of an example differs from what it expects; empty when it is as expected."""
    tree = MemoryTree({**{name: text.encode() for name, text in case.files.items()}, **case.binary})
    paths = sorted(tree.files)
    # A rule about suppressions needs the rules that they suppress.
    about_policy = RESOURCE_FORMAT in rule.formats()
    settings = _settings_of(case) if about_policy else Settings(select=Selection(ids=(rule.id,)))
    policy = None
    if about_policy:
        from datetime import date

        from policy_engine.policy import read_policy

        today = date.fromisoformat(case.today)
        policy = read_policy(tree.read, today, warn_days=settings.warn_days, whole=True, changed=case.changed)
    project = Project(tuple(paths), case.links)
    report = scan(tree, paths, plugins, rulebook, replace(settings, frameworks=()), policy=policy, project=project)

    def wrong(text: str) -> Mistake:
        return Mistake(case.path, f"{rule.id}: {case.name}: {text}", case.span)

    found = [
        wrong(f"the example is not understood: {problem}")
        for problem in report.problems
        if problem.kind is not ProblemKind.LIMITED
    ]
    ours = [finding for finding in report.findings if finding.rule.id == rule.id and finding.suppression is None]
    for outcome, expected in ((Outcome.FAIL, case.fail), (Outcome.UNKNOWN, case.unknown)):
        seen = Counter(
            (finding.location.path, finding.location.span.start_line) for finding in ours if finding.outcome is outcome
        )
        wanted = Counter((name, line) for name, lines in expected.items() for line in lines)
        word = "fail" if outcome is Outcome.FAIL else "be unknown"
        for (name, line), count in sorted((wanted - seen).items()):
            times = f" {count} times more" if count > 1 else ""
            found.append(wrong(f"{name}:{line} should {word}{times} and does not"))
        for (name, line), _count in sorted((seen - wanted).items()):
            messages = [
                finding.message
                for finding in ours
                if finding.outcome is outcome
                and (finding.location.path, finding.location.span.start_line) == (name, line)
            ]
            found.append(wrong(f"{name}:{line} should not {word}: {messages[-1]}"))
    passes = any(rule.id == one.id for each in report.passes for one in each.rules)
    if case.quiet and not passes and not found:
        found.append(wrong("the rule applies to nothing in it, so its silence proves nothing; is it 'inapplicable'?"))
    if case.inapplicable and (ours or passes):
        found.append(wrong("the rule applies, though the example says it is inapplicable"))
    return found


def _settings_of(case: Case) -> Settings:
    from policy_engine.settings import FILE_NAMES, parse_settings

    for name in FILE_NAMES:
        if name in case.files:
            return parse_settings(case.files[name].encode(), name)
    return Settings()


def missing_examples(rule: Rule, cases: Iterable[Case], plugins: Plugins) -> list[str]:
    """What kinds of example a rule lacks, for each of its formats: one that fails, one that is quiet, one undecided.

    Rules about suppressions are exempt from the undecided one, as the engine knows its own resources, and so are those
    about types that a format says to know in full."""
    cases = list(cases)
    lacking = []
    for name in rule.formats():
        ours = cases if name == RESOURCE_FORMAT else [case for case in cases if case.format == name]
        if not any(case.fail for case in ours):
            lacking.append(f"no example for {name} in which it fails")
        if not any(case.quiet for case in ours):
            lacking.append(f"no example for {name} in which it is quiet")
        known = () if name == RESOURCE_FORMAT else plugins.formats[name].known_types
        types = {each for target in rule.targets if target.format == name for each in target.resources}
        if name != RESOURCE_FORMAT and not types <= set(known) and not any(case.unknown for case in ours):
            lacking.append(f"no example for {name} in which it cannot be decided")
    return lacking


def prove(rule: Rule, folder: str, shown: str, plugins: Plugins, rulebook: Rulebook) -> tuple[int, list[Mistake]]:
    """Runs all examples of a rule of the pack in `folder`. Returns how many ran, and what was wrong."""
    path = examples_path(rule.path)
    cases, found = read_cases(rule, os.path.join(folder, path), f"{shown}/{path}", plugins)
    if cases:
        found.extend(
            Mistake(f"{shown}/{path}", f"{rule.id}: {lack}") for lack in missing_examples(rule, cases, plugins)
        )
    for case in cases:
        found.extend(run_case(rule, case, plugins, rulebook))
    return len(cases), found
