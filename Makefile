# make demo: set everything up and show both visualisations. make test: set up what the tests need and run them.
# On Windows: in Git's bash, whose commands the rules are written in.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
SCRIPTS := Scripts
else
PYTHON ?= python3
SCRIPTS := bin
endif
VENV := .venv
BIN := $(VENV)/$(SCRIPTS)
READY := $(VENV)/.ready

.PHONY: demo playground test test-slow test-lowest test-newest test-families test-families-sample families-table check style types arrows dependencies viewer hooks bench bench-viewer bench-serve bench-peers peers-table dist docs docs-figures clean

demo: $(READY)
	$(BIN)/python attention_visualization.py

# A page on this machine where one types and sees at once.
playground: $(READY)
	$(BIN)/python -m attnscope serve --open

# A process for each processor: what one of them has loaded, each has, in memory.
WORKERS := -n auto --maxprocesses 4 --dist worksteal
test: $(READY) chromium node_modules
	npm test --silent
	$(BIN)/python -m pytest $(WORKERS)

# It has workers of its own, so it runs alone.
RAY := tests/studies/survey/test_on_ray.py
test-slow: $(READY) chromium tex
	$(BIN)/python -m pytest -m slow $(WORKERS) --ignore $(RAY)
	$(BIN)/python -m pytest -m slow $(RAY)

# A tiny model of every text architecture of transformers: half an hour on two cores. The sample is a fixed fifth.
FAMILIES := PYTHONPATH=tests:tests/support $(BIN)/python -m families
test-families: $(READY)
	$(FAMILIES)

test-families-sample: $(READY)
	$(FAMILIES) --sample

# The table of docs/models.md, from the list of what is refused.
families-table: $(READY)
	$(FAMILIES) --table

# The core with the lowest and with the newest versions that pyproject.toml allows, each in an environment of its own.
# Python 3.11 or 3.12: the lowest numpy has no wheels for later ones. What old releases warn of is not ours.
CORE := tests/models/attention/test_capture.py tests/models/test_thread_bound.py tests/models/test_default_settings.py \
	tests/models/gradients tests/models/perturbation tests/methods/gradient tests/methods/perturbation
test-lowest test-newest: test-%: .venv-%/.ready
	.venv-$*/$(SCRIPTS)/python -m pytest -W default $(CORE)

.venv-lowest/.ready .venv-newest/.ready: .venv-%/.ready: pyproject.toml
	test -x .venv-$*/$(SCRIPTS)/python || $(PYTHON) -m venv .venv-$*
	.venv-$*/$(SCRIPTS)/python -m pip install --disable-pip-version-check --quiet --upgrade pip uv
	.venv-$*/$(SCRIPTS)/uv pip compile --quiet --resolution $(if $(filter lowest,$*),lowest-direct,highest) \
		--extra adapters --extra bundled --extra figures --extra ja -o .venv-$*/versions.txt pyproject.toml
	.venv-$*/$(SCRIPTS)/uv pip install --quiet --python .venv-$* -c .venv-$*/versions.txt \
		--editable .[adapters,bundled,figures,ja] hypothesis onnx pandas polars psutil pyarrow pytest scipy
	@touch $@

# Each part is a hook of .pre-commit-config.yaml as well.
check: style arrows dependencies viewer types

style: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The package; then what users call, as mypy and pyright see it.
types: $(READY) node_modules
	$(BIN)/mypy
	$(BIN)/python tests/typed/check.py

arrows: $(READY)
	$(BIN)/lint-imports --no-cache

# What is imported is declared, and what is declared imported: by the package alone, then with its tests and benchmarks.
dependencies: $(READY)
	$(BIN)/deptry src --optional-dependencies-dev-groups dev
	$(BIN)/deptry . src tests tests/support benchmarks

viewer: node_modules
	npm run --silent lint
	npm run --silent types

# Checks what a commit changes before it is made.
hooks: $(READY)
	$(BIN)/pre-commit install

# The proofs of docs/cause.md: rows in build/cause, from which a stopped run goes on; tables and figures in the page.
.PHONY: cause-heads cause-estimates cause-capitals cause-reviews
cause-heads cause-estimates cause-capitals cause-reviews: cause-%: $(READY)
	$(BIN)/python benchmarks/effects/cause.py $* --page

# captum, inseq and other tools' pages, in an environment of their own.
PEERS := benchmarks/peers/.venv
PEERS_PYTHON := $(PEERS)/$(SCRIPTS)/python

# The last is captum's one text at a time beside a list of texts.
bench: $(READY) $(PEERS)/.ready
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/corpora/survey_speed.py --peers $(PEERS_PYTHON)

bench-peers: $(READY) $(PEERS)/.ready
	$(BIN)/python benchmarks/peers/run.py $(PEERS_PYTHON)

$(PEERS)/.ready: benchmarks/peers/requirements.txt benchmarks/peers/lxt.txt benchmarks/peers/package.json
	test -x $(PEERS_PYTHON) || $(PYTHON) -m venv $(PEERS)
	$(PEERS_PYTHON) -m pip install --disable-pip-version-check --quiet -r benchmarks/peers/requirements.txt
	$(PEERS_PYTHON) -m pip install --disable-pip-version-check --quiet --no-deps -r benchmarks/peers/lxt.txt
	npm install --prefix benchmarks/peers --no-package-lock --silent --no-audit --no-fund
	@touch $@

bench-viewer: $(READY) chromium $(PEERS)/.ready
	$(BIN)/python benchmarks/viewer.py $(PEERS_PYTHON)

# From a key or a click to what is painted, beside the model's bare passes, and LIT's page, in an environment of its own.
LIT := benchmarks/peers/.venv-lit
LIT_PYTHON := $(LIT)/$(SCRIPTS)/python
bench-serve: $(READY) chromium $(LIT)/.ready
	$(BIN)/python benchmarks/serve.py $(LIT_PYTHON)

$(LIT)/.ready: benchmarks/peers/lit.txt
	test -x $(LIT_PYTHON) || $(PYTHON) -m venv $(LIT)
	$(LIT_PYTHON) -m pip install --disable-pip-version-check --quiet -r benchmarks/peers/lit.txt
	@touch $@

# The README's table of tools; attnread too has an environment of its own.
ATTNREAD := benchmarks/peers/.venv-attnread
ATTNREAD_PYTHON := $(ATTNREAD)/$(SCRIPTS)/python
peers-table: $(READY) chromium $(PEERS)/.ready $(LIT)/.ready $(ATTNREAD)/.ready
	$(BIN)/python benchmarks/peers/table.py $(PEERS_PYTHON) $(LIT_PYTHON) $(ATTNREAD_PYTHON)

$(ATTNREAD)/.ready: benchmarks/peers/attnread.txt
	test -x $(ATTNREAD_PYTHON) || $(PYTHON) -m venv $(ATTNREAD)
	$(ATTNREAD_PYTHON) -m pip install --disable-pip-version-check --quiet -r benchmarks/peers/attnread.txt
	@touch $@

# As pip does by itself, but on every processor.
COMPILE := import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "attnscope needs Python 3.11 or newer: make PYTHON=python3.12 demo"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 has no venv: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --no-compile -r requirements.txt
	$(BIN)/python -W ignore -c '$(COMPILE)'
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --editable .
	@touch $@

# $(call apt,packages,reason,options): Debian's packages where this user may install them, else a line that says what is
# missing.
define apt
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	echo "installing $(1) with apt-get, as root: $(2)"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(3) $(1) >/dev/null; \
else \
	echo "missing: $(1): $(2). Install them, on Debian with: sudo apt-get install $(1)"; exit 1; \
fi
endef

# macOS and Windows bring Japanese fonts, and Playwright finds their Chrome by itself.
.PHONY: chromium
chromium:
	@if [ "$$(uname -s)" != Linux ]; then :; \
	elif { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
		&& fc-list :lang=ja 2>/dev/null | grep -q .; then :; \
	else $(call apt,chromium fonts-noto-cjk fontconfig,the tests drive a real browser and draw Japanese); fi

# Where the exported LaTeX is compiled.
.PHONY: tex
tex:
	@if [ "$$(uname -s)" != Linux ]; then :; \
	elif command -v pdflatex >/dev/null && command -v xelatex >/dev/null; then :; \
	else $(call apt,texlive-latex-recommended texlive-fonts-recommended texlive-xetex,the tests compile exported LaTeX,--no-install-recommends); fi

# Linters and TypeScript read the viewer, axe-core looks at its pages: tools that check, of which nothing is shipped.
node_modules: package.json package-lock.json
	@if ! command -v npm >/dev/null; then $(call apt,nodejs npm,Node.js checks the viewer's JavaScript,--no-install-recommends); fi
	@node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major * 100 + minor < 2012 ? 1 : 0)' \
		|| { echo "the viewer's tests need Node.js 20.12 or newer, for its DecompressionStream"; exit 1; }
	npm ci --silent --no-audit --no-fund
	@touch $@

# The site, from docs/ and the docstrings, in build/site: a folder that is read from disk. A broken link fails it.
# Not --quiet: mkdocs then counts no warnings, and a broken link passes.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

# The docs' pictures that are taken of what really runs: each script in .ci/figures writes some of docs/images.
docs-figures: $(READY) chromium
	for figure in .ci/figures/*.py; do $(BIN)/python $$figure || exit 1; done

# The sample paper of docs/: figures, table, citations and text, from the bundled model to the PDF.
.PHONY: paper
paper: $(READY) tex
	$(BIN)/python docs/sample_paper/build.py

# Wheel and sdist, checked, and used in fresh environments: what a release is made of.
dist: $(READY)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c requirements.txt build twine
	.ci/dist $(CURDIR)/$(BIN)/python

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest attention_demo.* gradient_attention_demo.*
