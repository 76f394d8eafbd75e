# Everything a newcomer needs: `make up`, `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PORT ?=
# pyenv shims can be on PATH and still fail, so a candidate is run, not only found.
FIND_PYTHON = for p in python3.13 python3.12 python3.11 python3 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$p"; exit 0; fi; done; \
	echo "Python 3.11 or newer is needed and was not found on PATH." >&2; exit 1
# Else each process compiles everything at its start where PYTHONDONTWRITEBYTECODE is set.
COMPILE = $(BIN)/python -m compileall -q -j 0 studio experiments runner

# `node --check` takes one file, and there are hundreds.
define PARSE
const { readFileSync } = require("fs"), { SourceTextModule } = require("vm");
for (const identifier of process.argv.slice(1)) {
  new SourceTextModule(readFileSync(identifier, "utf8"), { identifier });
}
endef
export PARSE

# Where a release is checked out, the number of the installed package must be its own.
RELEASE := $(shell git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null)
INSTALLED_FROM := pyproject.toml constraints.txt $(if $(RELEASE),$(VENV)/.release-$(RELEASE))

.PHONY: up test test-all lint fmt bench load crowd bench-search chaos fuzz pictures dist sbom lock help

up: $(VENV)/.installed ## Start the studio (PORT=n for another port); Ctrl-C stops everything
	@exec $(BIN)/studio up $(if $(PORT),--port $(PORT))

test: $(VENV)/.installed-dev ## Run all linters and tests
	@$(BIN)/python -m tests.everything --lint

test-all: $(VENV)/.installed-dev ## Run the long tests as well, and all pages on both databases
	@$(BIN)/python -m tests.everything --lint --all

lint: $(VENV)/.installed-dev ## Check style, types, imports, templates, migrations, JavaScript, security settings and dependencies
	@$(BIN)/ruff check . && $(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@git ls-files -z '*.html' | xargs -0 $(BIN)/djade --check --target-version 5.2
	@home=$$(mktemp -d); trap 'rm -rf "$$home"' EXIT; \
		STUDIO_HOME="$$home" $(BIN)/python manage.py makemigrations --check --dry-run && \
		STUDIO_HOME="$$home" STUDIO_PUBLIC_URL=https://studio.example STUDIO_ALLOWED_HOSTS=studio.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING --tag security
	@$(BIN)/python -m tests.audit
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint --no-color Containerfile; \
	else echo "hadolint is not here: Containerfile is not checked"; fi
	@if command -v node >/dev/null; then \
		node --no-warnings --experimental-vm-modules -e "$$PARSE" $$(git ls-files '*.js' '*.mjs'); \
	else echo "node is not here: JavaScript is not checked"; fi

fmt: $(VENV)/.installed-dev ## Format Python and templates
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .
	@git ls-files -z '*.html' | xargs -0 $(BIN)/djade --target-version 5.2 || true

bench: $(VENV)/.installed-dev ## Measure; ARGS="--only pages --minutes 30", BENCH_PEERS=python with other studios
	@$(BIN)/python -m tests.benchmarks $(ARGS)

load: $(VENV)/.installed-dev ## Let 100 runs report at once; ARGS="--runs 100 --rate 10 --seconds 60 --database postgres"
	@$(BIN)/python -m tests.load $(ARGS)

crowd: $(VENV)/.installed-dev ## Let 50 people look at 20 running runs; ARGS="--people 50 --runs 20 --seconds 120"
	@$(BIN)/python -m tests.crowd $(ARGS)

bench-search: $(VENV)/.installed-dev ## Compare samplers; ARGS="--seeds 5 --concurrency 8", PROBLEMS=folder
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(if $(PROBLEMS),SEARCH_PROBLEMS="$(PROBLEMS)") \
		$(BIN)/python -m tests.bench_search $(ARGS)

chaos: $(VENV)/.installed-dev ## Kill parts of a studio at work; ARGS="--faults 200 --seed 1 --database postgres"
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(VENV)/.installed-dev ## Let Schemathesis try the REST API; ARGS="--seed 1 --examples 20 --role write"
	@$(BIN)/python -m tests.fuzz_api $(ARGS)

pictures: $(VENV)/.installed-dev ## Make the pictures of README and docs
	@$(BIN)/python -m tests.pictures

dist: $(VENV)/.installed-dev ## Build sdist and wheel of this commit into dist/ and check them
	@$(BIN)/python -m tests.distribution

sbom: $(VENV)/.installed-dev ## List what the studio is made of, with licences, into dist/sbom.cdx.json
	@$(BIN)/python -m tests.bill_of_materials

lock: $(VENV)/.installed-dev ## Show where the installed versions differ from constraints.txt
	@$(BIN)/python -m pip freeze --exclude-editable | sort -f | diff -u <(sort -f constraints.txt) - || true

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@set -e; python=$$($(FIND_PYTHON)); \
	if ! "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "Python's venv module is missing: install the package python3-venv and try again." >&2; exit 1; fi; \
	echo "Creating $(VENV) with $$("$$python" --version)"; "$$python" -m venv $(VENV)

$(VENV)/.release-%: $(BIN)/python
	@rm -f $(VENV)/.release-* && touch $@

# An egg-info folder of earlier versions would hide the number of this one.
$(VENV)/.installed: $(BIN)/python $(INSTALLED_FROM)
	@echo "Installing the studio (once, about half a minute) ..."
	@rm -rf sweep_studio.egg-info
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[examples]'
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python $(INSTALLED_FROM)
	@echo "Installing the studio with its tools (once, about a minute) ..."
	@rm -rf sweep_studio.egg-info
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/.installed
