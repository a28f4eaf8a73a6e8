# Every command of this repository. Each sets up what it needs: .venv from requirements/dev.txt, once.
# Options: PYTHON=/path/to/python3 (for .venv), ARGS="..." (to pytest or the demo), UPGRADE=1 (make lock).

VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FAST_TESTS = $(wildcard tests/core tests/properties tests/wire tests/check tests/config tests/test_ground.py)
# A worker for each core, a file of tests to one worker: its fixtures are made once. In the order that files are found in,
# the few long files are not the last.
PARALLEL = --numprocesses auto --maxprocesses 4 --max-worker-restart 0 --dist loadfile --no-loadscope-reorder
# A test that hangs fails by its name, with the stacks of all threads, and the others go on. If it hangs where Python does
# not run, the stacks are written and the worker ends. Far above what any test takes on a busy machine.
BOUNDED = --timeout $(LIMIT_S) --timeout-method signal -o faulthandler_timeout=$$((2 * $(LIMIT_S))) -o faulthandler_exit_on_timeout=true
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.PHONY: help dev run demo test test-fast test-all conformance fuzz mutate properties golden cover check fmt fmt-check lint types imports \
	proto proto-check lock bench bench-masking storm attack soak chaos profile image image-test release chart kube-test clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# ---- set-up ----

dev: $(READY) ## set up .venv, and commit hooks where this is a git clone
	@if test -d .git; then $(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push; fi

# The stamp makes repeated runs instant; a changed lock or pyproject.toml brings .venv up to date.
$(READY): requirements/dev.txt pyproject.toml
	@if ! test -x $(BIN)/python; then \
		python="$$(PYTHON="$(PYTHON)" tools/find-python)" || exit 1; \
		echo "creating $(VENV) with $$python"; \
		"$$python" -m venv $(VENV); \
	fi
	@echo "installing requirements/dev.txt into $(VENV): about a minute the first time"
	@$(PIP) install --quiet --no-deps --only-binary :all: --require-hashes -r requirements/dev.txt
	@PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation -e .
	@$(PIP) check >/dev/null
	@touch $@

lock: $(READY) ## resolve requirements/*.txt again; UPGRADE=1 takes the newest versions
	@for name in server dev demo build; do \
		case $$name in \
			dev) extras="--all-extras" ;; \
			server) extras="--extra server --extra postgres" ;; \
			demo) extras="--extra server --extra demo --constraint requirements/dev.txt" ;; \
			build) extras="--all-build-deps --only-build-deps --constraint requirements/dev.txt" ;; \
			*) extras="--extra $$name" ;; \
		esac; \
		CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile pyproject.toml $$extras \
			--output-file requirements/$$name.txt --generate-hashes --strip-extras --allow-unsafe --quiet \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(if $(UPGRADE),--upgrade) || exit 1; \
	done

# ---- run ----

run: $(READY) ## the main job on loopback: issuer, MCP server, Envoy and the sidecar; Ctrl-C ends it
	@$(BIN)/agen-authz demo $(ARGS)

demo: $(READY) ## the story: what is allowed, what is denied, and why
	@$(BIN)/agen-authz demo --tour $(ARGS)

# ---- test ----

# Modules are compiled once, not again by each process that a test starts, whatever the environment says.
test test-all: export PYTHONDONTWRITEBYTECODE =

test: LIMIT_S = 300
test: $(READY) ## everything that needs no service, a real Envoy included, with coverage thresholds
	@mkdir -p build/coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) $(BOUNDED) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage json --quiet
	@$(BIN)/python -m tools.coverage_thresholds build/coverage/coverage.json

test-fast: $(READY) ## core, wire and configuration: no server is started
	$(BIN)/pytest -m "not (services or envoy or loopback or slow)" $(ARGS) $(FAST_TESTS)

# pytest exits with 5 if nothing is collected: that is not a failure here, but any other code is.
test-all: LIMIT_S = 900
test-all: $(READY) ## what `make test` leaves out; installs by name what that needs
	@tools/install-test-services
	@tools/install-peers
	@tools/install-browser
	@tools/install-fuzz
	@tools/install-fastmcp
	@tools/install-prometheus
	@tools/install-helm
	@tools/kube/crds || echo "custom resources: their definitions cannot be had here; the tests of their fields are skipped and say so"
	@tools/install-release
	@$(BIN)/pytest -m services --collect-only -qq >/dev/null; status=$$?; \
	if test $$status -eq 5; then \
		echo "no test needs a service yet"; \
	elif test $$status -ne 0; then \
		$(BIN)/pytest -m services --collect-only -q; exit $$status; \
	else \
		$(BIN)/pytest -m services $(BOUNDED) $(ARGS); \
	fi

conformance: $(READY) ## the official MCP suite against a server directly and through us: nothing may differ
	@tools/install-peers
	@$(BIN)/python -m tests.peers.conformance

fuzz: $(READY) ## fuzz every reader of foreign bytes, SECONDS=60 each; ARGS="mcp" for one
	@tools/install-fuzz
	@$(BIN)/python -m tests.fuzz $(or $(ARGS),all) --seconds $(or $(SECONDS),60)

mutate: $(READY) ## change one line at a time and see whether tests notice, SECONDS=600 a part; ARGS="core" for one
	@tools/install-mutate
	@$(BIN)/python -m tools.mutate $(ARGS) --seconds $(or $(SECONDS),600)

properties: $(READY) ## the property tests with many more examples, new ones each time
	$(BIN)/pytest --hypothesis-profile=thorough $(ARGS) $(wildcard tests/core tests/properties)

golden: $(READY) ## write the golden files again; review the diff
	$(BIN)/pytest --golden $(ARGS) || test $$? -eq 5

cover: test ## `make test`, then the lines and branches that no test reached
	@$(BIN)/coverage html --quiet && echo "build/coverage/html/index.html"
	@$(BIN)/coverage report

storm: $(READY) ## clients that abort next to good calls, on both engines: what others lose
	@$(BIN)/python -m bench.storm

attack: $(READY) ## attacks on loopback next to good callers: what they get, with and without; ARGS="tokens --seconds 4"
	@$(BIN)/python -m bench.attack $(ARGS)

soak: $(READY) ## half an hour of mixed traffic, reloads, rotations and aborted clients; MINUTES=30
	@$(BIN)/python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES))

chaos: $(READY) ## 10,000 calls race for 1,000 approvals while processes are killed, on PostgreSQL and SQLite: minutes
	@tools/install-test-services
	@$(BIN)/python -m tests.chaos $(ARGS)

profile: $(READY) ## where the time of one decision goes
	@$(BIN)/python -m bench.profile

bench: $(READY) ## benchmarks, as ratios of one run; never part of the tests
	@if test -d bench; then $(BIN)/python -m bench $(ARGS); else echo "there are no benchmarks yet"; fi

bench-masking: $(READY) ## precision, recall and cost of masking, next to Presidio's recognizers; writes docs/masking-figures.md
	@tools/install-presidio
	@$(BIN)/python -m bench.masking

# ---- ship ----

IMAGE ?= agen-authz:latest

image: ## build the image IMAGE=agen-authz:latest with buildah, podman or docker; BASE=... for a base with its digest
	@BASE="$(BASE)" tools/build-image "$(IMAGE)"

image-test: LIMIT_S = 900
image-test: $(READY) ## build the image on a base made of Debian packages, run it and look inside; needs root, takes minutes
	@tools/install-image-tools
	@$(BIN)/pytest $(BOUNDED) $(ARGS) tests/image/build_and_run.py

release: $(READY) ## sdist, wheel, SBOM and provenance of the last commit into dist/, checked in empty environments
	@tools/install-release
	@$(BIN)/python -m tools.release $(ARGS)

# ---- chart ----

chart: $(READY) ## lint and render the Helm chart in each mode, against schemas of Kubernetes and custom resources; ARGS="-k istio"
	@tools/install-helm
	@tools/kube/crds
	@$(BIN)/pytest -m "services or not services" $(ARGS) tests/chart

kube-test: $(READY) ## the chart on a real API server, with Envoy Gateway and istiod, built once from Go modules; opt-in
	@tools/install-helm
	@tools/kube/crds
	@$(BIN)/python -m tools.kube.run --crds build/kube-crds $(ARGS)

# ---- check ----

check: fmt-check lint types imports proto-check ## everything that runs no code of ours

fmt: $(READY) ## format, and fix what can be fixed
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

fmt-check: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY) ## ruff, and the size and names of functions and files
	$(BIN)/ruff check .
	$(BIN)/python -m tools.shape

types: $(READY) ## mypy, strict
	$(BIN)/mypy

imports: $(READY) ## who may import whom
	$(BIN)/lint-imports

proto: $(READY) ## generate agen_authz/_pb from proto/
	$(BIN)/python -m tools.proto

proto-check: $(READY)
	$(BIN)/python -m tools.proto --check

clean: ## remove what tools made, .venv included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info .coverage*
