"""Checks of expressions: which contexts reach which places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from policy_engine.check import Doubt, Violation
from policy_engine.unknown import Unknown
from policy_engine_plugins.github.called import SCRIPTS

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
    """A violation at each expression, in the places asked for, that carries a stranger's text; also through `env` and
    the job's matrix."""
    outputs = {name.lower(): patterns for name, patterns in parameters.get("outputs", {}).items()}
    return reaches(value, parameters.get("in", SCRIPTS), strangers(parameters), "flows", outputs)


def strangers(parameters: Mapping[str, Any]) -> Wanted:
    return Wanted((*UNTRUSTED, *WHOLE, *parameters.get("also", ())), tuple(parameters.get("except", ())))


def untrusted_argument(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each input of a local action or workflow that gets a stranger's text and makes it code."""
    callee = value.get("callee")
    wanted = strangers(parameters)
    if isinstance(callee, Unknown):
        for found in reaches(value, ["with.*"], wanted, "flows"):
            yield Doubt(callee, found.path)
    elif isinstance(callee, dict) and callee["scripts"]:
        places = [f"with.{name}" for name in callee["scripts"]]
        for found in reaches(value, places, wanted, "flows"):
            if isinstance(found, Violation):
                place = value["expressions"][found.path[1]]["path"].lower().removeprefix("with.")
                yield Violation(found.path, f"{found.detail} becomes part of the script at {callee['scripts'][place]}")
            else:
                yield found


def expression_uses(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each expression, in the places asked for, that uses one of the contexts."""
    key = "parsed" if parameters.get("parsed") else "flows" if parameters.get("flows") else "contexts"
    wanted = Wanted(tuple(parameters["contexts"]), tuple(parameters.get("except", ())))
    return reaches(value, parameters.get("in", SCRIPTS), wanted, key)


def text_inputs(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Violation | Doubt]:
    """A violation at each expression, in the places asked for, that carries an input whose type lets it be any text."""
    names = _text_inputs(value.get("workflow", {}).get("on"))
    patterns = [f"{context}.{name}" for name in names for context in ("inputs", "github.event.inputs")]
    return reaches(value, parameters.get("in", SCRIPTS), Wanted(tuple(patterns), ()), "flows")


def _text_inputs(on: Any) -> list[str]:
    """Names of the inputs that are text: neither `boolean` nor `number`, and not one of listed choices."""
    found = []
    for trigger in ("workflow_dispatch", "workflow_call"):
        config = on.get(trigger) if isinstance(on, dict) else None
        inputs = config.get("inputs") if isinstance(config, dict) else None
        for name, described in (inputs if isinstance(inputs, dict) else {}).items():
            kind = described.get("type", "string") if isinstance(described, dict) else "string"
            if kind not in ("boolean", "number", "choice"):
                found.append(str(name).lower())
    return found


class Wanted(Struct, frozen=True):
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


def reaches(
    value: Mapping[str, Any],
    places: Sequence[str],
    wanted: Wanted,
    key: str,
    outputs: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Violation | Doubt]:
    """A violation at each expression, at these places of a resource's value, that brings in what is wanted: itself
    (`key` says how), or through variables, the matrix, and outputs of steps and jobs. `outputs` names outputs of
    actions that hold it, too."""
    trail: Trail | None = None
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
            if key != "contexts" and context.partition(".")[0] in CARRYING:
                trail = trail or Trail(wanted, outputs or {})
                origin = trail.origin(value, context)
                if isinstance(origin, Unknown):
                    yield Doubt(origin, at)
                    break
                if origin is not None:
                    yield Violation(at, f"{context}, which holds {origin}")
                    break
            if wanted.may_match(context):
                yield Doubt(Unknown(f"which one ${{{{ {expression['text']} }}}} takes is decided at run time"), at)
                break


CARRYING = ("env", "matrix", "steps", "needs")
"""Contexts that hold what something else in the workflow put into them."""
MAX_TRAIL = 5


class Trail(Struct):
    """Follows contexts to what they hold. `outputs` are patterns of outputs, by the action that has them."""

    wanted: Wanted
    outputs: Mapping[str, Sequence[str]]
    _held: dict[int, dict[str, str]] = field(default_factory=dict)

    def origin(self, value: Mapping[str, Any], context: str, depth: int = 0) -> str | Unknown | None:
        """What is wanted and reaches this context of a step or job; None where nothing does."""
        head, _, rest = context.partition(".")
        if depth > MAX_TRAIL:
            return Unknown("it passes through too many steps and jobs")
        if head == "steps":
            step = value.get("siblings", {}).get(rest.partition(".")[0])
            return self._output(step, rest.rpartition(".")[2], depth) if step is not None else None
        if head == "needs":
            return self._job_output(value, rest, depth)
        return self._carried(value, context)

    def _output(self, step: Mapping[str, Any], name: str, depth: int) -> str | Unknown | None:
        action = step.get("action")
        if isinstance(action, dict) and action["kind"] == "repository":
            patterns = self.outputs.get(str(action["name"]).lower(), ())
            return f"an output of {action['name']}" if patterns and _matches(name, tuple(patterns)) else None
        written = step.get("writes")
        for each in written if isinstance(written, list) else ():
            if each["file"] != "GITHUB_OUTPUT" or (each["names"] and name not in map(str.lower, each["names"])):
                continue
            for variable in each["variables"]:
                held = self._carried(step, f"env.{variable.lower()}")
                if held is not None:
                    return held
            for expression in step.get("expressions", ()) if each["expression"] else ():
                for context in expression["flows"] if expression["path"] == "run" else ():
                    if self.wanted.matches(context):
                        return str(context)
                    if (found := self._further(step, context, depth)) is not None:
                        return found
        return None

    def _job_output(self, value: Mapping[str, Any], rest: str, depth: int) -> str | Unknown | None:
        jobs = value.get("workflow", {}).get("jobs", {})
        name, _, output = rest.partition(".outputs.")
        job = next((job for key, job in jobs.items() if key.lower() == name), None)
        if job is None:
            return None
        steps = job.get("steps", ())
        for expression in job.get("expressions", ()):
            if expression["path"].lower() == f"outputs.{output}":
                inside = steps[0] if steps else job
                for context in expression["flows"]:
                    if self.wanted.matches(context):
                        return str(context)
                    if (found := self._further(inside, context, depth)) is not None:
                        return found
        return None

    def _further(self, value: Mapping[str, Any], context: str, depth: int) -> str | Unknown | None:
        return self.origin(value, context, depth + 1) if context.partition(".")[0] in CARRYING else None

    def _carried(self, value: Mapping[str, Any], context: str) -> str | Unknown | None:
        held = self._held.get(id(value))
        if held is None:
            held = self._held[id(value)] = self._all_carried(value)
        parts = context.split(".")
        if (every := held.get(f"{parts[0]}.*")) is not None:
            return every
        if len(parts) > 1 and parts[1] == "*":
            known = any(name.startswith(f"{parts[0]}.") for name in held)
            return Unknown(f"which variable {context} takes is decided at run time") if known else None
        return held.get(".".join(parts[:2]))

    def _all_carried(self, value: Mapping[str, Any]) -> dict[str, str]:
        """Variables of the environment and of the matrix that hold what is wanted: `env.title`, or `matrix.*` for all
        of the matrix; each with the context it comes from."""
        found: dict[str, str] = {}
        scopes: Iterable[Mapping[str, Any]] = (value.get("workflow", {}), value.get("job", {}), value)
        for scope in scopes:
            for expression in scope.get("expressions", ()):
                name = _carrier(expression["path"].lower())
                for context in expression["flows"] if name else ():
                    if self.wanted.matches(context):
                        found[name] = context
        return found


_MATRIX = re.compile(r"strategy\.matrix(?:\.(?:include(?:\[\d+\])?\.?)?([\w-]+))?.*", re.DOTALL)


def _carrier(path: str) -> str:
    """The context through which an expression at an attribute path is read again; empty where there is none."""
    if path.startswith("env."):
        return path
    found = _MATRIX.fullmatch(path)
    return f"matrix.{found.group(1) or '*'}" if found else ""


@lru_cache(maxsize=64)
def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns))


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return bool(patterns) and _regex(patterns).fullmatch(text.lower()) is not None
