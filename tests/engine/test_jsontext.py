"""JSON of which each finding is a line, whatever its texts hold and however many there are."""

from __future__ import annotations

import json

import pytest
from msgspec import UNSET, Struct, UnsetType

from policy_engine.jsontext import Lines, to_json


class Thing(Struct, rename="camel"):
    its_name: str
    note: str | UnsetType = UNSET


def test_lines_stand_on_one_line_each() -> None:
    document = {"things": Lines([{"a": [1, {"b": 2}]}, {"a": []}]), "count": 2}
    assert to_json(document, 9) == '{\n  "things": [\n    {"a":[1,{"b":2}]},\n    {"a":[]}\n  ],\n  "count": 2\n}\n'


def test_no_lines_are_an_empty_list() -> None:
    assert to_json({"things": Lines([])}, 9) == '{\n  "things": []\n}\n'


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("count", [1, 64, 65, 1000])
def test_lines_are_all_there_however_many(count: int, ascii_only: bool) -> None:
    text = to_json(Lines({"number": number, "text": "é\n\u2028"} for number in range(count)), 9, ascii_only=ascii_only)
    assert json.loads(text) == [{"number": number, "text": "é\n\u2028"} for number in range(count)]
    assert len(text.split("\n")) == count + 3, "brackets, and an end"


def test_half_a_surrogate_pair_changes_nothing_but_itself() -> None:
    things = [Thing("é\n"), Thing("\udcff.tf", "odd"), Thing('"')]
    assert to_json(Lines(things), 9) == (
        '[\n  {"itsName":"é\\n"},\n  {"itsName":"\udcff.tf","note":"odd"},\n  {"itsName":"\\""}\n]\n'
    )
