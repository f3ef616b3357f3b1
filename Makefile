# Tillwise: everything a newcomer needs is `make demo` and `make test`.
SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export OPT_OUT_INSTRUMENTATION := true
# Else every process that is started here compiles all of the app anew.
unexport PYTHONDONTWRITEBYTECODE
export SHOPIFY_CLI_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check code scripts-types built scripts-tests suite bench chaos audit serve setup build words lock clean

help: ## Show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# A PORT of the environment is not meant for the demo, which takes two.
demo: export DEMO_PORT := $(if $(filter command line,$(origin PORT)),$(PORT))
demo: setup build ## Run the whole thing on a demo shop; ONCE=1 walks the journey headless; PORT=4800 listens there
	@python -m devstore.demo $(if $(ONCE),--once)

test: ## Install what is needed and run every check and test, the Chromium journey included
	@rm -f .venv/.failed
	@$(MAKE) --no-print-directory --jobs=3 $(addprefix tried-,suite code scripts-types built scripts-tests)
	@test ! -e .venv/.failed || { echo "Failed, see above: make" $$(sort .venv/.failed); exit 1; }

# Each begins as soon as what it needs is installed.
tried-suite: setup build .venv/.collected
tried-code: .venv/.project
tried-scripts-types tried-built tried-scripts-tests: build

# What failed is named at the end, as it was told far above by then; all the others are run anyway.
tried-%:
	@$(MAKE) --no-print-directory --assume-old=build $* || echo $* >>.venv/.failed

suite:
	pytest -n auto --dist loadfile

check: code scripts-types ## Lint, types and import contracts

code: .venv/.project
	ruff check .
	ruff format --check .
	mypy
	lint-imports

scripts-types: .venv/.node
	npm run --silent typecheck

built: build
	npm run --silent check

scripts-tests: build
	npm test --silent

bench: setup build ## Measure decide and webhook receive against a plain route of the same server
	@python -m benchmarks

chaos: setup ## Kill, empty, stop, fill and cut off what the app stands on, under load, and tell what each fault cost
	CHAOS=1 CONVERGENCE_EXAMPLES=40 pytest -s tests/chaos tests/convergence tests/kills

audit: setup ## Write what the app is built from as CycloneDX, and ask what is known to be wrong with it
	@python -m scripts.audit

serve: setup ## Start the app on the environment's settings (what `shopify app dev` runs)
	@tillwise serve

setup: .venv/.python .venv/.compiled .venv/.project .venv/.node .venv/chromium ## Install everything into this folder

build: .venv/.node ## Build the extensions with Shopify's CLI and the dev store's browser side
	@scripts/build

words: setup ## Bring the admin's catalogues of translations up to date with its texts
	@python -m scripts.words

lock: ## Pin the dependencies anew from pyproject.toml
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 -o requirements.lock

clean: ## Remove what was installed and built, and the demo's data
	rm -rf .venv node_modules extensions/*/node_modules extensions/*/dist extensions/storefront-embed/assets/*.js devstore/browser/dist var

.venv/.made: requirements.lock scripts/setup-venv
	@scripts/setup-venv
	@touch $@

.venv/.python: .venv/.made requirements.lock scripts/setup-python
	@scripts/setup-python
	@touch $@

.venv/.project: .venv/.python pyproject.toml
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-compile --no-deps --editable .
	@touch $@

# Beside what is installed next, and on all processors; pip would do it alone. Of the packages' tests nothing is run.
.venv/.compiled: .venv/.python
	@.venv/bin/python -W ignore -m compileall -qq -j 0 -x '/tests/' .venv/lib app devstore webhooks || true  # templates of code are not valid code
	@touch $@

# Tests are compiled by pytest: once, and not by each of those that run them at the same time.
.venv/.collected: .venv/.compiled .venv/.project
	@pytest --collect-only -q >/dev/null 2>&1 || true  # the run itself says what is wrong
	@touch $@

.venv/.node: .venv/.made package-lock.json scripts/setup-node
	@scripts/setup-node
	@touch $@

.venv/chromium: .venv/.python scripts/setup-browser
	@scripts/setup-browser
	@touch $@
