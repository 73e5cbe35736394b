"""For every test: no setting of the caller's leaks in, quiet libraries, a HOME of its own."""

from __future__ import annotations

import os

# Before any test imports them: both libraries read these once.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
for name in [name for name in os.environ if name.startswith("BIANZHI_")]:
    del os.environ[name]

import hypothesis  # noqa: E402
import pytest  # noqa: E402

from core.settings import Settings, load_settings  # noqa: E402

# How long a case takes on a busy machine says nothing of the code.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Settings with a fresh HOME and fixed keys, so that keys of flags are the same in every test."""
    return load_settings(
        {
            "BIANZHI_HOME": str(tmp_path / "home"),
            "BIANZHI_SECRET_KEY": "test-secret-key-" * 3,
            "BIANZHI_PERSON_KEY": "test-person-key-" * 3,
        }
    )
