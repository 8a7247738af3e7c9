# Every target makes .venv first, from hashed, locked requirements; the second time that is no work.
# PYTHON=/path/to/python3.11 chooses the Python; ARGS="…" is handed on to the target's program.

BIN := .venv/bin
READY := .venv/.ready
# Most of a test's time is waiting, so three processes suit two cores; a file's tests stay together,
# and the files with the longest tests go first.
JOBS ?= 3
AT_ONCE := -n $(JOBS) --dist loadfile --no-loadscope-reorder
# No address of an index may be in a lock: each machine has its own.
LOCKED := --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

# Byte code is kept, or each of the tests' many processes compiles all anew for some seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo run test lint format bench soak lock clean

help: ## this list
	@echo "Slipway: a push to GitHub becomes a live AWS Lambda alias."
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 17

demo: $(READY) ## sets everything up and turns a push into a live alias; DEMO=watchlist: a whole application
	@$(BIN)/python -m demo $(DEMO) $(ARGS)

run: $(READY) ## web, worker and beat against real GitHub and AWS, from environment variables
	@$(BIN)/python -m local.run $(ARGS)

test: $(READY) ## the whole test suite, soak excepted
	@$(BIN)/python -m pytest -m "not soak" $(AT_ONCE) $(ARGS)

lint: $(READY) ## ruff, mypy --strict and the house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/test_house.py

format: $(READY) ## ruff's formatter and its safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## the benchmarks, side by side; results in docs/benchmarks.md
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(READY) ## the long tests that `make test` leaves out
	@$(BIN)/python -m pytest -m soak $(ARGS)

lock: $(READY) ## the two locks anew, from pyproject.toml; what is locked stays where it can
	@$(BIN)/uv pip compile -q pyproject.toml $(LOCKED) -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml $(LOCKED) --group dev -o requirements-dev.lock

clean: ## removes .venv, caches, and all below .slipway but the record of `make run`
	@sh scripts/clean

$(READY): requirements-bootstrap.lock requirements-dev.lock pyproject.toml scripts/set-up scripts/set_up.py
	@sh scripts/set-up
