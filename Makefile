# 编制 Bianzhi. `make help` lists what there is. Python ≥ 3.11, git and make are all a machine needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= $(CURDIR)/.bianzhi
DEMO_DIR ?= $(CURDIR)/.demo
PEOPLE ?= 20000
SEED ?= 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
export GX_ANALYTICS_ENABLED := false
export PYTHONWARNINGS := ignore

.PHONY: help setup spark night test prove portal airflow browser lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(VENV)/.ready  ## everything into .venv; leaves .venv/bin/bianzhi

$(VENV)/.ready: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Bianzhi needs Python 3.11 or newer; set PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

spark: $(VENV)/.spark  ## Spark with its Java, for BIANZHI_ENGINE=spark and its tests; built from source, half a minute

$(VENV)/.spark: $(VENV)/.ready requirements-spark.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements-spark.txt
	@touch $@

night: setup  ## one whole night on a synthetic city, through Airflow, and what it found
	@HOME_DIR='$(HOME_DIR)' DEMO_DIR='$(DEMO_DIR)' PEOPLE='$(PEOPLE)' SEED='$(SEED)' bash deploy/rehearse.sh

test: setup spark browser  ## every check, small seeds of the long ones
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m pytest -n 2 --dist worksteal

prove: setup spark browser  ## the long checks: large cities, kill drills, benchmarks
	@bash deploy/prove.sh

portal: setup  ## the portal on the result of make night, on 127.0.0.1:8400
	@BIANZHI_HOME='$(HOME_DIR)' $(BIN)/bianzhi portal

airflow: setup  ## Airflow's scheduler and its page, for the schedule
	@HOME_DIR='$(HOME_DIR)' bash deploy/airflow.sh airflow standalone

browser:  # Chromium and Chinese fonts, for the browser tests
	@bash deploy/browser.sh

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header
lock: setup  ## resolve the dependencies anew into requirements.txt and requirements-spark.txt
	@$(LOCK) --extra dev pyproject.toml -o requirements.txt
	@$(LOCK) --extra spark --extra bench -c requirements.txt pyproject.toml -o requirements-spark.txt

clean:  ## forget the demo's result
	@rm -rf '$(HOME_DIR)' '$(DEMO_DIR)'
