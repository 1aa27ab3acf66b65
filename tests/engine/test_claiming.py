"""The ledger tells of each file what became of it once the units are known."""

from __future__ import annotations

from policy_engine.claiming import taken
from policy_engine.report import Entry, Status
from policy_engine.unit import Unit


def test_what_a_unit_holds_is_evaluated_and_what_none_holds_is_not() -> None:
    entries = [
        Entry("a.tf", Status.EVALUATED, ("terraform",)),
        Entry("fragment.yaml", Status.EVALUATED, ("chart", "kubernetes")),
        Entry("left.yaml", Status.EVALUATED, ("chart",)),
        Entry("values.yaml", Status.NOT_CLAIMED),
        Entry("large.yaml", Status.TOO_LARGE, (), "larger than"),
        Entry("vendor/", Status.EXCLUDED, (), "settings:3"),
    ]
    units = [Unit("terraform", ".", ("a.tf",)), Unit("chart", "c", ("fragment.yaml", "large.yaml", "values.yaml"))]
    assert taken(entries, units) == [
        Entry("a.tf", Status.EVALUATED, ("terraform",)),
        Entry("fragment.yaml", Status.EVALUATED, ("chart",)),
        Entry("left.yaml", Status.NOT_CLAIMED),
        Entry("values.yaml", Status.EVALUATED, ("chart",)),
        Entry("large.yaml", Status.TOO_LARGE, (), "larger than"),
        Entry("vendor/", Status.EXCLUDED, (), "settings:3"),
    ]
