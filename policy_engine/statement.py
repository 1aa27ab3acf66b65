"""The statement of applicability: `.policy-engine/soa.yaml`, which controls apply, why, and how they are met."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from policy_engine.control import Framework, controls_of, counterparts
from policy_engine.errors import ConfigError
from policy_engine.resource import Resource
from policy_engine.span import Fixed, Location
from policy_engine.suppression import RESOURCE_FORMAT

if TYPE_CHECKING:
    from policy_engine.rule import Rule

STATUSES = ("undecided", "not-implemented", "planned", "partly", "implemented")


class Applicability(Struct, frozen=True):
    """What is decided about one control.

    status          one of STATUSES
    implemented_by  `automation`, `people` or both
    rules           ids of the rules that are to give evidence
    """

    control: str
    applicable: bool
    location: Location
    justification: str = ""
    status: str = "undecided"
    implemented_by: tuple[str, ...] = ()
    owner: str = ""
    rules: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


class Statement(Struct, frozen=True):
    """`framework` is the name of the catalogue that it is about; `controls` its decisions by control id."""

    framework: str
    controls: Mapping[str, Applicability]
    location: Location
    organisation: str = ""
    scope: str = ""
    approved_by: str = ""
    approved_on: date | None = None

    @property
    def not_applicable(self) -> frozenset[str]:
        return frozenset(name for name, each in self.controls.items() if not each.applicable)


def parse_statement(data: bytes, path: str) -> Statement:
    """Raises ConfigError with the place of the first mistake. Whether the controls exist, `check_controls` tells."""
    from policy_engine.schema import checked_document, load_schema

    document = checked_document(data, path, load_schema("soa"))
    value: Mapping[str, Any] = document.value
    approved = value.get("approved") or {}
    try:
        approved_on = date.fromisoformat(approved["on"]) if approved else None
    except ValueError:
        raise ConfigError(
            f"'{approved['on']}' is no date; write it as 2027-01-31", path=path, span=document.at(("approved", "on"))
        ) from None
    controls = {
        name: Applicability(
            control=name,
            applicable=entry["applicable"],
            location=Location(path, document.at(("controls", name))),
            justification=entry.get("justification", "").strip(),
            status=entry.get("status", "undecided"),
            implemented_by=tuple(entry.get("implemented_by", ())),
            owner=entry.get("owner", "").strip(),
            rules=tuple(entry.get("rules", ())),
            documents=tuple(entry.get("documents", ())),
        )
        for name, entry in value["controls"].items()
    }
    return Statement(
        value["framework"],
        controls,
        Location(path, document.at(("framework",))),
        value.get("organisation", ""),
        value.get("scope", ""),
        approved.get("by", ""),
        approved_on,
    )


def check_controls(statement: Statement, framework: Framework) -> None:
    """Raises ConfigError for a control that the catalogue does not have."""
    for name, each in statement.controls.items():
        if name not in framework.controls:
            from policy_engine.suggestion import suggest

            raise ConfigError(
                f"{framework.title} has no control '{name}'{suggest(name, framework.controls)}",
                path=each.location.path,
                span=each.location.span,
            )


def applies(rule: Rule, statement: Statement, framework: Framework) -> bool:
    """Whether a rule has a control that applies. A rule that judges the policy itself always does."""
    if RESOURCE_FORMAT in rule.formats():
        return True
    controls = controls_of(rule, framework)
    return not controls or not statement.not_applicable.issuperset(controls)


def not_applicable_in(statement: Statement, framework: Framework) -> dict[str, str]:
    """The controls of a catalogue that do not apply, each with its justification. In another catalogue than the
    statement's own it is those of whose counterparts none applies."""
    found = {}
    for name in framework.controls:
        own = counterparts(framework, name, statement.framework)
        if own and statement.not_applicable.issuperset(own):
            found[name] = "; ".join(dict.fromkeys(statement.controls[each].justification for each in own))
    return found


def as_resources(
    statement: Statement,
    framework: Framework,
    available: Mapping[str, Sequence[str]],
    enabled: Collection[str],
    ran: Collection[str],
    known: Collection[str],
    *,
    judged: bool,
) -> list[Resource]:
    """The statement as a resource of type `statement` and each of its entries as one of type `applicability`.

    available  the rules there are for each control of the catalogue
    enabled    ids of the rules that the settings do not switch off
    ran        ids of the rules that looked at something
    known      ids and former ids of all rules
    judged     whether the scan saw the whole project with all its rules: only then means nothing ran anything
    """
    missing = [name for name in framework.controls if name not in statement.controls]
    undecided = [name for name, each in statement.controls.items() if each.applicable and each.status == "undecided"]
    unjustified = [name for name, each in statement.controls.items() if not each.justification]
    unowned = [name for name, each in statement.controls.items() if each.applicable and not each.owner]
    value = {
        "framework": statement.framework,
        "missing": missing,
        "undecided": undecided,
        "unjustified": unjustified,
        "unowned": unowned,
        "complete": not (missing or undecided or unjustified or unowned),
        "approved": statement.approved_on is not None,
    }
    told = ", ".join(
        f"{len(names)} {word}"
        for names, word in (
            (missing, "missing"),
            (undecided, "undecided"),
            (unjustified, "without justification"),
            (unowned, "without owner"),
        )
        if names
    )
    resources = [_resource("statement", statement.location.path, told or "complete", value, statement.location)]
    for name, each in statement.controls.items():
        rules = list(dict.fromkeys([*available.get(name, ()), *each.rules]))
        automatic = each.applicable and "automation" in each.implemented_by
        resources.append(
            _resource(
                "applicability",
                f"soa/{name}",
                name,
                {
                    "control": name,
                    "applicable": each.applicable,
                    "status": each.status,
                    "owner": each.owner,
                    "automatic": automatic and each.status in ("implemented", "partly"),
                    "rules": rules,
                    "unknown_rules": [rule for rule in each.rules if rule not in known],
                    "disabled_rules": [rule for rule in each.rules if rule in known and rule not in enabled],
                    "ran": sum(rule in ran for rule in rules),
                    "judged": judged,
                },
                each.location,
            )
        )
    return resources


def _resource(type_: str, address: str, name: str, value: Mapping[str, Any], location: Location) -> Resource:
    return Resource(RESOURCE_FORMAT, type_, address, name, value, location, Fixed(location))


def write_statement(framework: Framework, rules: Mapping[str, Sequence[str]], decided: Statement | None = None) -> str:
    """The text of a statement about every control of a catalogue: what is decided already, and for the rest entries to
    be filled in. `rules` are those that there are for each control."""
    decisions = decided.controls if decided is not None else {}
    lines = [
        f"# Statement of applicability. {framework.source}.",
        "# The names are our own. Say of each control whether it applies and why, how far it is in place, who answers",
        "# for it, and whether automation (the rules listed) or people (attestations) show that it works.",
        f"# status: {', '.join(STATUSES)}.",
        f"framework: {framework.name}",
    ]
    if decided is not None:
        for key, text in (("organisation", decided.organisation), ("scope", decided.scope)):
            if text:
                lines.append(f"{key}: {_quoted(text)}")
        if decided.approved_on is not None:
            lines.append("approved:")
            lines.append(f"  by: {_quoted(decided.approved_by)}")
            lines.append(f'  on: "{decided.approved_on}"')
    lines.append("controls:")
    theme = ""
    for name, control in framework.controls.items():
        if control.theme != theme:
            theme = control.theme
            lines += ["", f"  # {framework.themes[theme]}", ""]
        lines += [f"  # {control.name}", f"  {name}:"]
        lines += _entry(decisions.get(name), list(rules.get(name, ())))
    return "\n".join(lines) + "\n"


def _entry(decided: Applicability | None, rules: Iterable[str]) -> list[str]:
    rules = list(rules)
    if decided is None:
        kept: Sequence[str] = ()
        by: Sequence[str] = ["automation", "people"] if rules else ["people"]
        lines = ["applicable: true", 'justification: ""', "status: undecided", f"implemented_by: [{', '.join(by)}]"]
        lines.append('owner: ""')
    else:
        kept, by = decided.rules, decided.implemented_by
        lines = [
            f"applicable: {'true' if decided.applicable else 'false'}",
            f"justification: {_quoted(decided.justification)}",
            f"status: {decided.status}",
            f"implemented_by: [{', '.join(by)}]",
            f"owner: {_quoted(decided.owner)}",
        ]
    listed = list(dict.fromkeys([*kept, *rules]))
    if listed:
        lines += [
            "rules:",
            *(f"  - {each}" for each in listed),
        ]
    if decided is not None and decided.documents:
        lines += ["documents:", *(f"  - {_quoted(each)}" for each in decided.documents)]
    return [f"    {line}" for line in lines]


def _quoted(text: str) -> str:
    """A scalar that YAML reads as this very text, as YAML takes what JSON writes."""
    import json

    return json.dumps(text, ensure_ascii=False)
