"""What a container runs with: inherited security settings, and `$(NAME)` in its texts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from kubernetes_reading import resources
from policy_engine.unknown import Unknown


def container(settings: str, pod: str = "{}", annotations: str = "{}") -> Mapping[str, Any]:
    text = f"""\
    apiVersion: v1
    kind: Pod
    metadata: {{name: a, annotations: {annotations}}}
    spec: {{securityContext: {pod}, containers: [{{name: app, {settings}}}]}}
    """
    return resources(textwrap.dedent(text))["Pod/default/a/containers/app"].value


@pytest.mark.parametrize(
    ("own", "pod", "effective"),
    [
        ("{}", "{}", {}),
        ("{runAsNonRoot: true}", "{}", {"runAsNonRoot": True}),
        (
            "{}",
            "{runAsNonRoot: true, runAsUser: 7, runAsGroup: 8}",
            {"runAsNonRoot": True, "runAsUser": 7, "runAsGroup": 8},
        ),
        ("{runAsNonRoot: false}", "{runAsNonRoot: true}", {"runAsNonRoot": False}),
        ("{runAsUser: 0}", "{runAsUser: 7}", {"runAsUser": 0}),
        ("{runAsUser: null}", "{runAsUser: 7}", {"runAsUser": 7}),
        ("null", "{runAsUser: 7}", {"runAsUser": 7}),
        ("{}", "{seccompProfile: {type: RuntimeDefault}}", {"seccompProfile": {"type": "RuntimeDefault"}}),
        (
            "{seccompProfile: {type: Unconfined}, seLinuxOptions: {user: u}}",
            "{seccompProfile: {type: RuntimeDefault}, seLinuxOptions: {user: v, role: r}}",
            {"seccompProfile": {"type": "Unconfined"}, "seLinuxOptions": {"user": "u"}},
        ),
        ("{}", "{fsGroup: 3, sysctls: []}", {}),
        ("{privileged: true}", "{}", {}),
        ("text", "[]", {}),
    ],
)
def test_a_container_inherits_what_it_does_not_set(own: str, pod: str, effective: dict[str, object]) -> None:
    assert container(f"securityContext: {own}", pod)["effective"] == effective


def test_an_unknown_security_context_makes_what_it_could_set_unknown() -> None:
    effective = container("securityContext: '${CONTEXT}'", "{runAsUser: 7}")["effective"]
    assert type(effective["runAsUser"]) is Unknown
    effective = container("securityContext: {runAsUser: 1}", "'${CONTEXT}'")["effective"]
    assert effective["runAsUser"] == 1
    assert type(effective["runAsGroup"]) is Unknown


@pytest.mark.parametrize(
    ("annotation", "profile"),
    [
        ("runtime/default", {"type": "RuntimeDefault"}),
        ("unconfined", {"type": "Unconfined"}),
        ("localhost/shop", {"type": "Localhost", "localhostProfile": "shop"}),
        ("nonsense", None),
    ],
)
def test_an_app_armor_annotation_counts_where_no_field_is_set(annotation: str, profile: object) -> None:
    key = f"{{container.apparmor.security.beta.kubernetes.io/app: {annotation}}}"
    assert container("image: web", annotations=key)["effective"].get("appArmorProfile") == profile
    field = "securityContext: {appArmorProfile: {type: Unconfined}}"
    assert container(field, annotations=key)["effective"]["appArmorProfile"] == {"type": "Unconfined"}


@pytest.mark.parametrize(
    ("env", "text", "expanded"),
    [
        ("[{name: P, value: '80'}]", "--port=$(P)", "--port=80"),
        ("[{name: P, value: 80}]", "$(P)$(P)", "8080"),
        ("[{name: A, value: x}, {name: B, value: $(A)y}]", "$(B)z", "xyz"),
        ("[{name: B, value: $(A)y}, {name: A, value: x}]", "$(B)z", "$(A)yz"),
        ("[{name: P}]", "[$(P)]", "[]"),
        ("[]", "$(date) $(P)", "$(date) $(P)"),
        ("[{name: P, value: '80'}]", "$$(P) ${P} $P $(P", "$(P) ${P} $P $(P"),
        ("[{name: P, value: '80'}]", "$$(P) $(P)", "$(P) 80"),
    ],
)
def test_references_to_known_variables_are_replaced(env: str, text: str, expanded: str) -> None:
    assert container(f"env: {env}, args: ['{text}'], command: ['{text}', 1]")["args"] == [expanded]


@pytest.mark.parametrize(
    ("settings", "fragments"),
    [
        ("env: [{name: T, valueFrom: {fieldRef: {fieldPath: x}}}], args: ['--t=$(T)']", ("--t=", None)),
        ("env: [{name: T, valueFrom: {}}, {name: U, value: 'u$(T)'}], args: ['$(U)!']", ("u", None, "!")),
        ("envFrom: [{secretRef: {name: s}}], args: ['a$(T)']", ("a", None)),
        ("args: ['http://$(WEB_SERVICE_HOST):80']", ("http://", None, ":80")),
    ],
)
def test_references_to_variables_from_elsewhere_are_unknown_text(
    settings: str, fragments: tuple[str | None, ...]
) -> None:
    (text,) = container(settings)["args"]
    assert type(text) is Unknown
    assert text.fragments == fragments
    assert "is filled in when the container starts" in text.reason


def test_the_object_keeps_the_text_as_it_is_written() -> None:
    value = container("env: [{name: P, value: '80'}, {name: Q, value: $(P)}], args: ['$(P)']")
    assert value["env"][1] == {"name": "Q", "value": "80"}
    written = value["workload"]["spec"]["containers"][0]
    assert (written["args"], written["env"][1]["value"]) == (["$(P)"], "$(P)")


def test_variables_of_variables_cannot_grow_without_bound() -> None:
    doubling = ", ".join(f"{{name: V{n + 1}, value: '$(V{n})$(V{n})'}}" for n in range(60))
    (text,) = container(f"env: [{{name: V0, value: xxxxxxxx}}, {doubling}], args: ['$(V60)']")["args"]
    assert type(text) is Unknown
