"""Nested stacks, by path in the repository, and what the CDK synthesises."""

from __future__ import annotations

import json

from cloudformation_reading import by_address, cut, known, load_files, units
from policy_engine.unit import Unit

CHILD = """\
Parameters:
  Public: {Type: String, Default: "true"}
  Zones: {Type: CommaDelimitedList, Default: x}
  Secret: {Type: String, NoEcho: true}
Resources:
  Base:
    Type: AWS::RDS::DBInstance
    Properties:
      PubliclyAccessible: !Ref Public
      Zones: !Ref Zones
      MasterUserPassword: !Ref Secret
Outputs:
  Flag: {Value: !Ref Public}
  Arn: {Value: !GetAtt Base.DBInstanceArn}
"""

PARENT = """\
Parameters:
  Open: {Type: String, Default: "false"}
Resources:
  Data:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./nested/child.yaml
      Parameters:
        Public: !Ref Open
        Zones: !Join [",", [a, b]]
        Secret: letmein
  User:
    Type: Custom::Thing
    Properties:
      Flag: !GetAtt Data.Outputs.Flag
      Arn: !GetAtt Data.Outputs.Arn
      None: !GetAtt Data.Outputs.None
      Id: !Ref Data
"""


def test_a_child_that_is_called_is_judged_through_the_call() -> None:
    files = {"app/main.yaml": PARENT, "app/nested/child.yaml": CHILD}
    assert units(files) == [Unit("cloudformation", "app/main.yaml", ("app/main.yaml", "app/nested/child.yaml"))]
    loaded = load_files(files)["app/main.yaml"]
    assert loaded.problems == []
    found = by_address(loaded)
    assert {"Data", "Data/Base", "Data/parameter.Public", "Data/output.Flag", "User", "parameter.Open"} <= set(found)
    assert known(found["Data/Base"].value) == {
        "PubliclyAccessible": False,
        "Zones": ["a", "b"],
        "MasterUserPassword": "?parameter 'Secret' is not for showing (NoEcho)",
    }
    assert known(found["User"].value) == {
        "Flag": False,
        "Arn": "?Base.DBInstanceArn is known only once it is made",
        "None": "?there is no output 'None' in app/nested/child.yaml",
        "Id": "?the name of 'Data' is known only once it is made",
    }
    assert found["User"].value["Arn"].refers_to == ("Data/Base",)


def test_a_value_is_followed_through_the_call_to_where_it_is_set() -> None:
    files = {"main.yaml": PARENT, "nested/child.yaml": CHILD}
    found = by_address(load_files(files)["main.yaml"])
    trace = found["Data/Base"].locate(("PubliclyAccessible",))
    told = [(trace.location, ""), *trace.related]
    assert [(place.path, cut(files[place.path], place.span), why) for place, why in told] == [
        ("main.yaml", 'Default: "false"', ""),
        ("main.yaml", "Public: !Ref Open", "used by Data/parameter.Public here"),
        ("nested/child.yaml", "PubliclyAccessible: !Ref Public", "used by Data/Base here"),
    ]
    trace = found["User"].locate(("Flag",))
    assert [place.path for place, _ in trace.related] == ["main.yaml", "nested/child.yaml", "main.yaml"]
    assert found["Data/Base"].locate(("MasterUserPassword",)).sensitive


def test_a_child_that_is_called_twice_is_there_twice() -> None:
    parent = """\
Resources:
  A: {Type: AWS::Serverless::Application, Properties: {Location: child.yaml, Parameters: {Public: "false", Secret: x}}}
  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Secret: y}}}
"""
    found = by_address(load_files({"p.yaml": parent, "child.yaml": CHILD})["p.yaml"])
    assert [found[f"{name}/Base"].value["PubliclyAccessible"] for name in "AB"] == [False, True]


def test_a_child_of_a_stack_that_is_not_made_is_not_there() -> None:
    parent = (
        "Conditions: {Never: !Equals [a, b]}\nResources:\n"
        "  A: {Type: AWS::CloudFormation::Stack, Condition: Never, Properties: {TemplateURL: child.yaml}}\n"
    )
    assert load_files({"p.yaml": parent, "child.yaml": CHILD})["p.yaml"].resources == []


def test_a_child_that_nobody_calls_is_judged_on_its_own() -> None:
    assert set(load_files({"child.yaml": CHILD, "other.yaml": CHILD})) == {"child.yaml", "other.yaml"}


def test_what_cannot_be_followed_is_told() -> None:
    def nested(url: str) -> str:
        return f"Resources:\n  A:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {url}\n"

    for url, why in {
        "https://s3.amazonaws.com/b/x.yaml": "its template is not in this repository",
        "s3://b/x.yaml": "its template is not in this repository",
        '"{{resolve:ssm:/template}}"': "where its template is, is known only when deployed",
        '!Sub "https://${AWS::Region}/x"': "where its template is, is known only when deployed",
        "../../x.yaml": "'../../x.yaml' leads out of the scanned folder",
        "/etc/x.yaml": "'/etc/x.yaml' leads out of the scanned folder",
        "gone.yaml": "there is no f/gone.yaml",
        "p.yaml": "f/p.yaml nests itself",
    }.items():
        loaded = load_files({"f/p.yaml": nested(url)})["f/p.yaml"]
        assert [str(problem) for problem in loaded.problems] == [
            f"f/p.yaml:5:7: the nested stack is not followed: {why}"
        ]
        assert len(loaded.resources) == 1


def test_templates_that_nest_each_other_end() -> None:
    def nested(path: str) -> str:
        return f"Resources:\n  S: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {path}}}}}\n"

    loaded = load_files({"a.yaml": nested("b.yaml"), "b.yaml": nested("a.yaml")})
    assert list(loaded) == ["a.yaml"]
    assert [resource.address for resource in loaded["a.yaml"].resources] == ["S", "S/S"]
    assert [problem.message for problem in loaded["a.yaml"].problems] == [
        "the nested stack is not followed: a.yaml nests itself"
    ]


def test_stacks_that_multiply_are_bounded() -> None:
    files = {}
    for number in range(12):
        body = "".join(
            f"  S{i}: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: t{number + 1}.yaml}}}}\n"
            for i in range(4)
        )
        files[f"t{number}.yaml"] = f"Resources:\n{body}"
    files["t12.yaml"] = CHILD
    (loaded,) = load_files(files).values()
    assert len(loaded.resources) < 2000
    assert any("there are too many of them" in problem.message for problem in loaded.problems)


def test_outputs_that_need_each_other_are_unknown() -> None:
    parent = """\
Resources:
  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: c.yaml, Parameters: {P: !GetAtt A.Outputs.O}}}
"""
    child = "Parameters: {P: {Type: String}}\nResources: {R: {Type: Custom::X}}\nOutputs: {O: {Value: !Ref P}}\n"
    found = by_address(load_files({"p.yaml": parent, "c.yaml": child})["p.yaml"])
    assert "known only once it is made" in found["A/output.O"].value["Value"].reason


def test_a_broken_child_is_told_at_its_own_place() -> None:
    files = {"main.yaml": PARENT, "nested/child.yaml": "Resources:\n  A: [\n"}
    loaded = load_files(files)["main.yaml"]
    assert [problem.path for problem in loaded.problems] == ["nested/child.yaml"]
    assert {"Data", "User"} <= set(by_address(loaded))


# -- CDK


def test_what_the_cdk_synthesises_is_named_by_its_construct() -> None:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"aws:cdk:path": "Shop/Data/Resource", "aws:asset:path": "asset.abc"},
    }
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": {"Fn::Sub": "https://s3.${AWS::Region}.amazonaws.com/x"}},
        "Metadata": {
            "aws:cdk:path": "Shop/Inner.NestedStack/Inner.NestedStackResource",
            "aws:asset:path": "ShopInner.nested.template.json",
            "aws:asset:property": "TemplateURL",
        },
    }
    files = {
        "cdk.out/Shop.template.json": json.dumps({"Resources": {"Data123": bucket, "Inner456": nested}}, indent=1),
        "cdk.out/ShopInner.nested.template.json": json.dumps({"Resources": {"B": bucket}}, indent=1),
        "cdk.out/tree.json": json.dumps({"tree": {"children": {"Resources": {"Type": "AWS::S3::Bucket"}}}}),
    }
    (loaded,) = load_files({path: files[path] for path in list(files)[:2]}).values()
    assert loaded.problems == []
    assert {(one.address, one.name) for one in loaded.resources} == {
        ("Data123", "Shop/Data"),
        ("Inner456", "Shop/Inner.NestedStack/Inner.NestedStackResource"),
        ("Inner456/B", "Shop/Data"),
    }
