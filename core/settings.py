"""Every setting, read once from the environment (prefix BIANZHI_). Nothing else reads the environment."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import Misconfigured

PREFIX = "BIANZHI_"
KNOWN = {
    "HOME": "folder of database, raw copies, snapshots and reports (default: .bianzhi in the current folder)",
    "DATABASE_URL": "SQLAlchemy URL (default: SQLite in HOME)",
    "ENGINE": "duckdb",
    "SMTP_URL": "smtp://[user:password@]host:port, or smtps://…; without one mails stay in the outbox",
    "ENV": "development (default: makes its keys once, in HOME) or production (refuses to start without keys)",
    "SECRET_KEY": "signs sessions and manifests; at least 32 characters",
    "PERSON_KEY": "keys person_key, the keyed hash of an identity number; at least 32 characters",
    "PORTAL_URL": "address printed in mails (default http://127.0.0.1:8400)",
    "TIMEZONE": "time zone of the schedule and of printed times (default Asia/Shanghai)",
}
KEY_LENGTH = 32


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Keys never appear in its repr."""

    home: Path
    database_url: str = field(repr=False)
    engine: str
    smtp_url: str | None = field(repr=False)
    env: str
    secret_key: str = field(repr=False)
    person_key: str = field(repr=False)
    portal_url: str
    timezone: str

    @property
    def raw_dir(self) -> Path:
        return self.home / "raw"

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
    home = Path(get("HOME", ".bianzhi")).expanduser().resolve()
    mode = get("ENV", "development")
    if mode not in ("development", "production"):
        raise Misconfigured("BIANZHI_ENV must be development or production")
    engine = get("ENGINE", "duckdb")
    if engine != "duckdb":
        raise Misconfigured("BIANZHI_ENGINE must be duckdb: it is the one engine there is")
    keys = _keys(home, mode, get("SECRET_KEY"), get("PERSON_KEY"))
    return Settings(
        home=home,
        database_url=_driver(get("DATABASE_URL", f"sqlite:///{home / 'bianzhi.db'}")),
        engine=engine,
        smtp_url=get("SMTP_URL"),
        env=mode,
        secret_key=keys["SECRET_KEY"],
        person_key=keys["PERSON_KEY"],
        portal_url=get("PORTAL_URL", "http://127.0.0.1:8400").rstrip("/"),
        timezone=get("TIMEZONE", "Asia/Shanghai"),
    )


def _driver(url: str) -> str:
    """PostgreSQL always through psycopg 3, whichever way the URL spells it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _keys(home: Path, mode: str, secret: str | None, person: str | None) -> dict[str, str]:
    given = {"SECRET_KEY": secret, "PERSON_KEY": person}
    for name, value in given.items():
        if value is not None and len(value) < KEY_LENGTH:
            raise Misconfigured(f"BIANZHI_{name} must have at least {KEY_LENGTH} characters")
    if all(given.values()):
        return given  # type: ignore[return-value]
    if mode == "production":
        missing = ", ".join(f"BIANZHI_{name}" for name, value in given.items() if not value)
        raise Misconfigured(f"production needs {missing}")
    made = _development_keys(home)
    return {name: value or made[name] for name, value in given.items()}


def _development_keys(home: Path) -> dict[str, str]:
    """Keys made once and kept in HOME with mode 0600. Two processes at once agree: the first link wins."""
    path = home / "keys.json"
    if not path.exists():
        try:
            home.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".keys-{os.getpid()}-{secrets.token_hex(4)}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump({"SECRET_KEY": secrets.token_hex(32), "PERSON_KEY": secrets.token_hex(32)}, file)
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        except OSError as error:
            raise Misconfigured(f"BIANZHI_HOME {home} cannot be written: {error.strerror}") from None
    return json.loads(path.read_text())
