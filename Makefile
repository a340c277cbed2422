# What a contributor runs. Needs python3 (3.11 or newer, with pip), make and git; the rest is set up below this folder.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-313 test-postgresql backends check format docs bench tokens corpus faults lock clean
.DELETE_ON_ERROR:

# The Pythons of the machine are used, never a downloaded one.
export UV_PYTHON_DOWNLOADS ?= never

BIN := .venv/bin
READY := .venv/.ready
PYTHON_WANTED = >=3.11
LOCK_FLAGS ?=
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
OWN_UV := $(filter .tools/%,$(UV))

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-15s %s\n", $$1, $$2 }'

demo: $(READY) ## show the whole way, from a hypothesis to a running experiment
	@$(BIN)/crossfade demo --yes

# Nothing else uses a store. The proofs of tests/faults run on both databases by themselves.
STORED = $(wildcard tests/unit/app tests/contract tests/e2e tests/evals tests/integration)

ifeq ($(CI),true)
test: test-313 test-postgresql
test: SELECTED = not bench
else
test: SELECTED = not clients and not bench and not faults
endif
test: $(READY) ## run the tests (with CI=true also the real clients; first Python 3.13, and PostgreSQL)
	@$(BIN)/pytest -m "$(SELECTED)"

test-313: ## run the unit and contract tests under Python 3.13, if there is one
	@for python in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13; do \
		if "$$python" -c "" >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "No Python 3.13 found: nothing is run under it."; exit 0; fi; \
	$(MAKE) --no-print-directory .venv-3.13/.ready PYTHON_WANTED="$$found" && \
	.venv-3.13/bin/pytest -m "not clients and not bench and not backends" $(wildcard tests/unit tests/contract)

test-postgresql: $(READY) ## run the tests with their stores in PostgreSQL (with CI=true only those that have one)
	@$(BIN)/pytest --store=postgresql -m "not clients and not bench and not faults and not backends" $(if $(filter true,$(CI)),$(STORED))

backends: $(READY) ## run the tests of backends over real servers, which start from packages (part of make test)
	@$(BIN)/pytest -m backends

check: $(READY) ## lint, types and the arrows between the rooms
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@$(BIN)/lint-imports

format: $(READY) ## mend what can be mended without thought
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

docs: $(READY) ## write the pages that are made from the code (docs/checks.md)
	@$(BIN)/python docs/write.py

bench: $(READY) ## measure speed and load
	@$(BIN)/python tests/bench/run.py

tokens: $(READY) ## count the tokens that the tools cost a model
	@$(BIN)/python tests/bench/tokens.py

corpus: $(READY) ## show what validation catches of a few hundred broken specs
	@$(BIN)/python -m tests.evals.corpus.report

faults: $(READY) ## kill, stop and race the server, and count what is lost (some minutes; hours with LONG=1)
	@$(BIN)/python -m tests.faults $(if $(LONG),--long) $(if $(SEED),--seed $(SEED)) $(PROOFS)

lock: $(OWN_UV) ## bring requirements.lock up to date with pyproject.toml (newest: LOCK_FLAGS=--upgrade)
	@$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --group dev --generate-hashes \
		--no-annotate --custom-compile-command "make lock" $(LOCK_FLAGS) --output-file requirements.lock pyproject.toml

clean: ## remove all that the targets made
	@rm -rf .venv .venv-3.13 .tools build dist *.egg-info
	@rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment a Python, exactly as locked, with the project itself editable. Old as soon as what it is made from is newer.
%/.ready: pyproject.toml requirements.lock | $(OWN_UV)
	@test -x $*/bin/python || { rm -rf $* && $(UV) venv --quiet --python '$(PYTHON_WANTED)' $*; }
	@$(UV) pip sync --quiet --python $*/bin/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $*/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# uv, for machines that lack it; where Python comes without ensurepip, pip alone will do.
.tools/bin/uv:
	@echo "Setting up uv in .tools"
	@{ python3 -m venv .tools && .tools/bin/python -m pip install --quiet uv; } >/dev/null 2>&1 || { \
		rm -rf .tools; python3 -m pip install --quiet --target .tools uv; }
