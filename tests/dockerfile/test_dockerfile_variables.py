"""Variables are filled in as BuildKit does it; what is not known says why."""

from __future__ import annotations

from typing import Any

import pytest

from dockerfile_reading import load, of_type, only, stage
from policy_engine.unknown import Unknown


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$A", "one"),
        ("${A}", "one"),
        ("x${A}y", "xoney"),
        ("'$A'", "$A"),
        ('"$A b"', "one b"),
        ("\\$A", "$A"),
        ('"\\$A"', "$A"),
        ("a\\ b", "a b"),
        ("${A:-z}", "one"),
        ("${NONE:-z}", "z"),
        ("${NONE-z}", "z"),
        ("${EMPTY:-z}", "z"),
        ("${EMPTY-z}", ""),
        ("${A:+z}", "z"),
        ("${NONE:+z}", ""),
        ("${EMPTY+z}", "z"),
        ("${NONE:-${A}}", "one"),
        ("${P#*/}", "b/c"),
        ("${P##*/}", "c"),
        ("${P%/*}", "a/b"),
        ("${P%%/*}", "a"),
        ("${P/a/x}", "x/b/c"),
        ("${P//\\//-}", "a-b-c"),
        ("$NONE", ""),
        ("$", "$"),
        ("a$-b", "ab"),
    ],
)
def test_a_variable_is_filled_in(written: str, value: str) -> None:
    text = f"FROM scratch\nENV A=one EMPTY= P=a/b/c\nENV X={written}\n"
    assert stage(text, "0")["env"]["X"] == value


def test_one_env_sees_the_variables_from_before_it() -> None:
    found = stage("FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n", "0")["env"]
    assert found == {"abc": "bye", "def": "hello", "ghi": "bye"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ARG X\nFROM $X\n", "build argument 'X' has no default"),
        ("FROM $TARGETARCH\n", "$TARGETARCH is the platform that the build is started for"),
        ("FROM scratch\nARG X\nENV E=$X\n", "build argument 'X' has no default"),
        ("FROM a\nENV E=$HOME\n", "$HOME is not set in the Dockerfile; the base image may set it"),
        (
            "FROM scratch\nARG TARGETARCH\nENV E=$TARGETARCH\n",
            "$TARGETARCH is the platform that the build is started for",
        ),
        ("FROM scratch\nENV E=$HTTP_PROXY\n", "$HTTP_PROXY is what the build is started with"),
    ],
)
def test_what_is_not_known_says_why(text: str, reason: str) -> None:
    found: Any = of_type(text, "stage")[0].value
    value = found["env"].get("E", found["image"]["reference"])
    assert isinstance(value, Unknown)
    assert value.reason == reason


def test_an_argument_from_before_the_first_from_reaches_a_stage_only_when_declared_again() -> None:
    text = "ARG V=1\nFROM scratch\nENV A=$V\nARG V\nENV B=$V\nFROM scratch\nENV C=$V\n"
    assert stage(text, "0")["env"] == {"A": "", "B": "1"}
    assert stage(text, "1")["env"] == {"C": ""}


def test_the_environment_wins_over_a_build_argument() -> None:
    assert stage("FROM scratch\nENV V=env\nARG V=arg\nENV W=$V\n", "0")["env"]["W"] == "env"


def test_a_stage_on_another_has_its_environment_but_not_its_arguments() -> None:
    text = "FROM scratch AS a\nARG X=1\nENV E=2\nFROM a\nENV F=$E G=$X\n"
    assert stage(text, "1")["env"] == {"E": "2", "F": "2", "G": ""}


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("node", {"registry": "docker.io", "repository": "node", "official": True}),
        ("node:20", {"repository": "node", "tag": "20", "official": True}),
        ("library/node:20", {"repository": "node", "official": True}),
        ("docker.io/acme/web@sha256:ab", {"repository": "acme/web", "digest": "sha256:ab", "official": False}),
        ("localhost:5000/web", {"registry": "localhost:5000", "repository": "web", "official": False}),
        ("ghcr.io/acme/web:1@sha256:ab", {"registry": "ghcr.io", "tag": "1", "digest": "sha256:ab"}),
        ("scratch", {"scratch": True}),
    ],
)
def test_an_image_reference_is_taken_apart(reference: str, parts: dict[str, object]) -> None:
    image = only(f"FROM {reference}\n", "from").value["image"]
    assert {key: image.get(key) for key in parts} == parts
    assert ("tag" in image) == (":" in reference.rpartition("/")[2].partition("@")[0])


@pytest.mark.parametrize(
    ("reference", "known", "unknown"),
    [
        ("node:$X", {"repository": "node", "official": True}, ["tag", "digest"]),
        ("$X/web:1.2", {"tag": "1.2"}, ["registry", "repository", "official"]),
        ("node:$X-slim", {"repository": "node"}, ["tag"]),
        ("web$X", {}, ["repository", "tag", "digest"]),
        ("a@$X", {"repository": "a"}, ["digest"]),
    ],
)
def test_only_the_part_with_a_gap_is_unknown(reference: str, known: dict[str, object], unknown: list[str]) -> None:
    image = of_type(f"ARG X\nFROM {reference}\n", "from")[0].value["image"]
    assert {key: image[key] for key in known} == known
    assert all(isinstance(image[key], Unknown) for key in unknown)


def test_a_word_that_cannot_be_read_is_told_and_the_rest_is_there() -> None:
    loaded = load("FROM a\nENV A=${x B=1\nENV C='x\nUSER u\n")
    assert [str(problem) for problem in loaded.problems] == [
        "Dockerfile:2:7: '${' wants a name and a '}'",
        "Dockerfile:3:7: a single quote is not closed",
    ]
    assert [resource.type for resource in loaded.resources][-1] == "user"


def test_variables_of_variables_do_not_grow_without_end() -> None:
    text = "FROM scratch\nENV A=xxxxxxxxxxxxxxxx\n" + "ENV A=$A$A$A$A\n" * 500
    value = stage(text, "0")["env"]["A"]
    assert isinstance(value, Unknown)
