# Needs Python 3.11 or newer and make; everything else is brought in.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all lint bench bench-fit clean

demo: .venv/installed
	$(BIN)/python demo/digits.py

# A process a core, of one thread each: most tests are too small for more threads to help.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4

test-all: lint
	$(BIN)/python -m pytest -m ""

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What linne is compared with comes first; OUT=file.json keeps the results.
bench: .venv/installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[train,dev,bench]"
	$(BIN)/python benchmarks/run_all.py $(if $(OUT),--out "$(OUT)")

# What a fit promises, against timm and fastai: hours, in which the machine should do nothing else. It may be cut and
# continued: what is in FIT_OUT is not measured again. TIMM_TRAIN is the path of timm's train.py, see benchmarks/peers.py.
FIT_OUT ?= runs/bench
FIT_ON := ../shared/data/clothing ../shared/weights/mobilenet_v2_imagenet.safetensors
bench-fit: .venv/installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[train,dev,bench]"
	mkdir -p $(FIT_OUT)
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/budgets.py $(FIT_ON) --results $(FIT_OUT)/budgets.jsonl
	$(BIN)/python benchmarks/budgets.py $(FIT_ON) --loaded --results $(FIT_OUT)/budgets.jsonl
	$(BIN)/python benchmarks/kills.py --small --results $(FIT_OUT)/kills.jsonl
	$(BIN)/python benchmarks/peers.py $(FIT_ON) --results $(FIT_OUT)/peers.jsonl --timm-train "$(TIMM_TRAIN)"

# uv resolves torch and torchvision as a matching pair; plain pip can mix a CPU and a CUDA build.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "linne needs Python 3.11 or newer; set PYTHON=python3.12, say")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable ".[train,dev]"
	touch $@

clean:
	rm -rf .venv demo/out .mypy_cache .ruff_cache .pytest_cache .hypothesis
