# Set up, try, test and measure stegfield. Every target works as the first command in a new clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
GALLERY ?= gallery
DATA ?= data
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## Install into .venv, with the exact versions of constraints.txt

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".[analysis,app,demo,dev,docs,fast,media,publish]"
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

bench: install  ## Measure speed and quality again, four hours: make bench DATA=folder
	$(BIN)/python benchmarks/embedding.py --data $(DATA) --output results/embedding.json
	$(BIN)/python benchmarks/generating.py --data $(DATA) --output results/generating.json
	$(BIN)/python benchmarks/hiding.py --data $(DATA) --output results/hiding.json
	$(BIN)/python benchmarks/batches.py --data $(DATA) --output results/batches.json
	$(BIN)/python benchmarks/media.py --data $(DATA) --output results/media.json
	$(BIN)/python benchmarks/detecting.py --data $(DATA) --output results/detecting.json
	$(BIN)/python benchmarks/report.py --write

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(GALLERY) build dist site
