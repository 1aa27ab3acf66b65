"""SAM: globals, and the plain resources that it makes."""

from __future__ import annotations

from typing import Any

from cloudformation_reading import cut, known, resources, shown

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.7
    Timeout: 10
    Tracing: Active
    Environment:
      Variables: {STAGE: test, LEVEL: info}
    Layers: [shared]
    VpcConfig: {SecurityGroupIds: [sg-1]}
    KmsKeyArn: !Ref AWS::NoValue
  Api:
    TracingEnabled: true
Resources:
  Handler:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.main
      Timeout: 30
      Environment:
        Variables:
          LEVEL: debug
      Layers: [own]
      VpcConfig: !If [C, x, y]
      InlineCode: print(1)
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Queue.Arn}
      Policies:
        - AmazonS3FullAccess
        - S3ReadPolicy: {BucketName: b}
        - Statement: {Effect: Allow, Action: "*", Resource: "*"}
      FunctionUrlConfig: {AuthType: NONE}
  Bare: {Type: AWS::Serverless::Function}
  WithRole:
    Type: AWS::Serverless::Function
    Properties: {Role: !GetAtt Bare.Arn, Events: {E: {Type: Api}}}
  Gate:
    Type: AWS::Serverless::Api
    Properties: {StageName: prod, EndpointConfiguration: {Type: PRIVATE}, MethodSettings: [{HttpMethod: "*"}]}
  Http: {Type: AWS::Serverless::HttpApi, Properties: {StageName: x}}
  Simple: {Type: AWS::Serverless::SimpleTable, Properties: {SSESpecification: {SSEEnabled: "true"}}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {Logging: {Level: ALL}, Tracing: {Enabled: true}, Type: EXPRESS}
  Queue: {Type: AWS::SQS::Queue}
  User:
    Type: Custom::Thing
    Properties:
      A: !Ref Gate.Stage
      B: !GetAtt HandlerRole.Arn
      C: !Ref GateprodStage
      D: !Ref ServerlessRestApi
"""


def found() -> dict[str, Any]:
    return resources(TEMPLATE)


def test_globals_are_merged_as_sam_merges_them() -> None:
    value = known(found()["Handler"].value)
    assert {key: value[key] for key in ("Runtime", "Timeout", "Environment", "Layers")} == {
        "Runtime": "python3.7",
        "Timeout": 30,
        "Environment": {"Variables": {"STAGE": "test", "LEVEL": "debug"}},
        "Layers": ["shared", "own"],
    }
    assert value["VpcConfig"].startswith("?condition 'C'"), "a function is taken as a whole"
    assert "KmsKeyArn" not in value
    assert found()["Bare"].value["Runtime"] == "python3.7"


def test_what_comes_from_globals_is_placed_there() -> None:
    function = found()["Handler"]
    assert shown(TEMPLATE, function, "Runtime") == "Runtime: python3.7"
    assert shown(TEMPLATE, function, "Environment", "Variables", "STAGE") == "STAGE: test"
    assert shown(TEMPLATE, function, "Environment", "Variables", "LEVEL") == "LEVEL: debug"
    assert shown(TEMPLATE, function, "Layers", 0) == "shared"
    assert shown(TEMPLATE, function, "Layers", 1) == "own"
    assert shown(TEMPLATE, function, "Missing") == "Handler"
    assert shown(TEMPLATE, found()["Bare"], "Runtime") == "Runtime: python3.7"


def test_sam_resources_have_the_plain_ones_beside_them() -> None:
    types = {address: resource.type for address, resource in found().items()}
    assert {address: types[address] for address in types if "." in address} == {
        "Handler.Function": "AWS::Lambda::Function",
        "Handler.Role": "AWS::IAM::Role",
        "Handler.Url": "AWS::Lambda::Url",
        "Bare.Function": "AWS::Lambda::Function",
        "Bare.Role": "AWS::IAM::Role",
        "WithRole.Function": "AWS::Lambda::Function",
        "Gate.RestApi": "AWS::ApiGateway::RestApi",
        "Gate.Stage": "AWS::ApiGateway::Stage",
        "Http.Api": "AWS::ApiGatewayV2::Api",
        "Http.Stage": "AWS::ApiGatewayV2::Stage",
        "Simple.Table": "AWS::DynamoDB::Table",
        "Machine.StateMachine": "AWS::StepFunctions::StateMachine",
        "Machine.Role": "AWS::IAM::Role",
    }


def test_plain_resources_have_the_properties_of_the_plain_type() -> None:
    made = found()
    function = known(made["Handler.Function"].value)
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["DeadLetterConfig"] == {"TargetArn": "?Queue.Arn is known only once it is made"}
    assert function["Code"] == {"ZipFile": "print(1)"}
    assert function["Runtime"] == "python3.7"
    assert "Policies" not in function
    role = made["Handler.Role"].value
    assert role["ManagedPolicyArns"] == ["AmazonS3FullAccess"]
    assert role["Policies"] == [{"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert made["Gate.Stage"].value["TracingEnabled"] is True
    assert made["Gate.RestApi"].value["EndpointConfiguration"] == {"Types": ["PRIVATE"]}
    assert made["Simple.Table"].value == {"SSESpecification": {"SSEEnabled": True}}
    assert made["Machine.StateMachine"].value["LoggingConfiguration"] == {"Level": "ALL"}
    assert made["Handler.Url"].value == {"AuthType": "NONE"}


def test_plain_resources_are_placed_where_sam_has_them_written() -> None:
    made = found()
    assert shown(TEMPLATE, made["Handler.Function"]) == "Handler"
    assert shown(TEMPLATE, made["Handler.Function"], "TracingConfig", "Mode") == "Tracing: Active"
    assert shown(TEMPLATE, made["Handler.Function"], "TracingConfig") == "Tracing: Active"
    assert shown(TEMPLATE, made["Handler.Role"], "ManagedPolicyArns", 0) == "AmazonS3FullAccess"
    assert (
        shown(TEMPLATE, made["Handler.Role"], "Policies", 0, "PolicyDocument", "Statement", "Action") == 'Action: "*"'
    )
    assert shown(TEMPLATE, made["Handler.Role"], "AssumeRolePolicyDocument", "Statement", 0, "Principal") == "Handler"
    assert shown(TEMPLATE, made["Gate.RestApi"], "EndpointConfiguration", "Types", 0) == "Type: PRIVATE"
    assert shown(TEMPLATE, made["Handler.Url"], "AuthType") == "AuthType: NONE"
    assert cut(TEMPLATE, made["Bare.Function"].location.span) == "Bare: {Type: AWS::Serverless::Function}"


def test_names_of_what_sam_makes_lead_to_it() -> None:
    value = found()["User"].value
    assert [value[key].refers_to for key in "ABCD"] == [("Gate.Stage",), ("Handler.Role",), ("Gate.Stage",), ()]
