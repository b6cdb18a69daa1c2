# kserve-lite. `make` says what there is; every target sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
TESTS := tests/unit tests/laws tests/upstream tests/test_golden.py

.DEFAULT_GOAL := help
.PHONY: help run demo root test cluster reliability golden charts crds schemas check scan bench bench-cluster release tools clean

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run ## Render chart and manifests into build/, validate them, say what to do next
	@$(BIN)/python -m generator.tools helm kubeconform || true
	@$(BIN)/python -m generator build -o build

demo: root $(VENV)/dev ## From nothing to a prediction, on a cluster of its own; MODE=ingress|gatewayApi|virtualService [ASK=once]
	@$(BIN)/python -m tests.cluster.demo $(if $(MODE),--mode=$(MODE)) $(if $(ASK),--ask=$(ASK))

# Before anything is installed that would belong to the wrong user.
root:
	@test "$$(id -u)" = 0 || { echo "ERROR: a cluster needs root for its namespaces; use sudo make" >&2; exit 1; }

# Helm runs some two thousand times, for less than a tenth of a second each: collecting garbage
# meanwhile is a quarter of that.
test: $(VENV)/dev tools ## The tests: units, laws, goldens, upstream's CRDs
	GOGC=400 $(BIN)/python -m pytest -n auto $(TESTS)

cluster: $(VENV)/dev ## The tests on a real control plane, or on the cluster of KUBECONFIG; SUITE=gateways|gitops|reliability [CASE=v1] [IMPLEMENTATION=istio]
	$(BIN)/python -m tests.cluster $(if $(SUITE),tests/cluster/$(SUITE)) $(if $(CASE),-k $(CASE)) $(if $(IMPLEMENTATION),--implementation=$(IMPLEMENTATION))

reliability: $(VENV)/dev ## What callers of a model notice while parts fail, into docs/reliability.md
	$(BIN)/python -m tests.cluster tests/cluster/reliability --page=docs/reliability.md

golden: EXPLAIN := tests/laws/test_03_no_dead_value.py::test_explain_knows_the_values_that_there_are
golden: $(VENV)/dev tools ## Make the goldens, and what `explain` says, what is rendered now
	$(BIN)/python -m pytest -n auto -q --update-golden tests/test_golden.py $(EXPLAIN)
	@git status --short tests/golden generator/data

charts: $(VENV)/dev tools ## Render charts/ from generator/, the example repository, and the pictures of the documents
	$(BIN)/python -m generator chart -o charts
	PYTHONPATH=$(CURDIR) KSERVE_LITE="$(CURDIR)/$(BIN)/python -m generator" examples/gitops/render.sh
	$(BIN)/python -m codegen pictures

crds: $(VENV)/dev ## Derive generator/data/crds from the KServe SDK, then charts/
	$(BIN)/python -m codegen crds
	$(MAKE) charts

schemas: $(VENV)/dev ## Derive generator/data/schemas from upstream's CRDs and Kubernetes
	$(BIN)/python -m codegen schemas

check: $(VENV)/dev tools ## Lint, types, and proof that everything generated is current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m generator chart -o charts --check
	$(BIN)/python -m codegen crds --check
	$(BIN)/python -m codegen schemas --check
	$(BIN)/python -m codegen pictures --check
	$$($(BIN)/python -m generator.tools actionlint | sed 's/^actionlint: //') -shellcheck= -pyflakes=

scan: $(VENV)/dev tools $(VENV)-scan/run ## checkov on the rendered objects and the model pods
	CHECKOV=$(CURDIR)/$(VENV)-scan/bin/checkov $(BIN)/python -m pytest tests/scan

bench: $(VENV)/run tools ## The claims about speed, as ratios in one run
	$(BIN)/python -m benchmarks

bench-cluster: $(VENV)/dev ## The same for CRDs and the first install, beside upstream's; needs root
	$(BIN)/python -m benchmarks.cluster

release: check test ## Charts, wheel, source and checksums into dist/; docs/release.md has the rest
	$(BIN)/python -m distribution -o dist

tools: $(VENV)/run ## Get helm 4, helm 3 and kubeconform: from PATH, else built once
	@$(BIN)/python -m generator.tools

clean: ## Remove build/ and the virtual environments
	rm -rf build $(VENV) $(VENV)-scan

$(VENV)/run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/dev: $(VENV)/run
	$(PIP) --editable .[dev]
	@touch $@

# checkov brings a hundred packages, pinned to versions of its own: an environment apart.
$(VENV)-scan/run: constraints.txt
	$(PYTHON) -m venv $(VENV)-scan
	$(VENV)-scan/bin/python -m pip --disable-pip-version-check install --quiet checkov==3.3.30
	@touch $@
