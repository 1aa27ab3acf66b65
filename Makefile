# One command per chore. They use the environment that is active, as made by `pip install -e '.[dev]'`.
.PHONY: test lint types contracts golden docs bench rule

test:
	python -m pytest -n auto

lint:
	ruff check .
	ruff format --check .

types:
	mypy

contracts:
	lint-imports

golden:  ## rewrites rendered output; read the diff
	UPDATE_GOLDEN=1 python -m pytest tests/reporters -q

docs:  ## rewrites what is generated from the code
	python -m tools.docs

bench:
	python benchmarks/run.py

rule:  ## make rule ID=bucket-encryption FOLDER=rules/storage
	policy-engine rules new $(ID) --folder $(or $(FOLDER),rules)
