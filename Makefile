# `make help` lists the targets. Every target sets up what it needs; nothing has to be typed before.
IS_3_11 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
PYTHON ?= $(shell python3 -c '$(IS_3_11)' && echo python3 || echo python3.11)
BIN := .venv/bin
FAULTS := tests/faults tests/ops/topics/test_histories.py \
	tests/services/gateway/routes/test_dependencies_down.py $(addprefix tests/journeys/test_,\
	changed_minds.py deactivation.py disasters.py failures_and_unknowns.py outages.py own_servers.py \
	provider_outages.py public_cases.py replay_live.py resend.py restarts_and_kills.py runbooks.py \
	takeover.py)
# They have targets of their own.
ON_CLUSTERS := tests/clients tests/cluster tests/containers tests/deploy tests/pages tests/secured
LOCKS := crm scheduler composer mailer gateway ops
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make locks"
.DEFAULT_GOAL := help
# What has failed halfway is not there.
.DELETE_ON_ERROR:
# Each pytest worker would rewrite the asserts of all tests again, at each run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# One stamp for the whole environment: made again when the pins or the project change.
.venv/ready: locks/dev.txt pyproject.toml
	@$(PYTHON) -c '$(IS_3_11)' || \
		{ echo "RealtorOS needs Python 3.11: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing the pinned packages into .venv (about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: demo
demo: .venv/ready pages-if-possible  ## Watch 25 leads being followed up, the calendar compressed (FILE="my leads.csv", ONCE=1, FRESH=1)
	@$(BIN)/realtoros demo $(if $(ONCE),--once) $(if $(FRESH),--fresh) $${FILE:+"$$FILE"}

.PHONY: up
up: .venv/ready pages-if-possible  ## Run everything on this machine until Ctrl-C, with its data in .realtoros
	@$(BIN)/realtoros up

.PHONY: up-docker
up-docker: .venv/ready pages-if-possible  ## The same, with Kafka and MongoDB in containers (needs Docker)
	docker compose --profile servers up --detach --wait open-kafka open-mongodb
	KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 \
		MONGODB_URI='mongodb://127.0.0.1:27017/?replicaSet=rs0' $(BIN)/realtoros up

# The dashboard's pages, by a Node of their own: none has to be on the machine.
NPM := cd frontend && PATH=$(CURDIR)/.cache/node/bin:$$PATH npm --loglevel error
PAGE_SOURCES := docs/openapi.json $(shell find frontend \( -name node_modules -o -name out \) -prune \
	-o -type f ! -name schema.d.ts -print 2>/dev/null)

.cache/node/ready: locks/node.txt
	@echo "Installing Node into .cache/node …"
	@$(PYTHON) -m venv .cache/node
	@.cache/node/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/node.txt
	@touch $@

frontend/node_modules/ready: frontend/package-lock.json .cache/node/ready
	@echo "Installing what builds the dashboard's pages into frontend/node_modules …"
	@$(NPM) ci --no-audit --no-fund >&2
	@touch $@

frontend/out/index.html: frontend/node_modules/ready $(PAGE_SOURCES)
	@echo "Building the dashboard's pages …"
	@$(NPM) run build >&2

.PHONY: pages
pages: frontend/out/index.html  ## Build the dashboard's pages into frontend/out

# What also works without them.
.PHONY: pages-if-possible
pages-if-possible:
	@mkdir -p .cache
	@$(MAKE) --no-print-directory --silent pages 2>.cache/pages.log || \
		echo "The dashboard's pages cannot be built (.cache/pages.log tells why): there is the API alone."

# Those that run beside others, then those that want the machine alone; one verdict at the end.
# Of the second part there may be none (pytest's code 5). $(1): which tests, $(2): which marks,
# $(3): how many beside each other, 2 unless it is given.
define both-parts
	@failed=; \
	$(BIN)/pytest -n $(or $(3),2) --dist loadfile --no-loadscope-reorder -m "$(2)not alone and not long" $(1) \
		|| failed="those beside each other; "; \
	$(BIN)/pytest -m "$(2)alone and not long" $(1) || [ $$? = 5 ] || failed="$${failed}those alone"; \
	if [ -z "$$failed" ]; then echo "$@: passed"; else echo "$@: FAILED: $${failed%; }"; exit 1; fi
endef

.PHONY: test
test: .venv/ready  ## Run the tests on the embedded MongoDB and Kafka, but those of faults
	$(call both-parts,$(addprefix --ignore=,$(FAULTS) $(ON_CLUSTERS)))

.PHONY: test-faults
test-faults: .venv/ready  ## Run the tests of faults: kills at every step, refusals, outages, disasters, poison, attacks
	@# They mostly wait: three at a time take what two cores have.
	$(call both-parts,$(FAULTS),,3)

.PHONY: test-long
test-long: .venv/ready  ## Run the tests that take long, before a release (TEST_KAFKA=apache: on Apache Kafka)
	$(BIN)/pytest -m long $(addprefix --ignore=,$(ON_CLUSTERS))

.PHONY: test-kafka
test-kafka: export TEST_KAFKA := apache
test-kafka: .venv/ready  ## Run the journeys on Apache Kafka (Docker, or Java 17 with Maven)
	$(call both-parts,,journey and )

.PHONY: lint
lint: .venv/ready  ## Check format, lint, types, architecture, secrets and locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r contracts chassis services ops
	@# Not by their names (tests have passwords), nor hexadecimal ones (digests and pins).
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook \
		--disable-plugin KeywordDetector --disable-plugin HexHighEntropyString
	$(BIN)/python -m tests.architecture.pins
	@$(MAKE) --no-print-directory locks-check

.PHONY: containers
containers:  ## Build the images of the services and of the commands (BASE_IMAGE=, PIP_CONFIG=, NPM_CONFIG=, CERTIFICATES=)
	deploy/containers/build.sh

.PHONY: secrets
secrets:  ## Make the secrets that docker-compose.yml mounts, in .secrets (SECRETS_DIR=)
	deploy/containers/secrets.sh

.cache/containers/venv/ready: locks/containers.txt
	@echo "Installing podman-compose and what lists packages into .cache/containers/venv …"
	@$(PYTHON) -m venv .cache/containers/venv
	@.cache/containers/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/containers.txt
	@touch $@

.PHONY: sbom
sbom: .cache/containers/venv/ready  ## List what is in the images, and under which licences (CycloneDX, in .cache/sbom)
	deploy/containers/sbom.sh

.PHONY: containers-test
containers-test: .venv/ready .cache/containers/venv/ready  ## Run docker-compose.yml by podman until 25 leads are sent, and stop it
	. tests/containers/environment.sh && tests/containers/stand_ins.sh
	. tests/containers/environment.sh && deploy/containers/build.sh
	. tests/containers/environment.sh && $(BIN)/pytest tests/containers
# Kubernetes. The tools are built from the Go module proxy, each once per version.
CLUSTER_TOOLS := etcd kubernetes kwok
CHART_TOOLS := helm helm-unittest crds

.PHONY: cluster-tools
cluster-tools:  ## Build what the chart's tests run: helm, a control plane (8 minutes, once; needs Go 1.26)
	tests/cluster/tools/build.sh $(CHART_TOOLS) $(CLUSTER_TOOLS)

.cache/deploy/ready: locks/deploy.txt
	@echo "Installing what checks the chart into .cache/deploy …"
	@$(PYTHON) -m venv .cache/deploy
	@.cache/deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/deploy.txt
	@touch $@

.PHONY: chart
chart: .venv/ready  ## Write what is generated in deploy/k8s: the chart's README, the plain manifests
	@tests/cluster/tools/build.sh $(CHART_TOOLS)
	$(BIN)/python -m tests.deploy.generated

.PHONY: check-deploy
check-deploy: .venv/ready .cache/deploy/ready  ## Check the chart: helm, schemas, Pod Security, what is generated
	@tests/cluster/tools/build.sh $(CHART_TOOLS)
	$(BIN)/python -m tests.deploy.generated --check
	.cache/cluster/bin/helm-unittest deploy/k8s/chart
	$(BIN)/pytest tests/deploy
	@for values in deploy/k8s/chart/ci/*-values.yaml; do echo "kubernetes-validate: $$values"; \
		.cache/cluster/bin/helm template realtoros deploy/k8s/chart --values $$values | \
		.cache/deploy/bin/kubernetes-validate --strict --quiet --no-warn --kubernetes-version 1.36 /dev/stdin || \
		exit 1; done
	.cache/deploy/bin/checkov --config-file deploy/k8s/checkov.yaml
	.cache/deploy/bin/hadolint Dockerfile
	@$(MAKE) --no-print-directory check-monitoring

.PHONY: cluster-test
cluster-test: .venv/ready cluster-tools  ## Install, upgrade, break and roll back the chart on a real control plane
	. tests/containers/environment.sh && tests/containers/stand_ins.sh base
	. tests/containers/environment.sh && deploy/containers/build.sh
	$(BIN)/pytest --timeout 600 tests/cluster --ignore tests/cluster/pods
	. tests/containers/environment.sh && $(BIN)/pytest --timeout 600 tests/cluster/pods

# Its packages stay out of .venv: what they generate must need nothing of ours.
.cache/clients/ready: locks/clients.txt tests/clients/typescript/package-lock.json .cache/node/ready
	@echo "Installing what generates clients of the API into .cache/clients …"
	@$(PYTHON) -m venv .cache/clients/venv
	@.cache/clients/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/clients.txt
	@mkdir -p .cache/clients/typescript && cp tests/clients/typescript/package*.json .cache/clients/typescript
	@cd .cache/clients/typescript && PATH=$(CURDIR)/.cache/node/bin:$$PATH npm ci --loglevel error --no-audit --no-fund
	@touch $@

.PHONY: check-clients
check-clients: .venv/ready .cache/clients/ready  ## Generate clients of the API for Python and TypeScript, check their types, use them
	$(BIN)/pytest tests/clients

.PHONY: check-web
check-web: frontend/node_modules/ready  ## Check the dashboard's sources: format, lint, types, unit tests
	@$(NPM) run check

.PHONY: test-pages
test-pages: .venv/ready pages  ## Use the dashboard in Chromium on a running system (needs chromium)
	$(BIN)/pytest -n 2 tests/pages

.PHONY: check
check: lint test  ## All of lint, all tests but the long ones, generated clients, the dashboard
	@$(MAKE) --no-print-directory check-clients check-web test-faults
	@$(MAKE) --no-print-directory test-pages

.PHONY: bench
bench: .venv/ready  ## Drain 2,000 due follow-ups and print rates beside a bare-client floor (COUNT=)
	$(BIN)/python -m tests.bench

# Its packages stay out of .venv: the product must work without them.
.cache/peer/ready: locks/peer.txt
	@echo "Installing Celery, Redis' client and gevent into .cache/peer …"
	@$(PYTHON) -m venv .cache/peer
	@.cache/peer/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/peer.txt
	@touch $@

.PHONY: bench-peer
bench-peer: .venv/ready .cache/peer/ready  ## Drain beside Celery, Redis and MongoDB doing the same (needs redis-server; COUNT=, DELAYS=)
	$(BIN)/python -m tests.bench --peer

.PHONY: bench-idle
bench-idle: .venv/ready  ## Print what `realtoros up` costs while nothing happens
	$(BIN)/python -m tests.bench --idle

.PHONY: bench-steady
bench-steady: .venv/ready  ## Print due-to-accepted times under 30 follow-ups/s for three minutes (SECONDS=)
	$(BIN)/python -m tests.bench --steady

.PHONY: bench-limits
bench-limits: .venv/ready  ## Print how the calls follow a provider that refuses, and one that becomes slow
	$(BIN)/python -m tests.bench --limits

.PHONY: bench-replay
bench-replay: .venv/ready  ## Replay all services from 500,000 events beside a bare loop; compare digests (COUNT=)
	$(BIN)/python -m tests.bench --replay

.PHONY: bench-api
bench-api: .venv/ready  ## Print the API's rates over 100,000 clients beside a bare handler's (SECONDS=, COUNT=)
	$(BIN)/python -m tests.bench --api

.PHONY: bench-pages
bench-pages: .venv/ready pages  ## Print how soon the dashboard shows what, on a slow line and CPU (needs chromium; COUNT=, MINUTES=)
	$(BIN)/python -m tests.bench --pages

.PHONY: bench-optout
bench-optout: .venv/ready  ## Print times of opt-outs at 50/s, and one gateway's rate of SendGrid's reports (SECONDS=)
	$(BIN)/python -m tests.bench --optout

.PHONY: bench-attacks
bench-attacks: .venv/ready  ## Print an honest agent's times while another attacks, for each attack (SECONDS=, ATTACK=)
	$(BIN)/python -m tests.bench --attacks

.PHONY: bench-pauses
bench-pauses: .venv/ready  ## Print how soon all sending stops when it is paused, with two mailers
	$(BIN)/python -m tests.bench --pauses

.PHONY: chaos
chaos: .venv/ready  ## Kill, stop, cut and restart under load, then check (MINUTES=, SEED=, FOLLOWUPS=)
	$(BIN)/python -m tests.faults.chaos

.PHONY: test-secured
test-secured: .venv/ready  ## Run a month on Apache Kafka with TLS, SCRAM and ACLs (needs Java 17 and Maven)
	$(BIN)/pytest tests/secured

.PHONY: check-monitoring
check-monitoring: .venv/ready  ## Check alerts, their tests, dashboard and scrapes (needs promtool: apt-get install prometheus)
	$(BIN)/python -m tests.deploy.monitoring

.PHONY: test-alerts
test-alerts: .venv/ready  ## Let Prometheus scrape a real run; wait for alerts to fire and clear (needs prometheus)
	$(BIN)/pytest -q tests/deploy/live_alerts.py

.PHONY: describe
describe: .venv/ready  ## Write the generated files: JSON Schemas, and what is generated in docs/
	$(BIN)/python -m tests.contracts.golden_files
	$(BIN)/python -m contracts.describing.files
	$(BIN)/python -m services.gateway.describe
	$(BIN)/python -m ops.describe

.PHONY: history
history: .venv/ready  ## Record the history of a release, which every later one has to replay (RELEASE=)
	$(BIN)/python -m tests.ops.topics.recording $(RELEASE)

.PHONY: locks
locks: .venv/ready  ## Compile the pins with hashes again after pyproject.toml has changed
	@$(foreach s,$(LOCKS),$(COMPILE) pyproject.toml --extra $(s) --extra tracing --output-file locks/$(s).txt &&) \
		$(COMPILE) pyproject.toml --all-extras --group dev --output-file locks/dev.txt && \
		$(COMPILE) --group peer --output-file locks/peer.txt && \
		$(COMPILE) --group containers --output-file locks/containers.txt && \
		$(COMPILE) --group deploy --output-file locks/deploy.txt && \
		$(COMPILE) --group clients --output-file locks/clients.txt && \
		$(COMPILE) --group node --output-file locks/node.txt

.PHONY: locks-check
locks-check: .venv/ready  ## Check that the pins fit pyproject.toml
	@fresh=$$(mktemp -d) && cp locks/*.txt $$fresh/ && \
		$(foreach s,$(LOCKS),$(COMPILE) pyproject.toml --extra $(s) --extra tracing --output-file $$fresh/$(s).txt &&) \
		$(COMPILE) pyproject.toml --all-extras --group dev --output-file $$fresh/dev.txt && \
		$(COMPILE) --group peer --output-file $$fresh/peer.txt && \
		$(COMPILE) --group containers --output-file $$fresh/containers.txt && \
		$(COMPILE) --group deploy --output-file $$fresh/deploy.txt && \
		$(COMPILE) --group clients --output-file $$fresh/clients.txt && \
		$(COMPILE) --group node --output-file $$fresh/node.txt && \
		diff -ru locks $$fresh && echo "locks/ fits pyproject.toml"; \
		status=$$?; rm -rf $$fresh; exit $$status

.PHONY: format
format: .venv/ready  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: clean
clean:  ## Remove the environment and all caches; data in .realtoros stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf frontend/node_modules frontend/out frontend/src/api/schema.d.ts
