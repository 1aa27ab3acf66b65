"""Where findings point: each place is compared with what it cuts out of the Dockerfile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerfile_reading import cut, load, of_type, only, shown
from policy_engine.path import places as items

TEXT = """\
# syntax=docker/dockerfile:1
ARG TAG=20
FROM --platform=linux/amd64 node:${TAG}-alpine AS build
ENV A=1 \\
    # why
    SECRET="x y"
RUN --mount=type=secret,id=npm --network=host apt-get update && \\
    # a comment

    apt-get install -y \\
      curl  git
COPY --from=nginx:latest --chmod=777 /a /b /c/
RUN <<EOF
set -e
  curl -k https://x | sh
EOF
RUN ["sh", "-c", "wget  x"]
FROM build
USER 0:0
EXPOSE 22 80/udp
HEALTHCHECK --interval=5s CMD curl -f http://localhost
ONBUILD RUN echo x
"""


@pytest.mark.parametrize(
    ("kind", "which", "path", "text"),
    [
        ("dockerfile", 0, ("syntax",), "# syntax=docker/dockerfile:1"),
        ("from", 0, ("image", "tag"), "node:${TAG}-alpine"),
        ("from", 0, ("name",), "build"),
        ("from", 0, ("platform",), "--platform=linux/amd64"),
        ("stage", 0, (), "FROM --platform=linux/amd64 node:${TAG}-alpine AS build"),
        ("stage", 0, ("env", "SECRET"), 'SECRET="x y"'),
        ("stage", 1, ("env", "SECRET"), 'SECRET="x y"'),
        ("stage", 1, ("user",), "0:0"),
        ("stage", 1, ("exposed", 0), "22"),
        ("stage", 1, ("nothing",), "FROM build"),
        ("env", 0, ("variables", "SECRET"), 'SECRET="x y"'),
        ("run", 0, (), "RUN --mount=type=secret,id=npm --network=host apt-get update && \\"),
        ("run", 0, ("network",), "--network=host"),
        ("run", 0, ("mounts", 0, "id"), "id=npm"),
        ("run", 0, ("commands", 0), "apt-get update"),
        ("run", 0, ("commands", 1, "words", 3), "curl"),
        ("run", 0, ("commands", 1, "operands", 2), "git"),
        ("run", 0, ("commands", 1, "options", 0), "-y"),
        ("run", 0, ("commands", 1), "apt-get install -y \\\n      curl  git"),
        ("run", 0, ("stage", "name"), "build"),
        ("copy", 0, ("from",), "--from=nginx:latest"),
        ("copy", 0, ("image", "tag"), "nginx:latest"),
        ("copy", 0, ("sources", 1), "/b"),
        ("copy", 0, ("destination",), "/c/"),
        ("run", 1, ("commands", 1, "options", 0), "-k"),
        ("run", 1, ("commands", 1, "executed_by"), "curl"),
        ("run", 2, ("commands", 0), '"sh", "-c", "wget  x"'),
        ("run", 2, ("commands", 1, "words", 0), '"wget  x"'),
        ("run", 2, ("argv", 1), '"-c"'),
        ("healthcheck", 0, ("commands", 0, "words", 2), "http://localhost"),
        ("healthcheck", 0, ("flags", "interval"), "--interval=5s"),
        ("run", 3, (), "RUN echo x"),
        ("run", 3, ("commands", 0, "words", 1), "x"),
        ("user", 0, ("user",), "0:0"),
        ("expose", 0, ("ports", 1), "80/udp"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_attribute_is_shown_where_it_is_written(
    kind: str, which: int, path: tuple[str | int, ...], text: str, ending: str
) -> None:
    source = TEXT.replace("\n", ending)
    resource = of_type(source, kind)[which]
    if path:
        assert shown(source, resource, *path).replace("\r\n", "\n") == text
    else:
        assert cut(source, resource.location.span) == text


def test_the_default_of_a_build_argument_is_a_related_place() -> None:
    trace = of_type(TEXT, "from")[0].locate(("image", "tag"))
    ((place, phrase),) = trace.related
    assert cut(TEXT, place.span) == "TAG=20"
    assert phrase == "the default of build argument 'TAG'"


PIECES = st.sampled_from(
    [
        "FROM a AS b",
        "RUN x && \\\n  y -k",
        "ENV A=1 B='é'",
        "COPY --from=b . /x",
        "# c",
        "",
        "RUN <<E\nz\nE",
        "USER u",
        "X",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_every_place_of_every_resource_is_in_the_file(pieces: list[str], ending: str) -> None:
    text = ending.join(["FROM scratch", *pieces]).replace("\r\n", "\n").replace("\n", ending)
    for resource in load(text).resources:
        paths = [path for path, _ in items(resource.value, ("commands",))]
        paths += [(key,) for key in resource.value if key not in ("stage", "stages")]
        for path in paths:
            shown(text, resource, *path)
        assert cut(text, resource.location.span).split(maxsplit=1)[0].isupper()
        assert resource.extent is not None
        assert resource.location.span.start_line >= resource.extent.span.start_line


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("<<EOF bash -euo pipefail", ["bash", "curl", "tar"]),
        ("<<-EOF bash", ["bash", "curl", "tar"]),
        ("<<EOF cat > /x && make", ["cat", "make"]),
        ("<<EOF python3", ["python3"]),
        ("bash <<EOF", ["bash", "curl", "tar"]),
    ],
)
def test_a_program_behind_its_heredoc_is_read_and_placed(line: str, names: list[str]) -> None:
    text = f"FROM a\nRUN {line}\ncurl -fsSL https://example.com/x.tgz | tar -xz\nEOF\n"
    run = only(text, "run")
    commands = run.value["commands"]
    assert [command["name"] for command in commands] == names
    for index, name in enumerate(names):
        assert shown(text, run, "commands", index, "name") == name
