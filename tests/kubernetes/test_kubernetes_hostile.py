"""Nothing in a manifest makes the reader raise, hang or point outside the file."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubernetes_reading import FORMAT, cut, load
from policy_engine.unit import ProblemKind

GOOD = "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: app}]}\n"
HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\n"


@pytest.mark.parametrize(
    "bad",
    [
        "spec: " + "[" * 300_000 + "\n",
        "spec: " + "{a: " * 100_000 + "\n",
        "spec:\n  " + "- " * 100_000 + "\n",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True)),
        "spec: &s {containers: *s}\n",
        "spec: *nothing\n",
        "a: \x00\n",
        "? {a: b}\n: c\n",
        "spec: @x\n",
        "spec: {containers: [}\n",
        "a: '" + "x" * 100 + "\n",
        "kind:\n\tx\n",
    ],
)
def test_a_hostile_document_is_told_at_its_place_and_the_others_are_judged(bad: str) -> None:
    started = time.process_time()
    loaded = load(f"{GOOD}---\n{HEAD}{bad}---\n{GOOD}")
    assert time.process_time() - started < 5
    assert [resource.address for resource in loaded.resources] == [
        "Pod/default/good",
        "Pod/default/good/pod",
        "Pod/default/good/containers/app",
        "Pod/default/good#2",
        "Pod/default/good#2/pod",
        "Pod/default/good#2/containers/app",
    ]
    (problem,) = loaded.problems
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD
    assert problem.span is not None
    assert problem.span.start_line > 5


def test_bytes_that_are_not_utf_8_are_told_at_their_place() -> None:
    loaded = load(GOOD.encode() + b"---\n" + HEAD.encode() + b"spec: {nodeName: \xe9}\n---\n" + GOOD.encode())
    (problem,) = loaded.problems
    assert str(problem) == "manifest.yaml:9:18: not valid YAML: byte 0xe9 is not UTF-8"
    assert len(loaded.resources) == 6


def test_a_repeated_key_is_told_and_the_last_one_counts() -> None:
    loaded = load(HEAD + "spec: {hostPID: false, hostPID: true}\n")
    assert [problem.kind for problem in loaded.problems] == [ProblemKind.LIMITED]
    assert loaded.resources[-1].value["hostPID"] is True


def test_thousands_of_wrong_shapes_are_counted_and_not_all_told() -> None:
    loaded = load(HEAD + "spec:\n  containers:\n" + "  - text\n" * 5000)
    assert len(loaded.problems) == 101
    assert loaded.problems[-1].message == "4900 more objects or parts of them are passed over"


def test_huge_scalars_are_kept() -> None:
    loaded = load(HEAD + f"spec: {{nodeName: {'x' * 3_000_000}, priority: {'9' * 300_000}}}\n")
    assert loaded.problems == []
    assert len(loaded.resources[-1].value["nodeName"]) == 3_000_000


def test_lists_in_lists_nest_as_deep_as_yaml_may() -> None:
    text = "{apiVersion: v1, kind: List, items: [" * 90 + "]}" * 90
    assert load(text).problems == []
    assert load(text).resources == []


PIECES = [
    *("apiVersion: v1", "kind: Pod", "kind: List", "kind: Deployment", "metadata:", "spec:", "template:", "items:"),
    *("containers:", "securityContext:", "env:", "args:", "name: a", "annotations:", "labels:", "data:", "effective:"),
    *(
        ": ",
        "- ",
        "  ",
        "    ",
        "\n",
        "\n  ",
        "\n    - ",
        "---\n",
        "...\n",
        "#",
        "'",
        '"',
        "|\n",
        ">-\n",
        "[",
        "]",
        "{",
        "}",
    ),
    *(
        "&a ",
        "*a",
        "<<: *a",
        "!T ",
        "? ",
        "null",
        "true",
        "${X}",
        "{{ x }}",
        "$(X)",
        "\t",
        "\r",
        "é",
        "\u2028",
        "\ufeff",
        "\x00",
    ),
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_text_makes_the_reader_raise_or_point_outside(text: str) -> None:
    data = text.encode("utf-8")
    FORMAT.recognises("manifest.yaml", data)
    list(FORMAT.comments("manifest.yaml", data))
    loaded = load(data)
    bare = text.removeprefix("\ufeff")
    for resource in loaded.resources:
        assert resource.extent is not None
        for path in ((), ("spec",), ("effective", "runAsUser"), ("pod", "x"), ("metadata", "name"), (0,)):
            cut(bare, resource.locate(path).location.span)
        cut(bare, resource.extent.span)
        cut(bare, resource.location.span)
    for problem in loaded.problems:
        if problem.span is not None:
            cut(bare, problem.span)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_manifest_never_raises(data: st.DataObject) -> None:
    whole = (GOOD + "---\n" + HEAD + "spec:\n  containers:\n    - name: b\n      args: ['$(A)', \"${B}\"]\n").encode()
    position = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 5))
    new = data.draw(st.binary(max_size=4))
    damaged = whole[:position] + new + whole[position + gone :]
    FORMAT.recognises("manifest.yaml", damaged)
    load(damaged)


def test_command_lines_without_end_are_read_in_time() -> None:
    flags = ", ".join("--a=xxxxxxxx" for _ in range(50_000))
    script = "x " * 30_000 + "; etcd --b"
    text = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: a}}
spec:
  containers:
    - {{name: app, command: [kube-apiserver, {flags}]}}
    - {{name: shell, command: [sh, -c, "{script}"]}}
"""
    start = time.monotonic()
    loaded = load(text)
    assert time.monotonic() - start < 20
    app, shell = (each.value for each in loaded.resources if each.type == "container")
    assert len(app["flags"]["a"]) < 10_000
    assert (shell["program"], shell["flags"]) == ("etcd", {"b": "true"})


def test_custom_kinds_of_many_parts_are_looked_through_in_time() -> None:
    groups = ", ".join("{a: {template: {spec: {}}}}" for _ in range(20_000))
    start = time.monotonic()
    loaded = load(f"apiVersion: example.org/v1\nkind: Odd\nmetadata: {{name: a}}\nspec: {{groups: [{groups}]}}\n")
    assert time.monotonic() - start < 20
    assert len(loaded.resources) == 1
