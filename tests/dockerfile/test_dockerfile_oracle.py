"""The parser agrees with BuildKit's own, as the `dockerfile` package has it: names, flags, words and heredocs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerfile_reading import instructions
from policy_engine_plugins.dockerfile.instruction import KEYWORDS, Instruction

dockerfile = pytest.importorskip("dockerfile")

CORPUS = Path(__file__).parent.parent / "corpus" / "dockerfile"


def ours(text: str) -> list[tuple[Any, ...]]:
    return [described(each, text) for each in instructions(text)]


def described(found: Instruction, text: str) -> tuple[Any, ...]:
    inner = found.inner or found
    line = text[: found.line.start].count("\n") + 1
    heredocs = tuple((each.name, each.content.text) for each in found.line.heredocs)
    flags = tuple(f"--{flag.name}" + ("" if flag.value is None else f"={flag.value.text}") for flag in inner.flags)
    sub = inner.keyword if found.inner is not None else None
    if found.keyword == "ONBUILD":
        sub = "" if found.fault is not None else sub
        flags = ()  # the package does not give those
    wanted: tuple[str, ...] | None = tuple(word for word in words(inner) if word)
    if found.keyword not in KEYWORDS or found.fault is not None:
        wanted = None  # told as a problem, so that its words are of no use
    return (found.keyword, sub, inner.form == "exec", line, flags, wanted, heredocs)


def words(found: Instruction) -> tuple[str, ...]:
    if found.keyword == "HEALTHCHECK":
        if found.form == "none":
            return ("NONE",)
        return ("CMD", *([word.text for word in found.words] if found.form == "exec" else [found.rest.text]))
    if found.pairs:
        if found.keyword == "ARG":
            return tuple(pair.name.text + ("" if pair.value is None else f"={pair.value.text}") for pair in found.pairs)
        flat: list[str] = []
        for pair in found.pairs:
            assert pair.value is not None
            flat += [pair.name.text, pair.value.text]
        return tuple(flat)
    if found.words:
        return tuple(word.text for word in found.words)
    return (found.rest.text,)


def theirs(text: str) -> list[tuple[Any, ...]]:
    return [
        (
            each.cmd.upper(),
            each.sub_cmd.upper() if each.sub_cmd else None,
            each.json,
            each.start_line,
            # BuildKit takes each byte of a flag for a character: `--é` comes out of it as `--Ã©`.
            tuple(lower_name(flag.encode("latin-1").decode()) for flag in each.flags),
            tuple(value for value in each.value if value),
            # `<<-` takes the tabs off only when the content is used.
            tuple((heredoc.name, content(heredoc, each.original)) for heredoc in each.heredocs),
        )
        for each in dockerfile.parse_string(text)
    ]


def lower_name(flag: str) -> str:
    name, sign, value = flag.partition("=")
    return name.lower() + sign + value


def content(heredoc: Any, original: str) -> str:
    chomp = re.search(rf"<<-[\"']?{re.escape(heredoc.name)}\b", original) is not None
    return re.sub(r"(?m)^\t+", "", heredoc.content) if chomp else str(heredoc.content)


def assert_same(text: str) -> None:
    expected = theirs(text)
    found = ours(text)
    assert [each[0] for each in found] == [each[0] for each in expected]
    for mine, its in zip(found, expected, strict=True):
        # Where ours has a fault to tell, the words are of no use.
        assert mine == its if mine[5] is not None else (mine[3], mine[6]) == (its[3], its[6])


def test_a_flag_that_is_not_ascii_reads_as_it_is_written() -> None:
    assert_same("FROM a\nRUN --\\\né a\n")


@pytest.mark.parametrize("path", sorted(CORPUS.rglob("*")), ids=lambda path: path.name)
def test_every_file_of_the_corpus_reads_as_it_does_in_buildkit(path: Path) -> None:
    if path.is_file() and "broken" not in path.parts:
        text = path.read_text(encoding="utf-8")
        assert_same(text)


WORDS = st.sampled_from(
    [
        "a",
        "b=c",
        "'a b'",
        '"x y"',
        "$A",
        "${B:-c}",
        "\\$x",
        "a\\ b",
        "#",
        "--",
        "=",
        '["a", "b"]',
        "[a]",
        "é",
        "&&",
        "|",
    ]
)
FLAGS = st.sampled_from(["", "--from=a ", "--link ", "--mount=type=cache,target=/x --network=none ", '--chown="a b" '])
ENDS = st.sampled_from(["\n", "\n\n", "\r\n", "  \n", "\n# comment\n", "\n  # indented\n\n"])
JOINS = st.sampled_from([" ", "  ", "\t", " \\\n", " \\\n  ", " \\  \n# why\n", " \\\n\n   ", "\\\n", " \\\r\n"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    joins = [draw(JOINS) for _ in range(4)]
    first, second, third = draw(WORDS), draw(WORDS), draw(WORDS)
    kind = draw(st.integers(0, 10))
    flags = draw(FLAGS)
    if kind == 0:
        body = f"FROM{joins[0]}{first.replace('#', 'x')}"
    elif kind == 1:
        body = f"RUN{joins[0]}{flags}{first}{joins[1]}{second}{joins[2]}{third}"
    elif kind == 2:
        body = f"COPY{joins[0]}{flags}{first}{joins[1]}{second}"
    elif kind == 3:
        body = f"ENV{joins[0]}K={first}{joins[1]}L={second}"
    elif kind == 4:
        body = f"ENV{joins[0]}KEY{joins[1]}x{first}{joins[2]}{second}"
    elif kind == 5:
        body = f'CMD{joins[0]}["x",{joins[1]}"y z"]'
    elif kind == 6:
        body = f"EXPOSE{joins[0]}80{joins[1]}81/udp"
    elif kind == 7:
        body = f"ONBUILD{joins[0]}RUN{joins[1]}{flags}x{first}"
    elif kind == 8:
        sign = draw(st.sampled_from(["<<EOF", "<<-EOF", "<<'EOF'", '<<"EOF"', "3<<EOF"]))
        tab = "\t" if "-" in sign else ""
        return f"RUN {sign} {draw(st.sampled_from(['', 'cat', '> x']))}\n{tab}one \\\n# two\n\nFROM three\n{tab}EOF\n"
    elif kind == 9:
        return "COPY <<A <<-B /x/\n $A\nA\n\tb\n\tB\n"
    else:
        body = f"LABEL{joins[0]}a.b={first}{joins[1]}c={second}"
    return body + draw(ENDS)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(lines(), min_size=1, max_size=5), st.sampled_from(["", "# syntax=x\n", "# hello\n\n", "\n"]))
def test_generated_files_read_as_they_do_in_buildkit(parts: list[str], head: str) -> None:
    text = head + "FROM a\n" + "".join(parts)
    try:
        dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return  # BuildKit stops there, and ours goes on.
    assert_same(text)
