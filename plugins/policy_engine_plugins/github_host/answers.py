"""What a snapshot's answers say, and why they do not where they do not; and the resources that are made of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from policy_engine.resource import AttributePath, Resource
from policy_engine.span import Location, Trace
from policy_engine.unknown import Unknown
from policy_engine_plugins.github_host.endpoints import Endpoint
from policy_engine_plugins.github_host.snapshot import Snapshot, endpoint_of

FORMAT = "github-settings"


class Answers(Struct):
    """The answers of one snapshot. An answer is a body, None where there is known to be no such thing, or an Unknown
    that says what stood in the way and what would help."""

    snapshot: Snapshot
    path: str
    resources: list[Resource] = field(default_factory=list)

    def body(self, name: str) -> Any:
        given = self.snapshot.answers.get(name)
        endpoint = self._endpoint(name)
        if given is None:
            return Unknown(f"the snapshot does not hold it: {endpoint.feeds}", self.at("answers"))
        if "body" in given:
            return given["body"]
        status, message = given.get("status"), given.get("message") or ""
        if any(status == code and part.lower() in message.lower() for code, part in endpoint.absent):
            return None
        if status == 404 and endpoint.absent_404 and self._sees_settings():
            return None
        return Unknown(self._reason(endpoint, given), self.at("answers", name))

    def value(self, name: str, *steps: str) -> Any:
        """A part of a body. One that GitHub left out is an Unknown: it does so for a token that may not see it."""
        found = self.body(name)
        for step in steps:
            if not isinstance(found, dict):
                return found
            if step not in found:
                endpoint = self._endpoint(name)
                grant = _grant(endpoint)
                return Unknown(
                    f"GitHub did not tell {'.'.join(steps)} with {endpoint.feeds}; {grant}", self.at("answers", name)
                )
            found = found[step]
        return found

    def known(self, name: str, *steps: str) -> Any:
        """As `value`, for what GitHub gives as null to a token that may not see it."""
        found = self.value(name, *steps)
        if found is None and self.body(name) is not None:
            grant = _grant(self._endpoint(name))
            return Unknown(
                f"GitHub keeps {'.'.join(steps)} to itself; {grant}", self.at("answers", name, "body", *steps)
            )
        return found

    def items(self, name: str) -> list[Any]:
        """The items of a listing; none where it is not known."""
        found = self.body(name)
        return found if isinstance(found, list) else []

    def at(self, *steps: str | int) -> Location:
        return Location(self.path, self.snapshot.text.span(steps))

    def add(
        self,
        type_: str,
        address: str,
        name: str,
        value: Mapping[str, Any],
        header: AttributePath,
        places: Mapping[str, AttributePath] | None = None,
    ) -> None:
        """A resource. `header` and `places` (of its attributes, by their first step) are paths in the snapshot; an
        attribute without a place of its own is looked for below the header."""
        text, path, known = self.snapshot.text, self.path, places or {}

        def locate(steps: AttributePath) -> Trace:
            if steps and steps[0] in known:
                return Trace(Location(path, text.span((*known[str(steps[0])], *steps[1:]))))
            return Trace(Location(path, text.span((*header, *steps))))

        self.resources.append(Resource(FORMAT, type_, address, name, value, self.at(*header), locate))

    def _endpoint(self, name: str) -> Endpoint:
        endpoint = endpoint_of(name, organization=self.snapshot.organization)
        assert endpoint is not None, name
        return endpoint

    def _sees_settings(self) -> bool:
        """Whether the token may see the repository's settings, so that a 404 means that a thing is not there."""
        about = self.snapshot.answers.get("repository", {}).get("body")
        return isinstance(about, dict) and about.get("security_and_analysis") is not None

    def _reason(self, endpoint: Endpoint, given: Mapping[str, Any]) -> str:
        status, message = given.get("status"), given.get("message") or ""
        if not status:
            return f"could not be read ({message or 'no answer'}): {endpoint.feeds}"
        told = f"HTTP {status}: {message}" if message else f"HTTP {status}"
        if status not in (401, 403, 404):
            return f"could not be read ({told}): {endpoint.feeds}"
        asks = f"; GitHub asks for {given['accepted']}" if given.get("accepted") else ""
        return f"could not be read ({told}): {endpoint.feeds}; {_grant(endpoint)}{asks}"


def _grant(endpoint: Endpoint) -> str:
    return f"grant the token '{endpoint.permission}', or a classic one the scope '{endpoint.scope}'"


Truth = bool | Unknown


def either(*answers: Any) -> Truth:
    """Whether one of them is true; unknown where none is and one is unknown."""
    doubt: Truth = False
    for answer in answers:
        if answer is True:
            return True
        if type(answer) is Unknown and doubt is False:
            doubt = answer
    return doubt


def both(*answers: Any) -> Truth:
    doubt: Truth = True
    for answer in answers:
        if type(answer) is Unknown:
            doubt = answer if doubt is True else doubt
        elif answer is not True:
            return False
    return doubt


def is_(value: Any, wanted: Any) -> Truth:
    return value if type(value) is Unknown else value == wanted


def first_known(values: Iterable[Any]) -> Any:
    """The first that is no Unknown; the first Unknown where all are."""
    listed = list(values)
    return next((value for value in listed if type(value) is not Unknown), listed[0])
