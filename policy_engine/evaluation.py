"""Judges resources by rules. Knows values and conditions; has never heard of any format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from policy_engine.check import Context
from policy_engine.condition import Witness
from policy_engine.finding import Finding, Outcome, Passed
from policy_engine.fingerprint import fingerprint
from policy_engine.path import ABSENT, lookup, show_path, stable_path
from policy_engine.redaction import redact
from policy_engine.resource import AttributePath, Resource, ResourceGraph
from policy_engine.ruleset import Active, RuleSet
from policy_engine.span import Location
from policy_engine.truth import Truth, kleene_any, kleene_not
from policy_engine.unknown import Unknown

SourceLine = Callable[[Location], str]
Conceal = Callable[[str], str]
_PLACEHOLDER = re.compile(r"(\{(?:name|address|type|detail|path|value)\})")
_NOWHERE = Witness(())
MAX_SHOWN_VALUE = 60
MAX_FLAWS = 1000
"""Findings of one rule on one resource; a hostile file must not make millions."""


class Judged(NamedTuple):
    findings: list[Finding]
    passes: list[Passed]


def evaluate(rules: RuleSet, graph: ResourceGraph, source_line: SourceLine, conceal: Conceal | None = None) -> Judged:
    """What each rule that applies says of each resource: a finding for each flaw, and one where it cannot be decided;
    what passes is one record for each resource. `conceal` makes of a value what may be shown of it; `source_line`
    gives lines so already.

    Fingerprints are unique within a resource only up to repetition; `fingerprint.number_repeats` settles it for a scan.
    """
    findings: list[Finding] = []
    passes: list[Passed] = []
    for resource in graph.resources:
        context = Context(resource, graph)
        value = resource.value
        actives, satisfied = rules.for_resource(resource, context)
        passed = dict(satisfied)
        known: dict[Callable[[Any, Context], Truth], Truth] = {}
        for active in actives:
            when = active.when
            applies: Truth = True
            if when is not None:
                # Several rules often apply under the same condition.
                answer = known.get(when)
                applies = known[when] = when(value, context) if answer is None else answer
                if applies is False:
                    continue
            holds = active.holds(value, context)
            # Where it is unknown whether the rule applies, only a requirement that holds anyway is decided.
            truth = holds if applies is True else kleene_any(iter((kleene_not(applies), holds)))
            if truth is True:
                passed[active.rule.id] = active.rule
            elif truth is False:
                findings.extend(_failed(active, resource, context, source_line, conceal))
            else:
                findings.append(_undecided(active, resource, context, (applies, holds), source_line, conceal))
        if passed:
            held = tuple(passed.values())
            passes.append(Passed(held, resource.format, resource.type, resource.address, resource.location))
    return Judged(findings, passes)


def _failed(
    active: Active, resource: Resource, context: Context, source_line: SourceLine, conceal: Conceal | None
) -> list[Finding]:
    flaws: dict[tuple[AttributePath, str], Witness] = {}
    for witness in active.requirement.require.witness(resource.value, context, False):
        flaws.setdefault((witness.path, witness.detail), witness)
        if len(flaws) >= MAX_FLAWS:
            break
    witnesses = flaws.values() if flaws else (_NOWHERE,)
    return [_told(active, resource, witness, Outcome.FAIL, source_line, conceal) for witness in witnesses]


def _undecided(
    active: Active,
    resource: Resource,
    context: Context,
    answers: tuple[Truth, Truth],
    source_line: SourceLine,
    conceal: Conceal | None,
) -> Finding:
    applies, holds = answers
    when, require = active.requirement.when, active.requirement.require
    doubtful = require if type(holds) is Unknown else when
    assert doubtful is not None
    witness = next(iter(doubtful.witness(resource.value, context, None)), _NOWHERE)
    if witness.unknown is None or witness.detail:
        reason: Any = witness.unknown
        if reason is None:
            reason = holds if type(holds) is Unknown else applies
        witness = Witness(witness.path, unknown=reason)
    return _told(active, resource, witness, Outcome.UNKNOWN, source_line, conceal)


def _told(
    active: Active,
    resource: Resource,
    witness: Witness,
    outcome: Outcome,
    source_line: SourceLine,
    conceal: Conceal | None,
) -> Finding:
    rule, target = active.rule, active.target
    trace = resource.locate(witness.path) if witness.path else None
    location = trace.location if trace is not None else resource.location
    related = trace.related if trace is not None else ()
    hide = rule.sensitive
    if trace is not None and trace.sensitive:
        hide, witness = True, witness._replace(detail="****")
    if outcome is Outcome.UNKNOWN:
        assert witness.unknown is not None
        message = f"cannot be decided: {witness.unknown.reason}"
        origin = witness.unknown.origin
        if origin is not None and origin != location and not any(place == origin for place, _ in related):
            related = (*related, (origin, "not known from here on"))
    else:
        message = fill(target.message or rule.message, resource, witness, hide=hide, conceal=conceal)
    snippet = "" if hide and outcome is Outcome.FAIL else redact(source_line(location))
    return Finding(
        rule,
        outcome,
        active.severity,
        resource.format,
        resource.type,
        resource.address,
        witness.path,
        redact(message),
        location,
        fingerprint(rule.id, resource.address, stable_path(resource.value, witness.path)),
        related,
        snippet,
        fill(target.remediation or rule.remediation, resource, witness, hide=hide, conceal=conceal),
        block=resource.location,
    )


def fill(template: str, resource: Resource, witness: Witness, *, hide: bool, conceal: Conceal | None = None) -> str:
    """A rule's message with its placeholders filled in; braces that are none of them stay."""
    if "{" not in template:
        return template
    parts = []
    # Cut up before anything is filled in, so that a value which reads `{name}` is not filled in turn.
    for part in _cut(template):
        if part == "{name}":
            part = resource.name
        elif part == "{address}":
            part = resource.address
        elif part == "{type}":
            part = resource.type
        elif part == "{detail}":
            part = witness.detail
        elif part == "{path}":
            part = show_path(witness.path)
        elif part == "{value}":
            part = "****" if hide else show_value(lookup(resource.value, witness.path), conceal)
        parts.append(part)
    return "".join(parts)


@lru_cache(maxsize=1024)
def _cut(template: str) -> Sequence[str]:
    return _PLACEHOLDER.split(template)


def show_value(value: Any, conceal: Conceal | None = None) -> str:
    """A value as a message shows it: short, and unknown where it is."""
    if value is ABSENT:
        return "nothing"
    if type(value) is Unknown:
        return "a value that is not known"
    if isinstance(value, str):
        text = value
    elif isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)):
        # Context keys lead back to their owners: a value may hold itself.
        return "a list" if isinstance(value, list) else "a mapping"
    else:
        text = json.dumps(value, ensure_ascii=False, default=lambda _: "(unknown)")
    if conceal is not None:
        text = conceal(text)  # before it is cut: half a secret is not recognised any more
    return text if len(text) <= MAX_SHOWN_VALUE else text[: MAX_SHOWN_VALUE - 3] + "..."
