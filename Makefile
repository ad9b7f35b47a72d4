# song2vec: `make help` lists what there is. Needs Python 3.11 or newer, pip and a C compiler; no root.
#
# PYTHON=python3.12 chooses the Python, PORT=8081 the port of `make up`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done) python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := .cache/tools

export PYTHONPATH := include
export PYTHONUTF8 := 1
unexport VIRTUAL_ENV PYTHONHOME PIP_USER PIP_TARGET
# pip and uv keep what they downloaded under HOME, where there is one to write to.
ifneq ($(shell test -n "$$HOME" -a -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
endif

.PHONY: help run up test bench bench-etl bench-train bench-quality bench-evaluate bench-publish bench-client lint format lock client-wheel sample docs clean install mariadb

help:  ## list all targets
	@echo "song2vec: retrains a song-embedding model from playlists every day, on Apache Airflow"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name what; do \
		printf '  make %-15s %s\n' "$$name" "$$what"; done

run: $(READY)  ## retrain and publish a model once, on sample data, and show what came out
	@$(BIN)/python -m tools --with-parent run

up: $(READY)  ## Airflow on http://127.0.0.1:8080 until Ctrl-C (PORT=8081 for another port)
	@$(BIN)/python -m tools --with-parent up

test: $(READY) mariadb  ## all tests and what they cover (ARGS="-k gate" for some), with a private MariaDB and a Cloud Storage server
	$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--cov)

bench: bench-etl bench-train bench-quality bench-evaluate bench-publish bench-client  ## all benchmarks: one JSON line a figure (SIZE=small for a smoke run)

bench-etl: $(READY) mariadb  ## extract, collect and prepare beside pandas, DuckDB and MariaDB's own client
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_extract
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_prepare

bench-train: $(READY)  ## our trainer's speed beside gensim's and the processor's, and as data grow
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_train
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_train_memory

bench-quality: $(READY)  ## our models beside gensim's, item-kNN, EASE and iALS, tuned alike (DATA=DIR: your playlists instead of made-up ones)
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_quality $(if $(DATA),--data "$(DATA)")

bench-evaluate: $(READY)  ## the speed of measuring a model beside a loop over gensim's most_similar
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_evaluate

bench-publish: $(READY)  ## publishing beside the bare google-cloud-storage client uploading the same bytes
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_publish

bench-client: $(READY)  ## the client beside gensim's KeyedVectors: neighbours, loading, memory of several processes
	@PYTHONPATH=include:. $(BIN)/python -m benchmarks.bench_client

lint: $(READY)  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=include $(BIN)/mypy --python-version 3.10 --package song2vec_client
	$(BIN)/lint-imports --no-cache  # its cache outlives the modules it is of

format: $(READY)  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

sample: $(READY)  ## make the sample data anew, under .data/
	@$(BIN)/python -m tools sample

install: $(READY)  ## make .venv with what requirements.txt pins
	@echo ".venv is ready"

lock: | $(TOOLS)/uv  ## resolve what pyproject.toml asks for into requirements.txt (UPGRADE=--upgrade for the newest)
	$(TOOLS)/uv pip compile pyproject.toml --extra airflow --group dev --output-file requirements.txt --universal \
		--python-version 3.11 --no-emit-package song2vec-client --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-header --quiet $(UPGRADE)

client-wheel: | $(TOOLS)/uv  ## build the client's wheel into dist/, and try it in an environment with nothing else
	@rm -rf build/client dist/song2vec_client-* && mkdir -p build
	@cp -R include/song2vec_client build/client  # a build leaves files beside its sources
	@$(TOOLS)/uv build --quiet --python "$$(command -v $(PYTHON))" --wheel build/client --out-dir dist
	@unset PYTHONPATH && $(TOOLS)/uv run --quiet --no-project --isolated --python "$$(command -v $(PYTHON))" \
		--with dist/song2vec_client-*.whl python -m song2vec_client --help >/dev/null
	@ls dist/song2vec_client-*.whl

docs: $(READY)  ## make docs/configuration.md from the settings, docs/cli.md from the commands
	@mkdir -p docs
	@$(BIN)/song2vec settings --markdown > docs/configuration.md.new && mv docs/configuration.md.new docs/configuration.md
	@$(BIN)/python -m typer song2vec.cli.main utils docs --name song2vec --output docs/cli.md.new \
		--title $$'The command line\n\nMade from the commands by `make docs`; do not edit.' >/dev/null && mv docs/cli.md.new docs/cli.md
	@echo "docs/configuration.md and docs/cli.md are made"

clean:  ## delete .venv, Airflow's homes and caches (lists them; YES=1 deletes; models and data in .data/ stay)
	@for path in $(VENV) .airflow .cache build dist include/song2vec/train/_compiled*.so include/*.egg-info include/song2vec_client/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache; do \
		[ -e "$$path" ] || continue; \
		if [ "$(YES)" = 1 ]; then rm -rf -- "$$path" && echo "deleted $$path"; else echo "would delete $$path"; fi; done
	@if [ "$(YES)" = 1 ]; then find dags plugins include tools tests benchmarks -name __pycache__ -prune -exec rm -rf -- {} +; \
		else echo "Nothing was deleted. To delete: make clean YES=1"; fi

# What an interrupted install left is mended by the next one: .ready is written last.
$(READY): requirements.txt pyproject.toml include/song2vec_client/pyproject.toml include/song2vec/train/compiled.c | $(TOOLS)/uv
	@command -v cc gcc clang >/dev/null || { \
		echo "song2vec compiles its trainer while it is installed, and there is no C compiler: apt-get install gcc" >&2; exit 1; }
	@if ! $(BIN)/python -c '' 2>/dev/null; then rm -rf $(VENV); $(TOOLS)/uv venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); fi
	@echo "Installing what requirements.txt pins into .venv (a minute or two the first time)"
	@$(TOOLS)/uv pip sync --quiet --python $(BIN)/python requirements.txt
	@$(TOOLS)/uv pip install --quiet --python $(BIN)/python --no-deps --editable include/song2vec_client --editable .
	@touch $@

# uv: the one that is there, or one from pip. `--target` needs no root and no venv module.
$(TOOLS)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "song2vec needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Install one and name it: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@mkdir -p $(TOOLS)
	@if uv --version >/dev/null 2>&1; then printf '#!/bin/sh\nexec uv "$$@"\n' > $@.new; \
	else \
		echo "Installing uv into $(TOOLS)"; \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --upgrade --target $(TOOLS)/uv-by-pip uv || { \
			echo "pip could not install uv: is pip there ($(PYTHON) -m pip --version), and the network?" >&2; exit 1; }; \
		printf '#!/bin/sh\nexec "%s" "$$@"\n' '$(CURDIR)/$(TOOLS)/uv-by-pip/bin/uv' > $@.new; \
	fi
	@chmod +x $@.new && mv $@.new $@

mariadb:
	@if [ -n "$$MARIADB_URL" ] || PATH="$$PATH:/usr/sbin:/usr/local/sbin" command -v mariadbd >/dev/null; then exit 0; fi; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	if command -v apt-get >/dev/null && { [ -z "$$as_root" ] || $$as_root true 2>/dev/null; }; then \
		echo "Installing mariadb-server for the tests"; \
		$$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends mariadb-server >/dev/null && exit 0; \
	fi; \
	echo "The tests need MariaDB's server, and it could not be installed from here. Either" >&2; \
	echo "  sudo apt-get install mariadb-server      (Debian, Ubuntu; elsewhere: whatever brings mariadbd)" >&2; \
	echo "or name a server they may use:" >&2; \
	echo "  make test MARIADB_URL=mariadb+pymysql://USER:PASSWORD@HOST:3306/DATABASE" >&2; \
	exit 1
