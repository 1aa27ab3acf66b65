"""The controls of a catalogue: the heat map, and behind each cell what is known of the control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from policy_engine.control import Control, Framework, controls_of
from policy_engine.finding import Outcome
from policy_engine.report import Report
from policy_engine.rule import Rule
from policy_engine.verdict import MEANINGS, ControlStatus, Verdict
from policy_engine_plugins.html_report.markup import count, table, text
from policy_engine_plugins.html_report.status import SIGNS, badge, css_class


def heat_map(framework: Framework, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A cell for each control, theme by theme, and what the signs mean."""
    by_control = {each.control: each for each in verdicts}
    for theme, title in framework.themes.items():
        members = [each for each in framework.controls.values() if each.theme == theme]
        if not members:
            continue
        yield f"<h3>{text(title)}</h3>\n<ul class='map'>"
        for control in members:
            status = by_control[control.id].status
            yield (
                f'<li><a class="cell {css_class(status)}" href="#{anchor(framework, control.id)}" '
                f'title="{text(control.name)}: {status.value}">'
                f'<span aria-hidden="true">{SIGNS[status]}</span> {text(control.id.removeprefix("A."))}'
                f'<span class="hidden"> {text(control.name)}: {status.value}</span></a></li>'
            )
        yield "</ul>\n"
    totals = Counter(each.status for each in verdicts)
    yield table(
        f"What the signs mean for {framework.title}",
        ("Status", "Controls", "Meaning"),
        [(badge(status), str(totals[status]), text(MEANINGS[status])) for status in ControlStatus],
        numbers=(1,),
    )


def anchor(framework: Framework, control: str) -> str:
    return text(f"{framework.name}-{control}")


def drill_down(report: Report, framework: Framework, verdicts: Sequence[Verdict], *, lead: bool) -> Iterator[str]:
    """A section that opens for each control; that of the leading catalogue links to the findings."""
    rules = {rule.id: rule for rule in report.rules}
    tallies = _tallies(report)
    serving: dict[str, list[str]] = {}
    for rule in report.rules:
        for name in controls_of(rule, framework):
            serving.setdefault(name, []).append(rule.id)
    for verdict in verdicts:
        control = framework.controls[verdict.control]
        yield f'<details class="control" id="{anchor(framework, control.id)}">'
        yield (
            f"<summary><span class='id'>{text(control.id)}</span> <span class='name'>{text(control.name)}</span> "
            f"{badge(verdict.status)}</summary>\n<div class='inside'>"
        )
        yield from _inside(report, framework, control, verdict)
        listed = serving.get(control.id, [])
        if listed:
            yield _rules(framework, control, [rules[name] for name in listed], tallies, lead=lead)
        yield "</div></details>\n"


def _inside(report: Report, framework: Framework, control: Control, verdict: Verdict) -> Iterator[str]:
    yield f"<p>{text(control.guidance)}</p>\n<dl>"
    yield f"<dt>Why this status</dt><dd>{text(verdict.reason)}</dd>"
    if verdict.remains:
        yield f"<dt>What remains for people</dt><dd>{text(verdict.remains)}</dd>"
    statement = report.statement
    decided = statement.controls.get(control.id) if statement and statement.framework == framework.name else None
    if decided is not None:
        if decided.applicable:
            told = f"applies; {decided.status.replace('-', ' ')}"
            told += f"; by {' and '.join(decided.implemented_by)}" if decided.implemented_by else ""
        else:
            told = "does not apply"
        yield f"<dt>Statement of applicability</dt><dd>{text(told)}</dd>"
        for title, value in (
            ("Justification", decided.justification),
            ("Owner", decided.owner),
            ("Documents", ", ".join(decided.documents)),
        ):
            if value:
                yield f"<dt>{title}</dt><dd>{text(value)}</dd>"
    for each, word in [
        *((one, "in force") for one in verdict.attestations),
        *((one, "lapsed") for one in verdict.lapsed),
    ]:
        yield (
            f"<dt>Attestation ({word})</dt><dd>{text(each.statement)} — {text(each.owner)}, {each.date} to "
            f"{each.valid_until}{', ' + text(each.document) if each.document else ''}</dd>"
        )
    yield "</dl>\n"


def _tallies(report: Report) -> Mapping[str, Counter[str]]:
    tallies: dict[str, Counter[str]] = {}
    for rule, count_ in report.passed().items():
        tallies[rule] = Counter({"pass": count_})
    for finding in report.findings:
        word = "aside" if finding.suppression is not None else finding.outcome.value
        tallies.setdefault(finding.rule.id, Counter())[word] += 1
    return tallies


def _rules(
    framework: Framework, control: Control, rules: Sequence[Rule], tallies: Mapping[str, Counter[str]], *, lead: bool
) -> str:
    def row(rule: Rule) -> tuple[str, ...]:
        tally = tallies.get(rule.id, Counter())
        told = tally[Outcome.FAIL.value] + tally[Outcome.UNKNOWN.value] + tally["aside"]
        name = f"<code>{text(rule.id)}</code><br>{text(rule.title)}"
        if lead and told:
            name += (
                f'<br><a class="jump" href="#findings" data-rule="{text(rule.id)}">Show {count(told, "finding")}</a>'
            )
        return (
            name,
            f'<span class="severity v-{rule.severity.value}">{rule.severity.value}</span>',
            *(f"{tally[key]:,}" for key in ("fail", "unknown", "aside", "pass")),
        )

    order = sorted(rules, key=lambda rule: (-tallies.get(rule.id, Counter())["fail"], rule.severity.rank, rule.id))
    return table(
        f"Rules that give evidence for a part of {control.id} of {framework.title}",
        ("Rule", "Severity", "Failing", "Undecided", "Set aside", "Passing"),
        [row(rule) for rule in order],
        numbers=(2, 3, 4, 5),
    )
