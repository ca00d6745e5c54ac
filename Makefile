# Petition Topics: `make demo` shows it, `make test` proves it. Everything local stays in .venv and .local.
.DEFAULT_GOAL := help
.PHONY: help setup demo run dag test test-fast test-engine lint bench bench-peers bench-quick bench-quality tables up down shell psql pins clean
SHELL := /bin/bash
PYTHON ?= python3.11
SOURCE ?= assembly
UNTIL ?= $(shell TZ=Asia/Seoul date +%F)
MONTHS ?= 3
HOST ?= 127.0.0.1
PORT ?= 8080
BIN := $(CURDIR)/.venv/bin

export PATH := $(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/include
# As pip does: the system knows the certificate of a proxy of one's own.
export UV_SYSTEM_CERTS ?= true
export TF_CPP_MIN_LOG_LEVEL ?= 2
export AIRFLOW_HOME ?= $(CURDIR)/.local/airflow
export AIRFLOW__CORE__DAGS_FOLDER ?= $(CURDIR)/dags
export AIRFLOW__CORE__PLUGINS_FOLDER ?= $(CURDIR)/plugins
export AIRFLOW__CORE__LOAD_EXAMPLES ?= False
export AIRFLOW__LOGGING__LOGGING_LEVEL ?= WARNING

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/bin/uv: requirements-uv.txt
	@$(PYTHON) -c 'import sys, ensurepip; assert sys.version_info[:2] == (3, 11)' 2>/dev/null || \
	  { echo "Python 3.11 with venv is needed (PYTHON=$(PYTHON)); on Debian 12: apt-get install $$(grep -v '^#' debian-packages.txt | xargs)"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --require-hashes --requirement requirements-uv.txt
	@touch $@

.venv/installed: .venv/bin/uv requirements.txt pyproject.toml
	uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.txt --build-constraints requirements.txt
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements-dev.txt
	@touch $@

.local/airflow/migrated: .venv/installed Makefile
	@mkdir -p $(@D)
	airflow db migrate > $(@D)/migrate.log 2>&1 || { tail -n 5 $(@D)/migrate.log; exit 1; }
	airflow pools set petition_sites 1 "One crawl of a site at a time: politeness" >> $(@D)/migrate.log 2>&1
	airflow pools set tpu 1 "One task at a time on the accelerator" >> $(@D)/migrate.log 2>&1
	airflow pools set tpu_fallback 2 "What the accelerator left" >> $(@D)/migrate.log 2>&1
	@touch $@

setup: .venv/installed  ## virtual environment .venv from requirements.txt (pinned, hashed)

demo: SOURCE := sample
demo: dag  ## the DAG over the invented petitions of the source `sample`, then what it found
	@petitions tour --source sample

run: dag  ## the DAG over a live source: SOURCE=assembly|bluehouse UNTIL=YYYY-MM-DD MONTHS=3
	@petitions topics --source $(SOURCE)

dag: .venv/installed .local/airflow/migrated
	@petitions db upgrade
	@echo "Running the DAG petition_topics over $(SOURCE), $(MONTHS) months until $(UNTIL); log: .local/run-$(SOURCE).log"
	@[ "$(SOURCE)" = sample ] || echo "A site that does not answer is waited for, a line a minute in that log; petitions doctor says at once whether it does"
	@exec python deploy/run_dag.py '{"source": "$(SOURCE)", "until": "$(UNTIL)", "months": $(MONTHS)}' .local/run-$(SOURCE).log

lint: .venv/installed-dev
	ruff check .
	ruff format --check .
	mypy
	lint-imports

# Two files at a time, once; only a test marked `flaky` is tried again, and the run ends with their names.
test: lint  ## everything that .ci/run runs
	pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: .venv/installed-dev  ## the tests that take under a minute
	pytest -m "not slow"

test-engine:  ## docker-compose.yaml in a real Docker engine: Debian 12, root, half an hour, 12 GB of disk
	@python3 -u tests/engine/run.py

bench-peers: .venv/installed-dev  ## the peers' environments in .local/peers, pinned
	@python bench/peers.py

bench: .venv/installed-dev  ## side by side with the peers, 25 minutes: docs/benchmarks.md; stages that are there are kept
	@python bench/run.py full

bench-quick: .venv/installed-dev  ## a part of it in under five minutes, into .local/bench/quick
	@python bench/run.py quick

bench-quality: .venv/installed-dev  ## how good it is, each beside its plain baseline: .local/bench/quality.json
	@python bench/quality.py

tables: .venv/installed  ## docs/tables.md from the comments and constraints of the schema
	@python bench/tables.py

up: .venv/installed .local/airflow/migrated  ## Airflow's scheduler and UI on this machine: HOST=127.0.0.1 PORT=8080
	@petitions db upgrade
	@AIRFLOW__LOGGING__LOGGING_LEVEL=INFO python deploy/run_airflow.py --host $(HOST) --port $(PORT)

down: .venv/installed  ## stop the embedded Postgres
	petitions db stop

shell: .venv/installed  ## a shell with the environment of this file
	@bash || true  # whatever its last command ended with

psql: .venv/installed  ## SQL over the results
	@petitions db psql

pins:  ## resolve requirements*.in again and pin them
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate requirements.in -o requirements.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_31 --generate-hashes --no-annotate requirements-tpu.in -o requirements-tpu.txt
