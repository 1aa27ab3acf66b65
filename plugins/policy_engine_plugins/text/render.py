"""Lays the report out: findings with their source line, then controls, then the ledger, then the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policy_engine.control import Framework, controls_of
from policy_engine.escape import for_terminal
from policy_engine.finding import Finding, Outcome
from policy_engine.report import Report, Status
from policy_engine.reporter import Display
from policy_engine.rule import Rule, Severity
from policy_engine.unit import ProblemKind

MAX_TWINS = 3

_COLOURS = {
    Severity.CRITICAL: "1;35",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "1;33",
    Severity.LOW: "1;36",
    Severity.INFO: "1;34",
}
_BOLD, _DIM, _GREEN, _RED = "1", "2", "1;32", "1;31"
MIN_WIDTH = 40
MAX_WIDTH = 140


def render(report: Report, display: Display) -> str:
    page = _Page(report, display)
    return "\n".join(page.lines()) + "\n"


class _Page:
    def __init__(self, report: Report, display: Display) -> None:
        self.report = report
        self.colour = display.colour
        self.verbose = display.verbose
        self.width = max(MIN_WIDTH, min(display.width, MAX_WIDTH))
        self.passed = report.passed()
        self.framework: Framework | None = report.frameworks[0] if report.frameworks else None

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def lines(self) -> Iterator[str]:
        findings = self.report.findings
        failures = [each for each in findings if each.counts]
        for finding in failures:
            # What was there before the change is no news; it is told where it weighs, or when asked for.
            if self.verbose or self.report.weighs(finding):
                yield from self.finding(finding)
        if self.report.base is not None:
            for finding in self.report.base.fixed:
                place = f"{for_terminal(str(finding.location))} [{finding.rule.id}] {for_terminal(finding.message)}"
                yield from self.wrapped(f"{self.paint('fixed', _GREEN)} ", place, hang=6)
            if self.report.base.fixed:
                yield ""
        if self.verbose:
            for finding in findings:
                if finding.suppression is not None or finding.outcome is Outcome.UNKNOWN:
                    yield from self.aside(finding)
        yield from self.problems()
        if failures:
            yield from self.controls()
        yield from self.ledger()
        yield from self.verdict()

    def finding(self, finding: Finding) -> Iterator[str]:
        label = self.paint(finding.severity.value, _COLOURS[finding.severity])
        if finding.change is not None:
            label = f"{finding.change.value} {label}"
        rule = self.paint(f"[{finding.rule.id}]", _DIM)
        yield from self.wrapped(f"{label}{rule} ", self.paint(for_terminal(finding.message), _BOLD), hang=2)
        span = finding.location.span
        number = str(span.start_line)
        gutter = " " * len(number)
        arrow = self.paint("-->", _DIM)
        yield f"{gutter}{arrow} {for_terminal(str(finding.location))}"
        bar = self.paint("|", _DIM)
        if finding.snippet.strip():
            shown, caret = self.source(finding)
            yield f"{gutter} {bar}"
            yield f"{self.paint(number, _DIM)} {bar} {shown}"
            yield f"{gutter} {bar} {self.paint(caret, _COLOURS[finding.severity])}"
        for location, phrase in finding.related:
            yield f"{gutter} {self.paint('::', _DIM)} {for_terminal(phrase)}: {for_terminal(str(location))}"
        note = self.paint("=", _DIM)
        if finding.twins:
            yield from self.wrapped(f"{gutter} {note} also: ", self.twins(finding), hang=len(gutter) + 9)
        why = self.why(finding)
        if why:
            yield from self.wrapped(f"{gutter} {note} why:  ", why, hang=len(gutter) + 9)
        if finding.remediation:
            yield from self.wrapped(f"{gutter} {note} mend: ", for_terminal(finding.remediation), hang=len(gutter) + 9)
        if self.verbose:
            yield f"{gutter} {note} {finding.rule.title}; {for_terminal(finding.address)}; {finding.fingerprint}"
        yield ""

    def twins(self, finding: Finding) -> str:
        """The other instances by name; without --verbose only the first few."""
        addresses = [for_terminal(twin.address) for twin in finding.twins]
        shown = addresses if self.verbose else addresses[:MAX_TWINS]
        more = len(addresses) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")

    def why(self, finding: Finding) -> str:
        if self.framework is None:
            return ""
        names = [
            f"{name} {self.framework.controls[name].name}"
            for name in controls_of(finding.rule, self.framework)
            if name in self.framework.controls
        ]
        return "; ".join(names)

    def source(self, finding: Finding) -> tuple[str, str]:
        """The source line, cut to the width around what is marked, and the carets below it.

        A tab becomes one blank, so that the columns still meet."""
        raw = finding.snippet
        span = finding.location.span
        start = min(span.start_column - 1, len(raw))
        end = span.end_column - 1 if span.end_line == span.start_line else len(raw)
        end = max(start + 1, min(end, len(raw)))
        room = self.width - len(str(span.start_line)) - 3
        cut = max(0, min(start - 8, len(raw) - room)) if len(raw) > room else 0
        raw, start, end = raw[cut : cut + room], start - cut, min(end - cut, room)
        before, marked, after = (for_terminal(part) for part in (raw[:start], raw[start:end], raw[end:]))
        return before + marked + after, " " * len(before) + "^" * max(1, len(marked))

    def aside(self, finding: Finding) -> Iterator[str]:
        if finding.suppression is not None:
            label, reason = "set aside", f"{finding.suppression.kind}: {finding.suppression.reason}"
        else:
            label, reason = "undecided", finding.message
        place = for_terminal(str(finding.location))
        text = f"{place} [{finding.rule.id}] {for_terminal(finding.address)}: {for_terminal(reason)}"
        yield from self.wrapped(f"{self.paint(label, _DIM)} ", text, hang=10)

    def problems(self) -> Iterator[str]:
        for problem in self.report.problems:
            limited = problem.kind is ProblemKind.LIMITED
            if limited and not self.verbose:
                continue
            label = self.paint("note", _DIM) if limited else self.paint(problem.kind.value.replace("_", " "), _RED)
            yield from self.wrapped(f"{label} ", for_terminal(str(problem)), hang=2)
        if self.report.problems:
            yield ""

    def controls(self) -> Iterator[str]:
        """Counts by control, grouped by theme: those with a failure, and the sum of the theme."""
        framework = self.framework
        if framework is None:
            return
        counts: dict[str, Counter[str]] = {}
        for rule in self.report.rules:
            if self.passed[rule.id]:
                for name in controls_of(rule, framework):
                    counts.setdefault(name, Counter())["pass"] += self.passed[rule.id]
        for finding in self.report.findings:
            if finding.suppression is None:
                for name in controls_of(finding.rule, framework):
                    counts.setdefault(name, Counter())[finding.outcome.value] += 1
        column = self.width - 34
        heading = f"{framework.title}, as far as code shows"
        yield self.paint(f"{heading[:column]:<{column}}  failing undecided passing", _BOLD)
        for theme, title in framework.themes.items():
            members = [
                name for name in framework.controls if framework.controls[name].theme == theme and name in counts
            ]
            failing = [name for name in members if counts[name]["fail"]]
            if not members:
                continue
            yield self.row(f"  {title} ({len(members)} controls)", self.theme_total(theme, framework), column)
            for name in failing:
                yield self.row(f"    {name:<7} {framework.controls[name].name}", counts[name], column)
        yield ""

    def theme_total(self, theme: str, framework: Framework) -> Counter[str]:
        """Each finding once, however many controls of the theme it bears on."""

        def bears_on(rule: Rule) -> bool:
            return any(
                name in framework.controls and framework.controls[name].theme == theme
                for name in controls_of(rule, framework)
            )

        own = {rule.id for rule in self.report.rules if bears_on(rule)}
        total = Counter(
            finding.outcome.value
            for finding in self.report.findings
            if finding.suppression is None and finding.rule.id in own
        )
        total["pass"] = sum(self.passed[name] for name in own)
        return total

    def row(self, text: str, counts: Counter[str], column: int) -> str:
        shown = text if len(text) <= column else text[: column - 3] + "..."
        numbers = [counts[each] for each in ("fail", "unknown", "pass")]
        return f"{shown:<{column}}  {numbers[0]:>7} {numbers[1]:>9} {numbers[2]:>7}"

    def ledger(self) -> Iterator[str]:
        entries = self.report.ledger.entries
        formats = Counter(name for entry in entries if entry.status is Status.EVALUATED for name in entry.formats)
        listed = ", ".join(f"{count} {name}" for name, count in sorted(formats.items()))
        parts = [f"{self.report.ledger.count(Status.EVALUATED)} files evaluated{f' ({listed})' if listed else ''}"]
        for status in Status:
            count = self.report.ledger.count(status)
            if count and status is not Status.EVALUATED:
                parts.append(f"{count} {status.value.replace('_', ' ')}")
        yield from self.wrapped("", "; ".join(parts), hang=2)
        aside = self.report.not_applicable
        if aside:
            told = f"{len(aside)} rules not run, as none of their controls applies by the statement of applicability"
            yield from self.wrapped("", told + (f": {', '.join(aside)}" if self.verbose else ""), hang=2)
        excluded = [entry for entry in entries if entry.status is Status.EXCLUDED]
        shown = excluded if self.verbose else excluded[:5]
        for entry in shown:
            yield self.paint(f"  excluded {for_terminal(entry.path)} ({for_terminal(entry.detail)})", _DIM)
        if len(excluded) > len(shown):
            yield self.paint(f"  and {len(excluded) - len(shown)} more; --verbose lists them", _DIM)
        if self.verbose:
            for entry in entries:
                if entry.status is Status.NOT_CLAIMED:
                    yield self.paint(f"  not claimed {for_terminal(entry.path)}", _DIM)

    def verdict(self) -> Iterator[str]:
        report, counts = self.report, self.report.counts()
        parts = [f"{counts[severity.value]} {severity.value}" for severity in Severity if counts[severity.value]]
        found = f"{counts['fail']} finding{'' if counts['fail'] == 1 else 's'}"
        if parts:
            found += f" ({', '.join(parts)})"
        rest = [
            f"{counts[key]} {word}"
            for key, word in (("unknown", "undecided"), ("suppressed", "set aside"), ("pass", "passed"))
            if counts[key]
        ]
        text = "; ".join([found, *rest])
        if report.base is not None:
            text = f"{counts['new']} new, {counts['existing']} existing, {counts['fixed']} fixed; {text}"
        if report.failed:
            threshold = report.fail_on
            assert threshold is not None
            which = "new findings of " if report.gate == "new" else ""
            told = f"{text}; fails on {which}{threshold.value} and worse"
            yield from self.wrapped(self.paint("failed: ", _RED), told, hang=2)
        elif not report.complete:
            yield from self.wrapped(self.paint("incomplete: ", _RED), text, hang=2)
        else:
            yield from self.wrapped(self.paint("passed: ", _GREEN), text, hang=2)
        if self.framework is not None and counts["fail"]:
            yield from self.wrapped("", f"{self.framework.source}.", hang=0)

    def wrapped(self, head: str, text: str, hang: int) -> Iterator[str]:
        """`head` and `text` on as many lines as the width asks for; words are never cut."""
        room = self.width - _visible(head)
        line, lines = "", []
        for word in text.split(" "):
            if line and _visible(line) + 1 + _visible(word) > room:
                lines.append(line)
                line, room = word, self.width - hang
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
        yield head + lines[0]
        for more in lines[1:]:
            yield " " * hang + more


def _visible(text: str) -> int:
    """Columns a text takes; our own colour codes take none."""
    if "\x1b" not in text:
        return len(text)
    width, position = 0, 0
    while position < len(text):
        if text[position] == "\x1b":
            position = text.index("m", position) + 1
        else:
            width += 1
            position += 1
    return width
