#!/usr/bin/env bash
# make night: a synthetic city, its nights through Airflow, its mails into a local sink, and what came out.
set -euo pipefail
export BIANZHI_HOME="$HOME_DIR" BIANZHI_SMTP_URL=""
work() { printf '\033[2m· %s\033[0m\n' "$1"; }
rm -rf "$HOME_DIR" "$DEMO_DIR"
mkdir -p "$HOME_DIR"
work "a synthetic city of $PEOPLE people"
bianzhi demo --out "$DEMO_DIR" --people "$PEOPLE" --seed "$SEED"
bianzhi db upgrade >/dev/null
bianzhi account import "$DEMO_DIR/accounts.csv"
bianzhi parameter import "$DEMO_DIR/parameters.csv"
cp -R "$DEMO_DIR/position" "$HOME_DIR/position"
bianzhi sink --dir "$HOME_DIR/mails" --port 0 --port-file "$HOME_DIR/sink.port" &
sink=$!
trap 'kill "$sink" 2>/dev/null || true' EXIT
for _ in $(seq 100); do [ -s "$HOME_DIR/sink.port" ] && break; sleep 0.1; done
BIANZHI_SMTP_URL="smtp://127.0.0.1:$(cat "$HOME_DIR/sink.port")"
export BIANZHI_SMTP_URL
work "Airflow's own database"
bash deploy/airflow.sh airflow db migrate >"$HOME_DIR/airflow.log" 2>&1 || { cat "$HOME_DIR/airflow.log" >&2; exit 1; }
through_airflow() {
  work "$* through Airflow"
  # A red night fails its run, as it should; whether it should is for the rehearsal to say.
  bash deploy/airflow.sh python dags/nightly_reconcile.py "$DEMO_DIR/inbox" "$@" >>"$HOME_DIR/airflow.log" 2>&1 || true
}
first=$(cd "$DEMO_DIR/inbox" && ls | head -n 1)
through_airflow "$first"
work "the ledger of posts opens with that night; loans through the doors, each by the person who may"
tokens="$HOME_DIR/tokens.json"
token_of() { python -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$tokens" "$1"; }
bianzhi account token $(cat "$DEMO_DIR"/*/acts.csv | grep -v '^on,' | cut -d, -f4 | sort -u) --out "$tokens"
bianzhi pool tree --as bianban --token-file <(token_of bianban) >"$HOME_DIR/pool.log"
for login in $(cat "$DEMO_DIR"/*/units.csv | grep -v '^login,' | cut -d, -f1 | sort -u); do
  units=$(cat "$DEMO_DIR"/*/units.csv | grep "^$login," | cut -d, -f2 | tr -d '\r' | sed 's/^/--unit /')
  bianzhi pool open --as-of "$first" --as "$login" --token-file <(token_of "$login") $units >>"$HOME_DIR/pool.log"
done
bianzhi pool apply "$DEMO_DIR/pool/acts.csv" --tokens "$tokens" >>"$HOME_DIR/pool.log"
if [ -d "$DEMO_DIR/gate" ]; then
  work "two units go over to our own gate: plans, permits, entries, exits, certificates, duties"
  bianzhi gate acts "$DEMO_DIR/gate/acts.csv" --tokens "$tokens" >>"$HOME_DIR/pool.log"
  as_bianban() { "$@" --as bianban --token-file <(token_of bianban) >>"$HOME_DIR/pool.log"; }
  for kind in determinations items workloads standards; do
    as_bianban bianzhi duties import "$kind" "$DEMO_DIR/gate/$kind.csv"
  done
  document=$(tail -n 1 "$DEMO_DIR/gate/standards.csv" | cut -d, -f9 | tr -d '\r')
  as_bianban bianzhi duties import reform "$DEMO_DIR/gate/reform.csv" --document "$document" --title 收回空编、充实一线
  # The personnel office answers for its notices; those of finance stay unanswered, and age.
  bianzhi notices export --to-receiver PERSONNEL --as renshe --token-file <(token_of renshe) >>"$HOME_DIR/pool.log"
  for file in "$HOME_DIR"/notices/personnel/*.csv; do
    bianzhi notices acknowledge "$file" --as renshe --token-file <(token_of renshe) >>"$HOME_DIR/pool.log"
  done
fi
rm -f "$tokens"
through_airflow $(cd "$DEMO_DIR/inbox" && ls | tail -n +2)
bianzhi verify >/dev/null
bianzhi rehearsal --dir "$DEMO_DIR"
