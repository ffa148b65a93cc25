# `make run` and `make test` set up all they need first. Nothing outside .venv/ and target/ is changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := target/stamps
SCENARIO ?= scenarios/mixed_backend_interop.toml
# Rust sources and all that decides how they are built; changed Python code needs no build.
NATIVE_SOURCES := $(shell find zk/src -type f -name '*.rs') zk/Cargo.toml Cargo.toml Cargo.lock .cargo/config.toml pyproject.toml
PY_FILES := simnet tests $(wildcard analysis)

.PHONY: help tools build run test lint bench clean

help:
	@echo "make run    run $(SCENARIO), show its result and judge it (SCENARIO=… for another)"
	@echo "make test   lint, type-check and run all tests but the nightly ones"
	@echo "make bench  time the provers beside the libraries' own, the main job, and the network alone"
	@echo "make lint   the checks that run nothing"
	@echo "make build  only set up the environment and build the native module"

tools:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "simnet needs Python 3.11 or newer as '$(PYTHON)' (or set PYTHON=…)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "simnet needs Python's venv module: on Debian or Ubuntu install python3-venv" >&2; exit 1; }
	@{ command -v cargo && command -v rustc; } >/dev/null \
	  || { echo "simnet needs Rust 1.95 or newer (cargo and rustc): install it with rustup" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "simnet needs a C linker as 'cc': on Debian or Ubuntu install build-essential" >&2; exit 1; }

# A stamp is touched last, so a broken-off step is done again.
$(STAMPS)/requirements: requirements.lock | tools
	@mkdir -p $(STAMPS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/native: $(STAMPS)/requirements $(NATIVE_SOURCES)
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --locked
	@touch $@

build: tools $(STAMPS)/native

run: build
	$(BIN)/simnet run $(SCENARIO)

lint: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/stubtest simnet._zk
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --release --locked --all-targets -- -D warnings

test: lint
	cargo test --release --locked
	$(BIN)/pytest -n auto -m "not nightly"

bench: build
	cargo bench --locked
	$(BIN)/python benchmarks/main_job.py
	$(BIN)/python benchmarks/simblock.py

clean:
	rm -rf $(VENV) $(STAMPS)
