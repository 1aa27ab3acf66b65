"""Controls of a framework, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from policy_engine.rule import Rule


class Control(Struct, frozen=True):
    """One control, in our own words.

    id          as its framework writes it: `A.8.24`
    theme       id of the group it stands in; `Framework.themes` names it
    name        a short name of our own, never the standard's
    guidance    what it asks for, one to three sentences of our own
    evidence    what of it code can show, or why nothing can: `partial` or `manual`
    evidence_from  where that evidence comes from: `iac`, `ci`, `repository`, `host`, `dependencies`
    attributes  the framework's own classification: {"control_type": ("preventive",), ...}
    corresponds ids of the controls that match it in other frameworks, by framework name
    """

    id: str
    theme: str
    name: str
    guidance: str
    evidence: str = "manual"
    evidence_from: tuple[str, ...] = ()
    evidence_examples: str = ""
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    corresponds: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Framework(Struct, frozen=True):
    """A catalogue of controls.

    name      what settings and SARIF tags say: `iso27001-2022`
    source    the acknowledgement every report carries
    controls  by id, in the framework's order
    themes    theme id to its name, in our own words
    from_2022 for a framework other than ISO/IEC 27001:2022: its control ids by 2022 control id, so that rules, which
              name 2022 controls, need no change. None for the 2022 edition itself.
    """

    name: str
    title: str
    source: str
    url: str
    themes: Mapping[str, str]
    controls: Mapping[str, Control]
    from_2022: Mapping[str, Sequence[str]] | None = None

    def controls_for(self, ids_2022: Sequence[str]) -> list[str]:
        """This framework's controls for a rule's 2022 controls, in order and without repeats."""
        if self.from_2022 is None:
            return [name for name in ids_2022 if name in self.controls]
        return list(dict.fromkeys(own for name in ids_2022 for own in self.from_2022.get(name, ())))


class FrameworkSource(Struct, frozen=True):
    """What a plugin registers: a catalogue's name, and how to load it once it is wanted."""

    name: str
    load: Callable[[], Framework]


def controls_of(rule: Rule, framework: Framework) -> list[str]:
    """The controls of a framework that a rule gives evidence for. Where the correspondence between the editions is too
    wide for a rule, the rule names its 2013 controls itself."""
    if framework.name == "iso27001-2013" and rule.controls_2013:
        return list(rule.controls_2013)
    return framework.controls_for(rule.controls)


def counterparts(framework: Framework, control: str, other: str) -> list[str]:
    """The controls of another catalogue, by its name, that one of this catalogue stands for; empty where no
    correspondence is known."""
    if framework.name == other:
        return [control]
    if other == "iso27001-2022" and framework.from_2022 is not None:
        return [source for source, own in framework.from_2022.items() if control in own]
    return list(framework.controls[control].corresponds.get(other, ()))
