# Every command of the book. `make help` lists them.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
JAVASCRIPT := src _static
PROSE := *.md chapters/*.md
# Words that only look misspelled, and files that are not ours to spell.
SPELLING := --ignore-words-list=fro,nd,fpr,readby --skip='*.csv,*.json,*.npz,*.pt,*.svg,*LICENSE*'

# The same seed gives other bits with another number of threads, so every kernel and test runs with one.
export OMP_NUM_THREADS := 1
# Dozens of processes read the same sources, which containers often forbid to keep compiled.
unexport PYTHONDONTWRITEBYTECODE

# conftest.py says how many processes that is, which tests share one, and what comes first.
PARALLEL := -n auto --maxprocesses 8 --dist loadgroup --no-loadscope-reorder

.PHONY: help book test check lint serve watch notebooks zip pdf colab bench lowest clean
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -E '^[a-z ]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z ]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: the book needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Installing the pinned packages into $(VENV) (once; a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

book: $(READY) ## build the website into _build/html
	@$(BIN)/python tools/book.py

test: $(READY) ## run every check: lint, build, unit, parity, twins, browser
	@$(BIN)/python tools/browser.py
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python tools/book.py
	@$(BIN)/python -m pytest $(PARALLEL)

check: $(READY) ## run what needs neither a built site nor a browser: lint, the package, its numbers (about a minute)
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest $(PARALLEL) -m "not (build or browser or site)"

lint: $(READY) ## check style, format, spelling, links, glued numbers, alternative texts, cells, and notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/oxlint $(JAVASCRIPT)
	@$(BIN)/oxfmt --check $(JAVASCRIPT)
	@$(BIN)/python -m codespell_lib $(SPELLING) --builtin clear,rare,en-GB_to_en-US $(PROSE)
	@$(BIN)/python -m codespell_lib $(SPELLING) _ext _static experiments src tests tools
	@$(BIN)/python tools/notebooks.py --check
	@$(BIN)/python tools/korean.py stale
	@$(BIN)/python -m pytest -q --noconftest --disable-plugin-autoload tests/test_chapters.py -m lint

serve: $(READY) ## show the built site on http://localhost:8000 (PORT=...)
	@test -f _build/html/index.html || { echo "make serve: there is no site yet; run: make book"; exit 1; }
	@echo "http://localhost:$(PORT)  (Ctrl-C ends it)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

watch: $(READY) ## rebuild and reload the page while you write (PORT=...)
	@$(BIN)/python tools/watch.py $(PORT)

notebooks: $(READY) ## write chapters/*.ipynb, README links and CITATION from their sources
	@$(BIN)/python tools/notebooks.py

zip pdf: $(READY) ## pack the built site, or print both editions: _build/backbone.zip, _build/backbone*.pdf
	@$(BIN)/python tools/publish.py $@

colab: $(READY) ## run every notebook as on Colab: fresh environment, ipywidgets 7.7, package from git
	@$(BIN)/python tools/colab.py

bench: $(READY) ## measure speed: PARTS="operations figures moves networks pages", or all
	@$(BIN)/python tools/bench.py $(PARTS)

lowest: $(READY) ## run the package's tests with the lowest versions that pyproject.toml allows
	@$(BIN)/python tools/lowest.py

clean: ## delete what was built (not .venv)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
