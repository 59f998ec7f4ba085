# Every target sets up what it needs; a second call is quick, because the stamps are newer than what they were made from.

PYTHON ?= python3
# Another Python has an environment of its own: make test VENV=.venv-3.13 PYTHON=/path/to/python3.13
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLIENTS := tests/clients
UNTESTED := the tests with real JavaScript clients and Chromium are skipped (or fail, under BOARDCAST_REQUIRE_CLIENTS=1).
CLIENTS_STAMP := $(CLIENTS)/node_modules/.installed
TOOLS := tests/tools
TOOLS_STAMP := $(TOOLS)/node_modules/.installed
UNLINTED := graphql/ is not linted, the types of the page are not checked, and the tests of tests/tools are skipped (or fail, under BOARDCAST_REQUIRE_CLIENTS=1).
PEERS := tests/bench/peers
PEERS_STAMP := $(PEERS)/node_modules/.installed
NATIVE := $(PEERS)/native
NATIVE_STAMP := $(NATIVE)/node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test check pythons coverage bench clients tools peers native-peers equivalence faults fuzz pictures

help:
	@echo "make run     serve with demo activity on http://127.0.0.1:8000   (ARGS='--port 9000')"
	@echo "make test    run the whole test suite                            (ARGS='-k name')"
	@echo "make pythons run a part of it on all other Pythons of the machine  (SUITES=tests/live)"
	@echo "make coverage  run most tests, print the source that they do not run   (COVERED=tests/unit)"
	@echo "make setup   only set up the virtual environment"
	@echo "make check   lint, format and types; graphql-eslint and tsc too, where Node.js is"
	@echo "make equivalence   compare all exits in many more runs           (EXAMPLES=1000)"
	@echo "make faults  break servers and clients in many more runs         (RUNS=10000, SEED=…, NODES=3)"
	@echo "make fuzz    send bad input to every entry, and count faults     (SECONDS=600, SEED=1)"
	@echo "make pictures  make the pictures of the documentation again, in Chromium"
	@echo "make bench   print the benchmark tables                          (ARGS=--quick, ARGS='--runs 1 websocket')"

setup: $(STAMP)

# Written last, so an interrupted installation starts again.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Boardcast needs Python 3.11 or newer; choose one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "Could not make $(VENV): install the venv module of $(PYTHON) (on Debian: python3-venv)" >&2; exit 1; }
	@echo "Installing Boardcast, the libraries of its tests, and its checks into $(VENV) (once; a minute or two, needs the network):"
	@{ $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check -c constraints.txt -e '.[test,check]' \
		|| echo "pip-failed"; } | { while read -r word name rest; do case "$$word" in \
			Collecting) echo "  getting $$name" ;; Installing) echo "  installing all of them ..." ;; pip-failed) exit 1 ;; \
		esac; done; }
	@touch $@

run: $(STAMP)
	@echo "Starting the demo. When it listens, open its address in a browser: boards at /, GraphiQL at /graphql. Ctrl-C stops it."
	@$(BIN)/python -m server --demo $(ARGS)

test: $(STAMP) clients tools peers
	$(BIN)/python -m pytest -n auto $(ARGS)

# The Pythons from 3.11 on that .ci/pythons finds, but for the one of $(VENV). What needs no server differs between them the most
# and takes the least time. An installation is tried twice, because package mirrors sometimes fail a request.
SUITES ?= tests/unit tests/contract
pythons: $(STAMP)
	@.ci/pythons $(BIN)/python | while read -r version python; do \
		echo "Python $$version: $$python"; \
		set -- $(MAKE) --no-print-directory VENV=.venv-$$version PYTHON=$$python; \
		{ "$$@" setup || "$$@" setup; } </dev/null || exit 1; \
		"$$@" test ARGS="$(SUITES) $(ARGS)" </dev/null || exit 1; \
	done

# Python code takes up to twice the time under measurement. The other suites run few lines that these do not.
COVERED ?= tests/unit tests/contract tests/live
coverage: $(STAMP) clients tools peers
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto $(COVERED) $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# The suite has 200 examples of it; whoever changes what is delivered, or how, runs more.
EXAMPLES ?= 1000
equivalence: $(STAMP)
	BOARDCAST_EQUIVALENCE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n auto tests/equivalence $(ARGS)

# The suite has 100 runs of it. SEED repeats the run of one seed, as far as processes allow, RUNS times. With NODES=3 the
# servers are a cluster, whose PostgreSQL, Redis and connections break too; the suite has a few runs of that.
RUNS ?= 1000
SEED ?=
NODES ?= 1
CLUSTER = tests/faults/cluster
faults: $(STAMP)
	BOARDCAST_FAULT_RUNS=$(RUNS) BOARDCAST_FAULT_SEED=$(SEED) BOARDCAST_FAULT_NODES=$(NODES) $(BIN)/python -m pytest \
		-n auto $(if $(filter 1,$(NODES)),tests/faults --ignore=$(CLUSTER),$(CLUSTER)) $(if $(filter 1,$(NODES)),,-rP) $(ARGS)

# The suite has a short run of it. Without SEED, another one each time, which is printed; ARGS='--only N' repeats one input.
# The longest wait of another client means something only where two cores are idle.
SECONDS ?= 60
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

# Needs Node.js and the network, once; without them the suite runs on and skips what needs the packages.
clients:
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js or npm is missing: $(UNTESTED)"; \
	elif [ ! -e $(CLIENTS_STAMP) ] || [ $(CLIENTS)/package.json -nt $(CLIENTS_STAMP) ]; then \
		(cd $(CLIENTS) && npm install --no-audit --no-fund --no-package-lock --silent) && touch $(CLIENTS_STAMP) \
			|| echo "npm install failed in $(CLIENTS) (offline?): $(UNTESTED)"; \
	fi

# Tools of others for the schema and the page. One of them is in Python, and has an environment of its own.
tools:
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js or npm is missing: $(UNLINTED)"; \
	elif [ ! -e $(TOOLS_STAMP) ] || [ $(TOOLS)/package.json -nt $(TOOLS_STAMP) ] || [ $(TOOLS)/requirements.txt -nt $(TOOLS_STAMP) ]; then \
		(cd $(TOOLS) && npm install --no-audit --no-fund --no-package-lock --silent && $(PYTHON) -m venv .venv \
			&& .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt) \
			&& touch $(TOOLS_STAMP) || echo "npm or pip failed in $(TOOLS) (offline?): $(UNLINTED)"; \
	fi

check: $(STAMP) tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if [ -e $(TOOLS_STAMP) ]; then \
		$(TOOLS)/node_modules/.bin/eslint --max-warnings 0 --config $(TOOLS)/eslint.config.mjs graphql \
			&& $(TOOLS)/node_modules/.bin/tsc --project $(TOOLS)/tsconfig.page.json; \
	else \
		echo "graphql-eslint and tsc are not installed: $(UNLINTED)"; \
	fi

pictures: $(STAMP) clients
	BOARDCAST_PICTURES=.images $(BIN)/python -m pytest tests/clients/test_pictures.py

bench: $(STAMP) peers native-peers
	$(BIN)/python -m tests.bench $(ARGS)

# The other servers of the benchmark. Without them it measures only ours.
peers:
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js or npm is missing: the benchmark runs without its peers."; \
	elif [ ! -e $(PEERS_STAMP) ] || [ $(PEERS)/package.json -nt $(PEERS_STAMP) ]; then \
		(cd $(PEERS) && npm install --no-audit --no-fund --no-package-lock --silent) && touch $(PEERS_STAMP) \
			|| echo "npm install failed in $(PEERS) (offline?): the benchmark runs without its peers."; \
	fi

# One more of them, which npm has to compile. Only the benchmark needs it, so the test suite does not wait for it.
native-peers:
	@if command -v npm >/dev/null && { [ ! -e $(NATIVE_STAMP) ] || [ $(NATIVE)/package.json -nt $(NATIVE_STAMP) ]; }; then \
		(cd $(NATIVE) && npm install --no-audit --no-fund --no-package-lock --silent) && touch $(NATIVE_STAMP) \
			|| echo "npm install failed in $(NATIVE) (offline, or no C++ compiler?): the benchmark runs without that peer."; \
	fi
