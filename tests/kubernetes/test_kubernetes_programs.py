"""The program that a container starts, and what its flags say."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

from kubernetes_reading import resources, shown
from policy_engine.resource import Resource
from policy_engine.unknown import Unknown


def container(settings: str) -> tuple[str, Resource]:
    text = textwrap.dedent(f"""\
    apiVersion: v1
    kind: Pod
    metadata: {{name: a}}
    spec: {{containers: [{{name: app, {settings}}}]}}
    """)
    return text, resources(text)["Pod/default/a/containers/app"]


@pytest.mark.parametrize(
    ("settings", "program", "flags"),
    [
        ("command: [kube-apiserver, --a=b]", "kube-apiserver", {"a": "b"}),
        ("command: [/usr/local/bin/etcd], args: [--a, b, --c, --d=]", "etcd", {"a": "b", "c": "true", "d": ""}),
        ("command: [server, -config.file=x, run]", "server", {"config.file": "x"}),
        ("args: [--a=1]", None, {"a": "1"}),
        ("args: [server, --a=1]", None, {"a": "1"}),
        ("args: [kubelet, --a_b=1]", "kubelet", {"a-b": "1"}),
        ("command: [/hyperkube, apiserver, --a]", "kube-apiserver", {"a": "true"}),
        ("command: [tini, --, kube-proxy, --a]", "kube-proxy", {"a": "true"}),
        ("command: [kube-scheduler, --a=1, --a=2, --b=true, --b=false]", "kube-scheduler", {"a": "1,2", "b": "false"}),
        ("command: [etcd, --a=1], env: [{name: ETCD_A, value: '2'}, {name: ETCD_B_C, value: '3'}]", "etcd",
         {"a": "1", "b-c": "3"}),
        ("command: [sh, -c, 'kube-apiserver --a=\"b c\" 2>&1 | tee /x --d']", "kube-apiserver", {"a": "b c"}),
        ("command: [sh, -ec], args: ['X=1 exec /bin/etcd --a=1 && echo --b']", "etcd", {"a": "1"}),
        ("command: [sh, -c, 'nginx --a']", "sh", {"c": "nginx --a"}),
        ("command: [sh, -c, 'etcd \"--a']", "sh", {"c": "etcd \"--a"}),
        ("command: [argo], args: [server, --a, b, --c, --a, d]", "argo", {"a": "b,d", "c": "true"}),
        ("command: [sh]", "sh", {}),
        ("command: []", None, None),
    ],
)  # fmt: skip
def test_flags_are_read_from_the_command_line(settings: str, program: str | None, flags: dict[str, str] | None) -> None:
    _, found = container(settings)
    assert (found.value["program"], found.value.get("flags")) == (program, flags)


def test_a_value_that_is_filled_in_later_is_unknown_and_other_flags_are_not() -> None:
    _, found = container("command: [kube-apiserver, '--a=$(A)', --b=1], env: [{name: A, valueFrom: {}}]")
    flags = found.value["flags"]
    assert isinstance(flags["a"], Unknown)
    assert (flags["b"], flags.get("c")) == ("1", None)
    _, found = container("command: [sh, -c, 'kube-apiserver --a=${A} --b=1']")
    assert isinstance(found.value["flags"]["a"], Unknown)


@pytest.mark.parametrize(
    "settings",
    [
        "command: [kube-apiserver, '{{ flags }}', --b=1]",
        "command: [kube-apiserver, --c, '{{ flags }}', --b=1]",
        "command: [sh, -c, 'kube-apiserver $FLAGS --b=1']",
        "command: [kubelet, --config=/etc/kubelet.yaml, --b=1]",
        "command: [etcd, --config-file=/etc/etcd.yaml, --b=1]",
    ],
)
def test_what_may_be_said_elsewhere_is_unknown(settings: str) -> None:
    _, found = container(settings)
    flags: Any = found.value["flags"]
    assert isinstance(flags.get("a"), Unknown)
    assert flags.get("b") == "1"


def test_a_program_that_is_not_known_is_none_of_those_that_rules_speak_of() -> None:
    _, found = container("command: ['{{ program }}', --a=1]")
    assert found.value["program"] is None


def test_a_finding_shows_the_flag() -> None:
    text, found = container("command: [kube-apiserver, --a=1], args: [--b, '2']")
    assert shown(text, found, "flags", "a") == "--a=1"
    assert shown(text, found, "flags", "b") == "--b"
    assert shown(text, found, "program") == shown(text, found, "flags", "c")
    assert "command" in shown(text, found, "flags", "c")
    text, found = container(f"command: [sh, -c, {json.dumps('etcd --a=1')}]")
    assert shown(text, found, "flags", "a") == '"etcd --a=1"'


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("'registry:5000/team/web:1@sha256:ab'", "web"),
        ("web", "web"),
        ("'web:${TAG}'", "web"),
        ("'${REGISTRY}/web:1'", None),
        ("'web-${KIND}'", None),
        ("'${IMAGE}'", None),
        ("null", None),
        ("7", None),
    ],
)
def test_the_name_of_an_image_is_known_without_its_tag(image: str, name: str | None) -> None:
    text, found = container(f"image: {image}")
    assert found.value["image_name"] == name
    assert shown(text, found, "image_name") == shown(text, found, "image")
