"""Fixtures: a real Pulumi engine, with the sandbox's providers on an Azure in memory."""

from pathlib import Path

import pytest

from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from sandbox.engine.kubernetes.provider import KubernetesPlug
from tests.sandbox.engine.azure_native.fake_arm import GROUP, SUBSCRIPTION, FakeArm, FakeConnections
from tests.sandbox.engine.conftest import Project, project, pulumi_path

__all__ = ["arm", "azure", "mark_engine", "project", "pulumi_path"]


def mark_engine(items: list[pytest.Item]) -> None:
    """Mark what runs an engine: seconds each, too long for `make check`."""
    for item in items:
        if "pulumi_path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engine)


@pytest.fixture
def arm() -> FakeArm:
    """With one resource group, `rg` in westeurope."""
    fake = FakeArm()
    fake.resources[GROUP.lower()] = {"id": GROUP, "name": "rg", "location": "westeurope"}
    return fake


@pytest.fixture
def azure(project: Project, arm: FakeArm, tmp_path: Path) -> Project:
    """A project with a stack `prod`."""
    project.environment["ARM_SUBSCRIPTION_ID"] = SUBSCRIPTION
    project.attach(AzureNative(FakeConnections(arm), Journal(tmp_path / "creations.json")))
    project.attach(KubernetesPlug())
    project.pulumi("stack", "init", "prod")
    return project
