"""A scan of one repository or of many: a map over repositories, and what came of it.

`scan_repository` is a pure function of a folder and runs anywhere: in this process, in others, on other machines.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from policy_engine.errors import PolicyEngineError
from policy_engine.finding import Finding
from policy_engine.history import Record, Run
from policy_engine.reporter import Display


class Job(Struct, frozen=True):
    """A repository by the name it is kept under, and the folder that it lies in."""

    name: str
    folder: str
    at: datetime


class Result(Struct, frozen=True):
    """The run of a job, or in one line why there is none."""

    name: str
    run: Run | None
    trouble: str = ""


def scan_repository(job: Job) -> Result:
    """Never raises: one repository that cannot be scanned must not stop the others."""
    from policy_engine.verdict import verdicts
    from policy_engine.workspace import open_workspace, scan_project

    try:
        if not os.path.isdir(job.folder):
            return Result(job.name, None, f"{job.folder}: no such folder")
        space = open_workspace(job.folder, root=job.folder)
        report, _ = scan_project(space, job.at.date())
        lead = report.frameworks[0] if report.frameworks else None
        records = [_record(one, lead) for one in report.findings if one.counts]
        trouble = "" if report.complete else next(str(one) for one in report.problems if one.kind.value != "limited")
        controls = Counter(each.status.value for each in (verdicts(report, lead) if lead else ()))
        # The one of the report formats that can be read again keeps the whole of it.
        keeper = next((each for each in space.plugins.reporters.values() if each.readable), None)
        document = keeper.render(report, Display()).encode() if keeper is not None else b""
        commit = head_commit(space.root)
        run = Run(job.name, job.at, commit, report.version, report.complete, records, controls, document)
        return Result(job.name, run, trouble)
    except PolicyEngineError as error:
        return Result(job.name, None, str(error))
    except (OSError, RecursionError, MemoryError) as error:
        return Result(job.name, None, f"{type(error).__name__}: {error}")


def _record(finding: Finding, lead: object) -> Record:
    from policy_engine.control import Framework, controls_of

    controls = controls_of(finding.rule, lead) if isinstance(lead, Framework) else ()
    return Record(
        finding.fingerprint,
        finding.rule.id,
        finding.severity.value,
        tuple(controls),
        finding.location.path,
        finding.location.span.start_line,
        finding.address,
        finding.message,
    )


def head_commit(root: str) -> str:
    """The commit that is checked out; empty where there is none."""
    from policy_engine.errors import ConfigError
    from policy_engine.revision import Revision

    try:
        with Revision(root, "HEAD") as revision:
            return revision.commit
    except ConfigError:
        return ""


def read_jobs(path: str, at: datetime) -> list[Job]:
    """A list of repositories: a folder a line, relative to the list; `name = folder` gives it a name. Raises
    ConfigError."""
    from policy_engine.errors import ConfigError

    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {getattr(error, 'strerror', None) or error}", path=path) from error
    jobs: dict[str, Job] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        left, given, right = text.partition("=")
        name, folder = (left.strip(), right.strip()) if given else (text, text)
        if not name or not folder:
            raise ConfigError(f"line {number}: write a folder, or `name = folder`", path=path)
        if name in jobs:
            raise ConfigError(f"line {number}: '{name}' is listed twice", path=path)
        jobs[name] = Job(name, os.path.join(os.path.dirname(os.path.abspath(path)), folder), at)
    return list(jobs.values())


def scan_all(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """The results as they come. Another executor may take `scan_repository` and the jobs in the same way."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(scan_repository, jobs)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(max_workers=workers) as pool:
        waiting = {pool.submit(scan_repository, job): job for job in jobs}
        for done in as_completed(waiting):
            try:
                yield done.result()
            except BrokenProcessPool:
                yield Result(waiting[done].name, None, "the process that scanned it died")


def sorted_results(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda one: one.name)
