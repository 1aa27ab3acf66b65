"""Annotations: the worst first, as many as GitHub shows, and nothing of a stranger's text taken for a command."""

from __future__ import annotations

import re

from msgspec.structs import replace

from policy_engine.rule import Severity
from policy_engine_plugins.github_actions.render import render_annotations, render_outputs
from sample import ENCRYPTED, HOSTILE, LOGGED, finding, report

_COMMAND = re.compile(r"::(error|warning|notice) (?:[a-zA-Z]+=[^,:\n]*,)*[a-zA-Z]+=[^,:\n]*::.*")


def test_every_line_is_one_command_whatever_the_names() -> None:
    odd = finding(ENCRYPTED, path=HOSTILE, address=HOSTILE, message=HOSTILE, snippet=HOSTILE)
    shown = render_annotations(replace(report(), findings=[odd]))
    lines = shown.splitlines()
    assert lines
    assert all(_COMMAND.fullmatch(line) for line in lines), shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_worst_come_first_and_the_rest_is_counted() -> None:
    many = [finding(ENCRYPTED, line=line, address=f"aws_thing.a{line}") for line in range(1, 30)]
    many.append(finding(LOGGED)._replace(severity=Severity.CRITICAL, message="the worst"))
    lines = render_annotations(replace(report(), findings=many, problems=[])).splitlines()
    assert len(lines) == 10
    assert "the worst" in lines[0]
    assert lines[-1].endswith("::21 more; the step's summary lists them")


def test_outputs_are_our_own_words_and_numbers() -> None:
    odd = finding(ENCRYPTED, path=HOSTILE, message=HOSTILE)
    for line in render_outputs(replace(report(), findings=[odd])).splitlines():
        assert re.fullmatch(r"[a-z]+=(\d+|passed|failed|incomplete)", line)
