"""Spark in tests: one session of a test process, started when first asked for; nights one by one or stacked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pyspark.sql import SparkSession

from reconcile.engine import DetectSetting
from reconcile.engine import on_spark as spark_engine
from reconcile.engine.spelling import Dated
from reconcile.rules.tables import Night as RuleNight
from tests.batches import STACKED_OUTPUTS, run_stacked
from tests.spec.spec import AS_OF, PARAMETERS, Night, Result, judged_alone

# A gigabyte on one core: pytest runs as many of these as it has workers.
SETTING = DetectSetting(RuleNight.of(AS_OF, **PARAMETERS), [], memory_limit="1GB", spark_master="local[1]")
# Two cores are shared with another test process: a parallel collector would only be in its way.
BRIEF = "-XX:+UseSerialGC"


@cache
def session() -> SparkSession:
    """The session of this process; it ends with the process."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", BRIEF)
    return spark_engine.started(SETTING)


def on_spark(night: Night) -> Result:
    """What the rules say of one night, as it lies."""
    return judged_alone(night, lambda home, setting, out: spark_engine.run(session(), home, setting, out))


def stacked_on_spark(nights: Sequence[Night]) -> list[Result]:
    """All nights of one day in one batch."""

    def run(read: Mapping, ready: Dated, out: Path) -> None:
        files = [path for paths, _ in read.values() for path in paths]
        with spark_engine.workplace(session(), SETTING, out, files) as work:
            spark_engine.offer(work, read)
            spark_engine.answer(work, ready, STACKED_OUTPUTS, out)

    return run_stacked(nights, run, "pyspark")
