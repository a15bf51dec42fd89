# `make` lists the commands. They need Python 3.11 or newer, git and make.
PYTHON ?= python3
PROCESSES ?= auto
REST ?= rest

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
quoted = '$(subst ','\'',$(1))'
SELECTION := $(if $(SINCE),--since=$(call quoted,$(SINCE))) $(if $(SHARD),--shard=$(call quoted,$(SHARD)))
PYTEST := $(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(SELECTION)
# What only `make test-all` runs, so that `make test` takes a few minutes.
LONG := commands error_tracking example locks lowest migrations observability poetry resilience rules \
	selection selftest updates versions
LONG := $(LONG:%=tests/test_%.py)
# Of which `make test-all` tests more services.
GROWING := clients.py run.py resource.py copier.py::test_both_engines_make_the_same corpus.py::test_types
GROWING := $(GROWING:%=tests/test_%)
# What needs Docker. These measure, so they run alone.
DEPLOYMENT := tests/deployment
MEASURED := $(DEPLOYMENT)/test_images.py $(DEPLOYMENT)/test_compose_start.py
DEMO := build/demo

.DEFAULT_GOAL := help
.PHONY: help
help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/made  ## Install everything that is needed into .venv/

# uv itself comes into the environment first; pip may be too old to read dependency groups.
.venv/made: pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --quiet --python .venv
	touch $@

.PHONY: demo
demo: setup  ## Generate the default service under build/, and run it on port 8001
	rm -rf $(DEMO)
	$(BIN)/cookiecutter . --no-input --default-config --output-dir $(DEMO)
	cd $(DEMO)/* && "$(CURDIR)/$(BIN)/uv" sync --quiet
	cd $(DEMO)/* && "$(CURDIR)/$(BIN)/uv" run --frozen ./prestart.sh
	@echo "Open http://localhost:8001 and http://localhost:8001/docs; Ctrl-C ends it."
	cd $(DEMO)/* && exec "$(CURDIR)/$(BIN)/uv" run --frozen ./run.sh

.PHONY: test
test: setup  ## Test the template; services with every pair of answers run their quick tests
	$(PYTEST) $(addprefix --ignore ,$(LONG) $(DEPLOYMENT))

.PHONY: test-all
test-all: test  ## Run all tests; SINCE=<commit>: only services that differ, SHARD=1/8: a part
	$(PYTEST) $(LONG) $(GROWING) --run $(REST)

.PHONY: test-deployment
test-deployment: setup  ## Build and run images, Compose and backups with Docker, and print the figures
	$(PYTEST) -n 0 $(MEASURED); measured=$$?; \
	$(PYTEST) $(DEPLOYMENT) $(addprefix --ignore ,$(MEASURED)) && exit $$measured

.PHONY: test-generation
test-generation: setup  ## Test generation only: answers, refusals, both engines
	$(PYTEST) tests/test_refusals.py tests/test_answers.py tests/test_copier.py tests/test_traces.py

.PHONY: test-run
test-run: setup  ## Test running services only, with the Python of .venv/
	$(PYTEST) tests/test_run.py tests/test_life.py tests/test_example.py

.PHONY: resilience
resilience: setup  ## Load and disturb the default service; compare the figures with limits
	rm -rf $(DEMO)
	$(BIN)/cookiecutter . --no-input --default-config --output-dir $(DEMO)
	cd $(DEMO)/* && "$(CURDIR)/$(BIN)/uv" sync --quiet
	$(BIN)/python -W "ignore:XDG_RUNTIME_DIR" -m tests.resilience $(DEMO)/*

.PHONY: bench
bench: setup  ## Measure it beside reference services, 14 minutes; needs wrk, taskset, two idle CPUs
	$(BIN)/python -m bench

.PHONY: bench-full
bench-full: setup  ## Run the benchmark with more repeats and numbers of clients, half an hour
	$(BIN)/python -m bench --full

.PHONY: bench-jobs
bench-jobs: setup  ## Measure how much a job slows down requests, a minute
	$(BIN)/python -m bench.jobs

.PHONY: bench-workers
bench-workers: setup  ## Measure two workers beside one, two minutes
	$(BIN)/python -m bench.workers

.PHONY: bench-telemetry
bench-telemetry: setup  ## Measure what metrics and traces cost a read, 4 minutes
	$(BIN)/python -m bench.telemetry

.PHONY: lint
lint: setup  ## Check style and scripts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/shellcheck .ci/run tests/deployment/machine/*

.PHONY: types
types: setup  ## Check types
	$(BIN)/ty check

.PHONY: format
format: setup  ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: check
check: lint types test  ## Run everything that should pass before a push

.PHONY: lock
lock: setup  ## Lock the newest releases for generated services
	$(BIN)/python -m tools.fold_locks

.PHONY: relock
relock: setup  ## Lock dependencies of generated services that changed; keep the versions of the others
	$(BIN)/python -m tools.fold_locks --keep

.PHONY: clean
clean:  ## Remove everything that these commands have made
	rm -rf build .venv .pytest_cache .ruff_cache
