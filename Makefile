# The whole set-up of a fresh machine: `make demo` and `make test` need git, make and Python 3.11 or newer.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# The catalogue of packages is the client's own business; hashes in requirements/ pin what is installed.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: demo test lint wheel bench fuzz lock docs pictures clean

.venv/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Reeve needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/.demo: .venv/.created requirements/demo.txt pyproject.toml
	$(PIP) --require-hashes -r requirements/build.txt
	$(PIP) --require-hashes -r requirements/demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

.venv/.dev: .venv/.demo requirements/dev.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	touch $@

# Scans the simulated account of a small company; leaves the report in reeve-demo/.
# Exit codes 1 and 3 are the demonstration's point: something is incompliant, something could not be read.
demo: .venv/.demo
	@$(BIN)/reeve scan --demo --out reeve-demo --format terminal,json,html; code=$$?; \
	if [ $$code -ne 1 ] && [ $$code -ne 3 ]; then exit $$code; fi
	@echo "The report: $(CURDIR)/reeve-demo/report.html (open it in a browser), and reeve-demo/report.json"

test: .venv/.dev
	@sh tests/install-packages
	$(BIN)/python -m pytest -n auto

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

# The tests that have a profile for it, for long: properties, faults, kills, mutations; engines and interpreter on more than a
# million pairs of policy and object.
fuzz: .venv/.dev
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto -rP $$(grep -lE "FUZZ|HYPOTHESIS_PROFILE|@given" tests/test_*.py)

# What a user installs: the wheel in clean environments, without extras and with each; needs the package registry.
wheel: .venv/.dev
	$(BIN)/python tests/wheel.py

bench: .venv/.dev
	$(BIN)/python benchmarks/run.py

docs: .venv/.dev
	$(BIN)/python docs/generate.py

# The pictures of the README; needs Debian's Chromium, as the tests do.
pictures: .venv/.dev
	$(BIN)/python docs/screenshots.py

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra demo pyproject.toml -o requirements/demo.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements/runtime.txt -c requirements/demo.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra demo --extra spark --group dev pyproject.toml -o requirements/dev.txt -c requirements/demo.txt
	for extra in spark spark-connect; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra $$extra pyproject.toml -o requirements/$$extra.txt -c requirements/dev.txt; done
	printf "cel-python\\nmkdocs\\nregopy\\n" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url - -o requirements/peers.txt
	printf "hatchling\\neditables\\n" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url - -o requirements/build.txt -c requirements/dev.txt

clean:
	rm -rf .venv reeve-demo dist
