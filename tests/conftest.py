"""For every test: no setting of the caller's leaks in, quiet libraries, a HOME of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Before any test imports them: both libraries read these once.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
for name in [name for name in os.environ if name.startswith("BIANZHI_")]:
    del os.environ[name]

MEMORY, NEEDED = Path("/dev/shm"), 4 * 2**30


def in_memory() -> bool:
    """Whether there is a folder in memory with room for what a run writes, where programs may be started too."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < NEEDED:
        return False
    if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 2**10 >= 2 * NEEDED


# Thousands of small databases are made, synced and thrown away: a disk would cost more than all they are made for.
if "TMPDIR" not in os.environ and in_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

import hypothesis  # noqa: E402
import pytest  # noqa: E402

from core.settings import Settings  # noqa: E402
from tests.homes import settings_in  # noqa: E402

# How long a case takes on a busy machine says nothing of the code.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


# Modules of which one test takes many seconds: begun last, they would leave the other workers idle.
LONG = (
    "tests/e2e/", "tests/dags/", "integration/test_truth.py", "integration/test_spark_night.py",
    "integration/test_demo_city.py", "integration/test_demo_gated.py", "integration/test_kill_drill.py",
    "integration/test_rotation.py", "integration/test_incremental_night.py", "integration/test_whole_night.py",
    "integration/test_gate_night.py", "integration/test_gate_workers.py", "integration/test_pool_night.py",
    "integration/test_pool_races.py", "integration/test_privacy.py", "integration/test_sunshine_demo.py",
    "integration/test_retention.py", "integration/test_pool_proof.py", "web/test_api.py", "property/test_rules_random.py",
    "property/test_pool_simulator.py", "property/test_staffing_machine.py", "property/test_proposal_random.py",
)  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of two workers (`--dist worksteal` gives each one half, to begin with), the first begins with everything on Spark, whose
    Java is started once, the second with the long tests; short ones are left to steal at the end."""
    spark = [item for item in items if item.get_closest_marker("spark")]
    others = [item for item in items if not item.get_closest_marker("spark")]
    is_long = lambda item: any(name in item.path.as_posix() for name in LONG)
    long, short = [item for item in others if is_long(item)], [item for item in others if not is_long(item)]
    front = max(0, len(items) // 2 - len(spark))
    items[:] = [*spark, *short[:front], *long, *short[front:]]


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Settings with a fresh HOME and fixed keys."""
    return settings_in(tmp_path / "home")
