# VECTRA. `make demo` shows it, `make test` proves it; both install what they need into .venv the first time.
.PHONY: help setup demo test lint unit campaign hostile deaths soak bench clean
PYTHON ?= python3
BIN := .venv/bin
MINUTES ?= 10
RATE ?= 200
AT_ONCE ?= 1
KILLS ?= 200
RESTARTS ?= 10000
ARGS ?=
STOP ?= 0
EVERY ?= 1
COUNT ?= 200

help:
	@echo "make demo    record a simulated game in a real Chromium, with all of VECTRA running (Ctrl-C ends it)"
	@echo "             ARGS='--set web.port=0' gives it settings of its own"
	@echo "make test    everything that has to pass: ruff, mypy, import-linter, all tests"
	@echo "make unit    the fast tests only"
	@echo "make campaign   kill actors for MINUTES=10 at RATE=200 frames/s, then count what was lost or doubled"
	@echo "             AT_ONCE=2 kills two together; STOP=10 EVERY=2 stops actors for 10 s instead (SIGSTOP)"
	@echo "make hostile  let a foreign page attack the record for MINUTES=10, then count what it achieved; ARGS=--kill also kills captures"
	@echo "make deaths  let journal and writer die COUNT=200 times, each at a fault point, then count the same way"
	@echo "make soak    kill the supervisor KILLS=200 times, restart a child RESTARTS=10000 times: nothing left, nothing grown"
	@echo "             before that, a million inputs of every kind into the parser and the normalizer's core"
	@echo "make bench   the benchmarks, each beside its control"
	@echo "make clean   remove .venv and caches"

setup:
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup
	@exec $(BIN)/vectra-supervisor start --demo --foreground $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -q -m "not system"

test: lint
	$(BIN)/pytest -q

campaign: setup
	$(BIN)/python -m tests.campaign --minutes $(MINUTES) --rate $(RATE) --at-once $(AT_ONCE) --stop $(STOP) --every $(EVERY)

hostile: setup
	$(BIN)/python -m tests.hostile --minutes $(MINUTES) $(ARGS)

deaths: setup
	$(BIN)/python -m tests.deaths --count $(COUNT)

soak: setup
	FUZZ_INPUTS=1000000 $(BIN)/pytest -q tests/rugs/test_fuzz.py
	MERGE_EXAMPLES=10000 $(BIN)/pytest -q tests/journal/test_merge.py
	$(BIN)/python -m tests.soak --kills $(KILLS) --restarts $(RESTARTS)

bench: setup
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
