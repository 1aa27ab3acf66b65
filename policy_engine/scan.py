"""One scan: from paths to a report. The stages follow each other as in the architecture, each a function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from policy_engine import __version__
from policy_engine.claiming import claim, make_units, taken
from policy_engine.concealment import Concealment
from policy_engine.evaluated import Evaluated, evaluate_unit, packed, unpacked
from policy_engine.format import Format
from policy_engine.plugins import Plugins
from policy_engine.project import Project
from policy_engine.report import Base, Entry, Report
from policy_engine.rulebook import Rulebook
from policy_engine.ruleset import RuleSet
from policy_engine.settings import Settings
from policy_engine.settlement import settle, settle_ledger
from policy_engine.span import Span
from policy_engine.suppression import RESOURCE_FORMAT
from policy_engine.tree import InUtf8, Tree
from policy_engine.twins import join_twins
from policy_engine.unit import Problem, ProblemKind, Unit
from policy_engine.workers import Team

if TYPE_CHECKING:
    from policy_engine.policy import Policy
    from policy_engine.revision import Changes

Progress = Callable[[int, int], None]
"""Called with the number of units done and their total."""


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

            unpack = partial(unpacked, rules=self._by_id)
            found = team.conclude(one, some, pack=packed, unpack=unpack, progress=self._tell)
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


def _problem_key(problem: Problem) -> tuple[object, ...]:
    span = problem.span or Span(0, 0, 0, 0)
    return (problem.path, span, problem.message)
