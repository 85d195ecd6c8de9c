# VECTRA. `make demo` shows it, `make test` proves it; both install what they need into .venv the first time.
.PHONY: help setup demo test lint unit system bench clean
PYTHON ?= python3
BIN := .venv/bin

help:
	@echo "make demo    record a simulated game in a real Chromium, with all of VECTRA running (Ctrl-C ends it)"
	@echo "make test    everything that has to pass: ruff, mypy, import-linter, all tests"
	@echo "make unit    the fast tests only"
	@echo "make bench   the benchmarks, each beside its control"
	@echo "make clean   remove .venv and caches"

setup:
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup
	@exec $(BIN)/vectra-supervisor start --demo --foreground

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -q -m "not system"

test: lint
	$(BIN)/pytest -q

bench: setup
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
