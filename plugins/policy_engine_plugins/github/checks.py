"""Checks of expressions: which contexts reach which places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown

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
    wanted = Wanted((*UNTRUSTED, *WHOLE, *parameters.get("also", ())), tuple(parameters.get("except", ())))
    return _reach(value, parameters["in"], wanted, "flows")


def expression_uses(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each expression, in the places asked for, that uses one of the contexts."""
    key = "flows" if parameters.get("flows") else "contexts"
    return _reach(value, parameters["in"], Wanted(tuple(parameters["contexts"]), ()), key)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The contexts looked for: patterns with `*`, and those of them that are all right."""

    patterns: tuple[str, ...]
    allowed: tuple[str, ...]

    def matches(self, context: str) -> bool:
        return _matches(context, self.patterns) and not _matches(context, self.allowed)

    def may_match(self, context: str) -> bool:
        """Whether a context with a part chosen at run time (`github.event.issue[matrix.x]`) may be one of them."""
        parts = context.split(".")
        return "*" in parts and any(_alike(parts, pattern.split(".")) for pattern in self.patterns)


def _alike(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    return len(parts) == len(pattern) and all(
        "*" in (ours, theirs) or ours == theirs for ours, theirs in zip(parts, pattern, strict=True)
    )


def _reach(value: Mapping[str, Any], places: Sequence[str], wanted: Wanted, key: str) -> Iterator[Violation | Doubt]:
    variables = _variables(value, wanted, key)
    for number, expression in enumerate(value.get("expressions", ())):
        at = ("expressions", number)
        if not _matches(expression["path"], tuple(places)):
            if any(place.startswith(expression["path"] + ".") for place in places):
                yield Doubt(Unknown(f"all of '{expression['path']}' depends on ${{{{ {expression['text']} }}}}"), at)
            continue
        for context in expression[key]:
            if wanted.matches(context):
                yield Violation(at, context)
                break
            origin = variables.get(context.removeprefix("env.")) if context.startswith("env.") else None
            if origin is not None:
                yield Violation(at, f"{context}, which holds {origin}")
                break
            if wanted.may_match(context) or (context == "env.*" and variables):
                yield Doubt(Unknown(f"which one ${{{{ {expression['text']} }}}} takes is decided at run time"), at)
                break


def _variables(value: Mapping[str, Any], wanted: Wanted, key: str) -> dict[str, str]:
    """Environment variables that a step sees and that hold what is looked for, each with the context it comes from."""
    found: dict[str, str] = {}
    if key != "flows":
        return found
    scopes: Iterable[Mapping[str, Any]] = (value.get("workflow", {}), value.get("job", {}), value)
    for scope in scopes:
        for expression in scope.get("expressions", ()):
            if expression["path"].startswith("env."):
                for context in expression["flows"]:
                    if wanted.matches(context):
                        found[expression["path"].removeprefix("env.").lower()] = context
    return found


@lru_cache(maxsize=64)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns))


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return bool(patterns) and _regex(patterns).fullmatch(text.lower()) is not None
