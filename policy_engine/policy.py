"""What a project has decided about its findings: accepted risks and what is known from before. On a change it is the
base's, so that nobody decides about their own; a change of it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct, field

from policy_engine.errors import ConfigError
from policy_engine.resource import Resource
from policy_engine.settings import FILE_NAMES
from policy_engine.span import Fixed, Location, Span
from policy_engine.suppression import RESOURCE_FORMAT
from policy_engine.tree import FileTooLarge

if TYPE_CHECKING:
    from policy_engine.attestation import Attestation
    from policy_engine.baseline import Baseline
    from policy_engine.statement import Statement
    from policy_engine.waiver import Waiver

FOLDER = ".policy-engine/"
WAIVERS = f"{FOLDER}waivers.yaml"
BASELINE = f"{FOLDER}baseline.yaml"
STATEMENT = f"{FOLDER}soa.yaml"
ATTESTATIONS = f"{FOLDER}attestations.yaml"
KINDS = {
    WAIVERS: "waivers",
    BASELINE: "baseline",
    STATEMENT: "statement of applicability",
    ATTESTATIONS: "attestations",
}


class Policy(Struct, frozen=True):
    """today      the day that end dates are compared with
    warn_days  so many days before a waiver ends it is told
    whole      whether the scan sees the whole project, so that what covers nothing is stale
    narrowed   whether the command line leaves rules out, so that it means nothing that one did not run
    files      where a change is under review: the policy files, and whether it touches each
    """

    today: date
    waivers: Sequence[Waiver] = ()
    baseline: Baseline | None = None
    warn_days: int = 30
    whole: bool = False
    narrowed: bool = False
    statement: Statement | None = None
    attestations: Sequence[Attestation] = ()
    files: Mapping[str, bool] = field(default_factory=dict)


def read_policy(
    read: Callable[[str], bytes],
    today: date,
    *,
    warn_days: int,
    whole: bool,
    changed: Iterable[str] | None = None,
    also: Sequence[str] = (),
) -> Policy:
    """`read` gives a file of the project by its path, or raises FileNotFoundError; `changed` are the paths that a
    change under review touches, None where none is; `also` are further files and folders that are policy. Raises
    ConfigError."""

    def optional(path: str) -> bytes | None:
        try:
            return read(path)
        except FileNotFoundError:
            return None
        except FileTooLarge as error:
            raise ConfigError(error.message, path=path) from None
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error

    texts = {path: optional(path) for path in KINDS}
    files = {} if changed is None else dict.fromkeys((path for path in changed if is_policy(path, also)), True)
    if changed is not None:
        for path, data in texts.items():
            if data is not None:
                files.setdefault(path, False)
        for path in FILE_NAMES:
            if optional(path) is not None:
                files.setdefault(path, False)
    return Policy(
        today,
        _waivers(texts[WAIVERS]),
        _baseline(texts[BASELINE]),
        warn_days,
        whole,
        statement=_statement(texts[STATEMENT]),
        attestations=_attestations(texts[ATTESTATIONS]),
        files=files,
    )


def _waivers(data: bytes | None) -> Sequence[Waiver]:
    if data is None:
        return ()
    from policy_engine.waiver import parse_waivers

    return parse_waivers(data, WAIVERS)


def _baseline(data: bytes | None) -> Baseline | None:
    if data is None:
        return None
    from policy_engine.baseline import parse_baseline

    return parse_baseline(data, BASELINE)


def _statement(data: bytes | None) -> Statement | None:
    if data is None:
        return None
    from policy_engine.statement import parse_statement

    return parse_statement(data, STATEMENT)


def _attestations(data: bytes | None) -> Sequence[Attestation]:
    if data is None:
        return ()
    from policy_engine.attestation import parse_attestations

    return parse_attestations(data, ATTESTATIONS)


def is_policy(path: str, also: Sequence[str] = ()) -> bool:
    """Whether a file of the project says what its scans do."""
    if any(each in (path, ".") or path.startswith(f"{each}/") for each in also):
        return True
    return path in FILE_NAMES or path.startswith(FOLDER) or os.path.basename(path) == ".gitignore"


def changes_as_resources(policy: Policy) -> list[Resource]:
    """Policy files as resources of type `policy-file`, with whether they change, for a rule to tell."""
    resources = []
    for path, changed in sorted(policy.files.items()):
        location = Location(path, Span(1, 1, 1, 2))
        resources.append(
            Resource(
                format=RESOURCE_FORMAT,
                type="policy-file",
                address=path,
                name=path,
                value={"path": path, "kind": _kind(path), "changed": changed},
                location=location,
                locate=Fixed(location),
            )
        )
    return resources


def _kind(path: str) -> str:
    if path in KINDS:
        return KINDS[path]
    return "settings" if path in FILE_NAMES else "ignored files" if path.endswith(".gitignore") else "policy"
