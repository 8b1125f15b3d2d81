# Unmask. `make` alone tells what there is.

MEDIA ?= samples
ARGS ?=
# A name is taken as it was typed, dollar signs too.
override MEDIA := $(value MEDIA)

VENV := .venv/bin
# The first Python that fits and can make an environment.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
FIND_PYTHON = for one in $(PYTHON) python3.12 python3.11 python3; do \
	if $$one -c '$(FITS)' >/dev/null 2>&1; then echo $$one; exit; fi; done

quoted = '$(subst ','\'',$(1))'

.PHONY: help scan test fuzz chaos lint types setup setup-cpu setup-test image locks clean
.DEFAULT_GOAL := help

help:
	@echo 'make scan [MEDIA=…] [ARGS=…]   scan a folder, a file, a list, s3://bucket/prefix or - (stdin)'
	@echo '                               ARGS are options of `python -m producer scan`'
	@echo 'make test                      every check and test'
	@echo 'make chaos                     every fault on real processes; takes over an hour'
	@echo 'make fuzz                      thousands of malformed files through the sandbox, and fuzz targets'
	@echo 'make lint | types              ruff and import-linter | mypy'
	@echo 'make setup | setup-test        only the environment of `scan` | of `test`'
	@echo 'make setup-cpu                 the environment of a CPU machine of a fleet, without torch'
	@echo 'make image [ARGS=gpu]          build the CPU image (or the GPU one) without Docker, and start it'
	@echo 'make locks                     resolve requirements*.txt anew from pyproject.toml'
	@echo 'make clean                     remove the environment and caches; state/ and results/ stay'
	@echo
	@echo 'make says Error 3 (an item is dead), 4 (the brake stopped it) or 2 (wrong usage) and itself'
	@echo 'ends with 2; scripts call .venv/bin/python -m producer scan for the status itself.'

scan: setup
	@$(VENV)/python -m producer scan $(call quoted,$(MEDIA)) $(ARGS)

test: setup-test
	@$(VENV)/python -m tests

chaos: setup-test
	@$(VENV)/python -m pytest -n 2 -m 'not timed' tests/chaos --durations=0; well=$$?; \
	$(VENV)/python -m pytest -m timed tests/chaos --durations=0 && exit $$well

# Thousands of malformed files, and the fuzz targets; ARGS=--seconds 600 for longer.
fuzz: setup-test
	@$(VENV)/python -m tests.fuzz $(ARGS)

lint: setup-test
	@$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/lint-imports

types: setup-test
	@$(VENV)/mypy .

setup:
	@$(call set_up,requirements.txt)

setup-cpu:
	@$(call set_up,requirements-cpu.txt)

setup-test:
	@$(call set_up,requirements.txt requirements-test.txt)

# Comparing the locks costs a few milliseconds; only a difference starts Python.
define set_up
[ -x $(VENV)/python ] || missing=yes; \
for lock in $(1); do cmp -s $$lock .venv/installed-$$lock || missing=yes; done; \
if [ -n "$$missing" ] || [ -e .venv/under-way ]; then \
	python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo 'Unmask needs Python 3.11 or 3.12 with venv (on Debian: apt install python3-venv).' >&2; \
		exit 1; \
	fi; \
	$$python -m infra.setup $(1); \
fi
endef

locks: setup-test
	@$(VENV)/python -m infra.locks $(NEWER)

# Where no Docker engine runs: needs root, buildah and debootstrap, and says so.
image:
	@sh infra/docker/image $(ARGS)

clean:
	rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
