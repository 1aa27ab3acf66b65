"""What all units of a scan come to together: what is set aside, who says so, and in which order it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from policy_engine.evaluated import Evaluated
from policy_engine.evaluation import evaluate
from policy_engine.finding import Finding, Outcome, Passed, Passes
from policy_engine.fingerprint import number_repeats
from policy_engine.report import Entry, Ledger, Status
from policy_engine.resource import Resource, ResourceGraph
from policy_engine.rulebook import Rulebook
from policy_engine.ruleset import RuleSet
from policy_engine.span import Span
from policy_engine.suppression import InlineSuppression, apply_suppressions, as_resources
from policy_engine.tree import Tree
from policy_engine.unit import Problem, ProblemKind, Unit

if TYPE_CHECKING:
    from policy_engine.management import Management
    from policy_engine.policy import Policy
    from policy_engine.rule import Rule

_STATUSES = {
    ProblemKind.NOT_UNDERSTOOD: Status.NOT_UNDERSTOOD,
    ProblemKind.TOO_LARGE: Status.TOO_LARGE,
    ProblemKind.TIMED_OUT: Status.TIMED_OUT,
    ProblemKind.UNREADABLE: Status.UNREADABLE,
}


class Settled(NamedTuple):
    findings: list[Finding]
    passes: Sequence[Passed]
    problems: list[Problem]


def settle(
    results: Sequence[Evaluated],
    rules: RuleSet,
    rulebook: Rulebook,
    policy: Policy | None = None,
    units: Sequence[Unit] = (),
    tree: Tree | None = None,
    management: Management | None = None,
) -> Settled:
    """All that units came to, as one: findings that are set aside are marked, and fingerprints are unique.

    Suppressions and waivers themselves are judged last: one without a reason, or that sets nothing aside, is a finding.
    `units` are those that the results are of, and `tree` is where they were read from.
    """
    findings = in_order(_without_echoes(results))
    passes: list[Sequence[Passed]] = [result.passes for result in results]
    suppressions: dict[str, list[InlineSuppression]] = {}
    extents: dict[tuple[str, int], list[Span]] = {}
    for result in results:
        for path, listed in result.suppressions.items():
            known = suppressions.setdefault(path, [])
            known.extend(each for each in listed if each not in known)
        for key, spans in result.extents.items():
            extents.setdefault(key, []).extend(spans)
    own: list[Resource] = []
    evaluated = {name for rule in rules.rules for name in (rule.id, *rule.aliases)}
    if suppressions:
        findings, used = apply_suppressions(findings, suppressions, extents, rulebook.aliases)
        own.extend(as_resources(suppressions, used, rulebook.names, _judged(results, rules)))
    if policy is not None:
        findings, own_ = _by_policy(findings, policy, rulebook, evaluated)
        own.extend(own_)
    if management is not None:
        ran = {finding.rule.id for finding in findings} | {rule.id for each in chain(*passes) for rule in each.rules}
        own.extend(management.as_resources(ran))
    if own:
        judged = evaluate(rules, ResourceGraph(own), lambda _location: "")
        findings.extend(judged.findings)
        findings = in_order(findings)
        passes.append(judged.passes)
    sorted_passes = Passes(lambda: sorted(chain(*passes), key=_passed_key))
    findings = number_repeats(findings)
    if policy is not None and policy.baseline is not None and tree is not None:
        from policy_engine.baseline import apply_baseline

        seen = {path for unit in units for path in unit.paths}
        findings = apply_baseline(findings, sorted_passes, policy.baseline, seen, tree.is_file)
    return Settled(findings, sorted_passes, [problem for result in results for problem in result.problems])


def _judged(results: Sequence[Evaluated], rules: RuleSet) -> Callable[[str, str], bool]:
    """Tells of a file and a rule whether all that the rule may find in the file was looked for."""
    doubtful = {path for result in results for path in result.doubtful}
    plain_formats = {result.format for result in results if result.plain_text}
    # Comments are read as plain text only where no format that understands the file has judged it.
    plain_files = {path for result in results if result.plain_text for path in result.suppressions}
    known: dict[str, Rule] = {name: rule for rule in rules.rules for name in (rule.id, *rule.aliases)}

    def judged(path: str, name: str) -> bool:
        rule = known.get(name)
        if rule is None or path in doubtful:
            return False
        return path not in plain_files or not plain_formats.isdisjoint(rule.formats())

    return judged


def _without_echoes(results: Sequence[Evaluated]) -> Iterator[Finding]:
    """All findings, but where a rule of a format that understands the file says that a secret stands in a line, not
    what one that reads it as plain text says of the same line: the former knows what the line is for."""
    if not any(result.plain_text and result.findings for result in results):
        yield from (finding for result in results for finding in result.findings)
        return
    told = {
        (finding.location.path, finding.location.span.start_line)
        for result in results
        if not result.plain_text
        for finding in result.findings
        if finding.rule.sensitive and finding.outcome is Outcome.FAIL
    }
    for result in results:
        for finding in result.findings:
            place = finding.location.path, finding.location.span.start_line
            if not result.plain_text or place not in told:
                yield finding


def _by_policy(
    findings: list[Finding], policy: Policy, rulebook: Rulebook, evaluated: set[str]
) -> tuple[list[Finding], list[Resource]]:
    """The findings with accepted risks marked, and the waivers and policy changes as resources."""
    from policy_engine.policy import changes_as_resources

    resources = changes_as_resources(policy)
    if policy.waivers:
        from policy_engine import waiver

        findings, used = waiver.apply_waivers(findings, policy.waivers, policy.today, rulebook.aliases)
        resources += waiver.as_resources(
            policy.waivers, used, policy.today, policy.warn_days, rulebook.names, evaluated, whole=policy.whole
        )
    return findings, resources


def settle_ledger(entries: Iterable[Entry], problems: Iterable[Problem]) -> Ledger:
    """The ledger with each file's problem in place of its status."""
    by_path = {problem.path: problem for problem in reversed(list(problems)) if problem.kind in _STATUSES}
    settled = []
    for entry in entries:
        problem = by_path.get(entry.path)
        if problem is not None:
            entry = Entry(entry.path, _STATUSES[problem.kind], entry.formats, str(problem))
        settled.append(entry)
    return Ledger(sorted(settled, key=lambda entry: entry.path))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by path, line, column, rule id and address; those that have all this in common by what else they say."""
    keyed = [(_key(finding), finding) for finding in findings]
    keyed.sort(key=itemgetter(0))
    ordered = [finding for _, finding in keyed]
    start = 0
    for end in range(1, len(keyed) + 1):
        if end == len(keyed) or keyed[end][0] != keyed[start][0]:
            if end - start > 1:
                ordered[start:end] = sorted(ordered[start:end], key=_further_key)
            start = end
    return ordered


def _key(finding: Finding) -> tuple[str, int, int, str, str]:
    path, (line, column, _, _) = finding.location
    return path, line, column, finding.rule.id, finding.address


def _further_key(finding: Finding) -> tuple[str, tuple[str, ...], str]:
    return finding.outcome.value, tuple(map(str, finding.path)), finding.message


def _passed_key(passed: Passed) -> tuple[object, ...]:
    return passed.location, passed.format, passed.resource_type, passed.address
