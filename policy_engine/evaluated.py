"""What one unit comes to: loaded, judged, and what must not be shown of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from policy_engine.concealment import Concealment
from policy_engine.deadline import TimedOut, deadline
from policy_engine.errors import PolicyEngineError
from policy_engine.evaluation import evaluate
from policy_engine.finding import Finding, Passed, Passes
from policy_engine.format import Format
from policy_engine.resource import Resource, ResourceGraph
from policy_engine.ruleset import RuleSet
from policy_engine.source_text import source_lines, source_text
from policy_engine.span import Location, Span
from policy_engine.suppression import MARKER, InlineSuppression, parse_suppressions
from policy_engine.tree import FileTooLarge, Tree
from policy_engine.unit import Problem, ProblemKind, Unit

if TYPE_CHECKING:
    from policy_engine.rule import Rule


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


def packed(result: Evaluated) -> tuple[Any, ...]:
    """A result on its way to another process, which has the rules: their names do, and plain tuples travel fastest."""
    import pickle

    findings = [(finding.rule.id, *finding[1:]) for finding in result.findings]
    passes = pickle.dumps([(tuple([rule.id for rule in passed.rules]), *passed[1:]) for passed in result.passes])
    hidden = result.hidden.alone()
    rest = (result.problems, result.suppressions, result.extents, hidden, result.plain_text, result.doubtful)
    return result.format, findings, passes, *rest


def unpacked(sent: tuple[Any, ...], rules: Mapping[str, Rule]) -> Evaluated:
    """What was packed; `rules` are all that may be in it, by id."""
    format_, findings, passes, *rest = sent
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
