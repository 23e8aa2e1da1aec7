# Works with GNU make 3.81 (macOS) and newer, also in a folder with spaces in its name.
# The work is done in tools/install.sh and tools/test.sh.

PORT ?= 8888
IP ?= 127.0.0.1
# Empty means: python3, or the first of python3.13, python3.12, python3.11 when python3 is too old.
PYTHON ?=
CPU ?=
CHROMIUM ?= /usr/bin/chromium
export PYTHON CPU CHROMIUM

.DEFAULT_GOAL := help
.PHONY: help lab test test-all install notebooks format clean

help: ## show this list
	@echo "make ..."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile
	@echo "Settings, each as NAME=value after the target:"
	@echo "  PORT=8890  another port for make lab      IP=0.0.0.0  listen outside (containers)"
	@echo "  PYTHON=... the Python that makes .venv    CPU=1  Linux: the small torch without CUDA"
	@echo "  CHROMIUM=... the browser for test-all"

lab: ## open the course in JupyterLab; the first time, install it into .venv
	@bash tools/install.sh lab
	@.venv/bin/python -m diffedu lab --port "$(PORT)" --ip "$(IP)"

test: ## style, unit tests, every notebook
	@bash tools/install.sh dev
	@bash tools/test.sh

test-all: ## make test, then the slow proofs and the browser tests
	@bash tools/install.sh dev
	@bash tools/test.sh all

install: ## only install into .venv
	@bash tools/install.sh lab

notebooks: ## run every notebook and store its outputs
	@bash tools/install.sh lab
	@.venv/bin/python tools/execute_notebooks.py

format: ## let ruff put the code in order
	@bash tools/install.sh dev
	@.venv/bin/python -m ruff check --fix .
	@.venv/bin/python -m ruff format .

clean: ## remove .venv and all caches
	@rm -rf .venv build dist *.egg-info .hypothesis .pytest_cache .ruff_cache
	@find . -name .git -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune \
		-exec rm -rf {} +
