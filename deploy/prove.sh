#!/usr/bin/env bash
# The long checks, one after another; each prints what it measured. Stops at the first that fails.
set -euo pipefail
export GX_ANALYTICS_ENABLED=false
say() { printf '\n== %s\n' "$1"; }
for people in 400 20000 1000000; do
  say "truth = found: $people people, three seeds; rewritten; clean"
  python -m tests.integration.test_truth --people "$people" --seeds 1 2 3
done
say "DuckDB = oracle on 1000 random nights, stacked"
python -m tests.property.prove_rules --nights 1000
say "Spark = DuckDB = oracle on 100 random nights, stacked"
python -m tests.property.prove_rules --nights 100 --engine spark
say "every task of the DAG killed under Airflow's own scheduler"
python -m tests.dags.kill_under_airflow
say "every step killed midway, ten times over"
for _ in $(seq 10); do python -m tests.integration.kill_drill; done
say "the rules at 1, 10 and 50 million people against a bare join, pandas and datacompy"
# The limit is the engine's own; what lies beside it brings the process to just under 4 GB.
python -m benchmarks.night --people 1000000 10000000 --limit 3400MB
python -m benchmarks.night --people 50000000 --limit 6GB --without pandas datacompy
say "the gate against plain Great Expectations"
python -m benchmarks.gate --rows 1000000
say "a night run again after one corrected file, against the same night afresh"
python -m benchmarks.rerun
say "100,000 new flags settled"
python -m benchmarks.settle
say "years of the pool against a model of its own: 200,000 steps on SQLite, 50,000 on PostgreSQL"
python -m tests.property.pool_simulator --steps 200000 --database sqlite
python -m tests.property.pool_simulator --steps 50000 --database postgresql
say "movements of the pool a second; its proof and usable() at 5,000 units and 1,000,000 movements"
python -m benchmarks.pool
say "the borrowing tree against every possible cut; proposals against brute force"
python -m tests.property.prove_tree
python -m tests.property.prove_proposal --cases 500
python -m benchmarks.proposal
