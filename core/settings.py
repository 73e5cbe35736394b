"""Every setting, read once from the environment (prefix BIANZHI_). Nothing else reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import Misconfigured
from core.keys import KEY_LENGTH, NAMES, adopt_keys, check_guarded, keys_file, keys_in_force, make_keys

PREFIX = "BIANZHI_"
MEMORY = re.compile(r"[1-9][0-9]*[KMGT]B")
KNOWN = {
    "HOME": "folder of database, raw copies, snapshots and reports (default: .bianzhi in the current folder)",
    "DATABASE_URL": "SQLAlchemy URL (default: SQLite in HOME)",
    "ENGINE": "duckdb (default) or spark: what the rules run on",
    "MEMORY_LIMIT": "memory the rules may take before they spill to disk, such as 4GB (default: the engine's own choice)",
    "SPARK_MASTER": "where Spark runs when spark-submit has not started it (default local[2])",
    "SPARK_STAGING": "folder or fsspec URL that driver and executors both reach (default: they share the snapshot's disk)",
    "SMTP_URL": "smtp://[user:password@]host:port, or smtps://…; without one mails stay in the outbox",
    "ENV": "development (default: makes its keys once, in KEYS) or production (refuses to start without keys)",
    "KEYS": "folder of the key file (default: HOME/keys); production: outside HOME, which is what gets backed up",
    "SECRET_KEY": "signs sessions, manifests and certificates; at least 32 characters",
    "PERSON_KEY": "keys person_key, the keyed hash of an identity number; at least 32 characters",
    "PORTAL_URL": "address printed in mails and on certificates, QR codes too (default http://127.0.0.1:8400)",
    "NOTICES": "folder the night writes entry and exit notices into, one below it per receiver (default: none; only on command)",
    "NOTICES_FORM": "csv (default) or xlsx: form of the files in NOTICES",
    "TIMEZONE": "time zone of the schedule and of printed times (default Asia/Shanghai)",
}


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Keys never appear in its repr."""

    home: Path
    keys_dir: Path
    database_url: str = field(repr=False)
    engine: str
    smtp_url: str | None = field(repr=False)
    env: str
    secret_key: str = field(repr=False)
    person_key: str = field(repr=False)
    portal_url: str
    timezone: str
    memory_limit: str | None = None
    spark_master: str = "local[2]"
    spark_staging: str | None = None
    # Where the night hands notices over without being asked; None: it does not.
    notices: Path | None = None
    notices_form: str = "csv"
    # Whether PERSON_KEY came from the environment, where nobody but the operator can change it.
    person_key_given: bool = False

    @property
    def raw_dir(self) -> Path:
        return self.home / "raw"

    @property
    def cache_dir(self) -> Path:
        """What the gate keeps between nights; deleting it costs the next night time, nothing else."""
        return self.home / "cache"

    @property
    def snapshots_dir(self) -> Path:
        return self.home / "snapshots"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from `environ` (default: the process's own).

    Errors: Misconfigured names the variable and what to set it to.
    """
    env = dict(os.environ if environ is None else environ)
    unknown = sorted(name for name in env if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in KNOWN)
    if unknown:
        raise Misconfigured(f"unknown settings {', '.join(unknown)}; known are {', '.join(KNOWN)}")
    get = lambda name, default=None: env.get(PREFIX + name) or default
    home, keys_dir = _places(env)
    mode = get("ENV", "development")
    if mode not in ("development", "production"):
        raise Misconfigured("BIANZHI_ENV must be development or production")
    engine = get("ENGINE", "duckdb")
    if engine not in ("duckdb", "spark"):
        raise Misconfigured("BIANZHI_ENGINE must be duckdb or spark")
    form = get("NOTICES_FORM", "csv")
    if form not in ("csv", "xlsx"):
        raise Misconfigured("BIANZHI_NOTICES_FORM must be csv or xlsx")
    limit = get("MEMORY_LIMIT")
    if limit is not None and not MEMORY.fullmatch(limit):
        raise Misconfigured("BIANZHI_MEMORY_LIMIT must be a number and KB, MB, GB or TB, such as 4GB")
    database_url = _driver(get("DATABASE_URL", f"sqlite:///{home / 'bianzhi.db'}"))
    keys = _keys(env, mode, database_url)
    return Settings(
        home=home,
        keys_dir=keys_dir,
        database_url=database_url,
        engine=engine,
        smtp_url=get("SMTP_URL"),
        env=mode,
        secret_key=keys["SECRET_KEY"],
        person_key=keys["PERSON_KEY"],
        portal_url=get("PORTAL_URL", "http://127.0.0.1:8400").rstrip("/"),
        timezone=get("TIMEZONE", "Asia/Shanghai"),
        person_key_given=get("PERSON_KEY") is not None,
        memory_limit=limit,
        spark_master=get("SPARK_MASTER", "local[2]"),
        spark_staging=get("SPARK_STAGING"),
        notices=Path(get("NOTICES")).expanduser().resolve() if get("NOTICES") else None,
        notices_form=form,
    )


def _driver(url: str) -> str:
    """PostgreSQL always through psycopg 3, whichever way the URL spells it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def make_keys_once(environ: Mapping[str, str] | None = None) -> Path:
    """Write the key file of `BIANZHI_KEYS`, taking over keys given in the environment; returns its path.

    Errors: Misconfigured when it is there already, or when production would keep it beside its data.
    """
    env = dict(os.environ if environ is None else environ)
    home, folder = _places(env)
    if env.get(PREFIX + "ENV") == "production":
        _check_outside(folder, home)
    if keys_file(folder).exists():
        raise Misconfigured(f"{keys_file(folder)} is there already; to change the PERSON_KEY, run: bianzhi keys rotate")
    make_keys(folder, _given(env))
    return keys_file(folder)


def _places(env: Mapping[str, str]) -> tuple[Path, Path]:
    """HOME and the folder of the keys."""
    home = Path(env.get(PREFIX + "HOME") or ".bianzhi").expanduser().resolve()
    return home, Path(env.get(PREFIX + "KEYS") or home / "keys").expanduser().resolve()


def _given(env: Mapping[str, str]) -> dict[str, str | None]:
    given = {name: env.get(PREFIX + name) or None for name in NAMES}
    for name, value in given.items():
        if value is not None and len(value) < KEY_LENGTH:
            raise Misconfigured(f"BIANZHI_{name} must have at least {KEY_LENGTH} characters")
    return given


def _keys(env: Mapping[str, str], mode: str, database_url: str) -> dict[str, str]:
    """Keys given in the environment, the others from the folder of keys; development makes them there once."""
    given = _given(env)
    if all(given.values()):
        return given  # type: ignore[return-value]
    home, folder = _places(env)
    if mode == "development":
        _check_outside(folder, home, ("raw", "snapshots", "reports", "inbox"))
        adopt_keys(folder, home / "keys.json")
        make_keys(folder, {})
    held = keys_in_force(folder, lambda: _database_mark(database_url))
    if held is None:
        missing = ", ".join(f"BIANZHI_{name}" for name, value in given.items() if not value)
        raise Misconfigured(f"production needs {missing}, or a key file in BIANZHI_KEYS: bianzhi keys make")
    if mode == "production":
        _check_outside(folder, home)
        check_guarded(folder)
    return {name: value or held[name] for name, value in given.items()}


def _check_outside(folder: Path, home: Path, parts: tuple[str, ...] = ("",)) -> None:
    for part in parts:
        if folder.is_relative_to(home / part):
            raise Misconfigured(f"keys lie apart from the data they open: set BIANZHI_KEYS outside {home / part}")


def _database_mark(database_url: str) -> str | None:
    # Only a rotation on its way makes the settings ask the database.
    from core.key_mark import database_mark

    return database_mark(database_url)
