"""One scan: from paths to a report. The stages follow each other as in the architecture, each a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from policy_engine import __version__
from policy_engine.claiming import claim, make_units, taken
from policy_engine.concealment import Concealment
from policy_engine.deadline import TimedOut, deadline
from policy_engine.errors import PolicyEngineError
from policy_engine.evaluation import evaluate
from policy_engine.finding import Finding, Outcome, Passed, Passes
from policy_engine.fingerprint import number_repeats
from policy_engine.format import Format
from policy_engine.plugins import Plugins
from policy_engine.project import Project
from policy_engine.report import Base, Entry, Ledger, Report, Status
from policy_engine.resource import Resource, ResourceGraph
from policy_engine.rulebook import Rulebook
from policy_engine.ruleset import RuleSet
from policy_engine.settings import Settings
from policy_engine.source_text import source_lines, source_text
from policy_engine.span import Location, Span
from policy_engine.suppression import (
    MARKER,
    RESOURCE_FORMAT,
    InlineSuppression,
    apply_suppressions,
    as_resources,
    parse_suppressions,
)
from policy_engine.tree import FileTooLarge, InUtf8, Tree
from policy_engine.twins import join_twins
from policy_engine.unit import Problem, ProblemKind, Unit
from policy_engine.workers import Team

if TYPE_CHECKING:
    from policy_engine.management import Management
    from policy_engine.policy import Policy
    from policy_engine.revision import Changes
    from policy_engine.rule import Rule

Progress = Callable[[int, int], None]
"""Called with the number of units done and their total."""

_STATUSES = {
    ProblemKind.NOT_UNDERSTOOD: Status.NOT_UNDERSTOOD,
    ProblemKind.TOO_LARGE: Status.TOO_LARGE,
    ProblemKind.TIMED_OUT: Status.TIMED_OUT,
    ProblemKind.UNREADABLE: Status.UNREADABLE,
}


class BaseView(Struct, frozen=True):
    """A base to compare with: its files, what differs, and what the project had decided there."""

    name: str
    commit: str
    tree: Tree
    paths: Sequence[str]
    changes: Changes
    policy: Policy
    gate: str
    formats: Mapping[str, Format]
    """Formats set up with the base's files, where an option names one."""
    project: Project | None = None


class Evaluated(Struct, frozen=True):
    """What one unit came to: its findings before judging, what could not be understood, and its inline suppressions.

    format    the name of the unit's; `plain_text` is what it says of itself
    doubtful  files of which something may not have been judged: what is not found in them proves nothing
    """

    format: str
    findings: Sequence[Finding]
    passes: Sequence[Passed]
    problems: Sequence[Problem]
    suppressions: Mapping[str, Sequence[InlineSuppression]]
    extents: Mapping[tuple[str, int], Sequence[Span]]
    hidden: Concealment
    plain_text: bool = False
    doubtful: Sequence[str] = ()


def scan(
    tree: Tree,
    paths: Sequence[str],
    plugins: Plugins,
    rulebook: Rulebook,
    settings: Settings,
    *,
    root: str = "",
    left_out: Sequence[Entry] = (),
    category: str = "policy-engine",
    progress: Progress | None = None,
    policy: Policy | None = None,
    view: BaseView | None = None,
    only: frozenset[str] | None = None,
    project: Project | None = None,
    jobs: int = 1,
) -> Report:
    """Evaluates the files `paths` of `tree`.

    root      the folder on this machine that the tree stands for, for messages on a terminal
    left_out  the ledger's entries for what discovery did not walk
    policy    what the project has decided about its findings
    view      what to compare with; then only what the change touches is evaluated
    only      files of `paths` whose findings are wanted; the others are looked at where those need them
    project   what all there is, by name, where a whole project is scanned: only then can something be missing
    jobs      processes that may share the work; more than one only where `tree` reads plain files
    Raises ConfigError and RuleError; a file's own faults end up in the report.
    """
    as_given, tree = tree, InUtf8(tree)
    if view is not None:
        view = replace(view, tree=InUtf8(view.tree))
    before: list[Unit] = []
    ledger: list[Entry]
    problems: list[Problem]
    with Team(jobs) as team:
        if view is None and only is None:
            claimed, ledger, problems = claim(tree, paths, plugins.formats.values(), team)
            units = list(make_units(tree, claimed, plugins.formats, project, team))
            ledger = taken(ledger, units)
            met = sorted({*(name for name, files in claimed.items() if files), *(unit.format for unit in units)})
        else:
            from policy_engine.comparison import gather, ledger_of, units_of

            now = only if view is None else view.changes.now
            assert now is not None
            around = now if view is None else now | view.changes.before
            differs = view is not None and project != view.project
            ours = plugins.formats.values()
            side = gather(tree, paths, now, around, ours, None, project, differs=differs, team=team)
            touched = side.touched
            if view is not None:
                theirs = view.formats.values()
                then = gather(
                    view.tree, view.paths, view.changes.before, around, theirs, side, view.project, differs=differs
                )
                touched |= then.touched
                before = units_of(then, touched)
            units, problems = units_of(side, touched), list(side.problems)
            ledger = ledger_of(side, units)
            met = sorted({unit.format for unit in (*units, *before)})
        rules = rulebook.select(settings, [*met, RESOURCE_FORMAT])
        management = None
        if policy is not None and (policy.statement is not None or policy.attestations):
            from policy_engine.management import Management

            management = Management(policy, plugins, rulebook, settings, as_given)
            rules = management.applicable(rules)
        rule_set = RuleSet(rules, plugins.checks, settings.severities)

        run = _Evaluation(rule_set, settings.timeout_s, progress, len(units) + len(before))
        results = run.of(units, tree, plugins.formats, team)
    hidden = run.hidden
    settled = settle(results, rule_set, rulebook, policy, units, tree, management)
    findings, passes = settled.findings, settled.passes
    base: Base | None = None
    if view is not None:
        from policy_engine.comparison import compare

        # What was wrong with files of the base is no matter of this change.
        decided = replace(view.policy, files={})
        # git hands out the base's files through a pipe, which only one process can use.
        with Team(1) as alone:
            results = run.of(before, view.tree, view.formats, alone)
        known = settle(results, rule_set, rulebook, decided, before, view.tree).findings
        problems.extend(_submodules(view.changes))
        broken = {one.path for one in (*problems, *settled.problems) if one.kind is not ProblemKind.LIMITED}
        findings, gone = compare(findings, passes, known, view.changes.renamed, broken)
        base = Base(view.name, view.commit, hidden.findings(join_twins(gone)))
    if only is not None:
        findings = [one for one in findings if one.location.path in only]
        passes = [one for one in passes if one.location.path in only]
    problems = sorted(set(hidden.problems((*problems, *settled.problems))), key=_problem_key)
    return Report(
        findings=hidden.findings(join_twins(findings)),
        passes=hidden.passes(passes),
        rules=rule_set.rules,
        frameworks=[plugins.framework(name) for name in settings.frameworks],
        ledger=settle_ledger([*ledger, *left_out], problems),
        problems=problems,
        root=root,
        version=__version__,
        fail_on=settings.fail_on,
        category=category,
        base=base,
        gate="all" if view is None else view.gate,
        today=None if policy is None else policy.today,
        whole=policy is not None and policy.whole and not policy.narrowed,
        statement=None if policy is None else policy.statement,
        not_applicable=() if management is None else sorted(management.not_applicable),
        attestations=() if policy is None else policy.attestations,
        waivers=() if policy is None else policy.waivers,
    )


class _Evaluation:
    """The units of a scan on their way through the rules. `hidden` is what must not be shown, as far as they tell."""

    def __init__(self, rules: RuleSet, timeout_s: float, progress: Progress | None, total: int) -> None:
        self.hidden = Concealment()
        self._rules = rules
        self._by_id = {rule.id: rule for rule in rules.rules}
        self._timeout_s = timeout_s
        self._progress = progress
        self._total = total
        self._done = 0

    def of(self, units: Sequence[Unit], tree: Tree, formats: Mapping[str, Format], team: Team) -> list[Evaluated]:
        """What units of one tree come to; those that are loaded as plain text last. The team concludes with them."""
        hidden, results = self.hidden, list[Evaluated]()
        hidden.other_files()
        understood = {path for unit in units if not formats[unit.format].plain_text for path in unit.paths}

        # What must not be shown of a file has to be known before its lines are told as plain text.
        for plain_text in (False, True):
            some = [unit for unit in units if formats[unit.format].plain_text is plain_text]
            others = understood if plain_text else frozenset()

            def one(unit: Unit, others: Collection[str] = others) -> Evaluated:
                format_ = formats[unit.format]
                return evaluate_unit(format_, unit, tree, self._rules, self._timeout_s, hidden, others)

            unpack = partial(_unpacked, rules=self._by_id)
            found = team.conclude(one, some, pack=_packed, unpack=unpack, progress=self._tell)
            self._done += len(some)
            for result in found:
                hidden.take(result.hidden)
            results += found
        return results

    def _tell(self, number: int) -> None:
        if self._progress is not None:
            self._progress(self._done + number, self._total)


def _submodules(changes: Changes) -> list[Problem]:
    message = "a submodule at another commit; what is in it is not compared: scan it in its own repository"
    return [Problem(path, message, None, ProblemKind.LIMITED) for path in sorted(changes.submodules)]


def _packed(result: Evaluated) -> tuple[Any, ...]:
    """A result on its way to another process, which has the rules: their names do, and plain tuples travel fastest."""
    import pickle

    findings = [(finding.rule.id, *finding[1:]) for finding in result.findings]
    passes = pickle.dumps([(tuple([rule.id for rule in passed.rules]), *passed[1:]) for passed in result.passes])
    hidden = result.hidden.alone()
    rest = (result.problems, result.suppressions, result.extents, hidden, result.plain_text, result.doubtful)
    return result.format, findings, passes, *rest


def _unpacked(packed: tuple[Any, ...], rules: Mapping[str, Rule]) -> Evaluated:
    format_, findings, passes, *rest = packed
    return Evaluated(
        format_,
        [tuple.__new__(Finding, (rules[rule_id], *fields)) for rule_id, *fields in findings],
        Passes(partial(_unpacked_passes, passes, rules)),
        *rest,
    )


def _unpacked_passes(packed: bytes, rules: Mapping[str, Rule]) -> list[Passed]:
    import pickle

    sent = pickle.loads(packed)  # noqa: S301 - our own
    return [Passed(tuple([rules[rule_id] for rule_id in rule_ids]), *fields) for rule_ids, *fields in sent]


def evaluate_unit(
    format_: Format,
    unit: Unit,
    tree: Tree,
    rules: RuleSet,
    timeout_s: float,
    known: Concealment | None = None,
    understood: Collection[str] = (),
) -> Evaluated:
    """Loads and judges one unit: a pure function of its bytes, the rules, the time limit and what must not be shown.

    known       what must not be shown, as far as units before it have told
    understood  files whose comments another format knows better
    """
    hidden = Concealment(known)
    source = SourceLines(tree)
    clock = None
    try:
        with deadline(timeout_s) as clock:
            loaded = format_.load(unit, tree)
            for place in loaded.hidden:
                hidden.add(place, source.as_is(place))
            graph = ResourceGraph(loaded.resources)
            if hidden:
                source.hidden = hidden
            findings, passes = evaluate(rules, graph, source.line, hidden.text if hidden else None)
            suppressions = find_suppressions(format_, [path for path in unit.paths if path not in understood], tree)
    except TimedOut:
        problems = _timed_out(unit, timeout_s)
    except (OSError, FileTooLarge) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        problems = [Problem(getattr(error, "path", None) or unit.paths[0], message, None, ProblemKind.UNREADABLE)]
    except (RecursionError, MemoryError) as error:
        message = f"is nested too deeply or too large to evaluate ({type(error).__name__})"
        problems = [Problem(path, message) for path in unit.paths]
    except PolicyEngineError:
        raise  # a rule's or a plugin's fault, which stops the run
    except Exception as error:
        if clock is not None and clock.rang:
            problems = _timed_out(unit, timeout_s)
        elif os.environ.get("POLICY_ENGINE_DEBUG"):
            raise
        else:
            # What a stranger's file can break must not take the other files' findings along.
            message = (
                f"not evaluated, by a fault of the engine itself ({_fault(error)}); please report it (set "
                "POLICY_ENGINE_DEBUG=1 to see where)"
            )
            problems = [Problem(path, message) for path in unit.paths]
    else:
        extents = _extents(loaded.resources, suppressions)
        doubtful = unit.paths if any(one.kind is not ProblemKind.LIMITED for one in loaded.problems) else ()
        read = (loaded.problems, suppressions, extents, hidden, format_.plain_text, doubtful)
        return Evaluated(unit.format, findings, passes, *read)
    # What this format would have taken for a secret, one that knows less of the file may show.
    hidden.not_known(unit.paths)
    return Evaluated(unit.format, (), (), problems, {}, {}, hidden, format_.plain_text, unit.paths)


def _timed_out(unit: Unit, timeout_s: float) -> list[Problem]:
    message = f"took longer than {timeout_s:g} s and was given up; see limits.timeout_s in the settings"
    return [Problem(path, message, None, ProblemKind.TIMED_OUT) for path in unit.paths]


def _fault(error: Exception) -> str:
    """What was raised and where, without its text, which may quote the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    folder, name = os.path.split(trace.tb_frame.f_code.co_filename)
    return f"{type(error).__name__}, {os.path.basename(folder)}/{name}:{trace.tb_lineno}"


def find_suppressions(format_: Format, paths: Iterable[str], tree: Tree) -> dict[str, Sequence[InlineSuppression]]:
    found: dict[str, Sequence[InlineSuppression]] = {}
    for path in paths:
        data = tree.read(path)
        if MARKER in data:
            lines = source_lines(source_text(data))
            found[path] = parse_suppressions(list(format_.comments(path, data)), lines)
    return found


def _extents(
    resources: Iterable[Resource], suppressions: Mapping[str, Sequence[InlineSuppression]]
) -> dict[tuple[str, int], list[Span]]:
    """Only where there are suppressions, which is seldom."""
    extents: dict[tuple[str, int], list[Span]] = {}
    if not suppressions:
        return extents
    for resource in resources:
        whole = resource.whole()
        if whole.path in suppressions:
            for line in {resource.location.span.start_line, whole.span.start_line}:
                extents.setdefault((whole.path, line), []).append(whole.span)
    return extents


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


class SourceLines:
    """Lines of the unit's files, decoded once each, as they may be shown: without what is `hidden`."""

    def __init__(self, tree: Tree) -> None:
        self.hidden: Concealment | None = None
        self._tree = tree
        self._lines: dict[str, list[str]] = {}

    def line(self, location: Location) -> str:
        line = self.as_is(location)
        hidden = self.hidden
        return line if hidden is None else hidden.line(location.path, location.span.start_line, line)

    def as_is(self, location: Location) -> str:
        lines = self._lines.get(location.path)
        if lines is None:
            try:
                text = source_text(self._tree.read(location.path))
            except (OSError, FileTooLarge):
                text = ""
            lines = source_lines(text)
            self._lines[location.path] = lines
        number = location.span.start_line
        return lines[number - 1] if 0 < number <= len(lines) else ""


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


def _problem_key(problem: Problem) -> tuple[object, ...]:
    span = problem.span or Span(0, 0, 0, 0)
    return (problem.path, span, problem.message)
