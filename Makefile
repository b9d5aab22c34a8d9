# `make up` and `make test` are all that a fresh machine needs; see README.md.
.DEFAULT_GOAL := help
# What needs to run nothing of the project's; `make check` has them side by side, and says of all what they find.
STATIC := check-format check-lint check-types check-imports check-agents
.PHONY: help install up down check $(STATIC) test preview drill soak bench bench-growth

# Each recipe finds uv (installing the pinned one if there is none) and has it on PATH.
UV := uv="$$(python3 sandbox/toolchain/bootstrap.py)" && export PATH="$$uv:$$PATH" &&

# Compiled modules halve the time that tests take to start, wherever they were switched off.
export PYTHONDONTWRITEBYTECODE :=

# One worker holds the sandbox (see `_group` in tests/conftest.py), the other runs what needs none.
PARALLEL := -n 2 --dist loadgroup

help:  ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

install:  ## The project's Python packages, into .venv
	@$(UV) uv sync --locked

up:  ## Install what is missing, start the sandbox, deploy dev, ask an agent
	@$(UV) uv run sandbox up && uv run sandbox deploy

down:  ## Stop the sandbox; its state stays, nothing else does
	@$(UV) uv run sandbox down

check:  ## Format, lint, types, architecture, unit tests: the fast loop
	@$(UV) uv sync --locked -q
	@$(MAKE) --no-print-directory --jobs --keep-going --output-sync $(STATIC)
	@$(UV) uv run pytest -q $(PARALLEL) -m "not live and not soak and not engine and not slow"

check-format:
	@$(UV) uv run ruff format --check

check-lint:
	@$(UV) uv run ruff check

check-types:
	@$(UV) uv run mypy

check-imports:
	@$(UV) uv run lint-imports

check-agents:
	@$(UV) uv run python -m app.agents.check

test:  ## Every test but the soaks, on a sandbox that is brought up once
	@$(UV) uv run sandbox up && uv run sandbox deploy && uv run pytest $(PARALLEL) -m "not soak"

preview:  ## Say in preview.md what a change would do to every stack, and refuse it if it loses data
	@$(UV) uv run python -m infra.review --output preview.md $(if $(BASE),--base $(BASE)) $(STACKS)

drill:  ## Break things on the running sandbox, restore them, measure: drills/out/report.md; DRILL="cluster-loss …"
	@$(UV) uv run python -m drills $(DRILL)

soak:  ## What is too long for `make test`: kills at random moments, on a sandbox of its own
	@$(UV) uv run pytest -m soak

bench:  ## An agent under load beside LiteLLM, for ten minutes, then docs/scale.md from its figures; needs wrk
	@$(UV) uv run python -m benchmarks.load && uv run python -m benchmarks.scale

bench-growth:  ## How up, preview and refresh grow with the stack, on the running sandbox; AGENTS="5 17 64"
	@$(UV) uv run python -m benchmarks.growth $(if $(AGENTS),--agents $(AGENTS))
