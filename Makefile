# Every target sets up all that it needs, in .venv and its kin; nothing is installed outside this folder.
PYTHON ?= python3
BIN := .venv/bin
# Errors only: pip's advice on itself and on its indexes is no news of this project.
QUIETLY := -qq --disable-pip-version-check

# Where it is set, each of the hundreds of processes that the tests start would compile every module anew: half a second.
unexport PYTHONDONTWRITEBYTECODE

# Of the pinned versions, by pip's own lines, for Python 3.11 on Linux, x86-64.
define DEMO_DOWNLOADS
The demo gets an environment of its own, .venv-demo, with PyTorch, diffusers, transformers, Celery and a Redis server,
and no developers' tools. PyTorch is by far the largest part: on Linux pip takes its build for CUDA, 2.7 GB to download.
Without an NVIDIA GPU its CPU build is enough, 0.2 GB. Ctrl-C, and then:
  PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo
All else is about 0.1 GB. No weights are downloaded: the demo model comes along.
endef
export DEMO_DOWNLOADS

.PHONY: install demo check test run-tests test-thorough chaos bench lint clean

install: .venv/installed .venv-monitor/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install $(QUIETLY) --constraint constraints.txt --editable '.[dev]'
	touch $@

# Flower without the worker extra, as the monitor of a real fleet has it: no torch. The tests start it from here.
.venv-monitor/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-monitor
	.venv-monitor/bin/pip install $(QUIETLY) --constraint constraints.txt --editable '.[monitor]'
	touch $@

# What the demo runs with, and no developers' tools. Not quiet: of gigabytes one wants to see how far they are.
.venv-demo/installed: pyproject.toml constraints.txt
	@echo "$$DEMO_DOWNLOADS"
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --disable-pip-version-check --constraint constraints.txt --editable '.[worker,local]'
	touch $@

demo: .venv-demo/installed
	.venv-demo/bin/producer run examples/edits.jsonl --model demo

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --strict examples/*.py
	$(BIN)/lint-imports

# For the loop while working: a minute.
check: lint
	$(BIN)/pytest --numprocesses 2 --dist loadfile -m "not thorough" tests/unit

# What is read beside what is run, which waits now and then.
test: install
	$(MAKE) --no-print-directory --jobs 2 lint run-tests

# More at a time than there are cores, by file, and those with workers first: many tests wait for processes and timeouts.
PYTEST := $(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

run-tests: install
	$(PYTEST) -m "not thorough"

# What a test above holds in short, at more sizes, seeds, families of models and profiles.
test-thorough: install
	$(PYTEST) -m thorough

# SEEDS=10: of the schedules 1 to 10, one after another; SEEDS="3 7": of these. FAULTS and ROWS: in each.
chaos: .venv/installed
	$(BIN)/python -m tests.chaos $(if $(SEEDS),--seeds "$(SEEDS)") $(if $(FAULTS),--faults $(FAULTS)) $(if $(ROWS),--rows $(ROWS))

# Every family of models that is measured, by the name of its folder.
FAMILIES := kontext klein klein_kv qwen

# Every figure of BENCHMARKS.md, on a GPU where there is one.
bench: .venv/installed
	set -e; for family in $(FAMILIES); do $(BIN)/python -m worker.bench --family $$family; done
	$(BIN)/python -m tests.bench.fleet
	$(BIN)/python -m tests.bench.real_fleet
	$(BIN)/python -m tests.bench.submitting
	$(BIN)/python -m tests.bench.starting
	$(BIN)/python -m tests.bench.loading

# Workers with simulated GPUs on this machine, and a thousand calculated from them; twenty minutes. ONLY, WORKERS:
# some tables, some sizes.
.PHONY: bench-fleet
bench-fleet: .venv/installed
	$(BIN)/python -m tests.bench.many $(if $(WORKERS),--workers $(WORKERS)) $(if $(ONLY),--only $(ONLY))

# What each command costs as a run grows; most of an hour with a million rows. ROWS=10000,100000: of these sizes.
.PHONY: bench-volume
bench-volume: .venv/installed
	$(BIN)/python -m tests.bench.volume $(if $(ROWS),--rows $(ROWS))

# All that a GPU must show, each part by itself, results as they come; on a CPU a rehearsal of it at a tiny size.
# MINUTES=5: what fits. ONLY=fp8,card: these parts. OUTPUT=FOLDER: there, and not in a new folder of cache_local/gpu.
.PHONY: gpu
gpu: .venv/installed
	$(BIN)/python -m tests.gpu $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ONLY),--only $(ONLY)) $(if $(OUTPUT),--output $(OUTPUT))

clean:
	rm -rf .venv .venv-demo .venv-monitor cache_local build *.egg-info
