"""Which files are templates."""

from __future__ import annotations

import pytest

from cloudformation_reading import FORMAT

HEAD = 'AWSTemplateFormatVersion: "2010-09-09"\n'
BODY = "Resources:\n  R:\n    Type: AWS::S3::Bucket\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        BODY,
        HEAD + BODY,
        "---\n# comment\n" + BODY,
        "Resources:\n  R: {Type: AWS::S3::Bucket}\n",
        "Resources: {R: { Properties: {}, Type: 'AWS::S3::Bucket' }}\n",
        "\ufeff" + BODY,
        BODY.replace("\n", "\r\n"),
        '"Resources":\n  "R":\n    "Type": "Custom::Thing"\n',
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: \n    Type: 'AWS::Serverless::Function'\n",
        '{"AWSTemplateFormatVersion": "2010-09-09", "Parameters": {}}',
        '\n {"Resources": {"R": {"Type": "AWS::S3::Bucket"}}}',
        "{Resources: {R: {Type: AWS::S3::Bucket}}}",
        '{"Resources": {"R": {"Type": "Alexa::ASK::Skill"}, "S": {"Fn::If": []}}}',
        # Broken, and meant to be one.
        HEAD + "Resources:\n  R: [\n",
        '{"Resources": {"R": {"Type": "AWS::S3::Bucket"}',
        '{"AWSTemplateFormatVersion": "2010-09-09", }}',
    ],
)
def test_a_template_is_recognised(text: str) -> None:
    assert FORMAT.recognises("x.yaml", text.encode())


def test_a_template_in_utf_16_is_recognised() -> None:
    assert FORMAT.recognises("x.yaml", (HEAD + BODY).encode("utf-16"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b\n",
        "[]",
        "{}",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  t: |\n    Resources:\n      R:\n        Type: AWS::S3::Bucket\n",
        "apiVersion: x/v1\nkind: Stack\nResources:\n  R:\n    Type: AWS::S3::Bucket\n",
        "openapi: 3.0.0\nResources:\n  R:\n    Type: A::B\n",
        "service: x\nresources:\n  Resources:\n    R:\n      Type: AWS::S3::Bucket\n",
        "- name: play\n  Resources:\n    R:\n      Type: AWS::S3::Bucket\n",
        "Resources:\n  - Type: nothing\n",
        "on: push\njobs: {}\nResources:\n  R:\n    Type: A::B\n",
        '{"Parameters": [{"ParameterKey": "x"}]}',
        '{"typeName": "AWS::S3::Bucket", "properties": {"Resources": {"Type": "A::B"}}}',
        '{"Resources": {"R": {"Type": "text"}}, "x": "AWS::S3::Bucket"}',
        '{"tree": {"Resources": {"Type": "AWS::S3::Bucket"}}}',
        '[{"Resources": {"R": {"Type": "AWS::S3::Bucket"}}}]',
    ],
)
def test_another_file_is_not(text: str) -> None:
    assert not FORMAT.recognises("x.yaml", text.encode())


@pytest.mark.parametrize("path", ["a.yaml", "b/c.YML", "x.json", "stack.template", "S.template.json"])
def test_templates_have_these_names(path: str) -> None:
    assert FORMAT.claims(path)


@pytest.mark.parametrize("path", ["a.tf", "template", "x.txt", ".github/workflows/x.yml", "a/.github/x.yaml"])
def test_other_names_are_left_to_others(path: str) -> None:
    assert not FORMAT.claims(path)
