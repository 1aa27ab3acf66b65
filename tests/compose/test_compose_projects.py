"""What a project is made of, what is not known in it, and what is told when something cannot be understood."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compose_reading import FORMAT, load, resources, service
from policy_engine.partial import PartialDict
from policy_engine.tree import MemoryTree
from policy_engine.unit import ProblemKind
from policy_engine.unknown import Unknown
from policy_engine_plugins.compose.interpolation import InterpolationError, interpolate, read_env


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a$A", "aone"),
        ("${A}", "one"),
        ("$$A", "$A"),
        ("${NONE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${NONE:-${A}}", "one"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${A:?why}", "one"),
        ("${NONE:-}", ""),
        ("${NONE:-a:b/c}", "a:b/c"),
    ],
)
def test_variables_are_filled_in(text: str, value: str) -> None:
    assert interpolate(text, {"A": "one", "EMPTY": ""}) == value


@pytest.mark.parametrize("text", ["$NONE", "${NONE}", "${NONE:?why}", "${NONE:+x}"])
def test_a_variable_without_a_default_is_not_known(text: str) -> None:
    assert isinstance(interpolate(text, {}), Unknown)


def test_what_is_known_of_a_text_stays_known() -> None:
    value = interpolate("web:$TAG-slim", {})
    assert isinstance(value, Unknown)
    assert value.fragments == ("web:", None, "-slim")


@pytest.mark.parametrize("text", ["$", "$1", "${", "${}", "${A", "${A!x}", "${A:}", "a $ b"])
def test_a_sign_that_begins_nothing_is_a_fault(text: str) -> None:
    with pytest.raises(InterpolationError):
        interpolate(text, {"A": "x"})


def test_an_environment_file_is_read_as_compose_does() -> None:
    text = "A=1\n# c\nexport B = two words # c\nC='x $A'\nD=\"y $A\\n\"\nE=${A}z\nnot a line\nF=\nG=a#b\n"
    assert read_env(text) == {
        "A": "1",
        "B": "two words",
        "C": "x $A",
        "D": "y 1\n",
        "E": "1z",
        "F": "",
        "G": "a#b",
    }


@pytest.mark.parametrize(
    ("written", "known", "unknown"),
    [
        ("${P}:80", {"target": 80}, ["published", "host_ip"]),
        ("127.0.0.1:${P}:80", {"target": 80, "host_ip": "127.0.0.1"}, ["published"]),
        ("${IP}:80:80", {"target": 80, "published": 80}, ["host_ip"]),
        ("80:${P}", {"published": 80}, ["target"]),
    ],
)
def test_only_the_unknown_part_of_a_port_is_unknown(written: str, known: dict[str, Any], unknown: list[str]) -> None:
    (port,) = service(f'services: {{web: {{image: w, ports: ["{written}"]}}}}')["ports"]
    assert {key: port[key] for key in known} == known
    assert all(isinstance(port[key], Unknown) for key in unknown)


def test_the_secret_rules_see_the_environment_as_it_is_written() -> None:
    text = {"compose.yaml": 'services: {web: {image: w, environment: ["A=$X", B=1]}}', ".env": "X=hidden\n"}
    value = resources(text)["service/web"].value
    assert value["environment"] == {"A": "hidden", "B": "1"}
    assert value["written"] == {"A": "$X", "B": "1"}


def test_a_service_that_completes_another_is_not_known_where_it_is_silent() -> None:
    value = resources("services: {web: {mem_limit: 1g}}")["service/web"].value
    assert value["mem_limit"] == "1g"
    assert isinstance(value, PartialDict)
    assert isinstance(value.get("image"), Unknown)


def test_what_an_absent_file_would_bring_is_not_known() -> None:
    loaded = load("services: {web: {image: w, extends: {file: ../up.yaml, service: x}}}")
    (problem,) = loaded.problems
    assert problem.kind is ProblemKind.LIMITED
    assert problem.message == "'../up.yaml' is extended, but is not among the files"
    assert isinstance(loaded.resources[0].value.get("privileged"), Unknown)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "services: {a: {extends: b}, b: {extends: a}, c: {image: x}}",
            "1:33: service 'a' extends itself, or too many",
        ),
        ("services: {a: {extends: b}, c: {image: x}}", "1:16: there is no service 'b' to extend"),
        ("services: {a: 3, c: {image: x}}", "1:12: service 'a' is not a mapping"),
        ("services: {a: {image: $}, c: {image: x}}", "1:16: '$' begins a variable"),
        ("services: {c: {image: x, ports: 80}}", "1:26: 'ports' is not a list"),
        ("services: {c: {image: x, volumes: {a: b}}}", "1:26: 'volumes' is not a list"),
        ("services: {c: {image: x, environment: A=b}}", "1:26: 'environment' is neither a list nor a mapping"),
        ("services: {c: {image: x, cap_add: ALL}}", "1:26: 'cap_add' is not a list"),
        ("services: {c: {image: x}}\nvolumes: 3", "2:1: 'volumes' is not a mapping"),
        ("services: {c: {image: x}}\nvolumes: {v: 3}", "2:11: volume 'v' is not a mapping"),
    ],
)
def test_a_fault_is_told_at_its_place_and_the_rest_is_read(text: str, problem: str) -> None:
    loaded = load(text)
    assert any(str(each).startswith(f"compose.yaml:{problem}") for each in loaded.problems)
    assert "service/c" in [resource.address for resource in loaded.resources]


def test_included_files_are_part_of_the_project_but_for_those_that_are_scanned_themselves() -> None:
    files = {
        "compose.yaml": "include: [parts/one.yaml, {path: parts/compose.yaml}]\nservices: {web: {image: w}}\n",
        "parts/one.yaml": "services: {one: {image: o}}\ninclude: [two.yaml]\n",
        "parts/two.yaml": "services: {two: {image: t}}\ninclude: [one.yaml]\n",
        "parts/compose.yaml": "services: {own: {image: o}}\n",
    }
    assert list(resources(files)) == ["service/web", "service/one", "service/two"]


def test_a_unit_holds_every_file_that_loading_reads() -> None:
    files = {
        "a/compose.yaml": "services: {web: {extends: {file: ../b/x.yaml, service: w}}}",
        "a/compose.override.yaml": "services: {}",
        "a/.env": "A=1",
        "b/x.yaml": "include: [y.yaml]",
        "b/y.yaml": "services: {}",
        "a/docker-compose.prod.yml": "services: {}",
    }
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    units = list(FORMAT.units(["a/compose.override.yaml", "a/compose.yaml", "a/docker-compose.prod.yml"], tree))
    assert [unit.name for unit in units] == ["a/compose.yaml", "a/docker-compose.prod.yml"]
    assert units[0].paths == ("a/.env", "a/compose.override.yaml", "a/compose.yaml", "b/x.yaml", "b/y.yaml")


@pytest.mark.parametrize(
    ("path", "data", "taken"),
    [
        ("compose.yaml", b"services: {}\n", True),
        ("docker-compose.prod.yml", b"x: 1\nservices:\n", True),
        ("web.compose.yml", b'"services": {}\n', True),
        ("compose.yaml", b"services:\n  web: [\n", True),
        ("compose.yaml", b"include: [a.yaml]\n", True),
        ("compose.yaml", b"apiVersion: v1\nkind: X\nservices:\n", False),
        ("compose.yaml", b"a:\n  services: {}\n", False),
        ("values.yaml", b"services: {}\n", None),
        ("compose.json", b"services: {}\n", None),
    ],
)
def test_files_are_told_by_their_name_and_content(path: str, data: bytes, taken: bool | None) -> None:
    assert FORMAT.claims(path) is (taken is not None)
    if taken is not None:
        assert FORMAT.recognises(path, data) is taken


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: w, environment: " + "[" * 100_000,
        "services:\n  web: {image: '" + "${A:-" * 10_000 + "}" * 10_000 + "'}\n",
        "services:\n  web: {image: '" + "${" * 30_000 + "'}\n",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in zip("abcdef", "bcdefg", strict=True))
        + "services: {web: {image: w, x: *g}}\n",
        "services:\n" + "".join(f"  s{n}: {{extends: s{n + 1}}}\n" for n in range(3_000)),
        "services:\n" + "".join(f"  s{n}: {{extends: s0, image: x}}\n" for n in range(3_000)),
        "services: {web: {image: w, ports: [" + "'1:1'," * 20_000 + "]}}\n",
        "services: {web: {image: w, volumes: ['" + ":" * 50_000 + "']}}\n",
        'services: {web: {image: w, command: "' + "'" * 9_999 + '"}}\n',
        "services: !reset {}\n",
        "services: [a]\n",
        "- services\n",
        "services: {web: {extends: {service: [a], file: {}}}}\n",
        "services: {web: {image: w, environment: [1, null, {a: b}, [c]], ports: [null, {}], labels: 3, build: []}}\n",
        "services: {web: {image: w, depends_on: [[a], 1], networks: [null], env_file: [1], healthcheck: [a]}}\n",
        'services: {web: {image: w, ports: ["\\0:80"], volumes: ["a:\\0"], devices: ["\\0"], labels: ["\\0"]}}\n',
        'services: {web: {image: w, ports: ["$A\\0:80"], volumes: ["$A:\\0"], devices: ["$A\\0"], secrets: ["\\0"]}}\n',
    ],
    ids=range(17),
)
def test_a_hostile_file_is_read_in_time(text: str) -> None:
    started = time.process_time()
    for resource in load({"compose.yaml": text, "compose.override.yaml": text}).resources:
        for key in resource.value:
            resource.locate((key, 0, "x"))
    assert time.process_time() - started < 10


KEYS = st.sampled_from(
    ["image", "ports", "volumes", "environment", "build", "extends", "command", "networks", "labels"]
)
VALUES = st.recursive(
    st.sampled_from(["a", "80:80", "$A", "${B:-c}", "x=y", "", "a:b:c", "$"])
    | st.none()
    | st.integers()
    | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "target", "source", "file"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, VALUES, max_size=5), st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_value_makes_the_reader_raise(base: dict[str, Any], over: dict[str, Any]) -> None:
    import json

    files = {
        "compose.yaml": json.dumps({"services": {"web": base}}),
        "compose.override.yaml": json.dumps({"services": {"web": over}}),
    }
    for resource in load(files).resources:
        for key in resource.value:
            resource.locate((key, 0))
