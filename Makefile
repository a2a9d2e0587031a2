# Every target makes .venv and installs the package with its tools into it, once.
# "make PYTHON=python3.12 test" picks another interpreter for a new .venv.
PYTHON ?= python3
# Options for pip, such as an index of CPU builds:
# make PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu" test
PIP_OPTIONS ?=

BIN := .venv/bin
STAMP := .venv/installed.stamp
SPHINX := $(BIN)/python -m sphinx -M html docs docs/_build -W --keep-going

# Figures go to files. The networks are small: more threads wait for each other longer
# than they work, above all beside pytest's workers or on a busy machine.
export MPLBACKEND := Agg
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint format docs examples release-check test-lowest clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_OPTIONS) -c constraints.txt -e ".[dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/three_jobs_demo.py

# The docs run every example, in quick mode. pytest comes last, its summary ends the log.
test: $(STAMP)
	SKGEX_QUICK=1 $(SPHINX)
	$(BIN)/python -m pytest -n auto --maxprocesses 8

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(SPHINX)

examples: $(STAMP)
	set -e; for example in examples/*.py; do \
		echo "$$example"; SKGEX_QUICK=1 $(BIN)/python "$$example"; \
	done

# Builds a release, and tries it in empty environments of each Python that is found.
# Not part of CI: it installs torch anew for each. RELEASE_OPTIONS="--python python3.12"
# takes one of them, --output dist keeps what was built.
release-check: $(STAMP)
	$(BIN)/python -m pip install -q $(PIP_OPTIONS) -c constraints.txt -e ".[release]"
	$(BIN)/python tools/release_check.py --pip-options "$(PIP_OPTIONS)" $(RELEASE_OPTIONS)

# The tests with the oldest versions that pyproject.toml allows.
test-lowest:
	test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install $(PIP_OPTIONS) -c constraints-lowest.txt \
		-e ".[test]"
	.venv-lowest/bin/python -m pytest -n auto --maxprocesses 8

clean:
	rm -rf build dist docs/_build docs/api docs/auto_examples
	rm -rf docs/sg_execution_times.rst .pytest_cache .ruff_cache .hypothesis
	find skgex tests examples docs tools -name __pycache__ -type d -prune -exec rm -rf {} +
