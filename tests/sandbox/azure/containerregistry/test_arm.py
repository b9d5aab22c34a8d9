"""The control plane through the unmodified azure-mgmt-containerregistry client, on the real ARM core."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, containerregistry, managedidentity, resources
from sandbox.config import SUBSCRIPTION_ID
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, client, credential, served

GROUP = "rg-registries"
ARM = "https://management.azure.test"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Served]:
    # A short path: unix sockets lie below it.
    state = Path(tempfile.mkdtemp(prefix="acr-"))
    modules = [resources, authorization, managedidentity, containerregistry]
    with pytest.MonkeyPatch.context() as patch, served(state, patch, catalogue(), modules) as found:
        groups = client(found, ResourceManagementClient).resource_groups
        groups.create_or_update(GROUP, {"location": "westeurope"})
        yield found
        supervisor = found.cloud.services.supervisor
        assert isinstance(supervisor, fakes.Supervisor)
        supervisor.end()
    shutil.rmtree(state, ignore_errors=True)


def body(sku: str = "Basic", **properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "sku": {"name": sku}, "properties": properties}


@pytest.fixture(scope="module")
def registries(cloud: Served) -> Any:
    return client(cloud, ContainerRegistryManagementClient)


@pytest.fixture(scope="module")
def registry(registries: Any) -> str:
    registries.registries.begin_create(GROUP, "acrAgentsDev", body()).result()
    return "acrAgentsDev"


def test_a_registry_shows_what_azure_shows(registries: Any, registry: str) -> None:
    found = registries.registries.get(GROUP, registry)
    assert found.login_server == "acragentsdev.azurecr.azure.test"
    assert (found.sku.name, found.sku.tier) == ("Basic", "Basic")
    assert (found.admin_user_enabled, found.provisioning_state) == (False, "Succeeded")
    assert found.public_network_access == "Enabled"
    assert found.creation_date is not None
    again = registries.registries.begin_create(GROUP, registry, body("Standard")).result()
    assert (again.sku.tier, again.creation_date) == ("Standard", found.creation_date)
    changed = registries.registries.begin_update(GROUP, registry, {"tags": {"a": "b"}}).result()
    assert changed.tags == {"a": "b"}


def test_its_login_server_answers(registries: Any, registry: str) -> None:
    server = registries.registries.get(GROUP, registry).login_server
    answer = httpx.get(f"https://{server}/v2/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith(f'Bearer realm="https://{server}/oauth2/token"')


def test_who_owns_a_registry_may_use_it(cloud: Served, registries: Any, registry: str) -> None:
    """Owner has every control-plane action, and those are what a registry asks for."""
    server = registries.registries.get(GROUP, registry).login_server
    form = {
        "grant_type": "access_token",
        "service": server,
        "access_token": credential(cloud).get_token(f"{ARM}/.default").token,
    }
    exchanged = httpx.post(f"https://{server}/oauth2/exchange", data=form)
    assert exchanged.status_code == 200, exchanged.text
    form = {
        "grant_type": "refresh_token",
        "service": server,
        "scope": "registry:catalog:*",
        "refresh_token": exchanged.json()["refresh_token"],
    }
    token = httpx.post(f"https://{server}/oauth2/token", data=form).json()["access_token"]
    listed = httpx.get(f"https://{server}/v2/_catalog", headers={"Authorization": f"Bearer {token}"})
    assert listed.json() == {"repositories": []}


def test_credentials_only_while_the_admin_user_is_on(registries: Any, registry: str) -> None:
    with pytest.raises(HttpResponseError, match="admin user is disabled"):
        registries.registries.list_credentials(GROUP, registry)
    registries.registries.begin_update(GROUP, registry, {"properties": {"adminUserEnabled": True}}).result()
    known = registries.registries.list_credentials(GROUP, registry)
    assert known.username == registry
    new = registries.registries.regenerate_credential(GROUP, registry, {"name": "password2"})
    assert new.passwords[0].value == known.passwords[0].value
    assert new.passwords[1].value != known.passwords[1].value
    registries.registries.begin_update(GROUP, registry, {"properties": {"adminUserEnabled": False}}).result()


@pytest.mark.parametrize(
    ("name", "sent", "words"),
    [
        ("acr", body(), "acr"),
        ("acr-agents", body(), "acr-agents"),
        ("acrbad", body("Gold"), "Gold"),
        ("acrbad", body(publicNetworkAccess="Disabled"), "Premium"),
        ("acrbad", body(zoneRedundancy="Enabled"), "Premium"),
        ("acrbad", body(nonsense=1), "nonsense"),
        ("acrbad", body(loginServer="x"), "loginServer"),
    ],
)
def test_a_bad_registry_is_refused(registries: Any, name: str, sent: dict[str, Any], words: str) -> None:
    with pytest.raises(HttpResponseError, match=words) as refused:
        registries.registries.begin_create(GROUP, name, sent).result()
    assert refused.value.status_code == 400


def test_a_name_is_taken_in_the_whole_cloud(cloud: Served, registries: Any, registry: str) -> None:
    check = registries.registries.check_name_availability
    kind = "Microsoft.ContainerRegistry/registries"
    assert check({"name": "acrfree", "type": kind}).name_available is True
    taken = check({"name": registry.lower(), "type": kind})
    assert (taken.name_available, taken.reason) == (False, "AlreadyExists")
    assert check({"name": "no", "type": kind}).reason == "Invalid"
    client(cloud, ResourceManagementClient).resource_groups.create_or_update(
        "rg-two", {"location": "westeurope"}
    )
    with pytest.raises(HttpResponseError, match="already in use") as refused:
        registries.registries.begin_create("rg-two", registry.lower(), body()).result()
    assert refused.value.status_code == 409


def test_replications_need_premium(registries: Any) -> None:
    registries.registries.begin_create(GROUP, "acrpremium", body("Premium")).result()
    registries.registries.begin_create(GROUP, "acrbasic", body()).result()
    north = {"location": "northeurope"}
    made = registries.replications.begin_create(GROUP, "acrpremium", "northeurope", north).result()
    assert (made.location, made.status.display_status) == ("northeurope", "Ready")
    with pytest.raises(HttpResponseError, match="Premium"):
        registries.replications.begin_create(GROUP, "acrbasic", "northeurope", north).result()
    with pytest.raises(HttpResponseError, match="already"):
        registries.replications.begin_create(
            GROUP, "acrpremium", "westeurope", {"location": "westeurope"}
        ).result()


def test_a_deleted_registry_frees_its_name(cloud: Served, registries: Any) -> None:
    registries.registries.begin_create(GROUP, "acrgone", body()).result()
    registries.registries.begin_delete(GROUP, "acrgone").result()
    with pytest.raises(ResourceNotFoundError):
        registries.registries.get(GROUP, "acrgone")
    assert "registry-acrgone" not in cloud.cloud.services.supervisor.programs  # type: ignore[attr-defined]
    assert not (cloud.state / "registries" / "acrgone").exists()
    registries.registries.begin_create(GROUP, "acrgone", body()).result()


def test_runs_are_no_resources(cloud: Served, registries: Any, registry: str) -> None:
    """They are listed with their registry, and a source that was never uploaded fails in its log."""
    token = credential(cloud).get_token(f"{ARM}/.default").token
    base = f"{ARM}/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}/providers"
    at = f"{base}/Microsoft.ContainerRegistry/registries/{registry}"
    options: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {token}"},
        "params": {"api-version": "2025-03-01-preview"},
    }
    request = {
        "type": "DockerBuildRequest",
        "imageNames": ["app:1"],
        "sourceLocation": "source/202601010000/none.tar.gz",
        "platform": {"os": "Linux"},
        "dockerFilePath": "Dockerfile",
    }
    scheduled = httpx.post(f"{at}/scheduleRun", json=request, **options)
    assert scheduled.status_code == 200, scheduled.text
    run = scheduled.json()["name"]
    assert httpx.get(f"{at}/runs/{run}", **options).json()["properties"]["runType"] == "QuickBuild"
    assert [one["name"] for one in httpx.get(f"{at}/runs", **options).json()["value"]] == [run]
    assert httpx.get(f"{at}/runs/none", **options).status_code == 404
    link = httpx.post(f"{at}/runs/{run}/listLogSasUrl", **options).json()["logLink"]
    assert link.startswith("https://tasks-storage.azurecr.azure.test/")
