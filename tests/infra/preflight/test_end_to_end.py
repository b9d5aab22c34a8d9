"""The pre-flight against the local Azure, served in this process: what it asks is answered, and what is
missing there is found. Only the CLI is left out; its requests are sent as they are.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.naming import image_repository
from infra.preflight.__main__ import look
from infra.preflight.arm import Arm, AskError
from infra.preflight.az import Account
from infra.preflight.checks import models
from infra.preflight.data import Blob, Image
from infra.preflight.report import MISSING, READY, Finding, State, code
from infra.preflight.stack import Stack
from infra.preflight.subject import Subject
from sandbox import aks
from sandbox.arm.ids import parse_id
from sandbox.arm.known import catalogue
from sandbox.arm.resource import Resource
from sandbox.azure import (
    authorization,
    cognitiveservices,
    compute,
    documentdb,
    keyvault,
    permissions,
    resources,
    sql,
)
from sandbox.azure.cognitiveservices.lifecycle import CATALOGUE_DAY
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID
from tests.infra.preflight.recorded import Lists, stack
from tests.infra.preflight.test_copies import USED
from tests.sandbox.served import Served, served

pytestmark = pytest.mark.slow

MODULES = [resources, authorization, permissions, compute, cognitiveservices, documentdb, keyvault, sql, aks]
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
PROVIDERS = "/providers"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        pytest.MonkeyPatch.context() as patch,
        served(tmp_path_factory.mktemp("azure"), patch, catalogue(), MODULES) as found,
    ):
        yield found


class Session:
    """Signed in as one application, as `az rest` would send its requests."""

    def __init__(self, azure: Served, client_id: str, secret: str) -> None:
        self.client_id = client_id
        self.data = Lists()
        self.http = httpx.Client(base_url="https://management.azure.test", timeout=30)
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": "https://management.azure.test/.default",
        }
        token = self.http.post(f"{azure.authority}/oauth2/v2.0/token", data=form).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, params={"api-version": "2022-04-01"}, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, url: str) -> Any:
        answer = self.http.get(url)
        if answer.is_success:
            return answer.json()
        error = answer.json()["error"]
        raise AskError(error["message"], answer.status_code, error["code"])

    def look(self, of: Stack) -> list[Finding]:
        account = Account(SUBSCRIPTION_ID, "Agents Sandbox", TENANT_ID, self.client_id, True)
        return look(Subject(of, Arm(self.get), account, self.data, domain="azure.test"))


@pytest.fixture(autouse=True)
def on_the_catalogues_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dates on which models end are real ones, and come nearer."""
    monkeypatch.setattr(models, "_today", lambda: CATALOGUE_DAY)


@pytest.fixture
def owner(azure: Served) -> Session:
    return Session(azure, azure.deployer["clientId"], azure.deployer["clientSecret"])


@pytest.fixture
def with_role(azure: Served, owner: Session) -> Callable[[str], Session]:
    """An application that has one role in the subscription."""

    def make(role: str) -> Session:
        directory: Any = azure.cloud.services.principals
        object_id, client_id = directory.create(f"app-{uuid.uuid4()}", "Application")
        directory.set_secret(object_id, "secret")
        body = {
            "roleDefinitionId": f"{ROLES}/roleDefinitions/{role}",
            "principalId": object_id,
            "principalType": "ServicePrincipal",
        }
        owner.send("PUT", f"{ROLES}/roleAssignments/{uuid.uuid4()}", {"properties": body})
        return Session(azure, client_id, "secret")

    return make


@pytest.fixture
def copied(azure: Served) -> Iterator[Lists]:
    """prod and prod-backup, as far as other stacks ask for them: as if they had been deployed."""
    backup = f"rg-agents-prod-backup{PROVIDERS}"
    registry = f"rg-agents-prod{PROVIDERS}/Microsoft.ContainerRegistry/registries/acragentsprod"
    placed = [
        "rg-agents-prod",
        *(f"rg-agents-prod{PROVIDERS}/{kind}/{name}" for kind, name in USED.items()),
        f"{registry}/replications/northeurope",
        "rg-agents-prod-backup",
        f"{backup}/Microsoft.KeyVault/vaults/kv-agents-prod-backup/keys/copies",
        f"{backup}/Microsoft.Storage/storageAccounts/stagentsprodbackup/blobServices/default/containers/secrets",
    ]
    store = azure.cloud.services.store
    made = [parse_id(f"{SUBSCRIPTION}/resourceGroups/{one}") for one in placed]
    for one in made:
        store.save(Resource(one, {"location": "westeurope", "properties": {}}, 0, 0))
    settings = stack("prod").settings
    now = datetime.now(UTC)
    images = {
        image_repository(agent): [Image("sha256:1", (settings.version,), now)] for agent in settings.agents
    }
    yield Lists(
        {
            ("stagentsprodbackup", "secrets"): [Blob("kv-agents-prod/pager/1", now)],
            ("stagentsprodbackup", "pulumi-state"): [Blob(f"prod/20261128T095930Z-{'a' * 64}.json", now)],
        },
        {"acragentsprod": images},
    )
    for one in made:
        store.remove(one)


@pytest.mark.parametrize("name", ["dev", "prod", "prod-backup", "prod-dr"])
def test_the_local_azure_is_ready_for_every_stack(owner: Session, copied: Lists, name: str) -> None:
    owner.data = copied
    findings = owner.look(stack(name))
    assert code(findings) == READY, json.dumps([vars(one) for one in findings], indent=1)
    assert {finding.state for finding in findings} == {State.OK}


@pytest.mark.parametrize(
    ("name", "about", "words"),
    [
        ("prod-backup", "stack prod", "there is no group rg-agents-prod"),
        ("prod-dr", "copies: secrets", "no key copies in vault kv-agents-prod-backup"),
        ("prod-dr", "copies: images", "there is no registry acragentsprod"),
    ],
)
def test_what_other_stacks_do_not_have_yet_is_missing(
    owner: Session, name: str, about: str, words: str
) -> None:
    findings = {finding.about: finding for finding in owner.look(stack(name))}
    assert findings[about].state is State.MISSING
    assert words in findings[about].found


def test_rights_where_copies_are_kept(copied: Lists, with_role: Callable[[str], Session]) -> None:
    findings = with_role(READER).look(stack("prod-dr"))
    lacking = {finding.about for finding in findings if finding.state is State.MISSING}
    assert {f"rights in {of}: role assignments" for of in ("prod", "prod-backup")} < lacking
    assert "rights in prod-backup: role definitions" in lacking


def test_a_reader_is_told_what_is_missing(with_role: Callable[[str], Session]) -> None:
    findings = with_role(READER).look(stack("prod"))
    assert code(findings) == MISSING
    lacking = {finding.about for finding in findings if finding.state is State.MISSING}
    assert lacking == {
        "rights: resources",
        "rights: role assignments",
        "rights: locks",
        "rights: restores",
    }


def test_a_stranger_sees_nothing_and_says_so(azure: Served, with_role: Callable[[str], Session]) -> None:
    # AcrPull: a role, but none that reads the subscription.
    findings = with_role("7f951dda-4ed3-4680-a7ca-43fe172d538d").look(stack("dev"))
    states = {finding.about: finding.state for finding in findings}
    assert states["rights"] is states["cores"] is states["sql"] is State.UNKNOWN


def test_a_provider_is_registered_by_the_command_it_gives(owner: Session) -> None:
    provider = f"{SUBSCRIPTION}/providers/Microsoft.Dashboard"
    owner.send("POST", f"{provider}/unregister")
    (finding,) = [one for one in owner.look(stack("dev")) if one.state is State.MISSING]
    assert finding.found == "1 of 20 are not registered: Microsoft.Dashboard"
    owner.send("POST", f"{provider}/register")
    assert code(owner.look(stack("dev"))) == READY


def test_what_is_too_much_is_found(owner: Session) -> None:
    wanted = stack("prod").settings
    user = wanted.cluster.user.model_copy(update={"maximum": 40})
    cluster = wanted.cluster.model_copy(update={"user": user, "kubernetes_version": "1.99"})
    model = wanted.model.model_copy(update={"capacity": 5000})
    findings = owner.look(stack("prod", cluster=cluster, model=model))
    lacking = {finding.about for finding in findings if finding.state is State.MISSING}
    assert lacking == {
        "cores: region",
        "cores: standardDADSv5Family",
        "kubernetes",
        "model in westeurope",
        "model in northeurope",
    }


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (("gpt-4o-mini", "2024-07-18"), "is deprecated: a subscription that has never had it"),
        (("gpt-35-turbo", "0613"), "was retired on 2025-02-13"),
        (("gpt-5.4-mini", "2024-07-18"), "is not offered as GlobalStandard"),
    ],
    ids=["closed", "retired", "unknown"],
)
def test_a_model_that_cannot_be_deployed_is_named_with_one_that_can(
    owner: Session, version: tuple[str, str], why: str
) -> None:
    name, dated = version
    model = stack("dev").settings.model.model_copy(update={"name": name, "version": dated})
    (finding,) = [one for one in owner.look(stack("dev", model=model)) if one.about == "model in westeurope"]
    assert finding.state is State.MISSING
    assert why in finding.found
    assert "agents:model.name gpt-5.4" in finding.mend


def test_a_deleted_vault_is_recovered_in_its_group_and_in_the_way_elsewhere(owner: Session) -> None:
    for group, mends in (("rg-other", True), ("rg-agents-dev", False)):
        at = f"{SUBSCRIPTION}/resourceGroups/{group}"
        owner.send("PUT", at, {"location": "westeurope"})
        vault = f"{at}/providers/Microsoft.KeyVault/vaults/kv-agents-dev"
        sku = {"family": "A", "name": "standard"}
        properties = {
            "tenantId": TENANT_ID,
            "sku": sku,
            "enableRbacAuthorization": True,
            "softDeleteRetentionInDays": 7,
        }
        owner.send("PUT", vault, {"location": "westeurope", "properties": properties})
        owner.http.delete(vault, params={"api-version": "2022-04-01"}).raise_for_status()
        (finding,) = [one for one in owner.look(stack("dev")) if one.about == "vault's name"]
        assert finding.state is (State.MISSING if mends else State.OK)
        if mends:
            assert finding.mend == "az keyvault purge --name kv-agents-dev --location westeurope"
        place = (
            f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-agents-dev"
        )
        owner.http.post(f"{place}/purge", params={"api-version": "2022-04-01"}).raise_for_status()
