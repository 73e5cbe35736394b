"""What every engine is given and what it answers: the night, the facts beside the books, the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.units import division_lineage
from expectations.books import snapshot_schema
from expectations.snapshot_files import read_path
from reconcile.catalog import tells_of_lead
from reconcile.rules.not_evaluable import needs
from reconcile.rules.tables import BOOKS_READ, FACTS, LOOKED_UP, POSITION, Night

SNAPSHOT_FACTS = ("quarantine", "totals", "cutoffs")
_ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}


@dataclass(frozen=True)
class VerdictFact:
    """What the gate said of one book of one division, as far as the rules care."""

    division_code: str
    book: str
    expected: bool
    delivered: bool
    accepted: bool


@dataclass(frozen=True)
class DetectSetting:
    """The night judged, the gate's verdicts (all books of every division), and where and within what it is judged.

    `looked_up`: rows of the tables of `rules.tables.LOOKED_UP`, by name; one that is not given is empty.
    `memory_limit` as DuckDB spells it ("2GB"); null: the engine's own choice; `threads` is DuckDB's alone. `scratch`:
    where it may spill. `spark_master`: where Spark runs when nobody has started it; `spark_staging`: a folder or
    fsspec URL that driver and executors both reach, when they do not share the snapshot's own file system. `cache`: a
    folder that outlives the night, for what every night would make again.
    """

    night: Night
    verdicts: Sequence[VerdictFact]
    looked_up: Mapping[str, Sequence[tuple]] = field(default_factory=dict)
    memory_limit: str | None = None
    threads: int | None = None
    scratch: Path | None = None
    engine: str = "duckdb"
    spark_master: str = "local[2]"
    spark_staging: str | None = None
    cache: Path | None = None


@dataclass(frozen=True)
class DetectResult:
    """Counts only: findings by rule and by severity, and rules that could not judge."""

    by_rule: dict[str, int] = field(default_factory=dict)
    by_severity: dict[str, int] = field(default_factory=dict)
    not_evaluable: int = 0

    @property
    def findings(self) -> int:
        return sum(self.by_rule.values())


def files_read(snapshot: Path) -> dict[str, tuple[list[Path], Mapping[str, str]]]:
    """By name of the rules' table: the snapshot's files it is read from, maybe none, and its columns."""
    read: dict[str, tuple[list[Path], Mapping[str, str]]] = {}
    for book in BOOKS_READ:
        read[book] = ([read_path(snapshot, book)], snapshot_schema(book))
    for fact in SNAPSHOT_FACTS:
        read[fact] = (sorted(snapshot.glob(f"*.{fact}.parquet")), FACTS[fact])
    for name, schema in POSITION.items():
        own = snapshot / f"{name}.parquet"
        read[name] = ([own] if own.exists() else [], schema)
    return read


def given_tables(setting: DetectSetting, named: Iterable[str | None]) -> dict[str, pa.Table]:
    """The small tables beside the books. `named`: division codes that `units` and `base` name."""
    rows: dict[str, Sequence[tuple]] = {name: setting.looked_up.get(name, ()) for name in LOOKED_UP}
    rows["verdict"] = [(v.division_code, v.book, v.expected, v.delivered, v.accepted) for v in setting.verdicts]
    rows["need"] = needs()
    # Every folder has its verdicts; the two books name divisions without a folder.
    codes = {code for code in named if code is not None} | {v.division_code for v in setting.verdicts}
    rows["lineage"] = [
        (code, above, distance) for code in sorted(codes) for distance, above in enumerate(division_lineage(code))
    ]
    return {name: _table(FACTS[name], given) for name, given in rows.items()}


def _table(schema: Mapping[str, str], rows: Sequence[tuple]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, _ARROW[kind]) for values, kind in zip(columns, schema.values(), strict=True)]
    return pa.table(arrays, names=list(schema))


def counts(out: Path) -> DetectResult:
    """What the written files hold, a batch at a time."""
    found: dict[str, Counter] = {"rule": Counter(), "severity": Counter()}
    with pq.ParquetFile(out / "findings.parquet") as file:
        for batch in file.iter_batches(columns=list(found)):
            for name, counter in found.items():
                for pair in batch.column(name).value_counts().to_pylist():
                    counter[pair["values"]] += pair["counts"]
    by = {name: dict(sorted(counter.items())) for name, counter in found.items()}
    with pq.ParquetFile(out / "not_evaluable.parquet") as file:
        open_rows = sum(_counted(batch) for batch in file.iter_batches(columns=["rule", "unit_code", "book"]))
    return DetectResult(by["rule"], by["severity"], open_rows)


def _counted(batch: pa.RecordBatch) -> int:
    """Not-evaluable rows that anybody may count."""
    rows = zip(*(batch.column(name).to_pylist() for name in ("rule", "unit_code", "book")), strict=True)
    return sum(not tells_of_lead(*row) for row in rows)
