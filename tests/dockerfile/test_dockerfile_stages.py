"""Stages, what instructions make of them, and what is told when something cannot be understood."""

from __future__ import annotations

from typing import Any

import pytest

from dockerfile_reading import FORMAT, load, of_type, only, resources, stage
from policy_engine.unknown import Unknown
from policy_engine_plugins.dockerfile.lexical import comments


def test_a_stage_goes_on_where_the_one_it_builds_on_ended() -> None:
    text = (
        "FROM node:20 AS base\nUSER app:web\nWORKDIR /srv\nEXPOSE 80\nENV A=1\n"
        "FROM base AS next\nWORKDIR api\nEXPOSE 81\n"
    )
    found = stage(text, "next")
    assert found["base"] == "base"
    assert found["image"]["repository"] == "node"
    assert (found["user"], found["group"], found["workdir"]) == ("app", "web", "/srv/api")
    assert [each["port"] for each in found["exposed"]] == [80, 81]
    assert found["final"] is True
    assert stage(text, "base")["final"] is False


@pytest.mark.parametrize(
    ("image", "known"),
    [("node:20", None), ("scratch", None), ("haproxy:3", "unknown"), ("acme/base:1", "unknown"), ("$X", "unknown")],
)
def test_the_user_of_a_base_image_is_root_only_where_that_is_known(image: str, known: str | None) -> None:
    user = of_type(f"ARG X\nFROM {image}\n", "stage")[0].value.get("user")
    assert user is None if known is None else isinstance(user, Unknown)


def test_an_address_does_not_count_lines() -> None:
    before = [each.address for each in resources("FROM a AS b\nRUN apt-get update\nRUN npm ci\nCOPY x /y\n")]
    after = [
        each.address for each in resources("\n\nFROM a AS b\nENV A=1\nRUN apt-get update\nRUN npm ci\nCOPY x /y\n")
    ]
    assert set(before) <= set(after)
    assert "stage:b/run/npm" in before


def test_copy_names_the_stage_or_the_image_it_takes_from() -> None:
    found = of_type("FROM a AS x\nFROM b\nCOPY --from=x /1 /2\nCOPY --from=0 /1 /3\nCOPY --from=c:1 /1 /4\n", "copy")
    assert [each.value.get("stage_from") for each in found] == ["x", "x", None]
    assert found[2].value["image"]["tag"] == "1"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("EXPOSE 80 443/tcp 53/UDP 8000-8010", [(80, "tcp"), (443, "tcp"), (53, "udp"), ("8000-8010", "tcp")]),
        ("EXPOSE 99999999", [("99999999", "tcp")]),
    ],
)
def test_ports_are_numbers_where_they_are(line: str, value: list[tuple[Any, str]]) -> None:
    found = only(f"FROM a\n{line}\n", "expose").value["ports"]
    assert [(each["port"], each["protocol"]) for each in found] == value


def test_an_onbuild_instruction_is_of_its_own_kind_and_changes_nothing_here() -> None:
    text = "FROM a\nUSER app\nONBUILD USER root\nONBUILD RUN echo $X\n"
    assert stage(text, "0")["user"] == "app"
    assert [each.value["onbuild"] for each in of_type(text, "user")] == [False, True]
    assert only(text, "run").address == "stage:0/onbuild/run/echo"


def test_flags_are_there_by_their_names() -> None:
    run = only("FROM a\nRUN --mount=type=secret,id=x,required --mount=target=/y --security=insecure x\n", "run").value
    assert run["security"] == "insecure"
    assert run["mounts"] == [{"type": "secret", "id": "x", "required": True}, {"type": "bind", "target": "/y"}]


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ('CMD ["a", "b"]', "exec"),
        ("CMD [a, b]", "shell"),
        ("CMD ['a']", "shell"),
        ('CMD ["a" "b"]', "shell"),
        ("CMD a b", "shell"),
        ("CMD []", "exec"),
    ],
)
def test_a_list_that_is_not_json_is_a_command_for_the_shell(line: str, form: str) -> None:
    assert only(f"FROM a\n{line}\n", "cmd").value["form"] == form


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM a\nRUNN x\nUSER u\n", "2:1: unknown instruction 'RUNN'"),
        (
            "FROM a\n{% if x %}\nUSER u\n",
            "2:1: looks like a template, which has to be rendered before it can be scanned",
        ),
        ("FROM a\nRUN\nUSER u\n", "2:1: RUN wants an argument"),
        ("FROM a\nENV A\nUSER u\n", "2:5: ENV wants a value for 'A'"),
        ("FROM a\nENV A=1 B\nUSER u\n", "2:9: 'B' is not of the form name=value"),
        ("FROM a\nCMD [1]\nUSER u\n", "2:5: a list in JSON form may hold text alone"),
        ("FROM a b\nUSER u\n", "1:1: FROM wants an image, and may go on with AS and a name"),
        ("RUN x\nFROM a\nUSER u\n", "1:1: RUN stands before the first FROM"),
        ("FROM a\nHEALTHCHECK x\nUSER u\n", "2:13: HEALTHCHECK wants NONE, or CMD with a command"),
        ("FROM a\nONBUILD FROM b\nUSER u\n", "2:9: ONBUILD cannot be followed by FROM"),
        ("FROM a\nSHELL sh\nUSER u\n", "2:7: SHELL wants a list in JSON form"),
        ("FROM a\nCOPY x\nUSER u\n", "2:1: COPY wants a source and a destination"),
        ("# escape=x\nFROM a\nUSER u\n", "1:1: the escape directive takes a backslash or a backtick"),
    ],
)
def test_a_fault_is_told_at_its_place_and_the_rest_is_read(text: str, problem: str) -> None:
    loaded = load(text)
    assert [str(each) for each in loaded.problems] == [f"Dockerfile:{problem}"]
    assert "user" in [resource.type for resource in loaded.resources]


def test_a_heredoc_that_is_not_closed_is_told() -> None:
    loaded = load("FROM a\nRUN cat <<EOF\nx\n")
    assert [str(each) for each in loaded.problems] == [
        "Dockerfile:2:9: the heredoc 'EOF' is not closed: no line holds that word alone"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "ARG X=1\n"])
def test_a_file_without_from_is_told(text: str) -> None:
    assert [each.message for each in load(text).problems] == ["there is no FROM, so nothing is built"]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("Dockerfile", True),
        ("a/b/Containerfile", True),
        ("Dockerfile.web", True),
        ("web.Dockerfile", True),
        ("web.dockerfile", True),
        ("web.containerfile", True),
        ("Dockerfile-dev", True),
        ("Dockerfile.dockerignore", False),
        ("Dockerfile.md", False),
        ("Dockerfile.j2", False),
        (".dockerignore", False),
        ("dockerfile.py", False),
        ("Dockerfiles", False),
        ("DOCKERFILE", False),
    ],
)
def test_names_that_are_taken(path: str, taken: bool) -> None:
    assert FORMAT.claims(path) is taken


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        (b"FROM a\n", True),
        (b"# c\n\n  from a\n", True),
        (b"ARG X\nFROM $X\nFOO\n", True),
        (b"\xef\xbb\xbfFROM a\n", True),
        (b"How to build\n", False),
        (b"{% if x %}\nFROM a\n", False),
        (b"FROM a\n{{ x }}\n", False),
        (b"", False),
    ],
)
def test_a_file_of_a_name_that_may_be_something_else_is_told_by_its_first_instruction(data: bytes, taken: bool) -> None:
    assert FORMAT.recognises("Dockerfile.web", data) is taken
    assert FORMAT.recognises("Dockerfile", data) is True


def test_comments_are_the_lines_that_start_with_a_hash_outside_heredocs() -> None:
    data = b"# one\nFROM a # no\nRUN x \\\n  # two\n  y\nRUN <<E\n# three\nE\n"
    assert [(each.text, each.location.span.start_line) for each in comments(data, "Dockerfile")] == [
        (" one", 1),
        (" two", 4),
    ]


def test_a_backtick_escapes_where_the_directive_says_so() -> None:
    text = "# escape=`\nFROM a\nRUN dir c:\\ `\n  && x\nCOPY a c:\\\\\n"
    run = only(text, "run").value
    assert run["command"] == "dir c:\\   && x"
    assert isinstance(run["commands"], Unknown)


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("RUN a && b | c", ["a", "b", "c"]),
        ('RUN ["a", "b"]', ["a"]),
        ("RUN <<EOF\na\nb\nEOF", ["a", "b"]),
        ("RUN <<-EOF\n\ta\n\tEOF", ["a"]),
        ("RUN cat <<EOF > /x\na\nEOF", ["cat"]),
        ("RUN bash <<EOF\na\nEOF", ["bash", "a"]),
        ("RUN <<EOF\n#!/usr/bin/env python3\nimport os\nEOF", ["python3"]),
        ("RUN <<EOF\n#!/bin/bash\na\nEOF", ["a"]),
        ("ENV P=x\nRUN $P y", ["x"]),
        ("RUN P=x && $P y", ["x"]),
    ],
)
def test_the_programs_of_a_run(text: str, programs: list[str]) -> None:
    assert list(only(f"FROM scratch\n{text}\n", "run").value["programs"]) == programs


def test_a_shell_with_pipefail_is_known_to_its_commands() -> None:
    text = 'FROM a\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b\n'
    assert [each["pipefail"] for each in only(text, "run").value["commands"]] == [True, True]
    text = text.replace("/bin/bash", "pwsh")
    assert isinstance(only(text, "run").value["commands"], Unknown)


def test_what_the_final_stage_builds_on_is_shipped_with_it() -> None:
    text = "FROM a AS base\nFROM base AS build\nFROM base AS below\nFROM below\nCOPY --from=build /a /b\n"
    shipped = {name: stage(text, name)["shipped"] for name in ("base", "build", "below", "3")}
    assert shipped == {"base": True, "build": False, "below": True, "3": True}
