# What a person types. It needs make and Python 3.11 or newer; everything else goes into $(VENV).

VENV ?= .venv
BIN := $(VENV)/bin

# The first that runs and is new enough: a name on the PATH proves nothing (pyenv leaves stubs that only complain).
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13; do \
	$$name -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$name && break; done)
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
TOO_OLD = echo "pdmigrate needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1
NO_ENVIRONMENT := $(shell $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null || echo environment)

# -qq: errors only. Each step says its own line.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
# What else to strip: papermill leaves parameters, timings and widgets in a notebook that it ran. Cells have names: kept.
STRIP := $(BIN)/python -m nbstripout --keep-id \
	--extra-keys "metadata.papermill cell.metadata.papermill cell.metadata.execution metadata.widgets"
CODE := pdmigrate tests $(wildcard notebooks benchmarks docs examples)
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))

.DEFAULT_GOAL := help
.PHONY: help demo lab test pytest lint format bench mutants fuzz kills installs example docs clean environment

help:  ## these lines
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.installed  ## a whole migration on the embedded pair, and its pages
	@$(BIN)/pdmigrate demo --workspace demo

lab: $(VENV)/.installed  ## JupyterLab on the notebooks, with the embedded pair and a workspace
	@$(BIN)/pdmigrate lab

test: lint pytest  ## every check and every test, notebooks included

# Three at a time on two cores: a third of a worker's time is waiting, for a browser, a kernel, a lock or a killed process.
# Some images set PYTHONDONTWRITEBYTECODE; then each of a hundred processes would compile all of pdmigrate, a third of its start.
pytest: $(VENV)/.installed-test
	@PATH="$(abspath $(BIN)):$$PATH" PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile \
		--nbval-lax --nbval-current-env tests notebooks

lint: $(VENV)/.installed-test  ## ruff, mypy, and notebooks without outputs; changes nothing
	@$(BIN)/ruff check -q --output-format concise $(CODE)
	@$(BIN)/ruff format -q --check --output-format concise $(CODE)
	@$(BIN)/mypy --no-error-summary pdmigrate
	@test -z "$(NOTEBOOKS)" || $(STRIP) --verify $(NOTEBOOKS) \
		|| { echo "a notebook has outputs or traces of a run: make format" >&2; exit 1; }

format: $(VENV)/.installed-test  ## the same, mended where it can be
	@$(BIN)/ruff check -q --fix-only $(CODE)
	@$(BIN)/ruff format -q $(CODE)
	@test -z "$(NOTEBOOKS)" || $(STRIP) $(NOTEBOOKS)

bench: $(VENV)/.installed-test  ## what is measured, in benchmarks/; docs/performance.md anew
	@$(BIN)/python benchmarks/whole.py --write docs/performance.md
	@$(BIN)/python benchmarks/growth.py --write docs/performance.md
	@for file in $(filter-out %/accounts.py %/crowd.py %/whole.py %/growth.py,$(sort $(wildcard benchmarks/*.py))); do echo "$$file"; $(BIN)/python $$file || exit; done

mutants: $(VENV)/.installed-test  ## docs/proof.md anew: faults planted in Harness and in the code, and whether the tool notices
	@$(BIN)/python tests/prove.py --write docs/proof.md

fuzz: $(VENV)/.installed-test  ## docs/reliability.md anew: ten thousand broken inputs, and how each of them ended
	@$(BIN)/python tests/fuzz/fuzz.py --write docs/reliability.md

kills: $(VENV)/.installed-test  ## the same page anew: a load killed at every write, and each fault at every request
	@$(BIN)/python tests/break_loads.py --write docs/reliability.md

installs: $(VENV)/.installed-test  ## docs/installs.md anew: the ways to install, each tried; give PYTHONS="--python 3.12=/path ..."
	@$(BIN)/python tests/try_installs.py $(PYTHONS) --write docs/installs.md

example: $(VENV)/.installed-test  ## reports/example/ and docs/pictures/ anew, after a page or a notebook has changed
	@$(BIN)/python docs/make_example.py
	@$(BIN)/python docs/make_pictures.py

docs: $(VENV)/.installed-test  ## the docs as a site, searched offline: build/site/index.html
	@$(BIN)/python docs/make_site.py

clean:  ## remove what tests and the demo left; $(VENV) stays
	@rm -rf demo build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find pdmigrate tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

# Installed once, and again when the list of what to install changes. The stamp is made last, so that an install cut
# short is taken up again; what the tests need includes what the demo needs.
$(VENV)/.installed: EXTRAS :=
$(VENV)/.installed-test: EXTRAS := [test]
$(VENV)/.installed $(VENV)/.installed-test: pyproject.toml constraints.txt $(NO_ENVIRONMENT)
	@echo "Installing into $(VENV): about a minute the first time."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(PIP) $(INSTALL) -e ".$(EXTRAS)"
	@touch $(VENV)/.installed $@

# A folder that was an environment is made anew (its Python is gone, or old); of any other folder nothing is removed.
environment:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { $(TOO_OLD); }
	@$(PYTHON) -m venv $$(test ! -f $(VENV)/pyvenv.cfg || echo --clear) $(VENV) \
		|| { rm -f $(BIN)/python; echo "no environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
