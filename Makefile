# `make run` and `make test` set up all they need first. Nothing outside .venv/ and target/ is changed, but for the key cache
# of `make run` (see SIMNET_CACHE_DIR).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := target/stamps
INTEROP := target/interop
SCENARIO ?= scenarios/mixed_backend_interop.toml
# A wheel is for other machines, too: every processor since about 2015. `make build` takes what this one has.
WHEEL_CPU ?= x86-64-v3
FUZZ_RUNS ?= 1000000
FUZZ_SANITIZER ?= none
FUZZ_TARGETS ?= envelope stwo plonky3 groth16 decoders
# Rust sources and all that decides how they are built; changed Python code needs no build.
NATIVE_SOURCES := $(shell find zk/src -type f -name '*.rs') zk/Cargo.toml Cargo.toml Cargo.lock .cargo/config.toml pyproject.toml

.PHONY: help tools build interop run test lint wheel bench fuzz clean

help:
	@echo "make run    run $(SCENARIO), show its result and judge it (SCENARIO=… for another)"
	@echo "make test   lint, type-check and run all tests but the nightly ones"
	@echo "make bench  time the provers beside the libraries' own, the main job, and the network alone"
	@echo "make interop  only install what some tests compare with (needs node)"
	@echo "make fuzz   fuzz every verifier and decoder, FUZZ_RUNS=$(FUZZ_RUNS) inputs each (needs cargo-fuzz and nightly Rust)"
	@echo "make lint   the checks that run nothing"
	@echo "make wheel  a wheel in target/wheels for $(WHEEL_CPU) processors, checked for mock proofs"
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

# Other people's programs that tests compare with. Without node those tests are reported as not run.
interop:
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	  $(MAKE) --no-print-directory $(STAMPS)/interop; \
	else \
	  echo "node or npm is missing: the tests against snarkjs and circomlibjs will NOT RUN" >&2; \
	fi

$(STAMPS)/interop: tests/interop/package.json tests/interop/package-lock.json
	@mkdir -p $(STAMPS) $(INTEROP)
	cp $^ $(INTEROP)
	cd $(INTEROP) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

run: build
	$(BIN)/simnet run $(SCENARIO) --force

lint: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/stubtest simnet._zk
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --release --locked --all-targets -- -D warnings
	$(BIN)/python -m supply_chain

test: lint interop
	cargo test --release --locked
	$(BIN)/pytest -n auto --dist loadgroup -m "not nightly"

wheel: build
	rm -rf target/wheels
	trap 'rm -f simnet/_zk.baseline' EXIT; echo $(WHEEL_CPU) > simnet/_zk.baseline; \
	  RUSTFLAGS="-Ctarget-cpu=$(WHEEL_CPU)" $(BIN)/maturin build --release --locked --out target/wheels
	$(BIN)/python -m supply_chain target/wheels/*.whl

bench: build
	cargo bench --locked
	$(BIN)/python benchmarks/circuits.py
	$(BIN)/python benchmarks/main_job.py
	$(BIN)/python -m benchmarks.simblock

# Each target writes real proofs into its corpus first. Without a sanitizer: twice as fast, and the code under test has no
# unsafe block; FUZZ_SANITIZER=address looks into the libraries' too. Tracing every comparison inside 256-bit arithmetic
# teaches the fuzzer nothing and makes it ten times slower; how often a pairing's loops run is no news either.
fuzz:
	@command -v cargo-fuzz >/dev/null || { echo "make fuzz needs cargo-fuzz: cargo install --locked cargo-fuzz" >&2; exit 1; }
	for target in $(FUZZ_TARGETS); do \
	  coverage=; limits="-max_len=262144"; \
	  case $$target in groth16|decoders) coverage="--no-trace-compares --disable-branch-folding=false";; esac; \
	  case $$target in groth16) limits="-max_len=300 -use_counters=0";; esac; \
	  RUSTFLAGS="-Ctarget-cpu=native -Ccodegen-units=4" cargo +nightly fuzz run --fuzz-dir fuzz -O -s $(FUZZ_SANITIZER) $$coverage $$target -- \
	    -runs=$(FUZZ_RUNS) $$limits -timeout=20 -rss_limit_mb=2048; \
	done

clean:
	rm -rf $(VENV) $(STAMPS) $(INTEROP)
