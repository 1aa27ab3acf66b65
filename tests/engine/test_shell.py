"""Shell scripts come out as the commands they run, each word at its place; what is not known says so."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tree_sitter import Language, Parser

from policy_engine.partial import PartialList
from policy_engine.shell import HOLE, Script, _grammar, read_script, read_words
from policy_engine.unknown import Unknown

BASE = Unknown("set outside")


def words(script: str, **variables: str) -> list[Any]:
    """The words of every command, `?` for what is not known."""
    return [shown(command) for command in read_script(script, variables, BASE).values]


def shown(command: Any) -> Any:
    if isinstance(command, Unknown):
        return "?"
    return ["?" if isinstance(word, Unknown) else word for word in command["words"]]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b 'c d' \"e f\" g\\ h", [["a", "b", "c d", "e f", "g h"]]),
        ("a && b || c; d & e | f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("X=1 Y=2 a $X", [["a", "?"]]),
        ("X=1; a $X ${X} ${X:-2} ${Z:-3}", [["a", "1", "1", "1", "?"]]),
        ("X=1; X=2; a $X", [["a", "?"]]),
        ("X=1; Y=2; a b-$X=$Y", [["a", "b-1=2"]]),
        ("if y; then X=1; fi; a $X", [["y"], ["a", "?"]]),
        ("for i in 1 2; do a $i; done", [["a", "?"]]),
        ("a; X=1; b $X", [["a"], ["b", "1"]]),
        ("y || X=1; a $X", [["y"], ["a", "?"]]),
        ("X=1; . ./env; a $X", [[".", "./env"], ["a", "?"]]),
        ('X=1; a " $X" "$X " "$X  ${X}" " ${X}, \n$X"', [["a", " 1", "1 ", "1  1", " 1, \n1"]]),
        ('X=1; a "ä $X\\" " "\t`b` "', [["b"], ["a", 'ä 1" ', "?"]]),
        ("a $V 'x $V' \"x $V\"", [["a", "one", "two", "x $V", "x one two"]]),
        ('a "$V"-$V', [["a", "one two-one", "two"]]),
        ("a $(b c) `d`", [["b", "c"], ["d"], ["a", "?", "?"]]),
        ("a $((1+2)) $# ${X%y}", [["a", "?", "?", "?"]]),
        ("(a; b) && { c; d; }", [["a"], ["b"], ["c"], ["d"]]),
        ("f() { a; }; f", [["a"], ["f"]]),
        ("case $x in a) b;; *) c;; esac", [["b"], ["c"]]),
        ("! a", [["a"]]),
        ("a > out b", [["a", "b"]]),
        ("a <<EOF\nx\nEOF\nb", [["a"], ["b"]]),
        ("bash <<EOF\na\nEOF\n", [["bash"], ["a"]]),
        ("bash <<< 'a b'", [["a", "b"], ["bash"]]),
        ("sh -c 'a && b'", [["sh", "-c", "a && b"], ["a"], ["b"]]),
        ("bash -euxo pipefail -c 'a'", [["bash", "-euxo", "pipefail", "-c", "a"], ["a"]]),
        ("su -c 'a b' user", [["su", "-c", "a b", "user"], ["a", "b"]]),
        ("eval 'a b'", [["eval", "a b"], ["a", "b"]]),
        ("sudo -u x -E a -b", [["a", "-b"]]),
        ("env -i A=1 a", [["a"]]),
        ("timeout -k 5 30 nice -n 3 a b", [["a", "b"]]),
        ("command -v a", [["command", "-v", "a"]]),
        ("exec a", [["a"]]),
        ("b | xargs -n 1 a x", [["b"], ["a", "x", "?"]]),
        ("python3 -m pip install x", [["pip", "install", "x"]]),
        ("a $'x\\ny'", [["a", "x\ny"]]),
        ("a # b", [["a"]]),
        ("a 'b", [["a"], "?"]),
        ("", []),
    ],
)
def test_a_script_runs_these_commands(script: str, expected: list[Any]) -> None:
    assert words(script, V="one two") == expected


@pytest.mark.parametrize(
    ("script", "runner"),
    [
        ("curl x | sh", "sh"),
        ("curl x | sudo -E bash -s -- y", "bash"),
        ("curl x | tee y | sh", "sh"),
        ("curl x | python3 -", "python3"),
        ("curl x | (cd y && bash)", "bash"),
        ('sh -c "$(curl x)"', "sh"),
        ("bash <(curl x)", "bash"),
        ('eval "$(curl x)"', "eval"),
        ("source <(curl x)", "source"),
        ("$(curl x)", "the shell"),
        ('bash <<< "$(curl x)"', "bash"),
        ("sh -c 'curl x | sh'", "sh"),
        ("curl x | tar xz", None),
        ("curl x | sh -c 'cat'", None),
        ("curl x | python3 -c y", None),
        ("curl x | python3 y.py", None),
        ("curl x | bash y.sh", None),
        ("curl x > y; sh y", None),
        ("echo $(curl x)", None),
        ("A=$(curl x)", None),
        ("curl x && sh", None),
    ],
)
def test_who_runs_what_is_downloaded(script: str, runner: str | None) -> None:
    commands = read_script(script, {}, BASE).values
    (curl,) = [each for each in commands if each["name"] == "curl"]
    assert curl.get("executed_by") == runner


def test_a_pipe_into_something_unknown_may_run_it() -> None:
    (curl, _) = read_script("curl x | $Y", {}, BASE).values
    assert isinstance(curl["executed_by"], Unknown)


@pytest.mark.parametrize(
    ("script", "options", "operands", "subcommand"),
    [
        ("pip install --group dev --report out.json a", ["--group", "--report"], ["install", "a"], "install"),
        ("apt-get -o A=b -y install x", ["-o", "-y"], ["install", "x"], "install"),
        ("git -c a=b clone --depth 1 url", ["-c", "--depth"], ["clone", "url"], "clone"),
        ("npm install -g a", ["-g"], ["install", "a"], "install"),
        ("x -- -y", [], ["-y"], "-y"),
        ("curl -o f -k url", ["-o", "-k"], ["url"], "url"),
    ],
)
def test_options_and_operands_are_told_apart(
    script: str, options: list[str], operands: list[str], subcommand: str
) -> None:
    (command,) = read_script(script, {}).values
    assert (command["options"], command["operands"], command["subcommand"]) == (options, operands, subcommand)


def test_an_unquoted_unknown_may_be_any_number_of_words() -> None:
    (command,) = read_script('a $X "$Y"', {}, BASE).values
    assert isinstance(command["words"], PartialList)
    (command,) = read_script('a "$Y"', {}, BASE).values
    assert not isinstance(command["words"], PartialList)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a | b; set -o pipefail; a | b", [False, False, False, True, True]),
        ("set -euo pipefail && a | b", [False, True, True]),
        ("set -o pipefail; set +o pipefail; a | b", [False, True, False, False]),
        ("(set -o pipefail; a); b", [False, True, False]),
        ("bash -euxo pipefail -c 'a | b'; c", [False, True, True, False]),
        ("bash -euo pipefail <<X\na | b\nX\nc", [False, True, True, False]),
        ("set -o pipefail; bash <<X\na | b\nX\nc", [False, True, False, False, True]),
    ],
)
def test_pipefail_holds_from_where_it_is_set(script: str, expected: list[bool]) -> None:
    assert [each["pipefail"] for each in read_script(script, {}).values] == expected


def test_what_may_not_run_is_conditional() -> None:
    found = read_script("a && b || c; if d; then e; fi", {}).values
    assert [each["conditional"] for each in found] == [False, False, True, True, True]


def test_redirects_and_assignments_are_kept() -> None:
    (command,) = read_script("A=1 B=$X a > out 2>&1 < in", {"X": "y"}).values
    assert command["assignments"] == {"A": "1", "B": "y"}
    assert [(each["operator"], each["target"], each["descriptor"]) for each in command["redirects"]] == [
        (">", "out", ""),
        (">&", "1", "2"),
        ("<", "in", ""),
    ]


def test_a_hole_is_text_that_is_not_known() -> None:
    (command,) = read_script(f"a --x={HOLE * 4}/y {HOLE * 3}", {}).values
    value = command["words"][1]
    assert isinstance(value, Unknown)
    assert value.fragments == ("--x=", None, "/y")
    assert isinstance(command["words"][2], Unknown)


SCRIPT = """\
apt-get update && \\
  curl -fsSL 'https://x y' |
  sh -c 'rm -rf /é; ls' > out # é
if true; then
  pip install "a b"
fi
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((0,), "apt-get update"),
        ((1, "options", 0), "-fsSL"),
        ((1, "operands", 0), "'https://x y'"),
        ((1, "executed_by"), "curl"),
        ((2, "words", 2), "'rm -rf /é; ls'"),
        ((3,), "rm -rf /é"),
        ((3, "words", 2), "/é"),
        ((4, "name"), "ls"),
        ((6, "subcommand"), "install"),
        ((6, "words", 2), '"a b"'),
    ],
)
def test_places_cut_out_what_is_written(path: tuple[str | int, ...], text: str) -> None:
    place = read_script(SCRIPT, {}).place(path)
    assert place is not None
    assert SCRIPT[place[0] : place[1]] == text


def test_an_argument_vector_is_one_command_and_what_its_shell_runs() -> None:
    script = read_words(["sh", "-c", "a | b"])
    assert [each["name"] for each in script.values] == ["sh", "a", "b"]
    assert script.place((1, "words", 0)) == (2, 3)


def every_place(text: str, script: Script) -> None:
    for index, value in enumerate(script.values):
        if isinstance(value, Unknown):
            continue
        for key in ("words", "options", "operands"):
            for number in range(len(value[key])):
                place = script.place((index, key, number))
                assert place is not None
                assert 0 <= place[0] <= place[1] <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000,
        "$(" * 10_000 + ")" * 10_000,
        "a && " * 20_000 + "b",
        "a | " * 20_000 + "b",
        "sh -c '" * 5_000,
        "eval eval " * 5_000 + "a",
        "if a; then " * 5_000,
        "<<A " * 5_000 + "\n" + "A\n" * 5_000,
        '"' * 50_001,
        "`" * 20_001,
        "${a:-" * 5_000 + "}" * 5_000,
        "a=b " * 40_000,
        "x" * 199_999,
        "{" * 50_000,
        "case a in " * 3_000,
        "a <<< " * 5_000,
        "\\\n" * 50_000,
        "sudo " * 30_000 + "a",
        "a > b " * 20_000,
    ],
    ids=range(19),
)
def test_a_hostile_script_is_read_in_time(text: str) -> None:
    started = time.process_time()
    every_place(text, read_script(text, {}, BASE))
    assert time.process_time() - started < 10


def test_the_grammar_is_found_wherever_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Parser(Language(_grammar())).parse(b"a && b")

    class NotFound:
        @staticmethod
        def find_spec(*_: object) -> None:
            return None

    monkeypatch.setattr("importlib.machinery.PathFinder", NotFound)
    assert str(Parser(Language(_grammar())).parse(b"a && b").root_node) == str(tree.root_node)


def test_a_script_that_comes_again_is_read_once() -> None:
    first = read_script("echo $NAME > out", {"NAME": "a", "OTHER": "b"}, BASE)
    assert read_script("echo $NAME > out", {"NAME": "a", "OTHER": "c"}, BASE) is first, "it does not look at OTHER"
    assert read_script("echo $NAME > out", lambda name: {"NAME": "a"}[name]) is first
    assert words("echo $NAME > out", NAME="z") == [["echo", "z"]]
    assert words("echo $NAME > out") == [["echo", "?"]]
    assert read_script("a | b", {}, pipefail=True).values[0]["pipefail"] is True
    assert read_script("a | b", {}).values[0]["pipefail"] is False


def test_what_a_script_hands_to_another_shell_depends_on_variables_too() -> None:
    script = 'sh -c "$FIRST"'
    assert words(script, FIRST="a b") == [["sh", "-c", "a b"], ["a", "b"]]
    assert words(script, FIRST="a $SECOND", SECOND="c")[1] == ["a", "c"]
    assert words(script, FIRST="a $SECOND", SECOND="d")[1] == ["a", "d"]


PIECES = st.sampled_from(
    [
        *"a &|;\n)`\"'}>é\\={(#\r\0",
        "&&",
        "||",
        "$(",
        "$X",
        "${X",
        "<<E",
        "E\n",
        "<(",
        "if ",
        "fi",
        "then ",
        "sh -c ",
        "bash",
        "curl ",
        "[[ ",
        " ]]",
        "for i in ",
        "do ",
        "done",
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=30))
def test_no_script_makes_the_reader_raise(pieces: list[str]) -> None:
    text = "".join(pieces)
    every_place(text, read_script(text, {"X": "a b"}, BASE))
