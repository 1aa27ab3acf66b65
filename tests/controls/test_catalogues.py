"""The control catalogues: complete, consistent, and in our own words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from policy_engine.control import Framework, controls_of, counterparts
from policy_engine.plugins import Plugins

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OFFICIAL = frozenset((HERE / "title_hashes.txt").read_text().split())
"""Digests of the official control names, which are copyrighted and not kept."""

ATTRIBUTES = {
    "control_type": {"preventive", "detective", "corrective"},
    "security_properties": {"confidentiality", "integrity", "availability"},
    "cybersecurity_concepts": {"identify", "protect", "detect", "respond", "recover"},
    "operational_capabilities": {
        "governance",
        "asset_management",
        "information_protection",
        "human_resource_security",
        "physical_security",
        "system_and_network_security",
        "application_security",
        "secure_configuration",
        "identity_and_access_management",
        "threat_and_vulnerability_management",
        "continuity",
        "supplier_relationships_security",
        "legal_and_compliance",
        "information_security_event_management",
        "information_security_assurance",
    },
    "security_domains": {"governance_and_ecosystem", "protection", "defence", "resilience"},
}
NEW_IN_2022 = {
    *("A.5.7", "A.5.23", "A.5.30", "A.7.4", "A.8.9", "A.8.10", "A.8.11", "A.8.12", "A.8.16", "A.8.23", "A.8.28"),
}


def is_official(text: str) -> bool:
    words = re.sub(r"[^a-z0-9 ]+", " ", text.lower()).split()
    plain = " ".join(word for word in words if word not in ("a", "an", "the"))
    return hashlib.sha256(plain.encode()).hexdigest() in OFFICIAL


@pytest.fixture(scope="module")
def new(plugins: Plugins) -> Framework:
    return plugins.framework("iso27001-2022")


@pytest.fixture(scope="module")
def old(plugins: Plugins) -> Framework:
    return plugins.framework("iso27001-2013")


def test_both_editions_are_complete(new: Framework, old: Framework) -> None:
    assert Counter(control.theme for control in new.controls.values()) == {
        "organizational": 37,
        "people": 8,
        "physical": 14,
        "technological": 34,
    }
    assert len(old.controls) == 114
    assert len(old.themes) == 14


def test_ids_are_those_of_their_edition(new: Framework, old: Framework) -> None:
    assert all(re.fullmatch(r"A\.[5-8]\.[1-9]\d?", name) for name in new.controls)
    assert all(re.fullmatch(r"A\.(?:[5-9]|1[0-8])\.\d\.[1-9]", name) for name in old.controls)


def test_correspondence_holds_in_both_directions(new: Framework, old: Framework) -> None:
    there = {(a.id, b) for a in new.controls.values() for b in a.corresponds["iso27001-2013"]}
    back = {(a, b.id) for b in old.controls.values() for a in b.corresponds["iso27001-2022"]}
    assert there == back
    assert {a for a in new.controls if not any(a == first for first, _ in there)} == NEW_IN_2022
    assert {b for _, b in there} == set(old.controls)


def test_2013_controls_follow_from_2022_ones(new: Framework, old: Framework) -> None:
    assert old.controls_for(["A.8.24"]) == ["A.10.1.1", "A.10.1.2"]
    assert old.controls_for(["A.8.9"]) == []
    assert new.controls_for(["A.8.24", "A.0.0"]) == ["A.8.24"]


def test_attributes_are_of_the_closed_sets(new: Framework) -> None:
    for control in new.controls.values():
        assert set(control.attributes) == set(ATTRIBUTES), control.id
        for key, values in control.attributes.items():
            assert values, (control.id, key)
            assert set(values) <= ATTRIBUTES[key], (control.id, key)


def test_guidance_is_whole_sentences(new: Framework, old: Framework) -> None:
    for control in (*new.controls.values(), *old.controls.values()):
        assert re.fullmatch(r"[A-Z].{15,}\.", control.guidance), control.id
        assert 5 < len(control.name) < 60, control.id


def test_evidence_by_code_is_partial_at_most(new: Framework) -> None:
    assert {control.evidence for control in new.controls.values()} == {"partial", "manual"}
    for control in new.controls.values():
        assert bool(control.evidence_from) == (control.evidence == "partial"), control.id


def test_sources_are_acknowledged(new: Framework, old: Framework) -> None:
    assert new.source == "Based on ISO/IEC 27001:2022 Annex A and ISO/IEC 27002 guidance"
    assert old.source == "Based on ISO/IEC 27001:2013 Annex A and ISO/IEC 27002 guidance"


def test_the_guard_knows_an_official_name() -> None:
    assert is_official("Log" + "ging")


def test_no_name_of_ours_is_the_official_one(new: Framework, old: Framework) -> None:
    for framework in (new, old):
        texts = [*framework.themes.values()]
        for control in framework.controls.values():
            texts += [control.name, control.guidance, control.evidence_examples]
        assert [text for text in texts if is_official(text)] == []


def test_no_rule_and_no_page_bears_an_official_name() -> None:
    found = []
    for path in [*ROOT.glob("rules/**/*.yaml"), *ROOT.glob("examples/**/rules/*.yaml")]:
        document = yaml.safe_load(path.read_text())
        if isinstance(document, dict):
            found += [path.name for key in ("title", "rationale") if is_official(str(document.get(key, "")))]
    for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for line in path.read_text().splitlines():
            cells = [line.lstrip("# "), *line.split("|")]
            found += [f"{path.name}: {cell}" for cell in cells if is_official(cell)]
    assert found == []


def test_every_control_a_rule_names_exists(plugins: Plugins, new: Framework, old: Framework) -> None:
    from policy_engine import __version__
    from policy_engine.rulebook import load_rulebook

    for rule in load_rulebook(plugins, __version__).rules():
        assert set(rule.controls) <= set(new.controls), rule.id
        assert set(controls_of(rule, old)) <= set(old.controls), rule.id


@pytest.mark.parametrize(("name", "count"), [("cis-v8", 153), ("nist-800-53-r5", 175), ("soc2", 61)])
def test_other_frameworks_follow_from_the_2022_controls(plugins: Plugins, name: str, count: int) -> None:
    framework, iso = plugins.framework(name), plugins.framework("iso27001-2022")
    assert framework.from_2022 is not None
    assert len(framework.controls) == count
    assert set(framework.from_2022) <= set(iso.controls)
    assert {each for own in framework.from_2022.values() for each in own} == set(framework.controls)
    assert {each.theme for each in framework.controls.values()} == set(framework.themes)
    for control in framework.controls.values():
        assert counterparts(framework, control.id, "iso27001-2022") == list(control.corresponds["iso27001-2022"])


def test_a_rule_answers_several_questionnaires(plugins: Plugins) -> None:
    asked = {name: plugins.framework(name).controls_for(["A.8.24"]) for name in ("cis-v8", "nist-800-53-r5", "soc2")}
    assert asked == {
        "cis-v8": ["3.6", "3.9", "3.10", "3.11", "16.11"],
        "nist-800-53-r5": ["SC-12", "SC-13", "SC-17"],
        "soc2": ["CC6.1", "CC6.7"],
    }
