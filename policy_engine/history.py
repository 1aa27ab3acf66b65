"""What nightly scans found, run after run: a database of findings and of how long they stay open.

SQLite by default, PostgreSQL by its URL, through SQLAlchemy. A run is recorded in one transaction under a lock of its
repository: two at once lose nothing, and one that is killed leaves no trace.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from statistics import median
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from policy_engine.errors import ConfigError
from policy_engine.moment import Moment

SCHEMA_VERSION = "1"
BUSY_TIMEOUT_S = 60
_CHUNK = 500  # values in one statement; SQLite takes no more than some thousands

_meta = sa.MetaData()
_about = sa.Table(
    "policy_engine_about",
    _meta,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)
_repositories = sa.Table(
    "policy_engine_repositories",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)
_runs = sa.Table(
    "policy_engine_runs",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("repository_id", sa.ForeignKey("policy_engine_repositories.id"), nullable=False, index=True),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Column("commit_id", sa.String(64), nullable=False),
    sa.Column("version", sa.String(40), nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("open", sa.Integer, nullable=False),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("fixed", sa.Integer, nullable=False),
    sa.Column("reopened", sa.Integer, nullable=False),
)
_verdicts = sa.Table(
    "policy_engine_verdicts",
    _meta,
    sa.Column("run_id", sa.ForeignKey("policy_engine_runs.id"), primary_key=True),
    sa.Column("status", sa.String(20), primary_key=True),
    sa.Column("controls", sa.Integer, nullable=False),
)
_reports = sa.Table(
    "policy_engine_reports",
    _meta,
    sa.Column("repository_id", sa.ForeignKey("policy_engine_repositories.id"), primary_key=True),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),  # compressed; of the last run alone
)
_findings = sa.Table(
    "policy_engine_findings",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("repository_id", sa.ForeignKey("policy_engine_repositories.id"), nullable=False),
    sa.Column("fingerprint", sa.String(32), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.String(10), nullable=False),
    sa.Column("controls", sa.Text, nullable=False),  # separated by blanks
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("first_seen", sa.String(20), nullable=False),
    sa.Column("opened", sa.String(20), nullable=False),  # the last time that it was new or came back
    sa.Column("last_seen", sa.String(20), nullable=False),
    sa.Column("fixed", sa.String(20)),
    sa.Column("reopened", sa.Integer, nullable=False),
    sa.UniqueConstraint("repository_id", "fingerprint"),
)


class Record(Struct, frozen=True):
    """One finding of a run, as far as it is kept. `controls` are those of the leading framework."""

    fingerprint: str
    rule: str
    severity: str
    controls: tuple[str, ...]
    path: str
    line: int
    resource: str
    message: str


class Run(Struct, frozen=True):
    """What one scan of one repository found. Nothing counts as fixed by a run that is not complete.

    controls  how many controls of the leading framework had each status, by the status's name
    document  the whole report, to be read again later; empty where none is to be kept
    """

    repository: str
    at: datetime
    commit: str
    version: str
    complete: bool
    findings: Sequence[Record]
    controls: Mapping[str, int] = field(default_factory=dict)
    document: bytes = b""


class Delta(Struct, frozen=True):
    """What a run changed: records of findings that are new, gone, or back again; and how many are open now."""

    new: Sequence[Record] = ()
    fixed: Sequence[Record] = ()
    reopened: Sequence[Record] = ()
    open: int = 0


class Age(Struct, frozen=True):
    """How long the findings of one control have been open, in days; and how long mended ones had been."""

    control: str
    open: int
    median_days: float
    oldest_days: float
    fixed: int
    median_days_to_fix: float | None


class History(Struct):
    engine: sa.Engine
    shown: str = field(default="")

    def record(self, run: Run) -> Delta:
        """Raises ConfigError where the database cannot be written."""
        try:
            with self.engine.begin() as connection:
                return _record(connection, run)
        except sa.exc.SQLAlchemyError as error:
            raise ConfigError(f"{self.shown}: the run cannot be recorded: {_first_line(error)}") from None

    def ages(self, now: datetime, repositories: Sequence[str] | None = None) -> list[Age]:
        """By control, the oldest first."""
        query = sa.select(_findings.c.controls, _findings.c.opened, _findings.c.fixed)
        if repositories is not None:
            query = query.join(_repositories, _repositories.c.id == _findings.c.repository_id)
            query = query.where(_repositories.c.name.in_(list(repositories)))
        still: dict[str, list[float]] = {}
        mended: dict[str, list[float]] = {}
        with self.engine.connect() as connection:
            for controls, opened, fixed in connection.execute(query):
                until = now if fixed is None else _time(fixed)
                age = max(0.0, (until - _time(opened)).total_seconds() / 86_400)
                for control in controls.split():
                    (still if fixed is None else mended).setdefault(control, []).append(age)
        ages = []
        for control in {*still, *mended}:
            days, done = still.get(control, []), mended.get(control, [])
            ages.append(
                Age(
                    control,
                    len(days),
                    round(median(days), 1) if days else 0.0,
                    round(max(days), 1) if days else 0.0,
                    len(done),
                    round(median(done), 1) if done else None,
                )
            )
        return sorted(ages, key=lambda age: (-age.oldest_days, -age.open, age.control))

    def last_runs(self) -> list[tuple[str, Delta, bool]]:
        """Of every repository by name what its last run changed, and whether it was complete."""
        newest = sa.select(sa.func.max(_runs.c.id)).group_by(_runs.c.repository_id)
        query = (
            sa.select(_repositories.c.name, _repositories.c.id, _runs.c.at, _runs.c.complete, _runs.c.open)
            .join(_runs, _runs.c.repository_id == _repositories.c.id)
            .where(_runs.c.id.in_(newest))
            .order_by(_repositories.c.name)
        )
        told = []
        with self.engine.connect() as connection:
            for name, repository, at, complete, open_ in connection.execute(query).all():
                mine = _findings.c.repository_id == repository
                changed = connection.execute(
                    sa.select(_findings).where(mine, sa.or_(_findings.c.opened == at, _findings.c.fixed == at))
                ).all()
                delta = Delta(
                    tuple(_as_record(row) for row in changed if row.opened == at and row.first_seen == at),
                    tuple(_as_record(row) for row in changed if row.fixed == at),
                    tuple(_as_record(row) for row in changed if row.opened == at and row.first_seen != at),
                    open_,
                )
                told.append((name, delta, complete))
        return told

    def repositories(self) -> list[str]:
        """The names of all, sorted."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(_repositories.c.name).order_by(_repositories.c.name)).scalars())

    def last_report(self, repository: str) -> tuple[str, bytes] | None:
        """When a repository was last scanned, and the report of it; None where none was kept."""
        query = (
            sa.select(_reports.c.at, _reports.c.document)
            .join(_repositories, _repositories.c.id == _reports.c.repository_id)
            .where(_repositories.c.name == repository)
        )
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        try:
            return row.at, zlib.decompress(row.document)
        except zlib.error as error:
            raise ConfigError(f"{self.shown}: the report of '{repository}' is damaged: {error}") from None

    def moments(self, repository: str) -> list[Moment]:
        """What the runs of a repository came to, the first one first."""
        counts: dict[int, dict[str, int]] = {}
        runs = self.runs(repository)
        query = (
            sa.select(_verdicts)
            .join(_runs, _runs.c.id == _verdicts.c.run_id)
            .join(_repositories, _repositories.c.id == _runs.c.repository_id)
            .where(_repositories.c.name == repository)
        )
        with self.engine.connect() as connection:
            for row in connection.execute(query):
                counts.setdefault(row.run_id, {})[row.status] = row.controls
        return [
            Moment(run["at"], run["open"], run["new"], run["fixed"], run["reopened"], counts.get(run["id"], {}))
            for run in runs
        ]

    def runs(self, repository: str) -> list[Mapping[str, Any]]:
        """All runs of a repository, the first one first."""
        query = (
            sa.select(_runs)
            .join(_repositories, _repositories.c.id == _runs.c.repository_id)
            .where(_repositories.c.name == repository)
            .order_by(_runs.c.id)
        )
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def open_history(url: str) -> History:
    """Opens the database, and makes its tables where there are none. Raises ConfigError; it shows no password."""
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigError("--db: no database URL; write a file name or postgresql://user@host/name") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    shown = parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=True)
    try:
        engine = sa.create_engine(parsed, poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError):
        raise ConfigError(f"{shown}: databases of this kind are not known; SQLite and PostgreSQL are") from None
    except ModuleNotFoundError as error:
        raise ConfigError(f"{shown}: needs the package '{error.name}'; install policy-engine[history]") from None
    if parsed.get_backend_name() == "sqlite":
        _prepare_sqlite(engine)
    try:
        with engine.begin() as connection:
            _prepare(connection)
    except sa.exc.SQLAlchemyError as error:
        raise ConfigError(f"{shown}: cannot be opened: {_first_line(error)}") from None
    return History(engine, shown)


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says so
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        # Taken for writing at once: two that begin by reading would both wait for the other in vain.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Of several that meet an empty database, one makes the tables.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7365203748)"))
    _meta.create_all(connection)
    found = connection.execute(sa.select(_about.c.value).where(_about.c.name == "schema")).scalar()
    if found is None:
        connection.execute(_about.insert().values(name="schema", value=SCHEMA_VERSION))
    elif found != SCHEMA_VERSION:
        raise ConfigError(
            f"the history database has schema version {found}, and this policy-engine knows {SCHEMA_VERSION}; use the "
            "version that wrote it, or another database"
        )


def _record(connection: sa.Connection, run: Run) -> Delta:
    repository = _lock(connection, run.repository)
    at = _text(run.at)
    known = {
        row.fingerprint: row
        for row in connection.execute(sa.select(_findings).where(_findings.c.repository_id == repository))
    }
    found = {record.fingerprint: record for record in run.findings}
    new = [record for key, record in found.items() if key not in known]
    back = [record for key, record in found.items() if key in known and known[key].fixed is not None]
    gone = [row for key, row in known.items() if key not in found and row.fixed is None] if run.complete else []
    if new:
        connection.execute(
            _findings.insert(),
            [
                {
                    "repository_id": repository,
                    "first_seen": at,
                    "opened": at,
                    "last_seen": at,
                    "fixed": None,
                    "reopened": 0,
                    "fingerprint": one.fingerprint,
                    **_columns(one),
                }
                for one in new
            ],
        )
    for row, record in ((known[key], record) for key, record in found.items() if key in known):
        changed = {name: value for name, value in _columns(record).items() if getattr(row, name) != value}
        if row.fixed is not None:
            changed |= {"fixed": None, "opened": at, "reopened": row.reopened + 1}
        if changed:
            connection.execute(_findings.update().where(_findings.c.id == row.id).values(**changed))
    _each(connection, [known[key].id for key in found if key in known], last_seen=at)
    _each(connection, [row.id for row in gone], fixed=at)
    open_now = connection.execute(
        sa.select(sa.func.count())
        .select_from(_findings)
        .where(_findings.c.repository_id == repository, _findings.c.fixed.is_(None))
    ).scalar_one()
    inserted = connection.execute(
        _runs.insert().values(
            repository_id=repository,
            at=at,
            commit_id=run.commit,
            version=run.version,
            complete=run.complete,
            open=open_now,
            new=len(new),
            fixed=len(gone),
            reopened=len(back),
        )
    )
    if run.controls:
        assert inserted.inserted_primary_key is not None
        number = inserted.inserted_primary_key[0]
        rows = [{"run_id": number, "status": status, "controls": count} for status, count in run.controls.items()]
        connection.execute(_verdicts.insert(), rows)
    if run.document:
        connection.execute(_reports.delete().where(_reports.c.repository_id == repository))
        kept = zlib.compress(run.document, 6)
        connection.execute(_reports.insert().values(repository_id=repository, at=at, document=kept))
    return Delta(tuple(new), tuple(_as_record(row) for row in gone), tuple(back), open_now)


def _lock(connection: sa.Connection, name: str) -> int:
    """The repository's number, its row locked until the run is recorded."""
    query = sa.select(_repositories.c.id).where(_repositories.c.name == name)
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        connection.execute(insert(_repositories).values(name=name).on_conflict_do_nothing())
        return int(connection.execute(query.with_for_update()).scalar_one())
    found = connection.execute(query).scalar()
    if found is None:
        found = connection.execute(_repositories.insert().values(name=name)).inserted_primary_key[0]  # type: ignore[index]
    return int(found)


def _each(connection: sa.Connection, numbers: Sequence[int], **values: str) -> None:
    for start in range(0, len(numbers), _CHUNK):
        part = list(numbers[start : start + _CHUNK])
        connection.execute(_findings.update().where(_findings.c.id.in_(part)).values(**values))


def _columns(record: Record) -> dict[str, Any]:
    return {
        "rule": record.rule,
        "severity": record.severity,
        "controls": " ".join(record.controls),
        "path": _storable(record.path),
        "line": record.line,
        "resource": _storable(record.resource),
        "message": _storable(record.message),
    }


def _storable(text: str) -> str:
    """A file name need not be valid text, and PostgreSQL holds no NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _as_record(row: Any) -> Record:
    controls = tuple(row.controls.split())
    return Record(row.fingerprint, row.rule, row.severity, controls, row.path, row.line, row.resource, row.message)


def _text(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def _first_line(error: Exception) -> str:
    lines: Iterable[str] = str(getattr(error, "orig", None) or error).strip().splitlines()
    return next(iter(lines), type(error).__name__)
