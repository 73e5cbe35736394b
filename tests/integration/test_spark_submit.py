"""Under spark-submit Spark's own log is silent once the session stands, unless it was told to speak."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.engine.java import java_home
from tests.sparkkit import BRIEF

ROOT = Path(__file__).resolve().parents[2]
JOB = """
from reconcile.engine.on_spark import started
from tests.sparkkit import SETTING
session = started(SETTING)
print("COUNTED", session.range(3).count())
session.stop()
"""


@pytest.mark.parametrize(("told", "speaks"), [((), False), (("--conf", "spark.log.level=INFO"), True)])
def test_the_log_is_silent_unless_told(tmp_path, told, speaks):
    job = tmp_path / "job.py"
    job.write_text(JOB, encoding="utf-8")
    python = Path(sys.executable)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "JAVA_HOME": java_home(), "SPARK_SUBMIT_OPTS": BRIEF, "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(python), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    command = ["spark-submit", "--master", "local[1]", "--conf", "spark.ui.enabled=false", *told, str(job)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    assert "COUNTED 3" in done.stdout
    # Who schedules a count says so, unless silenced.
    assert ("DAGScheduler" in done.stderr) is speaks
