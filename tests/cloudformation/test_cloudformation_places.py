"""Where findings point: each place is compared with what it cuts out of the template."""

from __future__ import annotations

import json

import pytest

from cloudformation_reading import by_address, cut, load_files, paths, resources, shown
from cloudformation_templates import templates
from policy_engine.resource import AttributePath, Resource

YAML = """\
Parameters:
  Encrypted: {Type: String, Default: "false"}
  Password:
    Type: String
    NoEcho: true
    Default: hunter2
Mappings:
  Sizes:
    small: {Days: 1}
Conditions:
  Big: !Equals [a, b]
  Maybe: !Equals [!Ref AWS::Region, x]
Resources:
  Base:   # the header
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Delete
    Properties:
      StorageEncrypted: !Ref Encrypted
      BackupRetentionPeriod: !FindInMap [Sizes, small, Days]
      MasterUserPassword: !Sub "${Password}"
      Chosen: !If [Big, {Deep: 1}, {Deep: 2}]
      Long:
        Fn::If:
          - Big
          - A: 1
          - A: !Ref Encrypted
      Doubt: !If [Maybe, {Deep: 3}, {Deep: 3}]
      Items:
        - !If [Big, gone, !Ref AWS::NoValue]
        - first
        - Key: second
          Other: x
      Text: |
        one
        two
      Picked: !Select [1, [a, !Ref Encrypted]]
      Doc: !ToJsonString {Statement: [{Effect: Allow}]}
  Bare: {Type: AWS::S3::Bucket}
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), "Base"),
        (("Missing",), "Base"),
        (("cfn:DeletionPolicy",), "DeletionPolicy: Delete"),
        (("cfn:Metadata", "x"), "Base"),
        (("StorageEncrypted",), 'Default: "false"'),
        (("BackupRetentionPeriod",), "Days: 1"),
        (("MasterUserPassword",), "Default: hunter2"),
        (("Chosen",), "Chosen: !If [Big, {Deep: 1}, {Deep: 2}]"),
        (("Chosen", "Deep"), "Deep: 2"),
        (("Chosen", "Missing"), "Chosen: !If [Big, {Deep: 1}, {Deep: 2}]"),
        (("Long",), "Long"),
        (("Long", "A"), 'Default: "false"'),
        (("Doubt", "Deep"), "Deep: 3"),
        (("Items",), "Items"),
        (("Items", 0), "first"),
        (("Items", 1), "Key: second"),
        (("Items", 1, "Other"), "Other: x"),
        (("Items", 7), "Items"),
        (("Text",), "Text: |"),
        (("Text", "inside"), "Text: |"),
        (("Picked",), 'Default: "false"'),
        (("Doc", "Statement", 0, "Effect"), "Effect: Allow"),
    ],
)
def test_the_place_to_change_is_shown(path: AttributePath, expected: str) -> None:
    assert shown(YAML, resources(YAML)["Base"], *path) == expected


def test_the_places_a_value_came_through_are_related() -> None:
    trace = resources(YAML)["Base"].locate(("Long", "A"))
    assert [(cut(YAML, place.span), why) for place, why in trace.related] == [
        ("A: !Ref Encrypted", "used by Base here")
    ]


def test_what_came_from_a_hidden_parameter_is_sensitive() -> None:
    found = resources(YAML)
    assert found["Base"].locate(("MasterUserPassword",)).sensitive
    assert found["parameter.Password"].locate(("Default",)).sensitive
    assert not found["parameter.Password"].locate(("NoEcho",)).sensitive
    assert not found["Base"].locate(("StorageEncrypted",)).sensitive


def test_the_extent_of_a_resource_is_all_of_it() -> None:
    found = resources(YAML)
    assert found["Base"].extent is not None
    assert cut(YAML, found["Base"].extent.span) == YAML[YAML.index("Base:") : YAML.index("\n  Bare")]
    assert found["Bare"].location.span.start_line == 38


JSON = """\
{
  "Parameters": {"P": {"Type": "String", "Default": "x"}},
  "Resources": {
    "A": {
      "Type": "AWS::S3::Bucket",
      "Properties": {
        "One": "1", "Two" : [1, {"Three": 3,
          "Four": "\\u00e9\\"}"}],
        "Ref": {"Ref": "P"},
        "Twice": 1,
\t\t"Twice": 2,
        "Empty": [],
        "Long": [
          "text",
          {
            "Key": "v" }
        ]
      }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), '"A"'),
        (("Missing",), '"A"'),
        (("One",), '"One": "1"'),
        (("Two",), '"Two"'),
        (("Two", 0), "1"),
        (("Two", 1), '"Three": 3'),
        (("Two", 1, "Four"), '"Four": "\\u00e9\\"}"'),
        (("Ref",), '"Default": "x"'),
        (("Twice",), '"Twice": 2'),
        (("Empty",), '"Empty": []'),
        (("Empty", 0), '"Empty": []'),
        (("Long", 0), '"text"'),
        (("Long", 1), '"Key": "v"'),
        (("Long", 1, "Key"), '"Key": "v"'),
        (("Long", 1, "None"), '"Key": "v"'),
    ],
)
def test_json_is_placed_as_yaml_is(path: AttributePath, expected: str) -> None:
    loaded = load_files({"t.json": JSON})["t.json"]
    assert [str(problem) for problem in loaded.problems] == [
        "t.json:11:3: key 'Twice' is given twice; the last one counts"
    ]
    assert shown(JSON, by_address(loaded)["A"], *path) == expected


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_they_end(ending: str) -> None:
    for text, name in ((YAML, "t.yaml"), (JSON, "t.json")):
        moved = text.replace("\n", ending)
        found = by_address(load_files({name: moved})[name])
        address = "Base" if name == "t.yaml" else "A"
        assert cut(moved, found[address].location.span).strip('"') == address


def test_a_byte_order_mark_moves_nothing() -> None:
    found = by_address(load_files({"t.json": "\ufeff" + JSON})["t.json"])
    assert shown(JSON, found["A"], "One") == '"One": "1"'


def test_every_attribute_of_every_sample_is_placed_on_what_it_is() -> None:
    looked_at = 0
    for name, text in templates(120):
        for loaded in load_files({name: text}).values():
            for resource in loaded.resources:
                looked_at += sum(_check(text, resource, path, value) for path, value in paths(resource.value))
    assert looked_at > 20_000


def _check(text: str, resource: Resource, path: AttributePath, value: object) -> int:
    """A place is never empty; one of a scalar that is written out shows it."""
    trace = resource.locate(path)
    place = cut(text, trace.location.span)
    assert place.strip(), (resource.address, path)
    for location, _ in trace.related:
        assert cut(text, location.span).strip(), (resource.address, path)
    if resource.address.endswith(".Role"):
        return 1  # what SAM adds of its own is nowhere written
    if isinstance(value, str) and value and value.isalnum() and path and "(missing)" not in path:
        names = [json.dumps(value)[1:-1], str(path[-1]), "Default", "!If", "Fn::If", "!FindInMap", "!Select", "!Cidr"]
        assert any(each in place for each in names), (resource.address, path, value, place)
    return 1
