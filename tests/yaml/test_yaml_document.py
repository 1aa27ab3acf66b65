"""What the YAML reader makes of text: values, documents, limits. Places are in test_yaml_places.py."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from policy_engine.unit import ProblemKind
from policy_engine.yaml_builder import MAX_BROKEN, MAX_TOLD
from policy_engine.yaml_document import (
    TaggedScalar,
    YamlFile,
    YamlMapping,
    YamlSequence,
    parse_yaml,
)


def read(text: str | bytes, **options: Any) -> YamlFile:
    data = text.encode() if isinstance(text, str) else text
    return parse_yaml(data, "file.yaml", **options)


def value_of(text: str | bytes, **options: Any) -> Any:
    file = read(text, **options)
    assert file.problems == ()
    (document,) = file.documents
    return document.value


def told(file: YamlFile) -> list[str]:
    return [str(problem) for problem in file.problems]


def test_a_value_with_tags_can_be_copied() -> None:
    value = value_of("a: !Ref b\nc: [!Sub d, !T {e: f}]\n")
    copied = copy.deepcopy(value)
    assert copied == value
    assert copied["a"].tag == "!Ref"
    assert copied["c"][1].tag == "!T"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("n", "n"),
        ("", None),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("0644", 644),
        ("0o644", 0o644),
        ("0xfF", 255),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("1.2.3", "1.2.3"),
        ("2001-12-14", "2001-12-14"),
        ("12:30:45", "12:30:45"),
        ("'true'", "true"),
        ('"12"', "12"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ('!!int "12"', 12),
        ("!!float 1", 1.0),
        ("a: b", {"a": "b"}),
        ("[]", []),
        ("{}", {}),
        ('"\\u00e9\\t\\/"', "\u00e9\t/"),
        ("a\n b\n\n c", "a b\nc"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: object) -> None:
    found = value_of(f"---\n{written}\n")
    assert found == value
    assert type(found) is type(value) or isinstance(value, (dict, list))


def test_not_a_number_is_a_float() -> None:
    assert math.isnan(value_of("- .nan")[0])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("no", False),
        ("OFF", False),
        ("N", False),
        ("true", True),
        ("yep", "yep"),
        ("'yes'", "yes"),
        ("0644", 0o644),
        ("0o644", 0o644),
        ("-010", -8),
        ("0b101", 5),
        ("0x1F", 31),
        ("1_000", 1000),
        ("0", 0),
        ("089", 89.0),
        ("1.5", 1.5),
        ("12:30", "12:30"),
    ],
)
def test_yaml_1_1_reads_old_booleans_and_octals_as_kubernetes_does(written: str, value: object) -> None:
    found = value_of(f"[{written}]", yaml_1_1=True)[0]
    assert found == value
    assert type(found) is type(value)


def test_the_github_key_on_stays_text() -> None:
    assert value_of("on: push") == {"on": "push"}


def test_keys_are_the_text_they_are_written_with() -> None:
    assert value_of("80: a\ntrue: b\n1.50: c\n~: d\n") == {"80": "a", "true": "b", "1.50": "c", "~": "d"}


def test_a_number_of_absurd_length_stays_text() -> None:
    digits = "9" * 100_000
    assert value_of(f"a: {digits}") == {"a": digits}


def test_foreign_tags_are_kept() -> None:
    value = value_of("a: !Ref bucket\nb: !Sub [x, {y: z}]\nc: !Map {k: v}\nd: !!binary aGk=\n")
    assert isinstance(value["a"], TaggedScalar)
    assert (value["a"], value["a"].tag) == ("bucket", "!Ref")
    assert (type(value["b"]), value["b"].tag) == (YamlSequence, "!Sub")
    assert (type(value["c"]), value["c"].tag) == (YamlMapping, "!Map")
    assert value["d"].tag == "tag:yaml.org,2002:binary"
    assert value.tag is None


def test_an_alias_is_the_object_it_stands_for() -> None:
    value = value_of("base: &base {a: 1}\ncopy: *base\nlist: [*base, &n 3, *n]\n&k key: *k\n")
    assert value["copy"] is value["base"]
    assert value["list"] == [{"a": 1}, 3, 3]
    assert value["key"] == "key"


def test_merges_give_way_to_own_keys_and_to_earlier_merges() -> None:
    value = value_of("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  x: 0\n  <<: [*a, *b]\n  w: 0\n")
    assert value["c"] == {"x": 0, "w": 0, "y": 1, "z": 2}


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert value_of("'<<': {a: 1}") == {"<<": {"a": 1}}


def test_merging_what_is_no_mapping_is_told_and_harmless() -> None:
    file = read("a:\n  <<: [1]\n  b: 2\n")
    assert told(file) == ["file.yaml:2:3: '<<' merges mappings, and this is none"]
    assert file.documents[0].value == {"a": {"b": 2}}


def test_a_key_given_twice_is_told_where_it_is_repeated() -> None:
    file = read("a: 1\nb: 2\na: 3\n")
    assert told(file) == ["file.yaml:3:1: key 'a' is given twice; the last one counts"]
    assert file.problems[0].kind is ProblemKind.LIMITED
    assert file.documents[0].value == {"a": 3, "b": 2}


def test_documents_keep_their_order_and_lines() -> None:
    file = read("%YAML 1.1\n---\na: 1\n---\n---\nb: 2\n...\n# end\n---\nc: 3\n")
    assert [document.value for document in file.documents] == [{"a": 1}, None, {"b": 2}, {"c": 3}]
    assert [document.mark[0] for document in file.documents if document.value] == [3, 6, 10]


@pytest.mark.parametrize("empty", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_a_file_without_content_has_no_documents(empty: str) -> None:
    assert read(empty) == YamlFile()


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ("b: [1,\n", "3:7"),
        ('b: "open\n', "3:9"),
        ("b: {x: 1\nc: 2\n", "4:2"),
        ("b: x: y\n", "3:5"),
        ("b:\n  c: 1\n d: 2\n", "5:2"),
        ("\tb: 1\n", "3:1"),
        ("b: *nobody\n", "3:4"),
        ("b: &b [*b]\n", "3:8"),
        ("? [b]\n: 1\n", "3:3"),
        ("replicas: {{ count }}\n", "3:12"),
        ("b: \x00\n", "3:4"),
        ("b: \x1b[0m\n", "3:4"),
        ("@b\n", "3:1"),
    ],
)
def test_a_broken_document_is_told_with_its_place_and_hides_no_other(broken: str, place: str) -> None:
    file = read(f"a: 1\n---\n{broken}---\nc: [3]\n---\nd: 4\n")
    assert [document.value for document in file.documents] == [{"a": 1}, {"c": [3]}, {"d": 4}]
    (problem,) = file.problems
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD
    assert str(problem).startswith(f"file.yaml:{place}: ")
    assert file.documents[1].mark[0] == 4 + broken.count("\n")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("a:\n\t- 1\n", "not valid YAML: a tab cannot indent, only spaces can"),
        ("a: @b\n", "not valid YAML: '@' cannot begin a value; quote it if it is meant as text"),
        ("a:\n  b: 1\n c: 2\n", "not valid YAML: did not find expected key while parsing a block mapping"),
        ("a: {\nb: c\nd: e\n", "while parsing a flow mapping that begins in line 1"),
        ("a: {{ b }}\n", "a mapping or list as a key is not understood; if this is a template, render it first"),
    ],
)
def test_a_message_says_what_to_mend(broken: str, message: str) -> None:
    (problem,) = read(broken).problems
    assert message in problem.message


def test_invalid_utf_8_is_told_and_hides_no_other_document() -> None:
    file = read("a: é\n---\nb: ".encode() + b"x\xff\n---\nc: 3\n")
    assert told(file) == ["file.yaml:3:5: not valid YAML: byte 0xff is not UTF-8"]
    assert [document.value for document in file.documents] == [{"a": "é"}, {"c": 3}]


def test_utf_16_with_a_byte_order_mark_is_read() -> None:
    assert value_of("a: é".encode("utf-16")) == {"a": "é"}


def test_windows_and_old_mac_line_ends_are_read() -> None:
    assert value_of("a: 1\r\nb: |\r\n  x\r\n  y\r\n") == {"a": 1, "b": "x\ny\n"}
    assert value_of("a: 1\rb: 2\r") == {"a": 1, "b": 2}


def test_line_ends_of_yaml_1_1_are_ordinary_characters() -> None:
    file = read("a: x\u2028y\nb: 'p\x85q'\nc: 3\n")
    assert file.problems == ()
    assert file.documents[0].value == {"a": "x\u2028y", "b": "p\x85q", "c": 3}
    assert file.documents[0].at(("c",)).start_line == 3


def test_a_json_file_is_read() -> None:
    assert value_of('{\n\t"a": [1, true, null, "x\\n"],\n\t"b": {"c": -1.5e3}\n}\n') == {
        "a": [1, True, None, "x\n"],
        "b": {"c": -1500.0},
    }


def test_json_writes_rare_characters_as_two_escapes() -> None:
    text = r'{"a": "x\ud83d\ude00\ud83d\uDE01y", "b": "\\\\ud83d\\\\ude00"}'
    file = read(text)
    assert file.problems == ()
    document = file.documents[0]
    assert document.value == {"a": "x\U0001f600\U0001f601y", "b": r"\\ud83d\\ude00"}
    assert document.at(("b",)).start_column == text.index('"b"') + 1


def test_half_a_pair_of_escapes_is_told() -> None:
    (problem,) = read(r'{"a": "\ud83d"}').problems
    assert "invalid Unicode character escape code" in problem.message


def test_an_expanding_alias_bomb_is_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    file = read("\n".join(lines) + "\n---\nok: 1\n")
    (problem,) = file.problems
    assert "aliases stand for more than 1,000,000 values" in problem.message
    assert [document.value for document in file.documents] == [{"ok": 1}]


def test_the_alias_budget_is_the_whole_files() -> None:
    document = f"a: &a [{'x, ' * 999}x]\nb: [{'*a, ' * 400}]\n"
    file = read("---\n".join([document] * 4))
    assert len(file.documents) == 2
    assert len(file.problems) == 2


def test_aliases_cannot_nest_deeper_than_text_can() -> None:
    lines = ["- &a0 [x]", *(f"- &a{n} [*a{n - 1}]" for n in range(1, 300))]
    (problem,) = read("\n".join(lines)).problems
    assert "nested deeper than 200 levels through aliases" in problem.message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    file = read(opening * 500_000 + "\n---\nok: 1\n")
    assert [document.value for document in file.documents] == [{"ok": 1}]
    (problem,) = file.problems
    assert problem.span is not None


def test_nesting_up_to_the_limit_is_read() -> None:
    assert read("[" * 200 + "]" * 200).problems == ()
    assert len(read("[" * 201 + "]" * 201).problems) == 1


def test_many_broken_documents_are_counted_and_not_all_told() -> None:
    file = read("---\n]\n" * 5000 + "---\nok: 1\n")
    assert [document.value for document in file.documents] == [{"ok": 1}]
    assert len(file.problems) == MAX_TOLD + 1
    assert file.problems[-1].message == f"{5000 - MAX_TOLD} more documents are not valid YAML"


def test_a_file_of_nothing_but_broken_documents_is_given_up() -> None:
    file = read("---\n]\n" * 200_000)
    more = f"{MAX_BROKEN - MAX_TOLD} more documents are not valid YAML, and the rest of the file is not read"
    assert file.problems[-1].message == more


def test_many_repeated_keys_are_counted_and_not_all_told() -> None:
    file = read("a: 1\n" * 5000)
    assert len(file.problems) == MAX_TOLD + 1
    assert file.problems[-1].message == f"{4999 - MAX_TOLD} more keys are given twice; the last one counts"
    assert {problem.kind for problem in file.problems} == {ProblemKind.LIMITED}


def test_thousands_of_tag_directives_are_refused() -> None:
    file = read("# a\n" + "".join(f"%TAG !x{n}! tag:x\n" for n in range(1000)) + "---\na: 1\n")
    assert [problem.message for problem in file.problems] == ["more than 100 %TAG directives"]


def test_the_first_line_can_be_shifted_for_yaml_inside_another_file() -> None:
    file = read("a: 1\nb: [\n", first_line=10)
    assert file.problems[0].span is not None
    assert file.problems[0].span.start_line in (11, 12)
    assert read("a: 1\nb: |\n  x\n", first_line=10).documents[0].at(("b",)).start_line == 11


def test_the_parser_written_in_python_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: &a {x: 1}\nb: |\n  one\n\n  two\n\n\n# c\nc:\n- !T t\n- *a\n-\n- 'q\n  r'\n---\nd: [\n---\ne: \u2028é\n"
    first = read(text)
    monkeypatch.setattr("policy_engine.yaml_builder.new_parser", yaml.SafeLoader)
    second = read(text)
    assert [document.value for document in first.documents] == [document.value for document in second.documents]
    for one, two in zip(first.documents, second.documents, strict=True):
        assert one.mark == two.mark
        assert one.value.marks == two.value.marks
    assert len(second.problems) == len(first.problems) == 1


def test_undecodable_utf_16_is_told() -> None:
    (problem,) = read("a: b".encode("utf-16") + b"\x00").problems
    assert str(problem) == "file.yaml:1:5: not valid YAML: character U+FFFE is not allowed"
