"""What is known to be a secret is cut out of lines and messages, to the character and nowhere else."""

from __future__ import annotations

import time

import pytest

from policy_engine.concealment import Concealment
from policy_engine.source_text import source_lines, source_text
from policy_engine.span import Location, Span


def place(line: int, start: int, end: int, path: str = "a.txt") -> Location:
    return Location(path, Span(line, start, line, end))


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([(5, 9)], "a = ****efgh, x"),
        ([(5, 13)], "a = ****, x"),
        ([(5, 9), (9, 13)], "a = ********, x"),
        ([(5, 11), (7, 13)], "a = ****, x"),
        ([(1, 2), (15, 16)], "**** = abcdefgh, ****"),
        ([(1, 16)], "****"),
    ],
)
def test_a_place_is_cut_out_to_the_character(spans: list[tuple[int, int]], shown: str) -> None:
    hidden = Concealment()
    for start, end in spans:
        hidden._places.setdefault(("a.txt", 1), []).append((start - 1, end - 1))
    assert hidden.line("a.txt", 1, "a = abcdefgh, x") == shown


def test_the_text_is_cut_out_wherever_else_it_stands() -> None:
    hidden = Concealment()
    hidden.add(place(1, 5, 13), "a = abcdefgh")
    assert hidden.text("x abcdefgh y abcdefg") == "x **** y abcdefg"
    assert hidden.line("b.txt", 7, "b: abcdefgh") == "b: ****"


def test_a_short_text_is_cut_out_of_its_own_line_alone() -> None:
    hidden = Concealment()
    hidden.add(place(1, 5, 10), "a = admin")
    assert hidden.line("a.txt", 1, "a = admin") == "a = ****"
    assert hidden.text("the role admin") == "the role admin"


def test_other_files_keep_the_texts_and_not_the_places() -> None:
    hidden = Concealment()
    hidden.add(place(1, 5, 13), "a = abcdefgh")
    hidden.other_files()
    assert hidden.line("a.txt", 1, "something else") == "something else"
    assert hidden.text("abcdefgh") == "****"


def test_no_line_is_shown_of_a_file_of_which_nothing_is_known() -> None:
    hidden = Concealment()
    hidden.not_known(["a.txt"])
    assert hidden
    assert hidden.line("a.txt", 3, "a = b") == ""
    assert hidden.line("b.txt", 3, "a = b") == "a = b"


@pytest.mark.parametrize("span", [Span(1, 3, 2, 4), Span(1, 9, 1, 12), Span(1, 3, 1, 3)])
def test_a_place_lies_within_one_line(span: Span) -> None:
    with pytest.raises(ValueError, match="no part of one line"):
        Concealment().add(Location("a.txt", span), "a = b")


def test_a_long_line_is_cut_without_showing_the_beginning_of_a_secret() -> None:
    hidden = Concealment()
    secret = "s3cr3tv4lue" * 5
    hidden.add(place(1, 1, 1 + len(secret)), secret)
    for offset in range(3920, 4010):
        assert "s3cr3t" not in hidden.line("b.txt", 1, "x" * offset + secret + "y" * 100_000)


def test_many_secrets_in_one_endless_line_cost_little() -> None:
    hidden = Concealment()
    for number in range(1000):
        hidden.add(place(number + 1, 1, 21), f"secret-number-{number:06}")
    line = "x" * 4_000_000
    started = time.process_time()
    for _ in range(200):
        hidden.line("b.txt", 1, line)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\xc3\xa4\n", "aä\n"),
        (b"\xef\xbb\xbfa", "a"),
        ("aä".encode("utf-16"), "aä"),
        (b"a\xe4\n\xc3\xa4", "aä\nä"),
        (b"\xff", "ÿ"),
    ],
)
def test_bytes_become_text_in_one_way(data: bytes, text: str) -> None:
    assert source_text(data) == text


def test_lines_end_as_spans_count_them() -> None:
    assert source_lines("a\r\nb\rc\nd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]


def test_the_beginning_of_a_secret_is_masked_where_a_text_was_cut_off() -> None:
    hidden = Concealment()
    hidden.add(place(1, 5, 25), "a = tk48Zq8Lr3Vn5Wd1Xc7k")
    assert hidden.text("the value is 'tk48Zq8Lr3...' here") == "the value is '****...' here"
    assert hidden.text("tk48Z... and q8Lr3Vn5Wd...") == "tk48Z... and q8Lr3Vn5Wd..."  # too short; no beginning


def test_many_texts_cut_off_and_many_secrets_cost_little() -> None:
    hidden = Concealment()
    for number in range(3000):
        text = f"a = ghp_aa{number:05}Lr3Vn5Wd1Xc7k"
        hidden.add(place(number + 1, 5, len(text) + 1), text)
    started = time.process_time()
    hidden.text("ghp_aa..." * 2000)
    assert time.process_time() - started < 2


def test_one_unit_knows_what_others_have_found_before() -> None:
    before = Concealment()
    before.add(place(1, 5, 13), "a = abcdefgh")
    own = Concealment(before)
    own.add(place(2, 5, 13), "b = ijklmnop")
    assert own.text("abcdefgh ijklmnop") == "**** ****"
    assert own.alone().text("abcdefgh ijklmnop") == "abcdefgh ****"
    assert own.line("a.txt", 1, "a = abcdefgh") == "a = ****"
