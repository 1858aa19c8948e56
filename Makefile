# Every target makes what it needs on a fresh machine. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

SETUP := local/setup.sh
PYTHON := .venv/app/bin/python
SAM := SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam
export PYTHONPATH := functions:layers/billing/python:.

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make every environment the other targets use (they do it themselves when needed)
	@$(SETUP) app ministack engine sam verapdf stripe-mock

.PHONY: start
start: ## Serve the API on http://127.0.0.1:3000 with the whole local cloud; Ctrl-C stops it
	@$(SETUP) app ministack engine
	@exec $(PYTHON) -m local start $(ARGS)

.PHONY: stop
stop: ## Stop the local cloud of this clone from another terminal; ARGS="--state DIR" another one
	@$(SETUP) app
	@$(PYTHON) -m local stop $(ARGS)

.PHONY: clock
clock: ## The date of the running local cloud; ARGS="--days 1" or "--set 2028-02-29" sets it forward
	@$(SETUP) app
	@$(PYTHON) -m local clock $(ARGS)

.PHONY: operator
operator: ## An access token of the operator of the running local cloud, for /v1/operations; ARGS="--state DIR"
	@$(SETUP) app
	@$(PYTHON) -m local operator $(ARGS)

.PHONY: ring
ring: ## Ring an alarm of the running local cloud: ARGS="ApiErrorsCriticalAlarm", with --ok when it is over
	@$(SETUP) app
	@$(PYTHON) -m local ring $(ARGS)

.PHONY: demo
demo: ## From sign-up to a paid invoice once, on a local cloud of its own; shows what it made
	@$(SETUP) app ministack engine
	@exec $(PYTHON) -m local.demo $(ARGS)

.PHONY: gameday
gameday: ## Make one fault after the other on a local cloud of its own, and hold the alarms, alerts and incidents to them
	@$(SETUP) app ministack engine
	@exec $(PYTHON) -m local.gameday $(ARGS)

.PHONY: test
test: ## Run the tests, on every core; ARGS="-k numbering" narrows them, ARGS="-n 0" keeps to one process
	@$(SETUP) app ministack engine sam verapdf stripe-mock
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: bench
bench: ## Measure the critical operations, and documents beside Chromium and other engines; ARGS="-k documents" narrows
	@$(SETUP) app ministack engine bench
	@$(PYTHON) -m pytest tests/benchmarks --override-ini addopts= --import-mode=importlib -q -s $(ARGS)

.PHONY: gallery
gallery: ## Write every sample document as PDF, XML and picture to .local/gallery, with an index.html
	@$(SETUP) app
	@$(PYTHON) -m tests.gallery all .local/gallery

.PHONY: pictures
pictures: ## Write the pictures of the README anew, after what we print has changed
	@$(SETUP) app
	@$(PYTHON) -m tests.gallery readme docs/images

.PHONY: lint
lint: lint-python lint-template ## Every static gate: style, types, imports, security, template

.PHONY: lint-python
lint-python: style types imports security ## The gates of the Python code

.PHONY: style
style: ## ruff: rules and format
	@$(SETUP) app
	@echo "ruff"; .venv/app/bin/ruff check --quiet . && .venv/app/bin/ruff format --check --quiet .

.PHONY: types
types: ## mypy --strict
	@$(SETUP) app
	@echo "mypy --strict"; $(PYTHON) -m mypy

.PHONY: imports
imports: ## import-linter: who may import whom
	@$(SETUP) app
	@echo "import-linter"; .venv/app/bin/lint-imports

.PHONY: security
security: ## bandit
	@$(SETUP) app
	@echo "bandit"; .venv/app/bin/bandit -q -ll -c pyproject.toml -r functions layers/billing/python local

.PHONY: lint-template
lint-template: ## cfn-lint and `sam validate --lint` of both templates
	@$(SETUP) sam
	@echo "cfn-lint"; .venv/sam/bin/cfn-lint template.yaml supervision.yaml
	@echo "sam validate"; for template in template.yaml supervision.yaml; do $(SAM) validate --lint --template $$template; done

.PHONY: format
format: ## Rewrite the Python code in the project's format
	@$(SETUP) app
	@.venv/app/bin/ruff check --fix --quiet . ; .venv/app/bin/ruff format .

.PHONY: openapi
openapi: ## Write api.yaml and docs/openapi.json from the handlers
	@$(SETUP) app
	@$(PYTHON) -m local.openapi

.PHONY: supervision
supervision: ## Write supervision.yaml (alarms, dashboards, queries) from the thresholds in billing/domain/indicators.py
	@$(SETUP) app
	@$(PYTHON) -m local.supervision

.PHONY: dashboards
dashboards: ## Draw the dashboards of supervision.yaml from sample series, as pages in .local/dashboards
	@$(SETUP) app
	@$(PYTHON) -m local.supervision.picture .local/dashboards

.PHONY: openapi-check
openapi-check: ## Fail when api.yaml or docs/openapi.json differ from what the handlers say
	@$(SETUP) app
	@$(PYTHON) -m local.openapi --check

.PHONY: build
build: ## Build functions and layers for Lambda (arm64, Python 3.13) with compiled byte code
	@$(SETUP) app sam
# `sam` looks for `python3.13` on the path and must not meet a pyenv shim: the real one's directory comes first.
	@python="$$($(SETUP) --python 3.13)"; \
	 PATH="$$(dirname "$$python"):$$PATH" $(SAM) build $(ARGS); \
	 "$$python" -m local.build

.PHONY: build-check
build-check: ## Hold the artefacts of `make build`: sizes, byte code, nothing that should not ship
	@$(SETUP) app
	@$(PYTHON) -m local.build --check

.PHONY: deploy
deploy: build build-check ## Build and deploy, then what watches it; STAGE=default, staging or prod
	@$(SAM) deploy --config-env "$${STAGE:-default}" $(ARGS)
	@$(MAKE) deploy-supervision ARGS=

.PHONY: deploy-supervision
deploy-supervision: ## Deploy supervision.yaml beside the stack that is there; STAGE=default, staging or prod
	@$(SETUP) sam
	@$(SAM) deploy --config-env "$${STAGE:-default}-supervision" $(ARGS)

.PHONY: hooks
hooks: ## Run the gates before each commit and push
	@$(SETUP) app
	@.venv/app/bin/pre-commit install --hook-type pre-commit --hook-type commit-msg --hook-type pre-push

.PHONY: ci
ci: ## What the continuous integration runs, from a clean checkout
	@bash .ci/run

.PHONY: clean
clean: ## Remove environments, caches and artefacts; the data of the local cloud stays
	@rm -rf .venv .aws-sam .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis
	@find functions layers local tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-data
clean-data: ## Remove the data of the local cloud: its users, documents and mails
	@rm -rf .local
