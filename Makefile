# Every target sets up what it needs; a second call is quick, because the stamps are newer than what they were made from.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLIENTS := tests/clients
UNTESTED := the tests with real JavaScript clients and Chromium are skipped (or fail, under BOARDCAST_REQUIRE_CLIENTS=1).
CLIENTS_STAMP := $(CLIENTS)/node_modules/.installed
PEERS := tests/bench/peers
PEERS_STAMP := $(PEERS)/node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench clients peers equivalence faults fuzz

help:
	@echo "make run     serve with demo activity on http://127.0.0.1:8000   (ARGS='--port 9000')"
	@echo "make test    run the whole test suite                            (ARGS='-k name')"
	@echo "make setup   only set up the virtual environment"
	@echo "make check   lint, format and types"
	@echo "make equivalence   compare all exits in many more runs           (EXAMPLES=1000)"
	@echo "make faults  break servers and clients in many more runs         (RUNS=10000, SEED=…)"
	@echo "make fuzz    send bad input to every entry, and count faults     (SECONDS=600, SEED=1)"
	@echo "make bench   print the benchmark tables                          (ARGS=--quick, ARGS='--runs 1 websocket')"

setup: $(STAMP)

# Written last, so an interrupted installation starts again.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Boardcast needs Python 3.11 or newer; choose one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "Could not make $(VENV): install the venv module of $(PYTHON) (on Debian: python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@

run: $(STAMP)
	$(BIN)/python -m server --demo $(ARGS)

test: $(STAMP) clients peers
	$(BIN)/python -m pytest -n auto $(ARGS)

# The suite has 200 examples of it; whoever changes what is delivered, or how, runs more.
EXAMPLES ?= 1000
equivalence: $(STAMP)
	BOARDCAST_EQUIVALENCE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n auto tests/equivalence $(ARGS)

# The suite has 100 runs of it. SEED repeats the run of one seed, as far as processes allow, RUNS times.
RUNS ?= 1000
SEED ?=
faults: $(STAMP)
	BOARDCAST_FAULT_RUNS=$(RUNS) BOARDCAST_FAULT_SEED=$(SEED) $(BIN)/python -m pytest -n auto tests/faults $(ARGS)

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

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP) peers
	$(BIN)/python -m tests.bench $(ARGS)

# The other servers of the benchmark. Without them it measures only ours.
peers:
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js or npm is missing: the benchmark runs without its peers."; \
	elif [ ! -e $(PEERS_STAMP) ] || [ $(PEERS)/package.json -nt $(PEERS_STAMP) ]; then \
		(cd $(PEERS) && npm install --no-audit --no-fund --no-package-lock --silent) && touch $(PEERS_STAMP) \
			|| echo "npm install failed in $(PEERS) (offline?): the benchmark runs without its peers."; \
	fi
