"""Comments in scanned files that set a finding aside: `# policy-engine: ignore[rule-id] reason`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from policy_engine.finding import Finding, Suppression
from policy_engine.resource import Resource
from policy_engine.span import Fixed, Location, Span
from policy_engine.unit import Comment

MARKER = b"policy-engine:"
RESOURCE_FORMAT = "policy"
"""What a project decides about its scans is judged by rules like any other resource; this is its format there."""
POLICY_TYPES = ("suppression", "waiver", "policy-file", "statement", "applicability", "attestation")


class InlineSuppression(Struct, frozen=True):
    """One such comment.

    It covers findings that start on its own line or, when it stands alone, on the next line of code; where that line is
    the header of a resource, every finding of the resource. `whole_file` (written `ignore-file[...]`) covers the file.
    """

    location: Location
    rules: tuple[str, ...]
    reason: str
    line: int
    whole_file: bool = False

    @property
    def usable(self) -> bool:
        return bool(self.rules) and bool(self.reason)


def parse_suppressions(comments: Iterable[Comment], code_lines: Sequence[str]) -> list[InlineSuppression]:
    """Suppressions among a file's comments. `code_lines` are the file's lines, to find the next one with code."""
    alone = {comment.location.span.start_line for comment in comments if comment.alone}
    found = []
    for comment in comments:
        text = comment.text.strip()
        if not text.startswith("policy-engine:"):
            continue
        verb, bracket, rest = text.removeprefix("policy-engine:").strip().partition("[")
        verb = verb.strip()
        if verb not in ("ignore", "ignore-file"):
            # Told through the same rule as a missing reason: it looks like a suppression and has no effect.
            found.append(InlineSuppression(comment.location, (), "", comment.location.span.start_line))
            continue
        ids, closed, reason = rest.partition("]")
        rules = tuple(name.strip() for name in ids.split(",") if name.strip()) if bracket and closed else ()
        line = comment.location.span.end_line
        if comment.alone:
            line += 1
            while line <= len(code_lines) and (not code_lines[line - 1].strip() or line in alone):
                line += 1
        found.append(
            InlineSuppression(
                comment.location, rules, reason.strip().lstrip(":-– ").strip(), line, verb == "ignore-file"
            )
        )
    return found


def apply_suppressions(
    findings: Sequence[Finding],
    suppressions: Mapping[str, Sequence[InlineSuppression]],
    extents: Mapping[tuple[str, int], Sequence[Span]],
    aliases: Mapping[str, str],
) -> tuple[list[Finding], set[InlineSuppression]]:
    """Findings with those set aside marked, and the suppressions that did so.

    suppressions  by path
    extents       extents of the resources whose header stands at a path and line: one there covers all of them
    aliases       former rule ids to present ones
    """
    used: set[InlineSuppression] = set()
    settled = []
    for finding in findings:
        for suppression in suppressions.get(finding.location.path, ()):
            if suppression.usable and _covers(suppression, finding, extents, aliases):
                used.add(suppression)
                finding = finding._replace(suppression=Suppression("inline", suppression.reason, suppression.location))
                break
        settled.append(finding)
    return settled, used


def _covers(
    suppression: InlineSuppression,
    finding: Finding,
    extents: Mapping[tuple[str, int], Sequence[Span]],
    aliases: Mapping[str, str],
) -> bool:
    if not any(aliases.get(name, name) == finding.rule.id for name in suppression.rules):
        return False
    line = finding.location.span.start_line
    if suppression.whole_file or line == suppression.line:
        return True
    return any(extent.contains_line(line) for extent in extents.get((finding.location.path, suppression.line), ()))


def as_resources(
    suppressions: Mapping[str, Sequence[InlineSuppression]],
    used: set[InlineSuppression],
    known_rules: Collection[str],
    judged: Callable[[str, str], bool],
) -> list[Resource]:
    """The suppressions as resources of type `suppression`, so that rules can judge them.

    `evaluated` says whether its file was judged in full by every rule it names, as `judged` tells of a file and a rule:
    only then does not being used mean anything.
    """
    resources = []
    for path, listed in sorted(suppressions.items()):
        for number, suppression in enumerate(listed):
            location = suppression.location
            unknown_ids = [name for name in suppression.rules if name not in known_rules]
            resources.append(
                Resource(
                    format=RESOURCE_FORMAT,
                    type="suppression",
                    address=f"{path.rsplit('/', 1)[-1]}/suppressions/{','.join(suppression.rules) or number}",
                    name=", ".join(suppression.rules) or "no rule",
                    value={
                        "rules": list(suppression.rules),
                        "reason": suppression.reason,
                        "used": suppression in used,
                        "evaluated": all(judged(path, name) for name in suppression.rules),
                        "unknown_rules": unknown_ids,
                    },
                    location=location,
                    locate=Fixed(location),
                )
            )
    return resources
