# All there is to remember. `make run` and `make test` work in a fresh clone with Python >= 3.11 and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
ARGS ?=

PACKAGES := fenghuo exporters alerting log_pipeline dashboards

.PHONY: help install install-dev run demo test test-stack soak check bench generate format lock servers

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install:
	@scripts/bootstrap.sh requirements.lock

install-dev:
	@scripts/bootstrap.sh requirements-dev.lock

run: install ## the whole chain on this machine (ARGS="--logs GLOB --state DIR …")
	@exec $(BIN)/fenghuo up $(ARGS)

demo: install ## the same with three small pods, and an alert that fires and resolves within two minutes
	@exec $(BIN)/fenghuo up --demo $(ARGS)

test: check ## everything that needs no server: check, unit, contract, acceptance
	$(BIN)/python -m pytest -m "not stack and not soak" $(ARGS)

test-stack: install-dev servers ## the same promises against real servers, which it installs and starts itself
	$(BIN)/python -m pytest tests/stack -m "stack and not soak" $(ARGS)

soak: install-dev servers ## the long runs
	$(BIN)/python -m pytest -m soak $(ARGS)

servers:
	@scripts/install-servers.sh

check: install-dev ## format, lint, types, dependency rules, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fenghuo dashboards generate --check
	$(BIN)/python scripts/commands_doc.py --check

format: install-dev ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: install-dev ## write dashboards/generated and docs/commands.md anew
	$(BIN)/fenghuo dashboards generate
	$(BIN)/python scripts/commands_doc.py

bench: install-dev ## comparisons that anyone can repeat; see benchmarks/README.md
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: install-dev ## take the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --all-extras --group build --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --group build --group dev -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.lock
