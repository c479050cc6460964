# `make` or `make help` lists the targets. A machine needs Python 3.11 or newer and make.

PYTHON ?= python3
UV ?= .venv/bin/uv
SERVE_FLAGS ?=
STEPS_FLAGS ?=
PYTEST_FLAGS ?=
TEST_PROCESSES ?= 2
LOCK_FLAGS ?=
LOAD_FLAGS ?=

# A test process that dies ends the run: pytest-xdist has waited for ever for another.
PYTEST = .venv/bin/python -m pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile \
	--max-worker-restart=0
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps
SOURCES := $(wildcard emotion service training k8s loadtests benchmarks container tests)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Packages come from the lock alone, hashes checked; the project itself is added as it lies here,
# built by the locked backend, so that nothing unlocked is fetched. Called as
# $(call environment,FOLDER,LOCK): an environment that is there is brought up to date, not remade.
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Rapt needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1)." \
	"Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
@echo "Making $(1) from $(2)"
$(PYTHON) -m venv $(1)
$(1)/bin/python $(PIP_INSTALL) --require-hashes -r $(2)
$(1)/bin/python $(PIP_INSTALL) --no-build-isolation --no-index -e .
@touch $@
endef

.PHONY: help
help:  ## List the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "%-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: serve
serve: .venv-serve/.ready  ## Start the service on 127.0.0.1:3000 (SERVE_FLAGS are passed on)
	.venv-serve/bin/rapt serve $(SERVE_FLAGS)

.PHONY: serving
serving: .venv-serve/.ready  ## Make the serving environment, .venv-serve (no torch)

.PHONY: setup
setup: .venv/.ready  ## Make the full environment, .venv

.venv/.ready: requirements/full.txt pyproject.toml
	$(call environment,.venv,requirements/full.txt)

.venv-serve/.ready: requirements/serving.txt pyproject.toml
	$(call environment,.venv-serve,requirements/serving.txt)

# tritonserver lies in a wheel for Linux, with a Python backend that is told which Python it is for,
# and without its onnxruntime backend: tests/triton_backend takes that one's place. The Python
# backend wants numpy 1, which Python 3.13 doesn't have.
define triton_environment
$(PYTHON) -m venv .venv-triton
.venv-triton/bin/python $(PIP_INSTALL) --require-hashes -r requirements/triton.txt
version=$$(.venv-triton/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd .venv-triton/lib/python$$version/site-packages/pytriton/tritonserver
cp python_backend_stubs/$$version/triton_python_backend_stub backends/python/
mkdir -p backends/onnxruntime
cp $(CURDIR)/tests/triton_backend/model.py backends/onnxruntime/
endef
export triton_environment

.venv-triton/.ready: requirements/triton.txt tests/triton_backend/model.py
	@if $(PYTHON) -c 'import platform, sys; sys.exit((sys.platform, platform.machine()) != \
		("linux", "x86_64") or sys.version_info >= (3, 13))'; then \
		echo "Making .venv-triton from requirements/triton.txt"; \
		bash -euxo pipefail -c "$$triton_environment"; \
	else \
		echo "There is no Triton server for this machine: it takes Linux on x86-64 and Python 3.11" \
			"or 3.12. Its tests are skipped."; \
		mkdir -p .venv-triton; \
	fi
	@touch $@

.PHONY: triton
triton: .venv-triton/.ready  ## Start a Triton server on 127.0.0.1:8001 (gRPC) with model_repository
	$(PYTHON) tests/triton_server.py model_repository

# In processes of their own: training's tests load torch and send signals, the others load OpenVINO
# and gRPC. A process that had run most of those with gRPC's asyncio in it has died of a segmentation
# fault (seen with several test processes only, and not explained yet), so these are short ones. They
# come one after the other: each server is started once for all tests that it serves.
APART = tests/e2e tests/service/grpc
.PHONY: test
test: .venv/.ready .venv-triton/.ready  ## Run the tests but the heavy ones, with branch coverage
	$(PYTEST) --cov --cov-fail-under=0 --cov-report= --ignore=tests/training \
		$(addprefix --ignore=,$(APART)) $(PYTEST_FLAGS)
	for folder in $(APART); do \
		$(PYTEST) --numprocesses=0 --cov --cov-append --cov-fail-under=0 --cov-report= \
			$$folder $(PYTEST_FLAGS) \
		|| [ $$? -eq 5 ]; done  # 5: flags have chosen none of these
	$(PYTEST) --cov --cov-append --cov-report=term-missing:skip-covered tests/training $(PYTEST_FLAGS)

.PHONY: soak
soak: .venv/.ready .venv-triton/.ready  ## Run the heavy tests
	.venv/bin/python -m pytest -m soak --timeout=1800 $(PYTEST_FLAGS)

.PHONY: load
load: .venv/.ready  ## Put a steady load and a spike on a service of its own; fails where levels are missed
	.venv/bin/python -m loadtests $(LOAD_FLAGS)

.PHONY: chaos
chaos: .venv/.ready .venv-triton/.ready  ## Kill, hang and fill what the service needs, and see what it does
	.venv/bin/python -m pytest -m soak --timeout=600 tests/e2e/chaos $(PYTEST_FLAGS)

.PHONY: bench
bench: .venv/.ready .venv-triton/.ready  ## Measure cost, detectors, int8 against fp32, photo to class, videos, jobs and queues
	.venv/bin/python -m benchmarks.photo_cost
	.venv/bin/python -m benchmarks.detectors
	.venv/bin/python -m benchmarks.precision
	.venv/bin/python -m benchmarks.pasted_faces
	.venv/bin/python -m benchmarks.tracking
	.venv/bin/python -m benchmarks.video_speed
	.venv/bin/python -m benchmarks.job_throughput
	.venv/bin/python -m benchmarks.queueing
	.venv/bin/python -m benchmarks.cost

.PHONY: check
check: .venv/.ready  ## Check format, lint, types, layers and the Containerfile
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/mypy $(SOURCES)
	.venv/bin/lint-imports
	.venv/bin/hadolint Containerfile

.PHONY: manifests
manifests: .venv/.ready  ## Render k8s/ and check what its manifests mean
	.venv/bin/python -m k8s.checks

.PHONY: format
format: .venv/.ready  ## Format the sources and mend what lint can mend
	.venv/bin/ruff format $(SOURCES)
	.venv/bin/ruff check --fix $(SOURCES)

# A wheel is only right if it works away from the checkout: it is unpacked into a folder of its
# own and run from there by the serving environment, with every package taken from that folder.
.PHONY: wheel
wheel: .venv/.ready .venv-serve/.ready  ## Build the wheel and try it in the serving environment
	rm -rf dist build/wheel
	.venv/bin/python -m build --wheel --no-isolation --outdir dist
	.venv-serve/bin/python $(PIP_INSTALL) --no-index --target build/wheel dist/*.whl
	cd build/wheel && for package in emotion service training; do \
		PYTHONPATH=. ../../.venv-serve/bin/python -c \
		"import importlib.util, pathlib; spec = importlib.util.find_spec('$$package'); \
		assert spec and spec.origin and pathlib.Path(spec.origin).is_relative_to(pathlib.Path.cwd()), spec"; \
	done
	cd build/wheel && export PYTHONPATH=. && bin/rapt --help && \
		../../.venv-serve/bin/python -c "from PIL import Image; Image.new('RGB', (64, 64)).save('black.png')" && \
		bin/rapt photo black.png

# Packed from a copy, so that the champion may take the committed model's place in it. Each step
# works offline but the pull, which is done where MLFLOW_TRACKING_URI is set. The former Bento stays
# until there is another.
SERVING ?= .venv-serve
BENTO ?= build/bento
BENTO_SOURCES = $(BENTO)/sources

.PHONY: bento
bento: $(SERVING)/.ready  ## Pack a Bento with the champion (MLFLOW_TRACKING_URI) or the committed model
	rm -rf $(BENTO_SOURCES) $(BENTO)/next
	mkdir -p $(BENTO_SOURCES)/requirements
	cp -R emotion service model_repository bentofile.yaml $(BENTO_SOURCES)
	cp requirements/serving.txt $(BENTO_SOURCES)/requirements
	if [ -n "$${MLFLOW_TRACKING_URI:-}" ]; then \
		$(SERVING)/bin/rapt models pull --into $(BENTO_SOURCES)/model_repository; fi
	cd $(BENTO_SOURCES) && BENTOML_HOME=$(abspath $(BENTO))/next BENTOML_DO_NOT_TRACK=True \
		$(abspath $(SERVING))/bin/bentoml build --output tag
	rm -rf $(BENTO)/home && mv $(BENTO)/next $(BENTO)/home
	@echo "Packed:" && cd $(BENTO_SOURCES) && RAPT_HOME=none \
		$(abspath $(SERVING))/bin/python -m service.command_line models list
	@echo "Serve it: BENTOML_HOME=$(BENTO)/home $(SERVING)/bin/bentoml serve rapt:latest"

.PHONY: pin-images
pin-images: .venv/.ready  ## Write the digests that images' tags stand for now (Containerfile, k8s/)
	.venv/bin/python -m container.pins

# The steps run as root of folders below build/image, each a bare Debian at first (debootstrap).
.PHONY: image-steps
image-steps: .venv/.ready  ## Carry out the Containerfile's steps without a container engine
	.venv/bin/python -m container.steps $(STEPS_FLAGS)

.PHONY: sbom
sbom: .venv/.ready .venv-serve/.ready  ## List the serving packages and licences (CycloneDX): build/sbom.json
	mkdir -p build
	.venv/bin/python -m container.sbom .venv-serve --into build/sbom.json

.PHONY: cost
cost: .venv/.ready  ## Write docs/cost.md anew from the benchmarks' figures and benchmarks/prices.toml
	.venv/bin/python -m benchmarks.cost

.PHONY: ci
ci: check manifests test wheel  ## All that CI does

UV_COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url $(LOCK_FLAGS)
COMPILE = $(UV_COMPILE) --override requirements/overrides.txt \
	--excludes requirements/excludes.txt pyproject.toml requirements/build.in
COMPILE_TRITON = $(UV_COMPILE) --no-deps requirements/triton.in

# Pins that are in the lock stay as they are unless pyproject.toml rules them out;
# LOCK_FLAGS=--upgrade takes the newest of everything.
.PHONY: lock
lock: $(filter .venv/bin/uv,$(UV))  ## Write requirements/*.txt anew from pyproject.toml
	$(COMPILE) --all-extras --output-file requirements/full.txt
	$(COMPILE) --output-file requirements/serving.txt
	$(COMPILE_TRITON) --output-file requirements/triton.txt

.venv/bin/uv:
	$(MAKE) setup

.PHONY: clean
clean:  ## Remove the environments and all that was built
	rm -rf .venv .venv-serve .venv-triton build dist htmlcov .coverage .*_cache
