"""Nothing in a Dockerfile makes the reader raise, hang or point outside the file."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerfile_reading import cut, load


def everything(text: str | bytes) -> None:
    """Loads a file and asks for all there is, as rules do."""
    loaded = load(text)
    shown = text if isinstance(text, str) else text.decode("utf-8-sig", "replace")
    for resource in loaded.resources:
        for key in ("commands", "programs"):
            if key in resource.value:
                commands = resource.value.get(key)
                for index in range(len(commands) if isinstance(commands, list) else 0):
                    cut(shown, resource.locate((key, index, "words", 0)).location.span)
        cut(shown, resource.location.span)
    for problem in loaded.problems:
        assert problem.span is None or cut(shown, problem.span) is not None


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\n" * 30_000,
        "FROM a\nRUN " + "x && " * 20_000 + "y\n",
        "FROM a\nRUN " + "(" * 20_000 + "\n",
        "FROM a\nRUN " + "$(" * 5_000 + "x" + ")" * 5_000 + "\n",
        "FROM a\nRUN " + "sh -c '" * 3_000 + "\n",
        "FROM a\nRUN " + '"' * 30_001 + "\n",
        "FROM a\nRUN " + "a | " * 20_000 + "b\n",
        "FROM a\nRUN " + "x \\\n" * 20_000,
        "FROM a\nRUN <<A\n" * 5_000,
        "FROM a\nCOPY " + " ".join(f"<<A{n}" for n in range(3_000)) + " /x\n",
        "FROM a\nENV " + " ".join(f"K{n}=v" for n in range(4_000)) + "\n",
        "FROM a\n" + "".join(f"ENV K{n}=$K{n - 1}x\n" for n in range(3_000)),
        "FROM a\nENV A=" + "${A:-" * 5_000 + "}" * 5_000 + "\n",
        "FROM a\nENV A=" + "a" * 60_000 + "\nENV B=${A%%" + "*a" * 2_000 + "b}\n",
        "FROM a\nCMD " + "[" * 50_000 + "\n",
        "FROM a\nRUN " + "--mount=type=x " * 10_000 + "x\n",
        "FROM a\nRUN --mount=" + "a=b," * 20_000 + " x\n",
        "FROM a\nRUN [" + '"x",' * 20_000 + '"y"]\n',
        "# escape=`\nFROM a\nRUN x `\n" * 100,
        "\r" * 10_000 + "FROM a\r",
        "FROM " + "a/" * 50_000 + "\n",
        "ONBUILD " * 10_000,
        "FROM a\nRUN x\0y\n",
        "FROM a\nLABEL a=\\",
        "FROM a\n" + "<<" * 10_000 + "\n",
        "FROM a\nRUN " + "<<a " * 10_000 + "\n",
        "FROM a\nRUN " + "if a; then " * 3_000 + "\n",
        "FROM a\nRUN " + "a=b " * 20_000 + "\n",
    ],
    ids=range(28),
)
def test_a_hostile_file_is_read_in_time(text: str) -> None:
    started = time.process_time()
    everything(text)
    assert time.process_time() - started < 10


def test_bytes_that_are_not_utf_8_are_told_at_their_place() -> None:
    loaded = load(b"FROM a\nENV A=\xe9\nUSER u\n")
    assert [str(each) for each in loaded.problems] == ["Dockerfile:2:7: a byte that is not UTF-8"]
    assert [each.type for each in loaded.resources][-1] == "user"


SIGNS = st.text(alphabet="FROM aRUNENV=$\\{}'\"`<>|&;()[]#\n\t\r-:@é\0", max_size=120)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(["FROM a\n", "RUN ", "ENV A=", "COPY ", "CMD ", "ONBUILD ", "<<EOF\n", "EOF\n", "FROM "])
        | SIGNS,
        max_size=12,
    )
)
def test_no_text_makes_the_reader_raise(pieces: list[str]) -> None:
    everything("".join(pieces))
