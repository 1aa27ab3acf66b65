"""Places: every span is compared with what it cuts out of the source."""

from __future__ import annotations

import re

import pytest

from policy_engine.resource import AttributePath
from policy_engine.span import Span
from policy_engine.yaml_document import YamlDocument, YamlMapping, YamlSequence, comments, parse_yaml


def cut(text: str, span: Span) -> str:
    """What `span` covers."""
    text = text.removeprefix("\ufeff")
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    return text[starts[span.start_line - 1] + span.start_column - 1 : starts[span.end_line - 1] + span.end_column - 1]


def document(text: str) -> YamlDocument:
    file = parse_yaml(text.encode(), "file.yaml")
    assert file.problems == ()
    return file.documents[0]


MANIFEST = """\
# the shop
kind: Pod   # what it is
metadata:
  name: "web"
  labels: {app: web, tier: front}

  annotations:
spec:
  hostNetwork: true
  containers:
    - name: app
      image: web:1
      command:
        - sh
        - -c
        - |
          one
          two

      args: ["a",
        "b"]
      note: first
        second
      far:
        "below"
    - # a comment first
      image: *img
      "quoted key" : [x]
    - {name: flow, ports: [{containerPort: 80}]}
    - - nested
    - [x, y]
    -
  script: |-  # why
    line one

    line two
  folded: !Tag >+
    text

  last: end
""".replace("*img", "other")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("kind",), "kind: Pod"),
        (("metadata",), "metadata"),
        (("metadata", "name"), 'name: "web"'),
        (("metadata", "labels"), "labels: {app: web, tier: front}"),
        (("metadata", "labels", "tier"), "tier: front"),
        (("metadata", "annotations"), "annotations:"),
        (("spec", "hostNetwork"), "hostNetwork: true"),
        (("spec", "containers"), "containers"),
        (("spec", "containers", 0), "name: app"),
        (("spec", "containers", 0, "command"), "command"),
        (("spec", "containers", 0, "command", 1), "-c"),
        (("spec", "containers", 0, "command", 2), "|"),
        (("spec", "containers", 0, "args"), "args"),
        (("spec", "containers", 0, "args", 1), '"b"'),
        (("spec", "containers", 0, "note"), "note"),
        (("spec", "containers", 0, "far"), "far"),
        (("spec", "containers", 1), "image: other"),
        (("spec", "containers", 1, "quoted key"), '"quoted key" : [x]'),
        (("spec", "containers", 2), "name: flow"),
        (("spec", "containers", 2, "ports"), "ports: [{containerPort: 80}]"),
        (("spec", "containers", 2, "ports", 0), "containerPort: 80"),
        (("spec", "containers", 3), "- nested"),
        (("spec", "containers", 4), "[x, y]"),
        (("spec", "containers", 5), ""),
        (("spec", "script"), "script: |-"),
        (("spec", "folded"), "folded: !Tag >+"),
        (("spec", "last"), "last: end"),
        # what does not exist is shown at the innermost thing that does
        ((), "kind: Pod"),
        (("nothing",), "kind: Pod"),
        (("metadata", "namespace"), "metadata"),
        (("spec", "containers", 0, "securityContext", "privileged"), "name: app"),
        (("spec", "containers", 9), "containers"),
        (("spec", "containers", "name"), "containers"),
        (("spec", "containers", -1), "containers"),
        (("spec", "hostNetwork", "deeper"), "hostNetwork: true"),
        ((0,), "kind: Pod"),
    ],
)
def test_an_attribute_is_shown_by_its_smallest_telling_stretch(path: AttributePath, shown: str) -> None:
    assert cut(MANIFEST, document(MANIFEST).at(path)) == shown


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        (("kind",), "kind: Pod"),
        (("metadata", "annotations"), "annotations:"),
        (
            ("spec", "containers", 0, "command"),
            "command:\n        - sh\n        - -c\n        - |\n          one\n          two",
        ),
        (("spec", "containers", 0, "args"), 'args: ["a",\n        "b"]'),
        (("spec", "containers", 0, "note"), "note: first\n        second"),
        (("spec", "containers", 1), 'image: other\n      "quoted key" : [x]'),
        (("spec", "script"), "script: |-  # why\n    line one\n\n    line two"),
        (("spec", "folded"), "folded: !Tag >+\n    text"),
        ((), MANIFEST[MANIFEST.index("kind") : -1]),
    ],
)
def test_an_extent_covers_the_whole_block_and_no_blank_lines_behind_it(path: AttributePath, whole: str) -> None:
    assert cut(MANIFEST, document(MANIFEST).extent(path)) == whole


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_places_count_characters_whatever_the_line_end(line_end: str, mark: str) -> None:
    text = mark + line_end.join(["日本: 'é𝒳'  # ß", "b:", "  - c:\td", "  - |", "    é", "", "e: [𝒳, f]", ""])
    found = document(text)
    assert cut(text, found.at(("日本",))) == "日本: 'é𝒳'"
    assert cut(text, found.at(("b", 0))) == "c:\td"
    assert cut(text, found.extent(("b", 1))) == f"|{line_end}    é"
    assert cut(text, found.at(("e", 1))) == "f"
    assert cut(text, found.extent(())) == text.removeprefix("\ufeff")[: -len(line_end)]


def test_trailing_blanks_belong_to_a_block_scalar() -> None:
    text = "a: |\n  x  \n\nb: 1\n"
    assert cut(text, document(text).extent(("a",))) == "a: |\n  x  "


def test_an_empty_block_scalar_ends_at_its_indicator() -> None:
    text = "a: |\n\n\nb: 1\n"
    assert cut(text, document(text).extent(("a",))) == "a: |"


def test_an_alias_is_shown_where_it_is_written_and_its_content_where_that_is() -> None:
    text = "base: &base\n  x: 1\nuse: *base\nlist:\n  - *base\n"
    found = document(text)
    assert cut(text, found.at(("use",))) == "use: *base"
    assert cut(text, found.at(("list", 0))) == "*base"
    assert cut(text, found.at(("use", "x"))) == "x: 1"
    assert found.at(("use", "x")).start_line == 2


def test_a_merged_key_is_shown_where_it_is_written() -> None:
    text = "base: &base\n  x: 1\nuse:\n  <<: *base\n  y: 2\n"
    found = document(text)
    assert found.at(("use", "x")) == found.at(("base", "x"))
    assert cut(text, found.at(("use", "y"))) == "y: 2"


def test_a_mapping_of_merges_alone_is_shown_where_it_stands() -> None:
    text = "base: &base\n  x: 1\nlist:\n  - <<: *base\n"
    assert cut(text, document(text).at(("list", 0))) == "<<: *base"


def test_later_documents_keep_their_places_behind_a_broken_one() -> None:
    text = "a: 1\n---\nb: [\n---\nc: |\n  x\n\n---\nd: é\n"
    file = parse_yaml(text.encode(), "file.yaml")
    assert [cut(text, found.at(())) for found in file.documents] == ["a: 1", "c: |", "d: é"]
    assert cut(text, file.documents[1].extent(("c",))) == "c: |\n  x"


def test_collections_know_their_own_place() -> None:
    text = "a:\n  - [1, 2]\n  - b: c\n\nd: e\n"
    value = document(text).value
    assert cut(text, Span(*value["a"].mark)) == "- [1, 2]\n  - b: c"
    assert cut(text, Span(*value["a"][0].mark)) == "[1, 2]"
    key, item = value["a"][1].marks["b"]
    assert (cut(text, Span(*key)), cut(text, Span(*item))) == ("b", "c")


def test_every_mark_cuts_out_what_the_value_says() -> None:
    found = document(MANIFEST)
    seen = 0
    stack: list[object] = [found.value]
    while stack:
        value = stack.pop()
        if isinstance(value, YamlMapping):
            for key, item in value.items():
                key_mark, mark = value.marks[key]
                assert cut(MANIFEST, Span(*key_mark)).strip('"') == key
                if isinstance(item, str) and "\n" not in cut(MANIFEST, Span(*mark)):
                    assert cut(MANIFEST, Span(*mark)).strip('"') == item
                    seen += 1
                stack.append(item)
        elif isinstance(value, YamlSequence):
            assert len(value.marks) == len(value)
            stack.extend(value)
    assert seen == 10


COMMENTED = """\
# alone
a: b # behind
c: "# not one"   #two words
d: x#y
e: |  # on the indicator
  # text, no comment
  more
 # between
f: >-
  # text
g: [1, # in a list
  2] #
'h': {  # open
}
# é last"""


def test_comments_are_those_the_scanner_skips() -> None:
    assert [(comment.text, comment.alone) for comment in comments(COMMENTED.encode(), "f")] == [
        (" alone", True),
        (" behind", False),
        ("two words", False),
        (" on the indicator", False),
        (" between", True),
        (" in a list", False),
        ("", False),
        (" open", False),
        (" é last", True),
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_comments_place_is_the_sign_and_the_text(line_end: str) -> None:
    text = "\ufeff" + COMMENTED.replace("\n", line_end)
    for comment in comments(text.encode(), "f"):
        assert cut(text, comment.location.span) == "#" + comment.text


def test_comments_behind_a_broken_document_are_found() -> None:
    text = "# one\na: 1\n---\n# two\nb: [ # three\n---\nc: 1 # four\n---\nd: \x00 # lost\n---\n# five\n"
    found = comments(text.encode(), "f")
    assert [(comment.text, comment.location.span.start_line) for comment in found] == [
        (" one", 1),
        (" two", 4),
        (" three", 5),
        (" four", 7),
        (" five", 11),
    ]


def test_comments_of_hostile_text_come_quickly() -> None:
    assert comments(b"[" * 500_000 + b" # x", "f") == []
    assert [comment.text for comment in comments(b"\xff # x\n---\n# y", "f")] == [" y"]
