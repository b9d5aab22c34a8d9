"""Fixtures of the whole suite. The sandbox is brought up once per run, and dev is deployed on it."""

from __future__ import annotations

import pytest

from tests.sandboxed import Sandbox, sandbox_command, user_environment


@pytest.fixture(scope="session")
def bare_sandbox() -> Sandbox:
    """A running sandbox; nothing is promised of what is deployed on it."""
    sandbox_command("up")
    return Sandbox(user_environment())


@pytest.fixture(scope="session")
def sandbox(bare_sandbox: Sandbox) -> Sandbox:
    """A running sandbox with the dev stack deployed, and kubectl signed in to its cluster."""
    sandbox_command("deploy")
    bare_sandbox.az(
        "aks", "get-credentials", "-g", "rg-agents-dev", "-n", "aks-agents-dev", "--overwrite-existing"
    )
    bare_sandbox.run("kubelogin", "convert-kubeconfig", "-l", "azurecli")
    return bare_sandbox
