"""How long a night takes: `detect` with all rules, beside a bare join and the same comparison in pandas and datacompy.

    python -m benchmarks.night [--people 1000000 10000000] [--limit 3GB] [--engine spark] [--without pandas datacompy]

Each is a fresh process on the same files, so that its peak memory is its own. *First night*: detect where nothing is kept,
the plan spelled as well; *detect*: any later night, its text kept. *Bare join*: DuckDB's full outer join of all columns of
the two person books on person_key, written to Parquet. *pandas*: seven of the rules by hand. *datacompy*: its pandas engine
over roster and payroll, one row a person: who is in one alone, whose unit and whose fund form differ. *Pairs*: that
comparison alone as an expression on our engine, with the same answer; *pair stages*: the stages of detect that say who is
paid where not in post, which also know months, exits, several posts and who pays on whose behalf. Aims at 1 M and 10 M:
detect ≤ 6 × the bare join, ≥ 10 × faster than pandas, pairs ≥ 5 × faster than datacompy; from 1 M to 10 M ≤ 12 ×.

Control totals: people in post and paid, counted by one query over the two books, must be those of the written figures.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.city_night import AS_OF, FOLDERS, GATE_START, PRESENT, write_night


@dataclass(frozen=True)
class Run:
    """What a measured process is told."""

    folder: Path
    limit: str | None = None
    engine: str = "duckdb"


def run_detect(run: Run) -> dict:
    """All rules, findings and figures written."""
    from reconcile.engine import detect

    return {"findings": detect(run.folder, setting_of(run), run.folder / "out").by_rule}


def run_pairs(run: Run) -> dict:
    """What datacompy is asked, asked of our engine: [in the roster alone, in the payroll alone, other unit, other form]."""
    import ibis

    from reconcile.engine import on_duckdb
    from reconcile.engine.setting import files_read
    from reconcile.rules.tables import inputs

    books = inputs()
    one = books.roster.select("person_key", "unit_code", "fund_form")
    other = books.payroll.select("person_key", unit_code="paying_unit_code", fund_form="fund_mode")
    one, other = (
        book.filter(book.person_key.notnull()).distinct(on="person_key", keep="first") for book in (one, other)
    )
    met = one.outer_join(other, "person_key", rname="paid_{name}")
    both = met.person_key.notnull() & met.paid_person_key.notnull()
    counted = met.aggregate(
        roster=met.paid_person_key.isnull().sum(), payroll=met.person_key.isnull().sum(),
        unit=(both & ~met.unit_code.identical_to(met.paid_unit_code)).sum(),
        form=(both & ~met.fund_form.identical_to(met.paid_fund_form)).sum(),
    )  # fmt: skip
    with on_duckdb.connect(run.limit, run.folder) as connection:
        on_duckdb.offer(connection, files_read(run.folder))
        return {"apart": [int(number) for number in connection.execute(ibis.to_sql(counted, "duckdb")).fetchone()]}


def run_pair_stages(run: Run) -> dict:
    """The stages of detect up to people of P who are active nowhere, and those paid elsewhere: counted."""
    from reconcile.engine import compiled_plan, on_duckdb
    from reconcile.engine.setting import files_read
    from reconcile.engine.spelling import Kept

    told = setting_of(run)
    stages = dict(compiled_plan(told.night, keep=told.cache).stages)
    wanted, apart = set(), ("stray", "elsewhere")
    todo = list(apart)
    while todo:
        wanted.add(name := todo.pop())
        todo += [word for word in re.findall(r"\w+", stages[name]) if word in stages and word not in wanted]
    with on_duckdb.connect(run.limit, run.folder) as connection:
        on_duckdb.offer(connection, files_read(run.folder))
        plan = Kept([[name, text] for name, text in stages.items() if name in wanted], {})
        on_duckdb.answer(connection, plan, {}, run.folder)
        return {"apart": [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in apart]}


def setting_of(run: Run):
    """What detect is told of the benchmark's night."""
    from core.calendar import working_days
    from core.parameters import DEFINITIONS
    from expectations.books import BOOKS
    from reconcile.engine import DetectSetting, VerdictFact
    from reconcile.rules.tables import Night

    divisions = [str(370102 + n) for n in range(FOLDERS)]
    verdicts = [
        VerdictFact(division, book, book in PRESENT, book in PRESENT, book in PRESENT)
        for division in divisions
        for book in BOOKS
    ]
    ranks = DEFINITIONS["rank_order"].default
    looked_up = {
        "gate_start": [(division, GATE_START) for division in divisions],
        "workday": working_days(GATE_START, AS_OF),
        "rank_order": [(word, place) for place, words in enumerate(ranks, 1) for word in words],
        "year_ago": [(division, 1) for division in divisions],
    }
    night = Night.of(AS_OF, DEFINITIONS["allowed_post_types"].default)
    kept = run.folder / "kept"
    return DetectSetting(night, verdicts, looked_up, memory_limit=run.limit, engine=run.engine, cache=kept)


def run_join(run: Run) -> dict:
    """The bare join."""
    import duckdb

    config = {"preserve_insertion_order": False, "temp_directory": str(run.folder / "spill")}
    connection = duckdb.connect(":memory:", config=config | ({"memory_limit": run.limit} if run.limit else {}))
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{run.folder}/roster.parquet') r"
        f" FULL OUTER JOIN read_parquet('{run.folder}/payroll.parquet') p ON r.person_key = p.person_key)"
        f" TO '{run.folder}/join.parquet' (FORMAT parquet)"
    )
    (run.folder / "join.parquet").unlink()
    return {}


def run_pandas(run: Run) -> dict:
    from benchmarks.night_pandas import judge

    return {"findings": judge(run.folder, AS_OF)}


def run_datacompy(run: Run) -> dict:
    """Roster against payroll of M, one row a person on each side; unit and fund form are the columns compared."""
    import datacompy
    import pandas as pd

    roster = pd.read_parquet(run.folder / "roster.parquet", columns=["person_key", "unit_code", "fund_form"])
    names = {"paying_unit_code": "unit_code", "fund_mode": "fund_form"}
    payroll = pd.read_parquet(run.folder / "payroll.parquet", columns=["person_key", *names]).rename(columns=names)
    one, other = (book.dropna(subset="person_key").drop_duplicates("person_key") for book in (roster, payroll))
    compared = datacompy.PandasCompare(one, other, join_columns="person_key")
    unequal = {said["column"]: int(said["unequal_cnt"]) for said in compared.column_stats}
    only = [len(compared.df1_unq_rows), len(compared.df2_unq_rows)]
    return {"apart": [*only, unequal["unit_code"], unequal["fund_form"]]}


RUNS: dict[str, Callable[[Run], dict]] = {
    "first night": run_detect, "detect": run_detect, "pairs": run_pairs, "pair stages": run_pair_stages, "bare join": run_join, "pandas": run_pandas, "datacompy": run_datacompy,
}  # fmt: skip

OURS = ("duckdb", "ibis", "reconcile.engine")
# Code loaded before the clock starts.
LOADED = dict.fromkeys(RUNS, OURS) | {
    "pairs": (*OURS, "ibis.backends.sql.compilers.duckdb"), "bare join": ("duckdb",),
    "pandas": ("benchmarks.night_pandas",), "datacompy": ("pandas", "datacompy"),
}  # fmt: skip


def measure(name: str, run: Run) -> dict:
    """Seconds, CPU seconds and peak memory (MB) of one run in a process of its own; loading code is not counted."""
    command = [sys.executable, "-m", "benchmarks.night", "--run", name, "--folder", str(run.folder)]
    command += ["--engine", run.engine, *(["--limit", run.limit] if run.limit else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_here(name: str, run: Run) -> None:
    for each in LOADED[name]:
        import_module(each)
    start, cpu = time.perf_counter(), time.process_time()
    said = RUNS[name](run)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(seconds, 2), "cpu": round(used, 2), "peak_mb": round(peak)} | said))


def control_totals(folder: Path) -> dict[str, tuple[int, int]]:
    """(counted from the books, summed from the figures) of people in post per cell and of people paid by their unit."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": "3GB", "temp_directory": str(folder / "spill")})
    active = (
        f"status IN ('IN_SERVICE', 'SECONDED_OUT', 'ON_LEAVE') AND (entry_date IS NULL OR entry_date <= DATE '{AS_OF}')"
        f" AND (exit_date IS NULL OR exit_date > DATE '{AS_OF}')"
    )
    paid = "person_state = 'IN_SERVICE' AND on_establishment = 'YES' AND person_key IS NOT NULL"
    # Everybody has one roster row here, so rows are people.
    in_post, both = connection.execute(
        f"SELECT count(*), count(p.person_key) FROM read_parquet('{folder}/roster.parquet') r LEFT JOIN"
        f" (SELECT DISTINCT person_key, paying_unit_code FROM read_parquet('{folder}/payroll.parquet') WHERE {paid}) p"
        f" ON r.person_key = p.person_key AND r.unit_code = p.paying_unit_code WHERE {active}"
    ).fetchone()
    figures = connection.execute(
        f"SELECT sum(in_post)::BIGINT, sum(paid)::BIGINT FROM read_parquet('{folder}/out/cells.parquet')"
        " WHERE post_type <> ''"
    ).fetchone()
    return {"in post": (in_post, figures[0]), "paid by their unit": (both, figures[1])}


def report(people: int, limit: str | None, engine: str, without: Sequence[str]) -> dict[str, dict]:
    """Measure, print times, memory, ratios and control totals; returns what was measured by name."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        run = Run(Path(name), limit, engine)
        write_night(run.folder, people)
        measured = {each: measure(each, run) for each in RUNS if each not in without}
        totals = control_totals(run.folder)
    print(f"{people:,} people, {people:,} pay rows; limit {limit or 'none'}; {engine}")
    for each, result in measured.items():
        print(f"  {each:10} {result['seconds']:8.2f} s  cpu {result['cpu']:8.2f} s {result['peak_mb']:8,} MB")
    for slow, quick, aim in (
        ("detect", "bare join", "at most 6"), ("pandas", "detect", "at least 10"), ("datacompy", "pairs", "at least 5"),
    ):  # fmt: skip
        if slow in measured and quick in measured:
            wall, cpu = (measured[slow][kind] / measured[quick][kind] for kind in ("seconds", "cpu"))
            print(f"  {wall:6.2f}  (cpu {cpu:.2f})  {slow} / {quick}, aim {aim}")
    ours = measured["detect"]
    for what, (books, figures) in totals.items():
        print(f"  control total {what}: books {books:,}, figures {figures:,}{'' if books == figures else '  DIFFER'}")
    answers = [measured[each]["apart"] for each in ("pairs", "datacompy") if each in measured]
    if answers and answers[0] != answers[-1]:
        print(f"  pairs {answers[0]}, datacompy {answers[-1]}  DIFFER")
    for rule, number in measured.get("pandas", {}).get("findings", {}).items():
        found = ours["findings"].get(rule, 0)
        print(f"  {rule}: detect {found:,}, pandas {number:,}{'' if found == number else '  DIFFER'}")
    return measured


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--limit", help="memory limit of detect and bare join, such as 3GB")
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb")
    parser.add_argument("--without", nargs="*", default=[], choices=[name for name in RUNS if name != "detect"])
    parser.add_argument("--run", choices=list(RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        run_here(options.run, Run(options.folder, options.limit, options.engine))
        return 0
    before = None
    for people in options.people:
        now = report(people, options.limit, options.engine, options.without)["detect"]["seconds"]
        if before is not None:
            print(f"  {now / before[1]:.2f} × the time of {before[0]:,} people")
        before = (people, now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
