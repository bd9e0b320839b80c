# Two commands: `make app` and `make test`. Everything happens inside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: app test check install install-test browser clean help

help:  ## Show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /  -  /'

app: install  ## Install and start the app
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: install-test browser check  ## Install, check and run every test, as CI does
	$(BIN)/python -m pytest

check: install-test  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy rec_core

install: $(VENV)/.installed  ## Create the virtual environment

install-test: $(VENV)/.installed-test

# torch first and pinned: what is installed then (a CPU wheel, say) satisfies everything that asks for torch later.
$(VENV)/.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $$(grep '^torch==' requirements.txt)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed tests/requirements.txt
	$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	touch $@

browser:  ## Install Chromium for the browser walk where Debian's package manager is at hand
	@command -v chromium >/dev/null 2>&1 || { \
	  command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }; } || \
	  echo "Chromium is not here and cannot be installed by this user: the browser walk will be skipped."

clean:  ## Remove the virtual environment and caches (the workspace stays)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
