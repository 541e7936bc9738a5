# Set up, try, test and measure stegfield. Every target works as the first command in a new clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
GALLERY ?= gallery
DATA ?= data
CASES ?= 1000
SEED ?= 0
RESULTS ?= results/experiments
FIGURES := README.md docs/results.md docs/media.md
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs receiver bench fuzz clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## Install into .venv, with the exact versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".[analysis,app,demo,dev,docs,media,publish]"
	touch $(STAMP)

demo: install  ## Embed and extract, hide and reveal, and draw a gallery
	$(BIN)/stegfield demo --output $(GALLERY) --force

test: check  ## Run the checks and the quick tests, as CI does
	$(BIN)/python -m pytest

check: install  ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install  ## Build the site with all documents into site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

receiver:  ## Build the receiver's page into the package; takes node and npm
	cd receiver && npm ci --ignore-scripts --no-audit --no-fund && npm run check && npm run build

bench: install  ## Run all suites that have no result yet, and the report: make bench DATA=folder
	$(BIN)/stegfield bench --output $(RESULTS) --data $(DATA)
	$(BIN)/stegfield report $(RESULTS) $(foreach page,$(FIGURES),--into $(page))

fuzz: install  ## Read damaged files of every format: make fuzz CASES=100000 SEED=1
	$(BIN)/python tests/fuzz/fuzz.py --cases $(CASES) --seed $(SEED)

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(GALLERY) build dist site receiver/node_modules receiver/build
