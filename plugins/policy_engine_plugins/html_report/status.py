"""How a control's status looks: a class, and a sign, so that colour alone says nothing."""

from __future__ import annotations

from policy_engine.verdict import ControlStatus

SIGNS = {
    ControlStatus.FAILING: "✕",
    ControlStatus.PARTLY: "◐",
    ControlStatus.UNDETERMINED: "?",
    ControlStatus.ACCEPTED_RISK: "△",
    ControlStatus.EFFECTIVE: "✓",
    ControlStatus.ATTESTED: "✎",
    ControlStatus.NO_EVIDENCE: "·",
    ControlStatus.NOT_APPLICABLE: "∅",
}


def css_class(status: ControlStatus) -> str:
    return "s-" + status.value.replace(" ", "-")


def badge(status: ControlStatus) -> str:
    return (
        f'<span class="badge {css_class(status)}"><span aria-hidden="true">{SIGNS[status]}</span> {status.value}</span>'
    )
