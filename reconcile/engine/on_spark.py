"""The plan of a night on Spark: a cluster, or one machine in local mode.

A small night (a test, a county) costs planning more than work, so it runs interpreted and in one partition, and the rows of
every table are held by the driver, where an empty one makes the plans that read it short; any other is compiled, spread out
and checkpointed to Parquet, so that no plan grows and a lost executor costs little.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from core.errors import Unavailable
from reconcile.engine.java import java_home
from reconcile.engine.setting import (
    DetectResult,
    DetectSetting,
    counts,
    files_read,
    given_tables,
)
from reconcile.engine.spelling import Compiled, Dated, compiled_plan
from reconcile.rules.plan import OUTPUTS
from reconcile.rules.tables import FACTS

_SQL = {"string": "STRING", "int64": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}
_ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
# Some thirty thousand people: what a driver of 2 GB holds of all stages at once.
SMALL_BYTES = 4 * 2**20
# What makes Spark answer as DuckDB does, whatever the cluster's own defaults are.
_MEANING = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parser.escapedStringLiterals": "false",
    # Days before 1582 are the same days everywhere else.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
    # With tables as wide as ours, inferring constraints costs more than it saves.
    "spark.sql.constraintPropagation.enabled": "false",
}
_SMALL = {
    # Rows pass through the driver: a day before 1582 is itself there only as a LocalDate.
    "spark.sql.datetime.java8API.enabled": "true",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    # One partition meets another without being sent anywhere.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
}
# sqlglot spells three control characters with escapes that Spark's parser does not know.
_ESCAPES = {"\\a": "\\u0007", "\\v": "\\u000b", "\\f": "\\u000c"}


def detect(snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """`reconcile.engine.detect` in the session there is (`spark-submit`, a notebook), else in one of its own."""
    running = SparkSession.getActiveSession()
    session = running or started(setting)
    try:
        return run(session, snapshot, setting, out)
    finally:
        if running is None:
            session.stop()


def started(setting: DetectSetting) -> SparkSession:
    """A Spark session; under spark-submit as that was told, else at `spark_master`. Errors: Unavailable."""
    builder = SparkSession.builder.appName("bianzhi")
    # spark-submit has started the machine already and hands over its door.
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        os.environ["JAVA_HOME"] = java_home()
        builder = builder.master(setting.spark_master)
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.log.level", "OFF")
        if setting.spark_master.startswith("local"):
            builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
            builder = builder.config("spark.driver.memory", _memory(setting.memory_limit))
            builder = builder.config("spark.sql.shuffle.partitions", "8")
    try:
        session = builder.getOrCreate()
        # What spark-submit started speaks at a level of its own, unless it was told one.
        if session.conf.get("spark.log.level", None) is None:
            session.sparkContext.setLogLevel("OFF")
        return session
    except (Py4JError, PySparkException) as error:
        raise Unavailable("Spark did not start", kind=type(error).__name__) from None


def _memory(limit: str | None) -> str:
    """Java's spelling of a limit as DuckDB spells it."""
    return re.sub(r"\s*([KMGT])i?B$", r"\1", limit, flags=re.IGNORECASE).lower() if limit else "2g"


def run(session: SparkSession, snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """`detect` in an open session, which may be used again for another night; its own settings stay as they are."""
    read = files_read(snapshot)
    with workplace(session, setting, out, [path for paths, _ in read.values() for path in paths]) as work:
        offer(work, read)
        divisions = "SELECT division_code FROM units UNION SELECT division_code FROM base"
        named = [row.division_code for row in work.session.sql(divisions).collect()]
        for name, table in given_tables(setting, named).items():
            _view(work, name, [_placed(work, table, name)] if table.num_rows else [], FACTS[name])
        answer(work, compiled_plan(setting.night, "pyspark", setting.cache), OUTPUTS, out)
    return counts(out)


@dataclass(frozen=True)
class Workplace:
    """A session with our settings, and a folder that driver and executors both reach.

    `small`: see the module. `copies`: whether files of this machine must be copied there first.
    """

    session: SparkSession
    files: fsspec.AbstractFileSystem
    folder: str
    small: bool
    copies: bool

    def place(self, *names: str) -> str:
        """A file or folder in the workplace, as fsspec names it."""
        return "/".join((self.folder, *names))

    def url(self, place: str) -> str:
        """The same as Spark names it: with its scheme."""
        return self.files.unstrip_protocol(place)


@contextmanager
def workplace(session: SparkSession, setting: DetectSetting, out: Path, inputs: Sequence[Path]) -> Iterator[Workplace]:
    """A place to run one plan over files of this machine, gone afterwards. Turns the engine's errors into Unavailable."""
    out.mkdir(parents=True, exist_ok=True)
    own = session.newSession()
    try:
        small = sum(path.stat().st_size for path in inputs) < SMALL_BYTES
        for name, value in (_MEANING | (_SMALL if small else {})).items():
            own.conf.set(name, value)
        root = setting.spark_staging or str(setting.scratch or out)
        files, folder = fsspec.url_to_fs(f"{root.rstrip('/')}/detect-{uuid.uuid4().hex}")
        files.makedirs(f"{folder}/given", exist_ok=True)
        try:
            yield Workplace(own, files, folder, small, setting.spark_staging is not None)
        finally:
            files.rm(folder, recursive=True)
    except AnalysisException:
        # The plan itself is wrong: ours to mend, of no use to try again.
        raise
    except (Py4JError, PySparkException, pa.ArrowInvalid, OSError) as error:
        # The engine's own text may quote a value; its kind is enough to act on.
        raise Unavailable(
            "the engine could not read the snapshot or ran out of room", kind=type(error).__name__
        ) from None


def offer(work: Workplace, read: Mapping[str, tuple[list[Path], Mapping[str, str]]]) -> None:
    """Views on files of this machine, by name: (files, columns). Errors: Unavailable when a file lacks a column."""
    for name, (paths, schema) in read.items():
        places = []
        for path in paths:
            there = pq.read_metadata(path)
            # Told the columns, Spark would take a missing one for nulls.
            if not set(schema) <= set(there.schema.to_arrow_schema().names):
                raise Unavailable("a snapshot file is damaged or lacks a column", kind="MissingColumn")
            # Of the books of a night most are delivered by nobody.
            if there.num_rows:
                places.append(_reached(work, path))
        _view(work, name, places, schema)


def _reached(work: Workplace, path: Path) -> str:
    if not work.copies:
        return path.resolve().as_uri()
    place = work.place("given", path.name)
    work.files.put_file(str(path), place)
    return work.url(place)


def _placed(work: Workplace, table: pa.Table, name: str) -> str:
    place = work.place("given", f"{name}.parquet")
    with work.files.open(place, "wb") as file:
        pq.write_table(table, file)
    return work.url(place)


def _view(work: Workplace, name: str, urls: Sequence[str], schema: Mapping[str, str]) -> None:
    columns = ", ".join(f"`{column}` {_SQL[kind]}" for column, kind in schema.items())
    if urls:
        frame = work.session.read.schema(columns).parquet(*urls)
        (_held(work, frame) if work.small else frame).createOrReplaceTempView(name)
        return
    java = work.session._jvm
    kinds = java.org.apache.spark.sql.types.StructType.fromDDL(columns)
    _local(work, java.java.util.ArrayList(), kinds).createOrReplaceTempView(name)


def _held(work: Workplace, frame: DataFrame) -> DataFrame:
    """The rows of a frame without what they came from: in the driver, as part of whatever plan reads them."""
    return _local(work, frame._jdf.collectAsList(), frame._jdf.schema())


def _local(work: Workplace, rows: JavaObject, kinds: JavaObject) -> DataFrame:
    """Rows of the driver (a list of Java's) as a frame of one partition. kinds: their StructType."""
    return DataFrame(work.session._jsparkSession.createDataFrame(rows, kinds), work.session).coalesce(1)


def answer(work: Workplace, compiled: Compiled | Dated, outputs: Mapping[str, tuple], out: Path) -> None:
    """Every stage of a plan, then its outputs as files in `out`. `outputs`: (columns, order of rows) by name."""
    for name, query in compiled.stages:
        frame = work.session.sql(_spelled(query))
        if work.small:
            frame = _held(work, frame)
        else:
            url = work.url(work.place("stages", name))
            frame.write.parquet(url)
            frame = work.session.read.schema(frame.schema).parquet(url)
        frame.createOrReplaceTempView(name)
    for name, (schema, order) in outputs.items():
        columns = ", ".join(f"CAST(`{column}` AS {_SQL[kind]}) AS `{column}`" for column, kind in schema.items())
        frame = work.session.sql(_spelled(f"SELECT {columns} FROM ({compiled.outputs[name]})"))
        in_order = [f.col(f"`{column}`").asc_nulls_last() for column in order]
        # A killed run leaves no half file under the name.
        path = out / f"{name}.parquet"
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            if work.small:
                rows = [row.asDict() for row in frame.coalesce(1).sortWithinPartitions(*in_order).collect()]
                kinds = pa.schema([(column, _ARROW[kind]) for column, kind in schema.items()])
                pq.write_table(pa.Table.from_pylist(rows, schema=kinds), part, compression="zstd")
            else:
                _fetch(work, frame.repartition(1).sortWithinPartitions(*in_order), name, part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def _spelled(query: str) -> str:
    return re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), query, flags=re.DOTALL)


def _fetch(work: Workplace, frame: DataFrame, name: str, target: Path) -> None:
    """A frame of one partition, straight from Spark to one Parquet file of this machine."""
    place = work.place("out", name)
    frame.write.parquet(work.url(place))
    (written,) = work.files.glob(f"{place}/part-*.parquet")
    work.files.get_file(written, str(target))
