# What is done with this project, from a bare Python on. `make` lists it.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
SET_UP := .venv/set-up
# A test run of its own for each database; both share two cores. The first one is counted: that makes Python half as slow
# again. What is PostgreSQL's alone, some fifty lines, counts as not covered.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# What has to be covered, branches included, by tests of what it does. Silent where it is: pytest has the last word.
CORE := --include='reports/*,tasks/*,services/actions*' --fail-under=95
# What Django's checks want to see of a production.
CHECKED := SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') DEBUG=0
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header $(if $(UPGRADE),--upgrade)

export PORT SECONDS_TO_RUN SEED BROKER
# What is compiled is kept, whatever the shell says: the tests start Python hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: $(SET_UP) ## start everything, run the example actions and serve on PORT (8000) until Ctrl-C
	@$(BIN)/python -m stack.run

.PHONY: test
test: $(SET_UP) ## run the tests on SQLite and again on PostgreSQL; ARGS="-k word" chooses some
	@rm -f .coverage .coverage.*
	TEST_DATABASE=sqlite $(PYTEST) --cov --cov-report= --ignore=tests/guarantees $(ARGS)
	TEST_DATABASE=postgres $(PYTEST) --ignore=tests/guarantees $(ARGS)
	@$(BIN)/python -m coverage report
	@$(if $(ARGS),,$(BIN)/python -m coverage report $(CORE) >/dev/null || { $(BIN)/python -m coverage report $(CORE); exit 1; })

.PHONY: guarantees
guarantees: $(SET_UP) ## kill, freeze and cut off real processes, on SQLite and again on PostgreSQL; takes six minutes
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -n 2 tests/guarantees $(ARGS)
	TEST_DATABASE=postgres $(BIN)/python -m pytest -n 2 tests/guarantees $(ARGS)

.PHONY: chaos
chaos: $(SET_UP) ## kill parts of a busy service for SECONDS_TO_RUN (180), by SEED (1), on BROKER (valkey, rabbitmq); audit it
	@$(BIN)/python -m chaos

.PHONY: check
check: $(SET_UP) ## check format, lint, types, layers, migrations, deployment settings, the OpenAPI document and the reference of settings
	@mkdir -p var # where the migrations' history would be, or Django warns that it cannot look
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(CHECKED) $(BIN)/mypy
	$(BIN)/lint-imports
	$(CHECKED) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECKED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(CHECKED) $(BIN)/python manage.py check_openapi
	$(CHECKED) $(BIN)/python manage.py check_configuration

# Not part of check: it needs PyPI's JSON API, which mirrors of the package index do not have.
.PHONY: audit
audit: $(SET_UP) ## ask PyPI for known vulnerabilities of what the image installs; fails where it cannot be asked
	$(BIN)/pip-audit --requirement requirements/base.txt --require-hashes --disable-pip --strict --progress-spinner off

.PHONY: explain
explain: $(SET_UP) ## show which index serves each statement at a million reports; writes docs/indexes.md
	$(BIN)/python -m benchmarks.explain

.PHONY: purge
purge: $(SET_UP) ## show how long purging a million reports holds clients up
	$(BIN)/python -m benchmarks.purge

.PHONY: bench
bench: $(SET_UP) ## compare with alternatives, half an hour; writes benchmarks/results.json. QUICK=1: minutes, and says little
	$(BIN)/python -m benchmarks.bench

.PHONY: pictures
pictures: $(SET_UP) ## take the pictures of the operators' pages in docs/pictures, with a browser
	$(BIN)/python -m tests.pictures

.PHONY: lock
lock: $(SET_UP) ## pin the dependencies of requirements/*.in anew; UPGRADE=1 takes the newest versions
	$(LOCK) requirements/base.in --output-file requirements/base.txt
	$(LOCK) requirements/tracing.in --constraint requirements/base.txt --output-file requirements/tracing.txt
	$(LOCK) requirements/dev.in --constraint requirements/tracing.txt --output-file requirements/dev.txt

.PHONY: clean
clean: ## remove the virtual environment, the data of `make run` and all caches
	rm -rf .venv var .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(SET_UP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; PYTHON=... chooses it.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv; this is done once and takes a minute."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@
