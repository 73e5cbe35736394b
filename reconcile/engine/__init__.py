"""Runs the plan of a night: snapshot in, findings and figures out. The one place that names duckdb and pyspark.

Whichever engine runs, the files are the same: `on_duckdb` on one machine, `on_spark` on a cluster or one machine.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import Misconfigured
from reconcile.engine.on_duckdb import detect as detect_on_duckdb
from reconcile.engine.setting import DetectResult, DetectSetting, VerdictFact
from reconcile.engine.spelling import compiled_plan
from reconcile.rules.plan import OUTPUTS

__all__ = ["OUTPUTS", "DetectResult", "DetectSetting", "VerdictFact", "compiled_plan", "detect"]


def detect(snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """Judge one night. Reads the snapshot's parquet files, writes every file of `rules.plan.OUTPUTS` into `out`.

    Each file appears whole or not at all; running it again gives the same bytes' worth of rows. Errors: Unavailable
    when a snapshot file cannot be read or the engine runs out of memory or disk; Misconfigured when the engine asked
    for is not installed.
    """
    if setting.engine == "duckdb":
        return detect_on_duckdb(snapshot, setting, out)
    try:
        # Spark is an extra, and slow to import: only who asks for it pays.
        from reconcile.engine.on_spark import detect as detect_on_spark
    except ImportError:
        raise Misconfigured("BIANZHI_ENGINE=spark needs pyspark: install Bianzhi with the extra `spark`") from None
    return detect_on_spark(snapshot, setting, out)
