"""Checks of expressions: which contexts reach which places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from policy_engine.check import Doubt, Violation

# Text that someone without write access to the repository chooses. Sources: GitHub's own list, "Script injections",
# https://docs.github.com/en/actions/concepts/security/script-injections, and the event payloads it points to.
UNTRUSTED = (
    "github.head_ref",
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.pull_request.head.repo.description",
    "github.event.pull_request.head.repo.homepage",
    "github.event.comment.body",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.discussion.title",
    "github.event.discussion.body",
    "github.event.pages.*.page_name",
    "github.event.pages.*.title",
    "github.event.commits.*.message",
    "github.event.commits.*.author.email",
    "github.event.commits.*.author.name",
    "github.event.head_commit.message",
    "github.event.head_commit.author.email",
    "github.event.head_commit.author.name",
    "github.event.head_commit.committer.email",
    "github.event.head_commit.committer.name",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.display_title",
    "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.head_commit.author.email",
    "github.event.workflow_run.head_commit.author.name",
    "github.event.workflow_run.pull_requests.*.head.ref",
)
# A context that holds one of these whole, turned into text with toJSON(), holds a stranger's text too.
WHOLE = (
    "github",
    "github.event",
    "github.event.issue",
    "github.event.pull_request",
    "github.event.pull_request.head",
    "github.event.comment",
    "github.event.review",
    "github.event.discussion",
    "github.event.commits",
    "github.event.head_commit",
)


def untrusted_input(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each expression, in the places asked for, that carries a stranger's text; also through `env`."""
    patterns = (*UNTRUSTED, *WHOLE, *parameters.get("also", ()))
    allowed = tuple(parameters.get("except", ()))
    tainted = _tainted_variables(value, patterns, allowed)
    for number, expression in _expressions(value, parameters["in"]):
        for context in expression["flows"]:
            origin = tainted.get(context.removeprefix("env.")) if context.startswith("env.") else None
            if origin is not None:
                yield Violation(("expressions", number), f"{context}, which holds {origin}")
                break
            if _matches(context, patterns) and not _matches(context, allowed):
                yield Violation(("expressions", number), context)
                break


def expression_uses(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each expression, in the places asked for, that uses one of the contexts."""
    key = "flows" if parameters.get("flows") else "contexts"
    patterns = tuple(parameters["contexts"])
    for number, expression in _expressions(value, parameters["in"]):
        for context in expression[key]:
            if _matches(context, patterns):
                yield Violation(("expressions", number), context)
                break


def _expressions(value: Mapping[str, Any], places: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    patterns = tuple(places)
    for number, expression in enumerate(value.get("expressions", ())):
        if _matches(expression["path"], patterns):
            yield number, expression


def _tainted_variables(value: Mapping[str, Any], patterns: Sequence[str], allowed: Sequence[str]) -> dict[str, str]:
    """Environment variables that a step sees and that hold a stranger's text, each with the context it comes from."""
    found: dict[str, str] = {}
    scopes: Iterable[Mapping[str, Any]] = (value.get("workflow", {}), value.get("job", {}), value)
    for scope in scopes:
        for expression in scope.get("expressions", ()):
            if expression["path"].startswith("env."):
                for context in expression["flows"]:
                    if _matches(context, tuple(patterns)) and not _matches(context, tuple(allowed)):
                        found[expression["path"].removeprefix("env.").lower()] = context
    return found


@lru_cache(maxsize=64)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns))


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return bool(patterns) and _regex(patterns).fullmatch(text.lower()) is not None
