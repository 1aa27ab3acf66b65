"""The default branch as its protection and all rulesets take effect together: what one of them asks for holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.answers import Answers, either

_PROTECTION: AttributePath = ("answers", "protection", "body")
_REVIEWS = "required_pull_request_reviews"
_CHECKS = "required_status_checks"

# attribute -> (where branch protection has it, type of the rule, its parameter)
_SWITCHES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "code_owner_review": ((_REVIEWS, "require_code_owner_reviews"), "pull_request", "require_code_owner_review"),
    "stale_reviews_dismissed": ((_REVIEWS, "dismiss_stale_reviews"), "pull_request", "dismiss_stale_reviews_on_push"),
    "last_push_approved": ((_REVIEWS, "require_last_push_approval"), "pull_request", "require_last_push_approval"),
    "threads_resolved": (
        ("required_conversation_resolution", "enabled"),
        "pull_request",
        "required_review_thread_resolution",
    ),
    "up_to_date": ((_CHECKS, "strict"), "required_status_checks", "strict_required_status_checks_policy"),
    "signatures": (("required_signatures", "enabled"), "required_signatures", ""),
    "linear_history": (("required_linear_history", "enabled"), "required_linear_history", ""),
}
# Branch protection forbids these unless it allows them.
_FORBIDDEN = {
    "force_push_blocked": (("allow_force_pushes", "enabled"), "non_fast_forward"),
    "deletion_blocked": (("allow_deletions", "enabled"), "deletion"),
}
_ROLES = {2: "role maintain", 4: "role write", 5: "administrators"}
_KINDS = {"Team": "team", "Integration": "app", "DeployKey": "deploy keys", "User": "user", "EnterpriseOwner": "owner"}


def add_branch(answers: Answers, repository: str, branch: str) -> None:
    message = (answers.snapshot.answers.get("protection") or {}).get("message") or ""
    if "branch not found" in message.lower():
        return  # An empty repository has no branch yet.
    effect = _Effect(answers)
    owners = answers.body("codeowners")
    value = {
        "name": branch,
        "repository": repository,
        "code_owners_named": owners if type(owners) is Unknown else owners is not None,
        **effect.values(),
    }
    effect.places["code_owners_named"] = ("answers", "codeowners")
    header: AttributePath = ("answers", "protection")
    if isinstance(effect.rules, list) and effect.rules and not isinstance(effect.protection, dict):
        header = ("answers", "rules")
    answers.add("branch", f"{repository}/branches/{branch}", f"{repository}:{branch}", value, header, effect.places)


class _Effect:
    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.protection = answers.body("protection")
        self.rules = answers.body("rules")
        self.places: dict[str, AttributePath] = {}

    def values(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "protected": either(self._there(self.protection), self._there(self.rules)),
            "pull_request_required": self._switch("pull_request_required", (_REVIEWS,), "pull_request", ""),
            "approvals": self._approvals(),
            "status_checks": self._status_checks(),
        }
        for name, (classic, type_, parameter) in _SWITCHES.items():
            value[name] = self._switch(name, classic, type_, parameter)
        for name, (allowed, type_) in _FORBIDDEN.items():
            classic = self._classic(*allowed)
            forbids = classic if type(classic) is Unknown else isinstance(self.protection, dict) and classic is not True
            self._place(name, allowed, type_, "")
            value[name] = either(forbids, self._ruled(type_, ""))
        value["bypass"] = self._bypass()
        return value

    # -- the two sources

    @staticmethod
    def _there(found: Any) -> bool | Unknown:
        return found if type(found) is Unknown else bool(found) or isinstance(found, dict)

    def _classic(self, *steps: str) -> Any:
        """What branch protection says; None where it says nothing."""
        found = self.protection
        for step in steps:
            if not isinstance(found, dict):
                return found
            found = found.get(step)
        return found

    def _of_type(self, type_: str) -> list[tuple[int, Mapping[str, Any]]]:
        if not isinstance(self.rules, list):
            return []
        return [(number, rule) for number, rule in enumerate(self.rules) if rule.get("type") == type_]

    def _ruled(self, type_: str, parameter: str) -> bool | Unknown:
        """Whether a rule of that type is in force, and has the parameter on where one is given."""
        if type(self.rules) is Unknown:
            return self.rules
        found = self._of_type(type_)
        return any(not parameter or (rule.get("parameters") or {}).get(parameter) is True for _, rule in found)

    def _switch(self, name: str, classic: tuple[str, ...], type_: str, parameter: str) -> bool | Unknown:
        self._place(name, classic, type_, parameter)
        said = self._classic(*classic)
        on = said if type(said) is Unknown else said is True or isinstance(said, dict)
        return either(on, self._ruled(type_, parameter))

    def _place(self, name: str, classic: tuple[str, ...], type_: str, parameter: str) -> None:
        """The place to look at: the one that is not known; else where branch protection says it, else the rule that
        could, else the protection."""
        found = self._of_type(type_)
        if type(self.protection) is Unknown:
            self.places[name] = ("answers", "protection")
        elif self._classic(*classic[:1]) is not None and isinstance(self.protection, dict):
            self.places[name] = (*_PROTECTION, *classic)
        elif found:
            rule: AttributePath = ("answers", "rules", "body", found[0][0])
            self.places[name] = (*rule, "parameters", parameter) if parameter else (*rule, "type")
        elif isinstance(self.protection, dict):
            self.places[name] = _PROTECTION
        elif isinstance(self.rules, list) and self.rules:
            self.places[name] = ("answers", "rules", "body")
        else:
            self.places[name] = ("answers", "protection")

    # -- what adds up in ways of its own

    def _approvals(self) -> int | Unknown:
        """The most that one of the two asks for. A part that is not known can only add to it."""
        self._place(
            "approvals",
            (_REVIEWS, "required_approving_review_count"),
            "pull_request",
            "required_approving_review_count",
        )
        reviews = self._classic(_REVIEWS)
        counts = [0]
        if isinstance(reviews, dict):
            counts.append(reviews.get("required_approving_review_count") or 0)
        counts += [
            (rule.get("parameters") or {}).get("required_approving_review_count") or 0
            for _, rule in self._of_type("pull_request")
        ]
        doubt = next((each for each in (self.protection, self.rules) if type(each) is Unknown), None)
        most = max(counts)
        return doubt if doubt is not None and most == 0 else most

    def _status_checks(self) -> list[str] | Unknown:
        self._place("status_checks", (_CHECKS,), "required_status_checks", "required_status_checks")
        names: dict[str, None] = {}
        checks = self._classic(_CHECKS)
        if isinstance(checks, dict):
            names.update(dict.fromkeys(checks.get("contexts") or ()))
            names.update(dict.fromkeys(one.get("context", "") for one in checks.get("checks") or ()))
        for _, rule in self._of_type("required_status_checks"):
            listed = (rule.get("parameters") or {}).get("required_status_checks") or ()
            names.update(dict.fromkeys(one.get("context", "") for one in listed))
        doubt = next((each for each in (self.protection, self.rules) if type(each) is Unknown), None)
        return doubt if doubt is not None and not names else [name for name in names if name]

    def _bypass(self) -> list[dict[str, str]] | Unknown:
        """Who may pass the review by: those whom every source that asks for one lets through."""
        for doubtful in (self.protection, self.rules):
            if type(doubtful) is Unknown:
                return doubtful
        gates: list[Any] = []
        if isinstance(self._classic(_REVIEWS), dict):
            gates.append(self._classic_holes())
            self.places["bypass"] = (*_PROTECTION, "enforce_admins", "enabled")
        for number, rule in self._of_type("pull_request"):
            ruleset = f"ruleset/{rule.get('ruleset_id')}"
            gates.append(self._ruleset_holes(ruleset))
            there = ruleset in self.answers.snapshot.answers
            place: AttributePath = (
                ("answers", ruleset, "body", "bypass_actors") if there else ("answers", "rules", "body", number)
            )
            self.places.setdefault("bypass", place)
        if not gates or any(gate == [] for gate in gates):
            return []
        for gate in gates:
            if type(gate) is Unknown:
                return gate
        common = [who for who in gates[0] if all(who in gate for gate in gates[1:])]
        if not common:
            return Unknown("each of several rules lets someone through; whether anybody passes all of them is not told")
        return common

    def _classic_holes(self) -> list[dict[str, str]] | Unknown:
        enforced = self._classic("enforce_admins", "enabled")
        holes = [] if enforced is True else [{"kind": "administrators", "name": "administrators"}]
        allowed = self._classic(_REVIEWS, "bypass_pull_request_allowances")
        for kind, key in (("user", "login"), ("team", "slug"), ("app", "slug")):
            for one in (allowed or {}).get(f"{kind}s") or ():
                holes.append({"kind": kind, "name": f"{kind} {one.get(key, '')}"})
        return holes

    def _ruleset_holes(self, ruleset: str) -> list[dict[str, str]] | Unknown:
        if ruleset not in self.answers.snapshot.answers:
            return Unknown("who may bypass the ruleset that asks for the review is not told: the ruleset was not read")
        actors = self.answers.value(ruleset, "bypass_actors")
        if type(actors) is Unknown:
            return actors
        return [named_actor(actor) for actor in actors or ()]


def named_actor(actor: Mapping[str, Any]) -> dict[str, str]:
    """An actor that may bypass a ruleset, by kind and by a name that people know."""
    type_, number = actor.get("actor_type"), actor.get("actor_id")
    if type_ == "OrganizationAdmin" or (type_ == "RepositoryRole" and number == 5):
        return {"kind": "administrators", "name": "administrators"}
    if type_ == "RepositoryRole":
        role = _ROLES.get(number) if isinstance(number, int) else None
        return {"kind": "role", "name": role or f"role {number}"}
    kind = _KINDS.get(str(type_), str(type_))
    return {"kind": kind, "name": kind if number is None else f"{kind} {number}"}
