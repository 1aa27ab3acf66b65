"""What is decided without knowing a parameter stays decided, whatever the parameter turns out to be."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from cloudformation_templates import value
from policy_engine.finding import Outcome
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Settings
from policy_engine.tree import MemoryTree

VALUES: dict[str, list[Any]] = {
    "Environment": ["test", "prod"],
    "Encrypt": ["true", "false"],
    "VpcCidr": ["10.0.0.0/16", "0.0.0.0/0"],
    "Zones": ["a", "b,c"],
    "Count": ["1", "9"],
}


def outcomes(template: dict[str, Any], plugins: Plugins, rulebook: Rulebook) -> dict[tuple[str, str], set[Outcome]]:
    tree = MemoryTree({"t.json": json.dumps(template).encode()})
    found: dict[tuple[str, str], set[Outcome]] = {}
    for finding in scan(tree, ["t.json"], plugins, rulebook, Settings()).findings:
        if finding.format == "cloudformation" and finding.resource_type != "parameter":
            found.setdefault((finding.rule.id, finding.address), set()).add(finding.outcome)
    return found


@pytest.mark.parametrize("number", range(24))
def test_a_parameter_that_becomes_known_changes_nothing_that_was_decided(
    number: int, plugins: Plugins, rulebook: Rulebook
) -> None:
    rng = random.Random(number)
    template = value(number)
    for name in VALUES:
        template["Parameters"][name].pop("Default", None)
    before = outcomes(template, plugins, rulebook)
    for _ in range(3):
        for name, values in VALUES.items():
            template["Parameters"][name]["Default"] = rng.choice(values)
        after = outcomes(template, plugins, rulebook)
        for key, found in before.items():
            # A resource whose condition turns out not to hold is gone, and a rule may turn out not to apply to it.
            if key in after and Outcome.UNKNOWN not in found:
                assert after[key] == found, (key, template["Resources"][key[1].partition(".")[0]])
