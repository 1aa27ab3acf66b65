"""A configuration that is well made has no findings: what a rule says of it is a false alarm."""

from __future__ import annotations

from pathlib import Path

from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree

CONFIGURATION = Path(__file__).parent / "well_made.tf"


def test_a_well_made_configuration_has_no_findings(plugins: Plugins, rulebook: Rulebook) -> None:
    tree = MemoryTree({"main.tf": CONFIGURATION.read_bytes()})
    report = scan(tree, ["main.tf"], plugins, rulebook, Settings())
    told = [f"{finding.rule}: {finding.message}" for finding in report.findings]
    assert not told
    assert report.counts()["pass"] > 60
