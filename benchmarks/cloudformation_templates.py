"""Makes CloudFormation templates in the shape of the public samples: YAML with short and with long intrinsics, and
JSON, with the odd but legal things that people write. The same number always gives the same template."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import yaml


class Fn:
    """An intrinsic function, written in its short form where the template has one."""

    def __init__(self, name: str, argument: Any) -> None:
        self.name = name
        self.argument = argument


def ref(name: str) -> Fn:
    return Fn("Ref", name)


def att(name: str, attribute: str) -> Fn:
    return Fn("Fn::GetAtt", f"{name}.{attribute}")


def sub(text: str) -> Fn:
    return Fn("Fn::Sub", text)


def pick(condition: str, first: Any, second: Any) -> Fn:
    return Fn("Fn::If", [condition, first, second])


NO_VALUE = ref("AWS::NoValue")


def templates(count: int) -> Iterator[tuple[str, str]]:
    """`count` templates as (file name, text)."""
    for number in range(count):
        yield template(number)


def value(number: int) -> dict[str, Any]:
    """A template's value, every intrinsic written out."""
    made: dict[str, Any] = _long(_Maker(random.Random(number)).template(number))
    return made


def template(number: int) -> tuple[str, str]:
    value = _Maker(random.Random(number)).template(number)
    style = number % 6
    if style == 0:
        return f"template-{number:03}.json", json.dumps(_long(value), indent=2, ensure_ascii=False)
    if style == 1:
        return f"template-{number:03}.json", json.dumps(_long(value), indent="\t", ensure_ascii=False)
    if style == 2:
        return f"template-{number:03}.template", json.dumps(_long(value), ensure_ascii=False)
    if style == 3:
        return f"template-{number:03}.yml", _yaml(_long(value))
    return f"template-{number:03}.yaml", _yaml(value, flow=style == 5)


# -- writing


def _long(value: Any) -> Any:
    if isinstance(value, Fn):
        argument = value.argument.split(".", 1) if value.name == "Fn::GetAtt" else _long(value.argument)
        return {value.name: argument}
    if isinstance(value, dict):
        return {key: _long(item) for key, item in value.items()}
    return [_long(item) for item in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent(dumper: yaml.SafeDumper, value: Fn) -> yaml.Node:
    tag = "!" + value.name.removeprefix("Fn::")
    argument = value.argument
    if isinstance(argument, str):
        return dumper.represent_scalar(tag, argument)
    if isinstance(argument, list):
        return dumper.represent_sequence(tag, argument)
    if isinstance(argument, Fn):
        # `!Base64 {Fn::Sub: x}`: two short forms cannot stand in a row.
        return dumper.represent_mapping(tag, _long(argument))
    return dumper.represent_mapping(tag, argument)


_Dumper.add_representer(Fn, _represent)


def _yaml(value: Any, *, flow: bool = False) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=None if flow else False, width=110))


# -- making

_CIDRS = ["10.0.0.0/16", "10.1.0.0/16", "172.16.0.0/12", "0.0.0.0/0", "192.168.1.0/24"]
_RUNTIMES = ["python3.12", "python3.7", "nodejs20.x", "nodejs12.x", "java21", "provided.al2023"]


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.parameters: dict[str, Any] = {
            "Environment": {"Type": "String", "Default": "test", "AllowedValues": ["test", "stage", "prod"]},
            "VpcCidr": {"Type": "String", "Default": rng.choice(_CIDRS)},
            "Encrypt": {"Type": "String", "Default": rng.choice(["true", "false", "True"])},
            "Zones": {"Type": "CommaDelimitedList", "Default": "a, b,c"},
            "KeyName": {"Type": "AWS::EC2::KeyPair::KeyName"},
            "Password": {"Type": "String", "NoEcho": True, "MinLength": 8},
            "Image": {
                "Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
                "Default": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
            },
            "Count": {"Type": "Number", "Default": rng.randint(1, 5), "MinValue": 1},
        }
        self.conditions: dict[str, Any] = {
            "IsProd": Fn("Fn::Equals", [ref("Environment"), "prod"]),
            "InVirginia": Fn("Fn::Equals", [ref("AWS::Region"), "us-east-1"]),
            "Both": Fn("Fn::And", [{"Condition": "IsProd"}, {"Condition": "InVirginia"}]),
            "Neither": Fn("Fn::Not", [Fn("Fn::Or", [{"Condition": "IsProd"}, {"Condition": "InVirginia"}])]),
        }
        self.mappings: dict[str, Any] = {
            "Regions": {
                region: {"Ami": f"ami-{rng.randrange(16**8):08x}", "Zones": ["a", "b"], "80": "x"}
                for region in ("us-east-1", "eu-west-1", "ap-southeast-2")
            },
            "Sizes": {"test": {"Db": "db.t3.micro", "Backup": 0}, "prod": {"Db": "db.r6g.large", "Backup": 14}},
        }
        self.resources: dict[str, Any] = {}

    def flag(self) -> Any:
        return self.rng.choice([True, False, "true", "false", ref("Encrypt"), pick("IsProd", True, False)])

    def maybe(self, value: Any) -> Any:
        """The value, or a function around it."""
        return self.rng.choice([value, value, pick("IsProd", value, NO_VALUE), pick("InVirginia", value, value)])

    def add(self, name: str, type_: str, properties: Any, **more: Any) -> str:
        name = f"{name}{len(self.resources)}"
        resource: dict[str, Any] = {"Type": type_}
        if properties is not None:
            resource["Properties"] = properties
        resource.update(more)
        rng = self.rng
        if rng.random() < 0.15:
            resource["Condition"] = rng.choice(list(self.conditions))
        if rng.random() < 0.15:
            resource["DeletionPolicy"] = rng.choice(["Retain", "Delete", "Snapshot"])
            resource["UpdateReplacePolicy"] = "Retain"
        if rng.random() < 0.1 and self.resources:
            resource["DependsOn"] = rng.choice([rng.choice(list(self.resources)), list(self.resources)[:2]])
        if rng.random() < 0.1:
            resource["Metadata"] = {"cfn_nag": {"rules_to_suppress": [{"id": "W1", "reason": "a # sign: here"}]}}
        self.resources[name] = resource
        return name

    def template(self, number: int) -> dict[str, Any]:
        rng = self.rng
        makers = [
            *(self.network, self.machines, self.database, self.buckets, self.function, self.messages, self.access),
            *(self.containers, self.api, self.delivery, self.tables, self.odd),
        ]
        chosen = rng.sample(makers, rng.randint(2, 6))
        serverless = number % 4 == 3
        if serverless:
            chosen.append(self.serverless)
        for maker in chosen:
            maker()
        value: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Sample {number}: {rng.choice(['a web application', 'a data pipeline', 'shared network'])}",
        }
        if serverless:
            value["Transform"] = rng.choice(["AWS::Serverless-2016-10-31", ["AWS::Serverless-2016-10-31"]])
            value["Globals"] = {
                "Function": {
                    "Runtime": rng.choice(_RUNTIMES),
                    "Timeout": 30,
                    "Environment": {"Variables": {"STAGE": ref("Environment")}},
                    "Layers": [ref("AWS::NoValue")],
                },
                "Api": {"TracingEnabled": self.flag()},
            }
        value |= {
            "Metadata": {"AWS::CloudFormation::Interface": {"ParameterGroups": [{"Label": {"default": "Network"}}]}},
            "Parameters": self.parameters,
            "Mappings": self.mappings,
            "Conditions": self.conditions,
            "Resources": self.resources,
            "Outputs": {
                name: {"Value": ref(name), "Export": {"Name": sub(f"${{AWS::StackName}}-{name}")}}
                for name in list(self.resources)[:3]
            },
        }
        return value

    def network(self) -> None:
        rng = self.rng
        vpc = self.add("Vpc", "AWS::EC2::VPC", {"CidrBlock": ref("VpcCidr"), "EnableDnsSupport": self.flag()})
        for index in range(rng.randint(1, 3)):
            self.add(
                "Subnet",
                "AWS::EC2::Subnet",
                {
                    "VpcId": ref(vpc),
                    "CidrBlock": Fn("Fn::Select", [index, Fn("Fn::Cidr", [ref("VpcCidr"), 4, 8])]),
                    "AvailabilityZone": Fn("Fn::Select", [str(index), Fn("Fn::GetAZs", "")]),
                    "MapPublicIpOnLaunch": self.flag(),
                },
            )
        rules = [
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": str(port), "CidrIp": rng.choice(_CIDRS)}
            for port in rng.sample([22, 80, 443, 3389, 5432], 2)
        ]
        group = self.add(
            "Group",
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "access",
                "VpcId": ref(vpc),
                "SecurityGroupIngress": rng.choice([rules, rules[0], [self.maybe(rule) for rule in rules]]),
            },
        )
        self.add(
            "Ingress",
            "AWS::EC2::SecurityGroupIngress",
            {"GroupId": att(group, "GroupId"), "IpProtocol": "-1", "SourceSecurityGroupId": att(group, "GroupId")},
        )
        self.add("Gateway", "AWS::EC2::InternetGateway", None)

    def machines(self) -> None:
        rng = self.rng
        script = sub("#!/bin/bash -xe\nyum update -y\n/opt/aws/bin/cfn-init -v --stack ${AWS::StackName}\n")
        self.add(
            "Machine",
            "AWS::EC2::Instance",
            {
                "ImageId": rng.choice([ref("Image"), Fn("Fn::FindInMap", ["Regions", ref("AWS::Region"), "Ami"])]),
                "InstanceType": pick("IsProd", "m6i.large", "t3.micro"),
                "KeyName": ref("KeyName"),
                "UserData": Fn("Fn::Base64", script),
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": ref("Count"), "Encrypted": self.flag()}}
                ],
                "Tags": [{"Key": "Name", "Value": Fn("Fn::Join", ["-", [ref("AWS::StackName"), "web"]])}],
            },
            Metadata={
                "AWS::CloudFormation::Init": {
                    "config": {
                        "packages": {"yum": {"httpd": []}},
                        "files": {
                            "/var/www/index.html": {
                                "content": {"Fn::Join": ["\n", ["<h1>", {"Ref": "AWS::Region"}, "</h1>"]]},
                                "mode": "000644",
                            }
                        },
                        "services": {"sysvinit": {"httpd": {"enabled": "true", "ensureRunning": True}}},
                    }
                }
            },
            CreationPolicy={"ResourceSignal": {"Timeout": "PT15M", "Count": ref("Count")}},
        )
        self.add("Disk", "AWS::EC2::Volume", {"Size": 100, "Encrypted": self.flag(), "AvailabilityZone": "eu-west-1a"})
        self.add(
            "Balancer",
            "AWS::ElasticLoadBalancing::LoadBalancer",
            {"Listeners": [{"LoadBalancerPort": "80", "InstancePort": 8080, "Protocol": "HTTP"}], "CrossZone": "true"},
        )

    def database(self) -> None:
        rng = self.rng
        self.add(
            "Database",
            "AWS::RDS::DBInstance",
            {
                "Engine": "postgres",
                "DBInstanceClass": Fn("Fn::FindInMap", ["Sizes", ref("Environment"), "Db"]),
                "AllocatedStorage": "100",
                "MasterUsername": "admin",
                "MasterUserPassword": rng.choice(
                    [ref("Password"), "{{resolve:secretsmanager:db:SecretString:password}}", "correct-horse-9"]
                ),
                "StorageEncrypted": self.flag(),
                "PubliclyAccessible": self.flag(),
                "BackupRetentionPeriod": Fn("Fn::FindInMap", ["Sizes", ref("Environment"), "Backup"]),
            },
            DeletionPolicy=rng.choice(["Snapshot", "Delete"]),
        )

    def buckets(self) -> None:
        rng = self.rng
        encryption = {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        }
        bucket = self.add(
            "Bucket",
            "AWS::S3::Bucket",
            rng.choice(
                [
                    None,
                    {},
                    {"AccessControl": rng.choice(["Private", "PublicRead"])},
                    {
                        "BucketName": sub("${AWS::StackName}-${Environment}-data"),
                        "BucketEncryption": self.maybe(encryption),
                        "VersioningConfiguration": {"Status": pick("IsProd", "Enabled", "Suspended")},
                        "PublicAccessBlockConfiguration": {
                            "BlockPublicAcls": self.flag(),
                            "BlockPublicPolicy": self.flag(),
                            "IgnorePublicAcls": True,
                            "RestrictPublicBuckets": "true",
                        },
                    },
                ]
            ),
        )
        self.add(
            "Policy",
            "AWS::S3::BucketPolicy",
            {
                "Bucket": ref(bucket),
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": rng.choice(["Allow", "Deny"]),
                            "Principal": "*",
                            "Action": rng.choice(["s3:GetObject", ["s3:*"]]),
                            "Resource": Fn("Fn::Join", ["", ["arn:aws:s3:::", ref(bucket), "/*"]]),
                            "Condition": {"Bool": {"aws:SecureTransport": rng.choice([False, "false"])}},
                        }
                    ],
                },
            },
        )

    def function(self) -> None:
        self.add(
            "Function",
            "AWS::Lambda::Function",
            {
                "Runtime": self.rng.choice(_RUNTIMES),
                "Handler": "index.handler",
                "Role": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/lambda"),
                "Code": {"ZipFile": "def handler(event, context):\n    return {'a': \"b\"}\n"},
                "Environment": {
                    "Variables": {"TABLE": "x", "API_KEY": self.rng.choice(["abcdef123456", ref("Password")])}
                },
                "TracingConfig": {"Mode": self.maybe("Active")},
            },
        )

    def messages(self) -> None:
        self.add("Queue", "AWS::SQS::Queue", self.rng.choice([None, {"KmsMasterKeyId": self.maybe("alias/aws/sqs")}]))
        self.add("Topic", "AWS::SNS::Topic", self.rng.choice([{}, {"KmsMasterKeyId": "alias/aws/sns"}, None]))
        self.add("Stream", "AWS::Kinesis::Stream", {"ShardCount": ref("Count")})
        self.add("Logs", "AWS::Logs::LogGroup", {"RetentionInDays": self.maybe(7)})

    def access(self) -> None:
        rng = self.rng
        statement = {"Effect": "Allow", "Action": rng.choice(["*", ["s3:Get*"], "ec2:Describe*"]), "Resource": "*"}
        role = self.add(
            "Role",
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": rng.choice([{"Service": ["ec2.amazonaws.com"]}, {"AWS": "*"}]),
                            "Action": ["sts:AssumeRole"],
                        }
                    ]
                },
                "Policies": [
                    {"PolicyName": "root", "PolicyDocument": {"Statement": rng.choice([statement, [statement]])}}
                ],
                "ManagedPolicyArns": [pick("IsProd", "arn:aws:iam::aws:policy/ReadOnlyAccess", NO_VALUE)],
            },
        )
        self.add("Profile", "AWS::IAM::InstanceProfile", {"Path": "/", "Roles": [ref(role)]})
        self.add("Key", "AWS::KMS::Key", {"EnableKeyRotation": self.flag(), "KeyPolicy": {"Statement": []}})

    def containers(self) -> None:
        self.add("Registry", "AWS::ECR::Repository", {"ImageScanningConfiguration": {"ScanOnPush": self.flag()}})
        self.add(
            "Task",
            "AWS::ECS::TaskDefinition",
            {
                "NetworkMode": "awsvpc",
                "ContainerDefinitions": [
                    {
                        "Name": "app",
                        "Image": sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/app:latest"),
                        "PortMappings": [{"ContainerPort": 8080}],
                        "Privileged": self.flag(),
                        "Environment": [{"Name": "MODE", "Value": ref("Environment")}],
                    }
                ],
            },
        )

    def api(self) -> None:
        api = self.add("Rest", "AWS::ApiGateway::RestApi", {"Name": "api", "Body": {"swagger": 2.0, "paths": {}}})
        self.add(
            "Method",
            "AWS::ApiGateway::Method",
            {"RestApiId": ref(api), "HttpMethod": "GET", "AuthorizationType": self.rng.choice(["NONE", "AWS_IAM"])},
        )

    def delivery(self) -> None:
        self.add(
            "Cdn",
            "AWS::CloudFront::Distribution",
            {
                "DistributionConfig": {
                    "Enabled": "true",
                    "DefaultCacheBehavior": {
                        "TargetOriginId": "o",
                        "ViewerProtocolPolicy": self.rng.choice(["allow-all", "redirect-to-https"]),
                    },
                    "Origins": [{"Id": "o", "DomainName": "example.org", "CustomOriginConfig": {"HTTPPort": "80"}}],
                }
            },
        )

    def tables(self) -> None:
        self.add(
            "Table",
            "AWS::DynamoDB::Table",
            {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "BillingMode": pick("Both", "PROVISIONED", "PAY_PER_REQUEST"),
                "SSESpecification": {"SSEEnabled": self.flag()},
                "PointInTimeRecoverySpecification": pick(
                    "InVirginia", {"PointInTimeRecoveryEnabled": True}, {"PointInTimeRecoveryEnabled": "false"}
                ),
            },
        )

    def odd(self) -> None:
        """What is legal, or is let through by others, and seldom met."""
        rng = self.rng
        self.add(
            "Custom",
            rng.choice(["Custom::Thing", "AWS::CloudFormation::CustomResource"]),
            {
                "ServiceToken": Fn("Fn::ImportValue", sub("${Environment}-token")),
                "80": {"443": "numeric keys"},
                "Nested": [[["a"], []], [{"b": None}], {}],
                "Map": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/x.yaml"}}},
                "Function": Fn("Fn::Join", [Fn("Fn::Select", [0, [",", ";"]]), Fn("Fn::Split", ["|", "a|b|c"])]),
                "Deep": pick("IsProd", [pick("InVirginia", {"a": [1, 2]}, NO_VALUE)], pick("Both", {}, [])),
                "Literal": sub("${!Not} ${Environment} ${AWS::AccountId}"),
                "Float": 1.5,
                "Null": None,
                "Date": "2012-10-17",
                "Text": "#not a comment: {x} [y] 'z' \"w\" \u00e9\u4e2d\U0001f600",
            },
        )
        self.add("Wait", "AWS::CloudFormation::WaitConditionHandle", {})
        self.add(
            "Branch",
            "AWS::SSM::Parameter",
            pick("IsProd", {"Type": "String", "Value": "a"}, {"Type": "SecureString", "Value": "b"}),
        )
        self.add(
            "Stack", "AWS::CloudFormation::Stack", {"TemplateURL": sub("https://s3.amazonaws.com/b/${Environment}")}
        )

    def serverless(self) -> None:
        rng = self.rng
        self.add(
            "Handler",
            "AWS::Serverless::Function",
            {
                "CodeUri": "src/",
                "Handler": "app.handler",
                "Policies": rng.choice(
                    [
                        "AmazonS3ReadOnlyAccess",
                        [{"S3ReadPolicy": {"BucketName": "x"}}],
                        {"Statement": [{"Effect": "Allow"}]},
                    ]
                ),
                "Environment": {"Variables": {"TABLE": "t"}},
                "Events": {"Get": {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}}},
            },
        )
        self.add("Gateway", "AWS::Serverless::Api", {"StageName": "prod", "Auth": {"DefaultAuthorizer": "AWS_IAM"}})
        self.add(
            "Simple", "AWS::Serverless::SimpleTable", rng.choice([None, {"SSESpecification": {"SSEEnabled": True}}])
        )
