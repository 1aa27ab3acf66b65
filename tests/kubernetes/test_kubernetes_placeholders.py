"""Placeholders of later tools are unknown; text of other languages that looks like one is text."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from kubernetes_reading import cut, load, resources
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown


def field(written: str) -> Any:
    """What becomes of a scalar in a place where Kubernetes wants a value."""
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  nodeName: {written}\n"
    return resources(text)["Pod/default/a/pod"].value["nodeName"]


@pytest.mark.parametrize(
    ("written", "reason", "fragments"),
    [
        ("${NAME}", "${NAME} is filled in by a later tool", ()),
        ("'${NAME}'", "${NAME} is filled in by a later tool", ()),
        ("$NAME", "$NAME is filled in by a later tool", ()),
        ("reg/${APP}:1", "${APP} is filled in by a later tool", ("reg/", None, ":1")),
        ("${A}-${B}", "${A} is filled in by a later tool", (None, "-", None)),
        ("$APP:1", "$APP is filled in by a later tool", (None, ":1")),
        ("${TAG:=latest}", "${TAG} is filled in by a later tool; its default is 'latest'", ()),
        ("${TAG:-1.2}", "${TAG} is filled in by a later tool; its default is '1.2'", ()),
        ("${TAG=}", "${TAG} is filled in by a later tool; its default is ''", ()),
        ("a${A:=${B}}b", "${A} is filled in by a later tool; its default is '${B}'", ("a", None, "b")),
        ("${TAG:?must be set}", "${TAG} is filled in by a later tool", ()),
        ("${DB_PASSWORD:=hunter2}", "${DB_PASSWORD} is filled in by a later tool", ()),
        ("${{ PARAM }}", "${{ PARAM }} is filled in by a later tool", ()),
        ("'{{ app }}'", "{{ app }} is filled in by a later tool", ()),
        ("web-{{ env }}-x", "{{ env }} is filled in by a later tool", ("web-", None, "-x")),
        ("'{{ a | default({}) }}'", "{{ a | default({}) }} is filled in by a later tool", ()),
    ],
)
def test_a_placeholder_is_unknown_with_the_text_around_it(
    written: str, reason: str, fragments: tuple[str | None, ...]
) -> None:
    value = field(written)
    assert type(value) is Unknown
    assert (value.reason, value.fragments) == (reason, fragments)
    assert value.present is bool(fragments)


@pytest.mark.parametrize(
    "written", ["web", "'$5'", "$name", "a$", "'${'", "'{{'", "'}}'", "'{ a }'", "$${NAME}", "cost-$$", "$Name"]
)
def test_other_text_with_those_signs_is_text(written: str) -> None:
    assert field(written) == written.strip("'")


def test_an_unknown_remembers_where_it_is_written() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  nodeName: 'x${Y}'\n"
    value = resources(text)["Pod/default/a/pod"].value["nodeName"]
    assert value.origin.path == "manifest.yaml"
    assert cut(text, value.origin.span) == "'x${Y}'"


MIXED = """\
apiVersion: v1
kind: Pod
metadata:
  name: ${NAME}
  namespace: ${SPACE}
  annotations: {a: "${X}", b: "{{ $labels.x }}"}
  labels: {a: "${X}"}
spec:
  containers:
    - name: ${APP}
      image: ${IMAGE}
      command: [sh, -c, 'echo ${HOME} $USER']
      args: ['{{ port }}', '${A}']
      env:
        - {name: A, value: '${B}'}
        - {name: "${C}", value: '{{ d }}'}
        - name: E
          valueFrom: {secretKeyRef: {name: "${F}", key: k}}
      livenessProbe: {exec: {command: [cat, '${G}']}}
      resources: {limits: {cpu: "${CPU}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, labels: {x: "${X}"}}
data: {run: 'echo ${HOME}', nested: '{{ x }}'}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
data: "${X}"
spec:
  text: |
    for x in ${ALL}; do echo $X {{ y }}; done
  script: echo ${X}
"""


def test_a_shells_text_stays_text_where_it_is_at_home() -> None:
    found = resources(MIXED)
    value = found["Pod/${SPACE}/${NAME}/containers/${APP}"].value
    assert value["command"] == ["sh", "-c", "echo ${HOME} $USER"]
    assert value["args"][1] == "${A}"
    assert value["env"][0] == {"name": "A", "value": "${B}"}
    assert value["livenessProbe"]["exec"]["command"] == ["cat", "${G}"]
    assert value["pod"]["metadata"]["annotations"] == {"a": "${X}", "b": "{{ $labels.x }}"}
    assert found["ConfigMap/default/c"].value["data"] == {"run": "echo ${HOME}", "nested": "{{ x }}"}
    assert found["Thing/default/t"].value["spec"]["script"] == "echo ${X}"
    assert found["Thing/default/t"].value["spec"]["text"].startswith("for x in ${ALL}")


def test_everything_else_in_the_same_manifest_is_unknown() -> None:
    found = resources(MIXED)
    value = found["Pod/${SPACE}/${NAME}/containers/${APP}"].value
    unknowns = [
        value["name"],
        value["image"],
        value["args"][0],
        value["env"][1]["name"],
        value["env"][1]["value"],
        value["env"][2]["valueFrom"]["secretKeyRef"]["name"],
        value["resources"]["limits"]["cpu"],
        value["pod"]["metadata"]["name"],
        value["pod"]["metadata"]["namespace"],
        value["pod"]["metadata"]["labels"]["a"],
        found["ConfigMap/default/c"].value["metadata"]["labels"]["x"],
        found["Thing/default/t"].value["data"],
    ]
    assert {type(unknown) for unknown in unknowns} == {Unknown}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("  nodeName: {{ .Values.node }}", "9:14"),
        ("  {{- if .Values.x }}", "9:4"),
        ("  nodeName: {{ .Values.a }}-x", "9:14"),
    ],
)
def test_an_unrendered_template_is_told_as_one_and_hides_no_other_document(line: str, place: str) -> None:
    good = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    template = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: b}}\nspec:\n{line}\n"
    loaded = load(f"{good}---\n{template}---\n{good}")
    assert [resource.address for resource in loaded.resources] == ["Pod/default/a", "Pod/default/a#2"]
    (problem,) = loaded.problems
    assert problem.kind is ProblemKind.NOT_UNDERSTOOD
    assert "looks like a template, which has to be rendered before it can be scanned" in problem.message
    assert str(problem).startswith(f"manifest.yaml:{place}: ")


def test_aliases_share_their_unknown() -> None:
    text = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: a, labels: &l {x: "${X}"}}
    spec: {nodeSelector: *l}
    """
    pod = resources(textwrap.dedent(text))["Pod/default/a/pod"].value
    assert pod["nodeSelector"] is pod["metadata"]["labels"]
    assert type(pod["nodeSelector"]["x"]) is Unknown


@pytest.mark.parametrize("piece", ["${", "{{", "${a:=", "{{{", "$", "${${", "{{ a {", "${{"])
def test_endless_openings_are_read_in_no_time(piece: str) -> None:
    written = piece * (60_000 // len(piece))
    assert field(f"'{written}'") is not None
