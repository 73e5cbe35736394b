"""A night that is killed at every step ends as one that is not (kill_drill.py); `make prove` does it ten times."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_step_killed_midway_and_run_again_gives_the_undisturbed_night():
    seed = random.SystemRandom().randrange(1_000_000)
    command = [sys.executable, "-m", "tests.integration.kill_drill", str(seed)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, f"seed {seed}\n{ran.stderr[-3000:]}"
