"""`policy-engine evidence`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from policy_engine.errors import ConfigError

if TYPE_CHECKING:
    from policy_engine.evidence import Circumstances, Subject, Verification
    from policy_engine.tree import Tree
    from policy_engine.workspace import Workspace


@click.group()
def evidence() -> None:
    """Evidence packs: a scan's results and all they rest on, in an archive that shows every alteration."""


@evidence.command()
@click.argument("file", type=click.Path())
@click.option("--root", type=click.Path(), help="The project.  [default: the repository]")
@click.option("--previous", type=click.Path(), metavar="PACK", help="The pack before this one, which it is chained to.")
@click.option("--key", type=click.Path(), metavar="PEM", help="Sign with this Ed25519 key.")
@click.option("--by", metavar="NAME", help="Who makes it.  [default: from the environment]")
@click.option("--at", metavar="TIME", help="When, as 2027-01-31T02:00:00Z.  [default: now]")
@click.option("--repository", metavar="NAME", help="What it is of.  [default: the folder's name]")
def create(
    file: str,
    root: str | None,
    previous: str | None,
    key: str | None,
    by: str | None,
    at: str | None,
    repository: str | None,
) -> int:
    """Scan a project and write FILE, an evidence pack of it.

    The password of the key, if it has one, is read from POLICY_ENGINE_KEY_PASSWORD. Exit codes: 0 written, whatever the
    scan found; 2 wrong usage; 3 written, but the scan is incomplete.
    """
    from datetime import date

    from policy_engine.evidence import create as make
    from policy_engine.inputs import Witness, inputs_of, policy_files, versions
    from policy_engine.reporter import Display
    from policy_engine.workspace import open_workspace, scan_project

    circumstances = _circumstances(by, at)
    signing = None
    if key is not None:
        from policy_engine.signature import read_private

        signing = read_private(_read(key), key, os.environ.get("POLICY_ENGINE_KEY_PASSWORD"))
    before = None if previous is None else _previous(previous)
    space = open_workspace(root or ".", root=root)
    witness: list[Witness] = []

    def watched(tree: Tree) -> Witness:
        witness.append(Witness(tree))
        return witness[0]

    report, _ = scan_project(space, date.fromisoformat(circumstances.at[:10]), watched)
    keeper = next((each for each in space.plugins.reporters.values() if each.readable), None)
    if keeper is None:
        raise ConfigError("no report format that can be read again is installed")
    document = keeper.render(report, Display()).encode("utf-8", "backslashreplace")
    data = make(
        report,
        document,
        inputs_of(report, witness[0]),
        policy_files(space),
        versions(),
        _subject(space, repository, os.path.abspath(file)),
        circumstances,
        before,
        signing,
    )
    try:
        with open(file, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path=file) from error
    from policy_engine.evidence import verify as look

    told = look(data, file)
    click.echo(f"{file}: {told.members} members, identity {told.identity}")
    if told.signer:
        click.echo(f"signed by the key {told.signer}")
    return 0 if report.complete else 3


@evidence.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--key", type=click.Path(), metavar="PEM", help="The public key that must have signed.")
def verify(files: tuple[str, ...], key: str | None) -> int:
    """Check packs; of several, each must follow the one before it.

    Exit codes: 0 whole; 1 altered, with a line for each thing; 2 no evidence pack at all.
    """
    from policy_engine.escape import for_terminal
    from policy_engine.evidence import verify as look

    trusted = None
    if key is not None:
        from policy_engine.signature import read_public

        trusted = read_public(_read(key), key)
    previous: Verification | None = None
    code = 0
    for file in files:
        told = look(_read(file), file, trusted, previous)
        for fault in told.faults:
            click.echo(f"{for_terminal(file)}: {for_terminal(fault)}")
        if told.faults:
            code = 1
        else:
            click.echo(for_terminal(f"{file}: whole; {_summary(told)}"))
        previous = told
    return code


@evidence.command()
@click.argument("file", type=click.Path())
def keygen(file: str) -> int:
    """Write a new signing key to FILE, and its public part to FILE.pub. Mind where you keep it.

    With POLICY_ENGINE_KEY_PASSWORD set the key is encrypted with it.
    """
    from policy_engine.signature import fingerprint, generate, read_public

    private, public = generate(os.environ.get("POLICY_ENGINE_KEY_PASSWORD"))
    for name, data, mode in ((file, private, 0o600), (f"{file}.pub", public, 0o644)):
        try:
            with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                stream.write(data)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", path=name) from error
    click.echo(f"{file} and {file}.pub: the key {fingerprint(read_public(public, file))}")
    return 0


def _summary(told: Verification) -> str:
    signed = "not signed"
    if told.signer:
        signed = f"signed by {told.signer[:16]}" + (", the key given" if told.trusted else ", a key you did not give")
    subject = told.subject
    commit = f" at {str(subject.get('commit'))[:12]}" if subject.get("commit") else ""
    dirty = " with changes that are not committed" if subject.get("dirty") else ""
    follows = (
        f"; follows {str(told.previous.get('manifest_sha256'))[:16]}" if told.previous else "; the first of its chain"
    )
    return (
        f"{subject.get('repository')}{commit}{dirty}, by {told.run.get('by')} on {told.run.get('at')}; "
        f"{told.members} members, identity {told.identity[:16]}; {signed}{follows}"
    )


def _circumstances(by: str | None, at: str | None) -> Circumstances:
    import platform
    from datetime import datetime, timezone

    from policy_engine.evidence import Circumstances

    form = "%Y-%m-%dT%H:%M:%SZ"
    if at is None:
        at = datetime.now(timezone.utc).strftime(form)
    try:
        at = datetime.strptime(at, form).replace(tzinfo=timezone.utc).strftime(form)
    except ValueError:
        raise ConfigError(f"--at {at}: no time; write it as 2027-01-31T02:00:00Z") from None
    if by is None:
        names = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR")
        by = next((os.environ[name] for name in names if os.environ.get(name)), None) or _user()
    return Circumstances(by, at, platform.python_version(), f"{sys.platform} {platform.machine()}")


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _subject(space: Workspace, repository: str | None, written: str) -> Subject:
    from policy_engine.evidence import Subject
    from policy_engine.revision import Revision

    name = repository or os.path.basename(space.root)
    if not os.path.exists(os.path.join(space.root, ".git")):
        return Subject(name, "", dirty=False)
    try:
        with Revision(space.root, "HEAD") as revision:
            changes = revision.changes()
            pack = os.path.relpath(written, space.root).replace(os.sep, "/")
            return Subject(name, revision.commit, dirty=bool((changes.now | changes.before) - {pack}))
    except ConfigError:
        return Subject(name, "", dirty=True)  # nothing is committed yet


def _previous(path: str) -> dict[str, str]:
    from policy_engine.evidence import verify as look

    told = look(_read(path), path)
    if told.faults:
        raise ConfigError(f"the previous pack is not whole: {told.faults[0]}", path=path)
    return {"manifest_sha256": told.identity, "at": str(told.run.get("at"))}


def _read(path: str) -> bytes:
    from policy_engine.archive import MAX_BYTES

    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
