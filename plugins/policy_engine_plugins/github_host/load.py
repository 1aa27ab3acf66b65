"""Reads a snapshot into resources."""

from __future__ import annotations

from policy_engine.span import Span
from policy_engine.tree import Tree
from policy_engine.unit import Loaded, Problem, ProblemKind, Unit
from policy_engine_plugins.github_host.answers import Answers
from policy_engine_plugins.github_host.organization import add_organization
from policy_engine_plugins.github_host.repository import add_repository
from policy_engine_plugins.github_host.snapshot import NoSnapshot, Text, parse


def load(unit: Unit, tree: Tree) -> Loaded:
    path = unit.name
    try:
        text = tree.read(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        return Loaded((), (Problem(path, "the file is not UTF-8", Span(1, 1, 1, 2)),))
    try:
        snapshot = parse(text)
    except NoSnapshot as error:
        return Loaded((), (Problem(path, str(error), Text(text).at(error.at)),))
    answers = Answers(snapshot, path)
    if snapshot.organization:
        add_organization(answers)
    else:
        add_repository(answers)
    # What another try might have brought is not only unknown: the scan has not seen all there is.
    problems = [
        Problem(path, f"{answer.get('path', '')}: {answer.get('message', '')}", span, ProblemKind.UNREADABLE)
        for name, answer in snapshot.answers.items()
        if answer.get("transient") is True
        for span in (snapshot.text.span(("answers", name)),)
    ]
    return Loaded(answers.resources, problems)
