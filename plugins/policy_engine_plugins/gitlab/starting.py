"""Whether a job starts by itself: in a push to anybody's branch, and in a merge request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.unknown import Unknown
from policy_engine_plugins.gitlab.condition import Supposed, Truth, holds
from policy_engine_plugins.gitlab.variables import names_in, value_of

_BRANCH_NAMES = frozenset({"CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME", "CI_COMMIT_REF_SLUG"})
_MERGE_NAMES = frozenset(
    {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME", "CI_COMMIT_REF_SLUG", "CI_MERGE_REQUEST_IID",
     "CI_MERGE_REQUEST_ID", "CI_MERGE_REQUEST_TITLE"}
)  # fmt: skip
_NO_MERGE = dict.fromkeys(
    ("CI_MERGE_REQUEST_ID", "CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CI_MERGE_REQUEST_LABELS",
     "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_MERGE_REQUEST_TITLE", "CI_MERGE_REQUEST_EVENT_TYPE")
)  # fmt: skip
_BRANCH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": None, "CI_COMMIT_REF_PROTECTED": "false", **_NO_MERGE}
_MERGE = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_TAG": None,
    "CI_COMMIT_BRANCH": None,
    "CI_COMMIT_REF_PROTECTED": "false",
}
_REFS = {
    "branches": (True, False),
    "pushes": (True, False),
    "merge_requests": (False, True),
    **dict.fromkeys(
        ("tags", "schedules", "triggers", "web", "api", "pipelines", "chat", "external", "external_pull_requests"),
        (False, False),
    ),
}


def supposed(variables: Mapping[str, Any], *, merge_request: bool) -> Supposed:
    """A pipeline of anybody's branch, or of anybody's merge request."""

    def others(name: str) -> Any:
        if name in variables:
            value = value_of(variables[name])
            return value if not (isinstance(value, str) and "$" in value) else Unknown(f"depends on ${name}")
        if name == "CI":
            return "true"
        if name == "CI_DEFAULT_BRANCH":
            return Unknown("the name of the default branch is a setting of the project", present=True)
        return Unknown(f"${name} is known only when the pipeline runs")

    if merge_request:
        return Supposed(_MERGE, _MERGE_NAMES, others)
    return Supposed(_BRANCH, _BRANCH_NAMES, others)


class Workflow:
    """The rules by which a pipeline comes to be at all."""

    def __init__(self, rules: Any) -> None:
        self._rules = rules
        self._names = frozenset(_names_in_conditions(rules))
        self._usual: dict[bool, Truth] = {}

    def makes(self, variables: Mapping[str, Any], *, merge_request: bool) -> Truth:
        """Whether there is a pipeline, given the variables that a job sees."""
        if not self._names.isdisjoint(variables):
            return self._worked_out(variables, merge_request=merge_request)
        # Hardly any conditions speak of variables that the files set: then all jobs have the same answer.
        if merge_request not in self._usual:
            self._usual[merge_request] = self._worked_out(variables, merge_request=merge_request)
        return self._usual[merge_request]

    def _worked_out(self, variables: Mapping[str, Any], *, merge_request: bool) -> Truth:
        return started_by_rules(self._rules, "always", supposed(variables, merge_request=merge_request))[0]


def _names_in_conditions(rules: Any) -> Iterator[str]:
    for rule in rules if isinstance(rules, list) else [rules]:
        if isinstance(rule, dict) and isinstance(rule.get("if"), str):
            yield from names_in(rule["if"])


def started_by_rules(rules: Any, default: str, where: Supposed) -> tuple[Truth, Truth]:
    """Whether the job is in the pipeline, and whether it starts without anybody's hand: the first rule that matches
    decides, so the last one is looked at first."""
    if isinstance(rules, Unknown):
        return rules, rules
    within: Truth = False
    alone: Truth = False
    for rule in reversed(rules if isinstance(rules, list) else [rules]):
        if isinstance(rule, Unknown):
            within = alone = rule
        if not isinstance(rule, dict):
            continue
        matches = _rule_matches(rule, where)
        if matches is False:
            continue
        when = rule.get("when", default)
        if isinstance(when, Unknown):
            within = alone = when
            continue
        joins, starts = when != "never", when not in ("never", "manual")
        if matches is True:
            within, alone = joins, starts
        else:
            within = within if within is joins else matches
            alone = alone if alone is starts else matches
    return within, alone


def _rule_matches(rule: Mapping[str, Any], where: Supposed) -> Truth:
    condition = rule.get("if")
    answer: Truth = True
    if isinstance(condition, str):
        answer = holds(condition, where)
    elif condition is not None:
        answer = condition if isinstance(condition, Unknown) else Unknown("a condition that is not text")
    if answer is True and ("changes" in rule or "exists" in rule):
        return Unknown("depends on which files there are and which a change touches")
    return answer


def started_by_only(job: Mapping[str, Any], variables: Mapping[str, Any], *, merge_request: bool) -> Truth:
    """Whether a job without `rules` is in the pipeline, by `only` and `except`, given the variables that it sees."""
    only, never = job.get("only"), job.get("except")
    if only is None and never is None:
        return not merge_request
    where = supposed(variables, merge_request=merge_request)
    included: Truth = not merge_request if only is None else _listed(only, where, merge_request=merge_request)
    excluded: Truth = False if never is None else _listed(never, where, merge_request=merge_request, any_of=True)
    if included is False or excluded is True:
        return False
    if isinstance(included, Unknown):
        return included
    return True if excluded is False else excluded


def _listed(given: Any, where: Supposed, *, merge_request: bool, any_of: bool = False) -> Truth:
    if isinstance(given, Unknown):
        return given
    if not isinstance(given, dict):
        return _refs(given, merge_request=merge_request)
    parts: list[Truth] = []
    if "refs" in given:
        parts.append(_refs(given["refs"], merge_request=merge_request))
    elif not any_of:
        parts.append(not merge_request)
    conditions = given.get("variables")
    if isinstance(conditions, list):
        parts.append(_any([holds(each, where) for each in conditions if isinstance(each, str)]))
    if "changes" in given or "kubernetes" in given:
        parts.append(Unknown("depends on which files a change touches"))
    if any_of:
        return _any(parts)
    if False in parts:
        return False
    return next((each for each in parts if isinstance(each, Unknown)), True)


def _any(answers: list[Truth]) -> Truth:
    if True in answers:
        return True
    return next((each for each in answers if isinstance(each, Unknown)), False)


def _refs(refs: Any, *, merge_request: bool) -> Truth:
    answers: list[Truth] = []
    for ref in refs if isinstance(refs, list) else [refs]:
        if isinstance(ref, Unknown):
            answers.append(ref)
            continue
        name = str(ref).partition("@")[0]
        if name in _REFS:
            answers.append(_REFS[name][merge_request])
        elif name.startswith("/"):
            answers.append(False if merge_request else Unknown(f"a branch may have a name that matches {name[:60]}"))
        else:
            answers.append(False)
    return _any(answers)
