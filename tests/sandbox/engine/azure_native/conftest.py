"""The provider on a fake ARM, and a real engine attached to it."""

from pathlib import Path

import pytest

from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from tests.sandbox.engine.azure_native.fake_arm import GROUP, SUBSCRIPTION, FakeArm, FakeConnections
from tests.sandbox.engine.conftest import Project


@pytest.fixture
def arm() -> FakeArm:
    """With one resource group, `rg` in westeurope."""
    fake = FakeArm()
    fake.resources[GROUP.lower()] = {"id": GROUP, "name": "rg", "location": "westeurope"}
    return fake


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "creations.json")


@pytest.fixture
def azure(arm: FakeArm, journal: Journal, project: Project) -> Project:
    """A project whose engine is attached to the provider."""
    project.environment["ARM_SUBSCRIPTION_ID"] = SUBSCRIPTION
    project.attach(AzureNative(FakeConnections(arm), journal))
    project.pulumi("config", "set", "azure-native:subscriptionId", SUBSCRIPTION)
    return project
