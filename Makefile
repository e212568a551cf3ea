# Everything a developer or a press desk types. Each target does the set-up that it needs; `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin
# The first Python of 3.11 or newer; `make PYTHON=/path/to/python3` has the last word.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Compiled code is kept whatever the shell says: without it every command of ours starts three times as slowly.
unexport PYTHONDONTWRITEBYTECODE
CODE := config mentions analysis alerts listener dashboard
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Files of tests that run at once; most of their time they wait.
WORKERS := 3
SECONDS := 300
# A real Bluesky network for the tests of that connector, outside this folder: 750 MB.
export EARSHOT_BLUESKY ?= $(HOME)/.cache/earshot/bluesky
INSTALL := $(PIP) install --quiet --require-hashes

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run elasticsearch test bluesky fuzz lint format bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv with all that running needs

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv found (Debian: apt install python3 python3-venv)"; exit 2; }
	@echo "== making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "== installing what requirements.lock names; this takes a minute or two"
	@$(INSTALL) -r requirements.lock
	@$(PIP) install --quiet --no-deps --editable .
	@$(BIN)/python -m compileall -q $(CODE)
	@touch $@

setup-dev: $(INSTALLED_DEV)

$(INSTALLED_DEV): requirements-dev.lock $(INSTALLED)
	@echo "== installing what requirements-dev.lock names"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

run: $(INSTALLED) ## listen and show it on http://127.0.0.1:8501 (an exercise, until there is an earshot.toml)
	@$(BIN)/earshot run

elasticsearch: $(INSTALLED) ## run an Elasticsearch on 127.0.0.1:9200 in the foreground, to try the other store with
	@$(BIN)/python -u -m tests.elastic_server

test: lint ## check the code, then run every test
	@.ci/equip
	@echo "== testing"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

bluesky: $(INSTALLED_DEV) $(EARSHOT_BLUESKY)/.installed ## try the Bluesky connector on a real network (installs one: ten minutes)
	@$(BIN)/python -m pytest -n 0 tests/flow/test_bluesky_network.py

$(EARSHOT_BLUESKY)/.installed: tests/bluesky/package.json tests/bluesky/install.sh
	@echo "== installing a Bluesky network in $(EARSHOT_BLUESKY); this takes some minutes"
	@tests/bluesky/install.sh $(EARSHOT_BLUESKY) $(abspath $(BIN)/python)

fuzz: $(INSTALLED_DEV) ## hunt for a search that breaks anything, for SECONDS=300
	@$(PIP) install --quiet 'atheris>=3,<4'
	@$(BIN)/python -m tests.fuzz_query -max_total_time=$(SECONDS)

lint: $(INSTALLED_DEV) ## check style and types
	@echo "== checking style and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; echo "make format mends this"; exit 1; }
	@$(BIN)/mypy

format: $(INSTALLED_DEV) ## lay the code out as `make lint` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(INSTALLED_DEV) ## measure how fast it is on this machine
	@set -e; for each in judgement importing store watchlists elastic; do echo "== $$each"; $(BIN)/python -m benchmarks.$$each; done

lock: $(INSTALLED_DEV) ## renew both lock files within the ranges of pyproject.toml
	@$(PIP) install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade --no-emit-index-url \
		--generate-hashes --no-annotate --custom-compile-command "make lock" -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --quiet --universal --python-version 3.11 --no-emit-index-url \
		--generate-hashes --no-annotate --custom-compile-command "make lock" -c requirements.lock -o requirements-dev.lock

clean: ## take away what was built; data and settings stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
