"""Nothing in a template makes the reader raise, hang or point outside the file."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudformation_reading import FORMAT, by_address, cut, load, load_files, paths, resources, template, value_of
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown

GOOD = "Resources:\n  Good:\n    Type: AWS::S3::Bucket\n"


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        ("  Bad:\n    Type: [\n", 7),
        ("  Bad:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: b: c\n", 7),
        ("  Bad:\n    Type: AWS::S3::Bucket\n    Properties:\n\t  A: b\n", 7),
        ("  Bad: {a: *nothing}\n", 4),
        ("  Bad: &a {b: *a}\n", 4),
        ("  Bad: " + "[" * 100_000 + "\n", 4),
    ],
)
def test_a_broken_resource_is_told_and_the_others_are_judged(bad: str, line: int) -> None:
    started = time.process_time()
    loaded = load(GOOD + bad + "  Last:\n    Type: AWS::SQS::Queue\n")
    assert time.process_time() - started < 5
    assert [resource.address for resource in loaded.resources] == ["Good", "Last"]
    (problem,) = loaded.problems
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD
    assert problem.span is not None
    assert abs(problem.span.start_line - line) <= 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"Resources": {"R": {"Type": "A::B",}}}\n', None),
        ('{\n "Resources": {"R": {"Type": "A::B"} "x"}}\n', "t.json:2:38: not valid JSON: Expecting ',' delimiter"),
        ('{"Resources": {"R": \n', "t.json:2:1: not valid JSON: Expecting value"),
        ('{"AWSTemplateFormatVersion": "2010-09-09"} x\n', "t.json:1:44: not valid JSON: something follows the end of"),
        ('{\r "Resources":\r {"R": \r', "t.json:4:1: not valid JSON: Expecting value"),
        ('{"Resources": ' + "[" * 50_000, "t.json:1:1: not read: it is nested too deeply"),
    ],
)
def test_broken_json_is_told_at_its_place(text: str, told: str | None) -> None:
    problems = load_files({"t.json": text})["t.json"].problems
    if told is None:
        assert problems == []
    else:
        assert str(problems[0]).startswith(told)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_stands_behind_a_broken_entry_is_placed(end: str) -> None:
    text = f"{GOOD}  Bad:\n    A: 'x\ry'\n    Type: [\n\n  Last:\n    Type: AWS::SQS::Queue\n".replace("\n", end)
    loaded = load(text)
    assert loaded.problems
    assert cut(text, loaded.resources[-1].location.span) == "Last"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("!Reff X", "Fn::Reff is no function of CloudFormation"),
        ("!Sub ['${b}', {b: !Fo-o [c]}]", "!Fo-o is no function of CloudFormation"),
        ("{Fn::Foo: [a]}", "Fn::Foo is no function of CloudFormation"),
        ("[{a: !Bar {b: c}}]", "Fn::Bar is no function of CloudFormation"),
    ],
)
def test_a_function_that_there_is_not_is_told_at_its_place(written: str, told: str) -> None:
    text = f"{GOOD}    Properties:\n      A: {written}\n      B: !Ref AWS::Region\n"
    (problem,) = load(text).problems
    assert problem.message.startswith(told)
    assert problem.kind is ProblemKind.LIMITED
    assert problem.span is not None
    assert problem.span.start_line == 5
    if written.startswith("!Reff"):
        value = by_address(load(text))["Good"].value["A"]
        assert type(value) is Unknown
        assert value.reason == "the function Fn::Reff is not understood"
    assert load(f"Transform: Macro\n{text}").problems[0].message.startswith("macro 'Macro' rewrites")
    assert len(load(f"Transform: Macro\n{text}").problems) == 1


def test_a_template_for_another_tool_says_so() -> None:
    (problem,) = load("Resources:\n{% for x in y %}\n  R: {{ x }}\n{% endfor %}\n").problems
    assert "rendered by another tool" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "Resources: []\n",
        "Resources: text\nAWSTemplateFormatVersion: x\n",
        "Resources: !Ref X\n",
        "Resources:\n  A: 1\n  B: {}\n  C: {Type: 1}\n  D: {Type: !Ref X}\n  E: !If [a, b, c]\n  F: null\n",
        "Parameters: [a]\nResources: {A: {Type: X::Y, Properties: [1]}}\n",
        "Parameters: {P: 1, Q: {Type: [a], Default: {b: c}}}\nResources: {A: {Type: X::Y, Properties: !Ref Q}}\n",
        "Conditions: {C: null}\nResources: {A: {Type: X::Y, Condition: [C]}}\n",
        "Mappings: {M: [1]}\nResources: {A: {Type: X::Y, Properties: {V: !FindInMap [M, a, b]}}}\n",
        "Outputs: {O: text}\nResources: {Fn::ForEach::X: [a], 'Fn::Transform': {Name: x}}\n",
        "Globals: {Function: [1]}\nResources: {A: {Type: AWS::Serverless::Function, Properties: {Policies: 7}}}\n",
        "Globals: 3\nResources: {A: {Type: AWS::Serverless::Api, Properties: !Ref X}}\n",
        "Resources: {A: {Type: AWS::Serverless::Function, Properties: {DeadLetterQueue: 1, FunctionUrlConfig: 2}}}\n",
        "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: [x]}}\n",
        "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ''}}}\n",
        "Transform: {Name: 7}\nResources: {A: {Type: X::Y}}\n",
        "Resources: {A: {Type: X::Y}}\n---\nResources: {B: {Type: X::Y}}\n",
        "",
        "null\n",
        "[1]\n",
    ],
)
def test_wrong_shapes_are_told_or_passed_over(text: str) -> None:
    loaded = load(text)
    for resource in loaded.resources:
        for path, _ in paths(resource.value):
            resource.locate(path)


@pytest.mark.parametrize(
    "name",
    [
        *("Ref", "GetAtt", "Sub", "Join", "Select", "Split", "FindInMap", "If", "Base64", "Cidr", "Length"),
        *("ToJsonString", "ImportValue", "GetAZs", "Transform", "And", "Or", "Not", "Equals", "Condition", "ForEach"),
    ],
)
@pytest.mark.parametrize(
    "argument",
    ["x", "''", "[]", "[a]", "[a, b]", "[a, b, c]", "[[], []]", "[!Ref R, {a: b}]", "{}", "{a: b}", "{Ref: {Ref: x}}"],
)
def test_functions_take_any_argument(name: str, argument: str) -> None:
    for expression in (f"!{name} {argument}", f"{{'Fn::{name}': {argument}}}"):
        text = template(f"V: {expression}")
        found = by_address(load(text))["R"]
        for path, _ in paths(found.value):
            assert cut(text, found.locate(path).location.span)


def test_a_text_that_doubles_with_every_nested_stack_ends() -> None:
    files: dict[str, str | bytes] = {}
    for number in range(9):
        files[f"t{number}.yaml"] = (
            "Parameters: {P: {Type: String, Default: " + "x" * 1000 + "}}\nResources:\n"
            f"  S: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: t{number + 1}.yaml, "
            'Parameters: {P: !Sub "${P}${P}${P}${P}${P}${P}${P}${P}"}}}\n'
        )
    files["t9.yaml"] = "Parameters: {P: {Type: String}}\nResources: {R: {Type: X::Y, Properties: {V: !Ref P}}}\n"
    (loaded,) = load_files(files).values()
    value = loaded.resources[-1].value["V"]
    assert type(value) is Unknown
    assert "longer than" in value.reason


def test_aliases_of_aliases_end() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{n}: &{n} [{','.join(['*' + p] * 10)}]" for p, n in zip("abcde", "bcdef", strict=True)]
    text = "".join(f"{line}\n" for line in lines) + template("V: *e\nW: *e\nX: *e\nY: *e\nZ: *e")
    started = time.process_time()
    loaded = load(text)
    assert time.process_time() - started < 20
    assert loaded.problems


@pytest.mark.parametrize("what", ["!Ref Names", "!Ref Good", "!GetAtt Good.Arn", "!GetAtt A0.Arn", "[!Ref Good, b]"])
def test_a_loop_over_what_is_no_parameter_is_passed_over_and_the_others_are_judged(what: str) -> None:
    loop = f"  Fn::ForEach::L:\n    - A\n    - {what}\n    - {{'R${{A}}': {{Type: X::Y}}}}\n"
    loaded = load(f"Transform: AWS::LanguageExtensions\n{GOOD}{loop}  Last: {{Type: X::Y}}\n")
    assert [resource.address for resource in loaded.resources] == ["Good", "Last"]
    (problem,) = loaded.problems
    assert problem.message.startswith("resources are passed over: a loop that makes resources runs over")
    assert problem.span is not None
    assert problem.span.start_line == 5


def test_a_loop_over_conditions_that_depends_on_one_is_passed_over() -> None:
    loop = "  Fn::ForEach::L: [A, !If [Known, [a], [b]], {'C${A}': !Equals [a, a]}]\n  Known: !Equals [a, a]\n"
    loaded = load(f"Transform: AWS::LanguageExtensions\nConditions:\n{loop}{GOOD}    Condition: Known\n")
    assert [resource.address for resource in loaded.resources] == ["Good"]
    (problem,) = loaded.problems
    assert "depends on one, 'Known'" in problem.message


def test_loops_in_loops_end() -> None:
    items = "[" + ",".join(f"i{n}" for n in range(60)) + "]"
    body = "{'R${A}${B}${C}${D}': {Type: X::Y}}"
    for name in "DCBA":
        body = f"{{'Fn::ForEach::L{name}': [{name}, {items}, {body}]}}"
    started = time.process_time()
    loaded = load(f"Transform: AWS::LanguageExtensions\nResources: {body}\n")
    assert time.process_time() - started < 20
    assert [problem.kind for problem in loaded.problems] == [ProblemKind.TIMED_OUT]


def test_deep_nesting_is_unknown_and_not_a_crash() -> None:
    deep = "!If [C, " * 180 + "x" + ", y]" * 180
    found = value_of(deep, "Conditions: {C: !Equals [a, a]}\n")
    assert type(found) is Unknown
    chain = "".join(f"  C{n}: !Not [!Condition C{n + 1}]\n" for n in range(3000))
    text = f"Conditions:\n{chain}  C3000: !Equals [a, a]\n" + template("V: !If [C0, a, b]")
    assert "R" in by_address(load(text))


def test_a_long_mapping_chain_is_placed() -> None:
    nested = "{a: " * 90 + "1" + "}" * 90
    text = template(f"V: {nested}")
    found = resources(text)["R"]
    assert cut(text, found.locate(("V", *["a"] * 90)).location.span) == "a: 1"


PIECES = [
    *("AWSTemplateFormatVersion: x", "Parameters:", "Resources:", "Conditions:", "Outputs:", "Type: AWS::S3::Bucket"),
    *("Properties:", "R:", "Default: a", "!Ref R", "!Sub '${R}'", "!If [C, a, b]", "Fn::If:", "Ref: R", "!GetAtt R.A"),
    *(": ", "- ", "  ", "    ", "\n", "\n  ", "\n    ", "\n      ", "---\n", "#", "'", '"', "|\n", "[", "]", "{", "}"),
    *("&a ", "*a", "<<: *a", "!T ", "? ", "null", "true", "y", "${X}", "{{ x }}", "\t", "\r", "é", "\u2028", "\x00"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_text_makes_the_reader_raise_or_point_outside(text: str) -> None:
    data = text.encode()
    FORMAT.recognises("t.yaml", data)
    list(FORMAT.comments("t.yaml", data))
    loaded = load(data)
    for resource in loaded.resources:
        for path in ((), ("V",), ("cfn:Metadata", "x"), (0,), ("Default",)):
            cut(text, resource.locate(path).location.span)
    for problem in loaded.problems:
        if problem.span is not None:
            cut(text, problem.span)


_JSON = """{"Parameters": {"P": {"Type": "String", "Default": "x"}}, "Resources": {"R": {"Type": "AWS::S3::Bucket",
 "Properties": {"A": {"Ref": "P"}, "B": [{"Fn::If": ["C", 1, 2]}, "\\u00e9"], "A": null}}}, "Outputs": {}}"""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_template_never_raises(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([_JSON.encode(), (GOOD + "    Properties: {A: !Sub '${X}', B: [1]}\n").encode()]))
    position = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 5))
    damaged = whole[:position] + data.draw(st.binary(max_size=4)) + whole[position + gone :]
    FORMAT.recognises("t.json", damaged)
    text = damaged.decode("utf-8", "replace")
    for resource in load_files({"t.json": damaged})["t.json"].resources:
        for path, _ in paths(resource.value):
            cut(text, resource.locate(path).location.span)


def test_a_template_without_any_resource_is_told() -> None:
    loaded = load("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n")
    (problem,) = loaded.problems
    assert problem.kind is ProblemKind.LIMITED
    assert str(problem).endswith("2:1: 'Resources' holds nothing, and CloudFormation takes no such template")
