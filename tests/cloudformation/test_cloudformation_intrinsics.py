"""What expressions come to: values where they can be known, and else why not."""

from __future__ import annotations

from typing import Any

import pytest

from cloudformation_reading import by_address, known, load, resources, template, value_of
from policy_engine.partial import PartialDict, PartialList
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Embedded, Unknown

SECTIONS = """\
Transform: AWS::LanguageExtensions
Parameters:
  Name: {Type: String, Default: web}
  Flag: {Type: String, Default: "True"}
  Port: {Type: Number, Default: "8080"}
  Open: {Type: String}
  Long: {Type: String, MinLength: 1}
  Only: {Type: String, AllowedValues: [one]}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /ami/latest}
  Secret: {Type: String, NoEcho: true, Default: hunter2}
  NoSecret: {Type: String, NoEcho: "true", Default: ""}
Mappings:
  Regions:
    us-east-1: {Ami: ami-1, Flag: "true", List: [x, y]}
    eu-west-1: {Ami: ami-2, Flag: "true", List: [x, z]}
  "012": {"345": {"678": found}}
Conditions:
  Yes1: !Equals [!Ref Name, web]
  No1: !Not [!Condition Yes1]
  Maybe: !Equals [!Ref Open, x]
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plain", "plain"),
        ("12", 12),
        ('"12"', "12"),
        ("TRUE", True),
        ('"FALSE"', False),
        ('"true "', "true "),
        ("yes", True),
        ("y", "y"),
        ("N", "N"),
        ("2012-10-17", "2012-10-17"),
        ("null", None),
        ("!Ref Name", "web"),
        ("{Ref: Name}", "web"),
        ("!Ref Flag", True),
        ("!Ref Port", "8080"),
        ("!Ref Only", "one"),
        ("!Ref Zones", ["a", "b", "c"]),
        ("!Ref NoSecret", ""),
        ("!Ref AWS::NoValue", "(absent)"),
        ("[a, !Ref AWS::NoValue, b]", ["a", "b"]),
        ("!Sub x-${Name}-y", "x-web-y"),
        ("{'Fn::Sub': ['${A}${Name}${B}', {A: 1, B: !Ref Flag}]}", "1webTrue"),
        ("!Sub ${!Name} ${Name}", "${Name} web"),
        ("!Sub '$Name {Name} $$ ${ Name }'", "$Name {Name} $$ web"),
        ("!Join ['-', [a, 1, !Ref Name, true]]", "a-1-web-true"),
        ('!Join ["", ["True", "x"]]', "Truex"),
        ("!Join [',', !Ref Zones]", "a,b,c"),
        ("!Join ['', []]", ""),
        ("!Select [1, [a, b]]", "b"),
        ('!Select ["0", !Ref Zones]', "a"),
        ("!Select [0, !Split ['|', 'x|y']]", "x"),
        ("!Split [',', 'a,b,']", ["a", "b", ""]),
        ("!FindInMap [Regions, us-east-1, Ami]", "ami-1"),
        ("!FindInMap [Regions, nowhere, Ami, {DefaultValue: none}]", "none"),
        ("!FindInMap [None, a, b, {DefaultValue: !Ref Name}]", "web"),
        ("!FindInMap ['012', '345', '678']", "found"),
        ("!FindInMap [Regions, !Ref AWS::Region, Flag]", True),
        ("!If [Yes1, a, b]", "a"),
        ("!If [No1, a, b]", "b"),
        ("!If [Maybe, same, same]", "same"),
        ("!If [No1, a, !Ref AWS::NoValue]", "(absent)"),
        ("{'Fn::If': [Yes1, {a: !Ref Name}, {}]}", {"a": "web"}),
        ("{'Fn::Base64': !Sub 'run ${Name}'}", "run web"),
        ("{'Fn::Base64': {'Fn::Join': ['', [a, b]]}}", "ab"),
        ("!Cidr [10.0.0.0/16, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ("!Cidr ['2001:db8::/56', '2', '64']", ["2001:db8::/64", "2001:db8:0:1::/64"]),
        ("!Select [2, !Cidr [10.0.0.0/16, 4]]", "10.0.2.0/24"),
        ("!Length [a, b]", 2),
        ("{'Fn::Length': !Ref Zones}", 3),
        ("[[], {}, [{}]]", [[], {}, [{}]]),
        ("{Ref: Name, Other: 1}", {"Ref": "Name", "Other": 1}),
        ("{'80': {'443': x}}", {"80": {"443": "x"}}),
        ("'{{resolve:nothing:x}}'", "{{resolve:nothing:x}}"),
    ],
)
def test_what_is_known_is_computed(expression: str, expected: Any) -> None:
    found = value_of(expression, SECTIONS)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "reason", "fragments", "present"),
    [
        ("!Ref Open", "parameter 'Open' has no default", (None,), False),
        ("!Ref Long", "parameter 'Long' has no default", (None,), True),
        ("!Ref Subnets", "parameter 'Subnets' has no default", (), True),
        ("!Ref Image", "parameter 'Image' is read from Parameter Store when deployed (/ami/latest)", (None,), True),
        ("!Ref AWS::Region", "AWS::Region is known only when deployed", (None,), True),
        ("!Ref AWS::Partition", "AWS::Partition is known only when deployed", (None,), True),
        ("!Ref Nothing", "'Nothing' is not declared in this template", (), False),
        ("!GetAtt Nothing.Arn", "'Nothing' is not declared in this template", (), False),
        ("!GetAtt R.Arn", "R.Arn is known only once it is made", ("arn:", None), True),
        ("!GetAtt [R, Some.Deep]", "R.Some.Deep is known only once it is made", (), True),
        ("!Ref R", "the name of 'R' is known only once it is made", (None,), True),
        ("!Sub 'arn:${AWS::Partition}:s3:::${Open}/*'", "AWS::Partition is known only when deployed",
         ("arn:", None, ":s3:::", None, "/*"), True),
        ("!Join ['', ['arn:aws:', !Ref Open]]", "parameter 'Open' has no default", ("arn:aws:", None), True),
        ("!Join [',', !Ref Subnets]", "parameter 'Subnets' has no default", (None,), False),
        ("!Join [',', [a, !If [Maybe, b, !Ref AWS::NoValue]]]",
         "condition 'Maybe' is not known: parameter 'Open' has no default", ("a", None), True),
        ("!Select [0, !Ref Subnets]", "parameter 'Subnets' has no default", (), False),
        ("!Select [7, [a]]", "Fn::Select 7: the list is shorter", (), False),
        ("!Select [x, [a]]", "Fn::Select wants an index and a list", (), False),
        ("!Split [',', !Ref Open]", "parameter 'Open' has no default", (), False),
        ("!FindInMap [Regions, !Ref AWS::Region, Ami]", "AWS::Region is known only when deployed", (None,), True),
        ("!FindInMap [Regions, us-east-1, None]", "mapping 'Regions' has no key 'None'", (), False),
        ("!FindInMap [None, a, b]", "there is no mapping 'None'", (), False),
        ("!If [Maybe, a, b]", "condition 'Maybe' is not known: parameter 'Open' has no default", (None,), True),
        ("!If [Maybe, a, !Ref AWS::NoValue]",
         "condition 'Maybe' is not known: parameter 'Open' has no default", (), False),
        ("!If [Undeclared, a, b]", "condition 'Undeclared' is not declared", (None,), True),
        ("!If [Maybe, a]", "Fn::If wants a condition and two values", (), False),
        ("!GetAZs ''", "the zones of a region are known only when deployed", (), True),
        ("!ImportValue x", "it is imported from another stack", (None,), True),
        ("!Transform {Name: AWS::Include}", "it is made by a macro when the template is deployed", (), False),
        ("!Cidr [10.0.0.0/30, 9, 8]", "Fn::Cidr asks for subnets that the block does not hold", (), False),
        ("!Cidr [!Ref Open, 2, 8]", "parameter 'Open' has no default", (), False),
        ("'{{resolve:ssm:/name:3}}'", "it is read from Parameter Store when deployed", (None,), True),
        ("'x{{resolve:secretsmanager:db:SecretString:p}}'", "it is read from Secrets Manager when deployed",
         ("x", None), True),
        ("!Sub 'x-${Secret}'", "parameter 'Secret' is not for showing (NoEcho)", ("x-", None), True),
    ],
)  # fmt: skip
def test_what_is_not_known_says_why(
    expression: str, reason: str, fragments: tuple[str | None, ...], present: bool
) -> None:
    found = value_of(expression, SECTIONS)
    assert type(found) is Unknown
    assert (found.reason, found.fragments, found.present) == (reason, fragments, present)


@pytest.mark.parametrize(
    ("expression", "addresses"),
    [
        ("!Ref R", ("R",)),
        ("!GetAtt R.Arn", ("R",)),
        ("!Sub '${R}-${R.Arn}'", ("R",)),
        ("!Join ['', [!GetAtt R.Arn, !Ref Open, '/*']]", ("R",)),
        ("!If [Maybe, !Ref R, !Ref Open]", ("R",)),
        ("!Ref Secret", ("parameter.Secret",)),
        ("!Ref Open", ()),
        ("'{{resolve:secretsmanager:db}}'", ("secretsmanager:db",)),
        ("'{{resolve:ssm:name}}'", ()),
    ],
)
def test_an_unknown_says_which_resources_it_comes_from(expression: str, addresses: tuple[str, ...]) -> None:
    assert value_of(expression, SECTIONS).refers_to == addresses


def test_of_either_of_two_mappings_what_both_say_is_known() -> None:
    found = value_of("!If [Maybe, {A: 1, B: 2, C: {D: x, E: y}}, {A: 1, B: 3, C: {D: x}, F: z}]", SECTIONS)
    assert isinstance(found, PartialDict)
    assert found["A"] == 1
    assert type(found["B"]) is Unknown
    assert dict.keys(found) == {"A", "B", "C"}
    assert dict(found["C"]) == {"D": "x"}
    assert type(found.get("F")) is Unknown


def test_an_item_that_may_not_be_there_leaves_the_others_known() -> None:
    found = value_of("[!If [Maybe, {A: 1}, !Ref AWS::NoValue], {A: 2}]", SECTIONS)
    assert isinstance(found, PartialList)
    assert found[1] == {"A": 2}
    assert found.least == 1


def test_a_document_as_text_is_at_hand_as_values() -> None:
    found = value_of("{'Fn::ToJsonString': {Statement: [{Resource: !GetAtt R.Arn}]}}", SECTIONS)
    assert isinstance(found, Embedded)
    assert known(found.value) == {"Statement": [{"Resource": "?R.Arn is known only once it is made"}]}


def test_the_value_of_a_hidden_parameter_is_never_known() -> None:
    text = template("A: !Ref Secret\nB: !Sub '${Secret}!'", sections=SECTIONS)
    assert "hunter2" not in repr(dict(resources(text)["R"].value.items()))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!Equals [!Ref Name, web]", True),
        ("!Equals [!Ref Name, Web]", False),
        ("!Equals [true, 'true']", True),
        ("!Equals ['True', 'true']", False),
        ("!Equals [1, '1']", True),
        ("!Equals [!Ref Open, x]", None),
        ("!Equals [!Sub 'a-${Open}', b]", False),
        ("!Equals [!Ref Long, '']", False),
        ("!Equals [!Ref Zones, [a, b, c]]", True),
        ("!Not [!Equals [!Ref Open, x]]", None),
        ("!And [!Equals [a, b], !Equals [!Ref Open, x]]", False),
        ("!And [!Equals [a, a], !Equals [!Ref Open, x]]", None),
        ("!Or [!Equals [a, a], !Equals [!Ref Open, x]]", True),
        ("!Or [!Equals [a, b], !Equals [!Ref Open, x]]", None),
        ("{'Fn::Or': [{Condition: No1}, {'Fn::Not': [{Condition: No1}]}]}", True),
        ("!Equals [!FindInMap [Regions, us-east-1, Ami], ami-1]", True),
        ("{Condition: Undeclared}", None),
        ("!Equals [a]", None),
        ("{'Fn::And': x}", None),
        ("nonsense", None),
    ],
)
def test_conditions_are_decided_where_they_can_be(condition: str, expected: bool | None) -> None:
    sections = f"{SECTIONS}  It: {condition}\n"
    text = f"{sections}Resources:\n  R:\n    Type: Custom::Thing\n    Condition: It\n  S: {{Type: Custom::Other}}\n"
    found = resources(text)
    assert ("R" in found) is (expected is not False)
    if expected is None:
        value = value_of("!If [It, a, b]", sections)
        assert type(value) is Unknown


def test_conditions_that_need_each_other_are_told_and_unknown() -> None:
    text = (
        "Conditions:\n  A: !Not [!Condition B]\n  B: !And [!Condition A, !Equals [a, a]]\n"
        "Resources:\n  R: {Type: Custom::Thing, Condition: A}\n"
    )
    loaded = load(text)
    (problem,) = loaded.problems
    assert str(problem) == "template.yaml:2:3: condition 'A' refers to itself: A -> B -> A"
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD
    assert [resource.address for resource in loaded.resources] == ["R"]


def test_what_stands_beside_the_properties_is_under_keys_of_its_own() -> None:
    text = """\
Conditions:
  Maybe: !Equals [!Ref AWS::Region, x]
Resources:
  A: {Type: Custom::Thing}
  B:
    Type: Custom::Thing
    DependsOn: [A]
    Condition: Maybe
    DeletionPolicy: !If [Maybe, Retain, Retain]
    UpdateReplacePolicy: Snapshot
    Metadata: {Note: !Ref A}
    CreationPolicy: {ResourceSignal: {Count: 1}}
    UpdatePolicy: {}
    Properties: {DeletionPolicy: own}
"""
    assert known(resources(text)["B"].value) == {
        "DeletionPolicy": "own",
        "cfn:DeletionPolicy": "Retain",
        "cfn:UpdateReplacePolicy": "Snapshot",
        "cfn:DependsOn": ["A"],
        "cfn:Metadata": {"Note": "?the name of 'A' is known only once it is made"},
        "cfn:Condition": "Maybe",
        "cfn:CreationPolicy": {"ResourceSignal": {"Count": 1}},
        "cfn:UpdatePolicy": {},
    }


@pytest.mark.parametrize("properties", ["", "    Properties:\n", "    Properties: {}\n", "    Properties: null\n"])
def test_a_resource_may_have_no_properties(properties: str) -> None:
    assert resources(f"Resources:\n  R:\n    Type: AWS::S3::Bucket\n{properties}")["R"].value == {}


def test_properties_may_be_chosen_as_a_whole() -> None:
    text = "Resources:\n  R:\n    Type: Custom::Thing\n    Properties: !If [Maybe, {A: 1, B: 2}, {A: 1}]\n"
    value = resources(f"Conditions:\n  Maybe: !Equals [!Ref AWS::Region, x]\n{text}")["R"].value
    assert value["A"] == 1
    assert type(value.get("B")) is Unknown


def test_a_name_that_leads_to_a_resource_that_is_not_made_is_unknown() -> None:
    text = """\
Conditions: {Never: !Equals [a, b]}
Resources:
  Gone: {Type: Custom::Thing, Condition: Never}
  R: {Type: Custom::Thing, Properties: {V: !Ref Gone}}
"""
    found = resources(text)
    assert set(found) == {"R"}
    assert found["R"].value["V"].reason == "'Gone' is not made, as its condition does not hold"


# -- loops


def test_a_loop_makes_resources_outputs_conditions_and_properties() -> None:
    text = """\
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "alpha,be-ta"}
Conditions:
  Fn::ForEach::Conditions:
    - Name
    - [Alpha, Beta]
    - Is${Name}: !Equals [!Ref Name, Alpha]
Resources:
  Fn::ForEach::Topics:
    - Name
    - !Ref Names
    - Topic&{Name}:
        Type: AWS::SNS::Topic
        Properties:
          TopicName: !Sub "${Name}-${AWS::Region}"
          DisplayName: ${Name}
          Tag: !Ref Name
          Chosen: !If [IsAlpha, !Join ["", [x, !Ref Name]], y]
          Fn::ForEach::Inner:
            - Key
            - [A, B]
            - Prop${Key}${Name}: !Ref Key
  Fn::ForEach::Queues:
    - Name
    - [Alpha, Beta]
    - Queue${Name}: {Type: AWS::SQS::Queue, Condition: !Sub "Is${Name}"}
  Fn::ForEach::Outer:
    - X
    - [P, Q]
    - Fn::ForEach::Within:
        - Y
        - [S]
        - Both${X}${Y}: {Type: Custom::Thing, Properties: {At: !GetAtt "Topicalpha.TopicArn"}}
Outputs:
  Fn::ForEach::Outs:
    - Name
    - [Alpha]
    - Out${Name}: {Value: !Ref Name}
"""
    found = resources(text)
    assert set(found) == {
        *("parameter.Names", "Topicalpha", "Topicbeta", "QueueAlpha", "BothPS", "BothQS"),
        "output.OutAlpha",
    }
    value = found["Topicbeta"].value
    assert value["TopicName"].fragments == ("be-ta-", None)
    assert {key: value[key] for key in value if key != "TopicName"} == {
        "DisplayName": "be-ta",
        "Tag": "be-ta",
        "Chosen": "xbe-ta",
        "PropAbe-ta": "A",
        "PropBbe-ta": "B",
    }
    assert found["output.OutAlpha"].value == {"Value": "Alpha", "cfn:Name": "OutAlpha"}
    assert found["BothPS"].value["At"].refers_to == ("Topicalpha",)


def test_a_loop_over_what_is_not_known_is_told() -> None:
    text = """\
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Topics: [Name, !Ref Names, {"Topic${Name}": {Type: AWS::SNS::Topic}}]
  R:
    Type: Custom::Thing
    Properties:
      A: 1
      Fn::ForEach::Props: [Name, !Ref Names, {"P${Name}": 1}]
"""
    loaded = load(text)
    assert [str(problem) for problem in loaded.problems] == [
        "template.yaml:4:3: resources are passed over: parameter 'Names' has no default"
    ]
    value = by_address(loaded)["R"].value
    assert value["A"] == 1
    assert type(value.get("Pweb")) is Unknown


# -- macros


def test_what_a_macro_may_add_is_not_known() -> None:
    loaded = load("Transform: [Company]\n" + template("A: {B: 1}"))
    assert [problem.message for problem in loaded.problems] == [
        "macro 'Company' rewrites this template; what it adds is not known"
    ]
    value = loaded.resources[0].value
    assert value["A"]["B"] == 1
    for missing in (value.get("X"), value["A"].get("X")):
        assert missing.reason == "macro 'Company' rewrites the template when it is deployed"


def test_a_macro_among_properties_leaves_the_written_ones_known() -> None:
    value = resources(template("A: 1\nFn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/x}}"))[
        "R"
    ].value
    assert value["A"] == 1
    assert type(value.get("X")) is Unknown


@pytest.mark.parametrize(
    "name", ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::SecretsManager-2020-07-23"]
)
def test_transforms_that_are_followed_hide_nothing(name: str) -> None:
    assert resources(f"Transform: {name}\n" + template("A: 1"))["R"].value.get("X") is None
