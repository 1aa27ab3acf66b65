"""Which files are taken for Kubernetes manifests."""

from __future__ import annotations

import pytest

from kubernetes_reading import FORMAT
from policy_engine.tree import MemoryTree

POD = b"apiVersion: v1\nkind: Pod\n"


@pytest.mark.parametrize("path", ["pod.yaml", "deploy/pod.yml", "Pod.YAML", "app.json", "chart/templates/pod.yaml"])
def test_yaml_and_json_files_are_candidates(path: str) -> None:
    assert FORMAT.claims(path)


@pytest.mark.parametrize(
    "path", [".github/workflows/ci.yml", "sub/.github/dependabot.yml", "main.tf", "pod.yaml.j2", "yaml"]
)
def test_other_files_are_none(path: str) -> None:
    assert not FORMAT.claims(path)


@pytest.mark.parametrize(
    "text",
    [
        POD,
        b"\xef\xbb\xbf" + POD,
        POD.replace(b"\n", b"\r\n"),
        POD.replace(b"\n", b"\r"),
        POD.decode().encode("utf-16"),
        b"# a comment\n---\nkind: Pod\nmetadata:\n  name: x\napiVersion: v1\n",
        b"values: 1\n---\n" + POD,
        b"\"apiVersion\": v1\n'kind' : Pod\n",
        b"  apiVersion: v1\n  kind: Pod\n",
        b"{apiVersion: v1, kind: Pod}\n",
        b"---\n{apiVersion: v1,\n kind: Pod}\n",
        b'{"apiVersion": "v1", "kind": "List", "items": []}',
        b'{\n  "kind": "Pod",\n  "apiVersion": "v1"\n}\n',
        b"apiVersion: v1\nkind: List\nitems: []\n",
        b"? apiVersion\n: v1\n? kind\n: Pod\n",
    ],
)
def test_an_object_is_recognised_however_it_is_written(text: bytes) -> None:
    assert FORMAT.recognises("file.yaml", text)


@pytest.mark.parametrize(
    "text",
    [
        POD + b"spec: [\n",
        POD + b"\tspec: 1\n",
        POD + b"spec: {{ toYaml .Values }}\n",
        POD + b"a: \xff\n",
        b'{"apiVersion": "v1", "kind": "Pod", \n',
    ],
)
def test_a_broken_manifest_is_recognised_so_that_it_is_told(text: bytes) -> None:
    assert FORMAT.recognises("file.yaml", text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"a: 1\n",
        b"apiVersion: v2\nname: chart\n",
        b"kind: nothing\n",
        b"extra:\n  apiVersion: v1\n  kind: Pod\n",
        b"- hosts: all\n  tasks:\n    - k8s:\n        definition:\n          apiVersion: v1\n          kind: Pod\n",
        b'{"schema": {"apiVersion": "v1", "kind": "Pod"}}',
        b'["apiVersion", "kind"]',
        b'text: "apiVersion: v1"\nmore: "kind: Pod"\n',
        b"\x00\xff\xfe apiVersion kind",
        b"{" * 100_000 + b"apiVersion kind",
        b"[" * 100_000 + b"apiVersion kind",
    ],
)
def test_files_that_only_mention_the_words_are_not(text: bytes) -> None:
    assert not FORMAT.recognises("file.yaml", text)


def test_a_template_of_a_chart_is_left_to_charts() -> None:
    template = {"chart/templates/pod.yaml": POD + b"metadata: {name: {{ .Release.Name }}}\n"}
    assert list(FORMAT.units(list(template), MemoryTree(template))) == []


def test_a_template_without_placeholders_is_read_as_it_stands() -> None:
    assert FORMAT.recognises("chart/templates/pod.yaml", POD)
