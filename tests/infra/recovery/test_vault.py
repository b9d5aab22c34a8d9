"""A vault that was deleted, through a real engine: what each update does, as docs/recovery.md says it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.keyvault import KeyVaultManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, insights, keyvault, operationalinsights, resources
from sandbox.engine.azure_native.journal import Journal
from sandbox.engine.azure_native.provider import AzureNative
from tests.infra.recovery.stack import PLACED
from tests.sandbox.engine.conftest import Project
from tests.sandbox.served import Served, client, served

BEFORE, TODAY = "192.0.2.0/24", "198.51.100.0/24"
GROUP, VAULT = "rg-agents-dev", "kv-agents-dev"
_PROGRAM = (
    PLACED
    + """
    import json
    from pathlib import Path

    import pulumi
    from pulumi_azure_native import operationalinsights, resources
    from pydantic import SecretStr

    from infra.azure.exposure import Exposure
    from infra.azure.place import Place
    from infra.azure.vault import Vault, VaultArgs
    from infra.cloud import read_cloud
    from infra.settings.sections import VaultSettings

    allowed = json.loads(Path("allowed.json").read_text())
    group = resources.ResourceGroup("group", resource_group_name="rg-agents-dev", location="westeurope")
    place = Place(read_cloud(), group.name, "westeurope", None, False, {})
    workspace = operationalinsights.Workspace(
        "log", workspace_name="log-agents-dev", resource_group_name=group.name, location="westeurope"
    ).id
    Vault(
        "vault",
        VaultArgs(
            name="kv-agents-dev",
            place=place,
            settings=VaultSettings(),
            exposure=Exposure(None, allowed, []),
            workspace_id=workspace,
            readers=[],
            officers=[],
            secrets={"pager": SecretStr("of the settings")},
        ),
    )
"""
)


class Stack:
    """`allowed` are the addresses that the settings let in."""

    def __init__(self, cloud: Served, project: Project) -> None:
        vaults: Any = client(cloud, KeyVaultManagementClient)
        self.project, self._vaults, self._secrets = project, vaults.vaults, vaults.secrets
        project.write(_PROGRAM.replace("PORT", str(cloud.port)))

    def up(self, *allowed: str) -> str:
        (self.project.directory / "allowed.json").write_text(json.dumps(allowed))
        return self.project.up("--refresh")

    def let_in(self) -> list[str]:
        rules = self._vaults.get(GROUP, VAULT).properties.network_acls
        return [rule.value for rule in rules.ip_rules]

    def secrets(self) -> list[str]:
        return [secret.name for secret in self._secrets.list(GROUP, VAULT)]

    def delete(self) -> None:
        self._vaults.delete(GROUP, VAULT)

    def purge(self) -> None:
        self._vaults.begin_purge_deleted(VAULT, "westeurope", polling_interval=0).result()

    def recover(self) -> None:
        """As `az keyvault recover` does."""
        deleted = self._vaults.get_deleted(VAULT, "westeurope").properties
        properties: dict[str, Any] = {
            "createMode": "recover",
            "tenantId": self.project.environment["ARM_TENANT_ID"],
            "sku": {"family": "A", "name": "standard"},
        }
        body = {"location": deleted.location, "properties": properties}
        self._vaults.begin_create_or_update(GROUP, VAULT, body, polling_interval=0).result()

    def unchanged(self) -> None:
        self.project.pulumi("preview", "--refresh", "--expect-no-changes")


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    modules = [resources, authorization, keyvault, insights, operationalinsights]
    with served(tmp_path / "azure", monkeypatch, catalogue(), modules) as found:
        yield found


@pytest.fixture
def stack(cloud: Served, project: Project, tmp_path: Path) -> Stack:
    project.attach(AzureNative(journal=Journal(tmp_path / "creations.json")))
    project.environment |= cloud.environment
    return Stack(cloud, project)


def test_a_deleted_vault_takes_two_updates(stack: Stack) -> None:
    """It comes back as it was; the next update says so beforehand, and applies the rest."""
    stack.up(BEFORE)
    stack.delete()
    stack.up(TODAY)
    assert stack.let_in() == [BEFORE]
    stack.up(TODAY)
    assert stack.let_in() == [TODAY]
    stack.unchanged()


def test_one_that_was_recovered_by_hand_takes_one(stack: Stack) -> None:
    stack.up(BEFORE)
    stack.delete()
    stack.recover()
    stack.up(TODAY)
    assert stack.let_in() == [TODAY]
    stack.unchanged()


def test_one_that_was_purged_takes_one(stack: Stack) -> None:
    stack.up(BEFORE)
    stack.delete()
    stack.purge()
    stack.up(TODAY)
    assert stack.let_in() == [TODAY]
    assert stack.secrets() == ["pager"]
    stack.unchanged()
