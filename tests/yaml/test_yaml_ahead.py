"""What is parsed to see which files belong together is not parsed again to be judged."""

from __future__ import annotations

import pytest

from policy_engine.yaml_ahead import ParsedAhead
from policy_engine.yaml_document import YamlFile, parse_yaml


class Counting:
    def __init__(self) -> None:
        self.parsed: list[str] = []

    def __call__(self, data: bytes, path: str) -> YamlFile:
        self.parsed.append(path)
        return parse_yaml(data, path)


def test_a_file_that_was_parsed_ahead_is_handed_out_and_let_go() -> None:
    count = Counting()
    files = ParsedAhead(count)
    ahead = files.parse_ahead(b"a: 1", "x.yml")
    assert files.parse(b"a: 1", "x.yml") is ahead
    assert files.parse(b"a: 1", "x.yml") is ahead, "several units may hold it"
    assert count.parsed == ["x.yml"]
    assert not files._ahead


def test_a_file_that_has_changed_meanwhile_is_parsed_again() -> None:
    files = ParsedAhead(parse_yaml)
    files.parse_ahead(b"a: 1", "x.yml")
    assert files.parse(b"a: 2", "x.yml").documents[0].value == {"a": 2}


def test_the_oldest_of_too_many_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_engine.yaml_ahead.MAX_AHEAD", 2)
    count = Counting()
    files = ParsedAhead(count)
    for name in ("a", "b", "c"):
        files.parse_ahead(b"x: 1", name)
    for name in ("a", "b", "c"):
        files.parse(b"x: 1", name)
    assert count.parsed == ["a", "b", "c", "a"]


def test_a_copy_of_a_file_is_parsed_once_and_stands_at_its_own_place() -> None:
    count = Counting()
    files = ParsedAhead(count)
    first, second = (files.parse(b"a: 1\n---\n- b", path).documents for path in ("x/ci.yml", "y/ci.yml"))
    assert count.parsed == ["x/ci.yml"]
    assert [document.path for document in (*first, *second)] == ["x/ci.yml"] * 2 + ["y/ci.yml"] * 2
    assert [document.value for document in second] == [{"a": 1}, ["b"]]
    assert second[1].at((0,)) == first[1].at((0,))


def test_a_copy_of_a_broken_file_is_told_of_at_its_own_place() -> None:
    files = ParsedAhead(parse_yaml)
    problems = [problem for path in ("x.yml", "y.yml") for problem in files.parse(b"a: [", path).problems]
    assert [problem.path for problem in problems] == ["x.yml", "y.yml"]
