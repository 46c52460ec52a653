# make demo: set everything up and show both visualisations. make test: set up what the tests need and run them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow check bench bench-viewer bench-peers clean

demo: $(READY)
	$(BIN)/python attention_visualization.py

test: $(READY) chromium node_modules
	npm test --silent
	$(BIN)/python -m pytest

test-slow: $(READY) chromium
	$(BIN)/python -m pytest -m slow

check: $(READY) node_modules
	npm run --silent types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY)
	$(BIN)/python benchmarks/run.py

# Beside captum and inseq, and the explorer's page beside those of other tools, in an environment of their own.
PEERS := benchmarks/peers/.venv
bench-peers: $(READY) $(PEERS)/.ready
	$(BIN)/python benchmarks/peers/run.py $(PEERS)/bin/python

$(PEERS)/.ready: benchmarks/peers/requirements.txt benchmarks/peers/package.json
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --disable-pip-version-check --quiet -r benchmarks/peers/requirements.txt
	npm install --prefix benchmarks/peers --no-package-lock --silent --no-audit --no-fund
	@touch $@

bench-viewer: $(READY) chromium $(PEERS)/.ready
	$(BIN)/python benchmarks/viewer.py $(PEERS)/bin/python

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "attnscope needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 has no venv: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --editable .
	@touch $@

# The tests drive a real browser and draw Japanese. Debian's packages are installed where this user may; else one line
# says what is missing.
.PHONY: chromium
chromium:
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
		&& fc-list :lang=ja 2>/dev/null | grep -q .; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk fontconfig >/dev/null; \
	else \
		echo "the tests need Chromium and a Japanese font: sudo apt-get install chromium fonts-noto-cjk fontconfig"; exit 1; \
	fi

# TypeScript reads the viewer's JSDoc types, axe-core looks at its pages: tools that check, of which nothing is shipped.
node_modules: package.json package-lock.json
	@if command -v npm >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null; \
	else \
		echo "checking the viewer needs Node.js: sudo apt-get install nodejs npm"; exit 1; \
	fi
	npm ci --silent --no-audit --no-fund
	@touch $@

clean:
	rm -rf $(VENV) attention_demo.* gradient_attention_demo.*
