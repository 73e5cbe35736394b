"""HOMEs for tests: their settings, and one that some nights have made, put back as it was before every test."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.db import engine_for
from core.settings import Settings, load_settings
from tests.postgres_server import Server, administrate


def settings_in(home: Path) -> Settings:
    """Settings of a HOME with fixed keys, so that keys of flags are the same in every test."""
    return load_settings(
        {
            "BIANZHI_HOME": str(home),
            "BIANZHI_SECRET_KEY": "test-secret-key-" * 3,
            "BIANZHI_PERSON_KEY": "test-person-key-" * 3,
        }
    )


class SavedHome:
    """A HOME and its database at one moment. They are put back in their own place: a night remembers its inbox by its path.

    server: where the database is, unless it is a file in the HOME.
    """

    def __init__(self, home: Path, database_url: str, server: Server | None = None) -> None:
        self.home, self.url, self.server = home, database_url, server
        self.copy = home.with_name(f"{home.name}-saved")
        engine_for(self.url).dispose()
        shutil.copytree(home, self.copy)
        self.database = engine_for(self.url).url.database
        if server is not None:
            administrate(server, f"CREATE DATABASE {self.database}_saved TEMPLATE {self.database}")

    def put_back(self) -> None:
        engine_for(self.url).dispose()
        shutil.rmtree(self.home)
        shutil.copytree(self.copy, self.home)
        if self.server is not None:
            administrate(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")
            administrate(self.server, f"CREATE DATABASE {self.database} TEMPLATE {self.database}_saved")

    def forget(self) -> None:
        """For who needs the names of the databases, or the room, again."""
        engine_for(self.url).dispose()
        for folder in (self.home, self.copy):
            shutil.rmtree(folder)
        if self.server is not None:
            for name in (self.database, f"{self.database}_saved"):
                administrate(self.server, f"DROP DATABASE {name} WITH (FORCE)")
