"""Short forms, merging, `extends` and variables come out as in Compose's own loader (compose-go), whose output for each
case is recorded beside it by `oracle/record`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compose_reading import resources
from policy_engine.unknown import Unknown

CASES = Path(__file__).parent / "cases"


def canonical(key: str, value: Any) -> Any:
    """Without what Compose adds as its own defaults, and with numbers as text."""
    if isinstance(value, dict):
        if key == "extra_hosts":
            return sorted(f"{name}={address}" for name, address in value.items())
        dropped = {"mode", "bind", "placement", "required", "read_only", "disable"}
        entries = {name: canonical(name, item) for name, item in value.items() if name not in dropped}
        # `volume: {}` inside a volume; Compose also names the place where a secret is mounted by default.
        if key == "volumes":
            entries.pop("volume", None)
        if key in ("secrets", "configs") and str(entries.get("target", "")).endswith(f"/{entries['source']}"):
            entries.pop("target")
        return {name: item for name, item in entries.items() if item not in (None, {})}
    if isinstance(value, list):
        items = [canonical(key, item) for item in value]
        if key == "ports":
            items = [each for item in items for each in spread(item)]
        return (
            sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
            if key in ("ports", "extra_hosts")
            else items
        )
    if isinstance(value, Unknown):
        return None
    return str(value).lower() if isinstance(value, (bool, int)) else value


def spread(port: dict[str, Any]) -> list[dict[str, Any]]:
    """A range of ports as Compose gives it: one by one."""
    first, dash, last = str(port["target"]).partition("-")
    if not dash:
        return [port]
    count = int(last) - int(first) + 1
    start = int(str(port["published"]).partition("-")[0])
    return [{**port, "target": str(int(first) + n), "published": str(start + n)} for n in range(count)]


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_project_comes_out_as_in_compose(case: str) -> None:
    folder = CASES / case
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name != "expected.json"}
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert "error" not in expected
    found = resources(files)
    own = {"name", "project", "written", "extends"}
    for name, theirs in expected["services"].items():
        ours = found[f"service/{name}"].value
        wanted = {key: canonical(key, item) for key, item in theirs.items() if item not in (None, {}, False)}
        got = {key: canonical(key, item) for key, item in ours.items() if key not in own and item is not False}
        wanted = {key: item for key, item in wanted.items() if item not in (None, {}, [])}
        assert {key: item for key, item in got.items() if item not in (None, {}, [])} == wanted, name
    services = {address.partition("/")[2] for address in found if address.startswith("service/")}
    assert services == set(expected["services"])
