# Everything a newcomer needs: `make run`, `make test`. See README.md.
PYTHON ?= python3
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# A lock names every package, so nothing is resolved (--no-deps): what is newer in a registry than the lock changes nothing.
LOCKED := $(INSTALL) --require-hashes --requirement

CASES ?=
BASE ?= HEAD

.PHONY: setup setup-dev run test test-one check check-tests browser-setup bench bench-setup bench-pooling bench-search relevance reliability lint audit mutations lock openapi docs migration clean

setup: .venv/.runtime ## install what the service needs into .venv
setup-dev: .venv/.dev ## and what tests and checks need

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python requirements.lock pyproject.toml
	$(LOCKED) requirements.lock
	$(INSTALL) --no-build-isolation --editable .
	$(BIN)/python -m compileall -q app
	touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(LOCKED) requirements-dev.lock
	touch $@

run: setup ## migrate, seed an empty database, and serve on 127.0.0.1:8000
	$(BIN)/tev serve

test: setup-dev ## the whole suite on both engines, with coverage
	$(BIN)/python -m slipcover --source app --omit 'app/migrations/versions/*' --skip-covered --fail-under 95 \
		-m pytest --numprocesses 2 --dist worksteal

test-one: setup-dev ## T="tests/web/test_wire.py" or T="a word of its name": some tests on SQLite, without PostgreSQL
	$(BIN)/pytest --numprocesses 0 --engine sqlite $(if $(findstring /,$(T)),$(T),-k "$(T)")

check: setup-dev ## what a change needs before it is committed, on SQLite: lint, and the tests beside what changed since BASE
	$(MAKE) --no-print-directory --jobs 2 --output-sync lint check-tests

check-tests: setup-dev
	$(BIN)/pytest --numprocesses 2 --engine sqlite $$($(BIN)/python tests/support/changed.py $(BASE))

browser-setup: setup-dev ## what the tests in a browser need: chromium and node from Debian (as root), and the npm packages
	command -v chromium >/dev/null && command -v npm >/dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium nodejs npm)
	$(BIN)/python -c "from tests.support.node import packages; packages()"

bench-setup: setup-dev ## what benchmarks need: wrk and nginx from Debian (as root), the peers from PyPI and npm
	command -v wrk >/dev/null && PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null && command -v npm >/dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends wrk nginx-light nodejs npm)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement bench/requirements.lock
	cd bench/peers && npm ci --no-audit --no-fund

bench: setup-dev ## the service beside its peers, into bench/RESULTS.md; CASES="by-id list" RECORDS=10000 ROUNDS=1 ENGINE=postgresql
	$(BIN)/python -m bench.run $(CASES) $(if $(RECORDS),--records $(RECORDS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ENGINE),--engine $(ENGINE))

bench-pooling: setup-dev ## how long pooling takes, beside PyMetaAnalysis and statsmodels
	$(BIN)/python -m bench.pooling

reliability: setup-dev ## what must hold when things go wrong, measured; CASES="kill idle" for some of it
	$(BIN)/python -m tests.reliability $(CASES)

lint: setup-dev ## format, style, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

mutations: setup-dev ## take out each control of SECURITY.md, in a copy, and see its test go red
	$(BIN)/python -m tests.support.mutations

audit: setup-dev ## is anything pinned known to be vulnerable? exits with 3 when the services could not tell
	$(BIN)/python -m tests.support.audit

lock: setup-dev ## pin the newest versions, with hashes and without addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build --extra dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements.lock bench/peers/requirements.in -o bench/requirements.lock

openapi: setup-dev ## write the OpenAPI document that is served, its snapshot for tests, and the index of routes
	$(BIN)/python -m tests.contract.test_openapi

docs: setup-dev ## write into README, guide and SECURITY.md what the program answers and holds
	$(BIN)/python -m tests.docs.test_documents
	$(BIN)/python -m tests.contract.test_mutations

relevance: setup-dev ## print how well search finds what people type, on each engine
	$(BIN)/python -m tests.search.test_relevance

bench-search: setup-dev ## measure search over RECORDS made-up records (default 1000000; ENGINE=postgresql), which takes a while to make
	$(BIN)/python -m bench.search $(or $(RECORDS),1000000) $(or $(ENGINE),sqlite)

migration: setup-dev ## MESSAGE="…": write the migration that brings the schema to the models
	$(BIN)/python -m app.migrations.make "$(MESSAGE)"

clean: ## remove what setup and tests leave
	rm -rf .venv .venv-bench build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache tests/js/node_modules bench/peers/node_modules
