"""Write once, read many: policies and legal holds made by the official client, enforced on blobs."""

from __future__ import annotations

import shutil
import ssl
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, BlobType, ContainerClient

from sandbox.arm.known import catalogue
from sandbox.azure import authorization, managedidentity, resources, storage
from sandbox.azure.storage import worm
from sandbox.config import SUBSCRIPTION_ID, Config
from tests.sandbox.azure import fakes
from tests.sandbox.served import Served, client, credential, served

GROUP, ACCOUNT = "rg-worm", "stworm"
BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
ROLES = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions"
POLICY, HOLD = "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not (Config().cache / "bin" / "azurite").exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not in the cache; `make up` installs it")
    modules = [resources, authorization, managedidentity, storage]
    with (
        pytest.MonkeyPatch.context() as patch,
        served(tmp_path_factory.mktemp("worm"), patch, catalogue(), modules) as found,
    ):
        groups = client(found, ResourceManagementClient).resource_groups
        groups.create_or_update(GROUP, {"location": "westeurope"})
        make_account(found, ACCOUNT)
        yield found
        supervisor = found.cloud.services.supervisor
        assert isinstance(supervisor, fakes.Supervisor)
        supervisor.end()


def make_account(cloud: Served, name: str, group: str = GROUP) -> None:
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    accounts = client(cloud, StorageManagementClient).storage_accounts
    assign_owner(cloud, str(accounts.begin_create(group, name, body).result().id))


def assign_owner(cloud: Served, account: str) -> None:
    role = {
        "role_definition_id": f"{ROLES}/{BLOB_OWNER}",
        "principal_id": cloud.deployer["objectId"],
        "principal_type": "ServicePrincipal",
    }
    assignments = client(cloud, AuthorizationManagementClient).role_assignments
    assignments.create(account, str(uuid.uuid4()), role)


@dataclass
class Box:
    """A container of the test's own; `policy` and `hold` go through ARM."""

    cloud: Served
    name: str
    account: str = ACCOUNT
    group: str = GROUP

    @property
    def arm(self) -> Any:
        return client(self.cloud, StorageManagementClient).blob_containers

    @property
    def at(self) -> tuple[str, str, str]:
        return self.group, self.account, self.name

    @property
    def data(self) -> ContainerClient:
        url = f"https://{self.account}.blob.storage.azure.test"
        return BlobServiceClient(url, credential(self.cloud), retry_total=0).get_container_client(self.name)

    def blob(self, name: str = "one") -> BlobClient:
        return self.data.get_blob_client(name)

    def policy(self, days: int = 1, **more: Any) -> Any:
        body = {"properties": {"immutabilityPeriodSinceCreationInDays": days, **more}}
        return self.arm.create_or_update_immutability_policy(*self.at, parameters=body)

    def make(self) -> Box:
        self.arm.create(*self.at, {})
        self.blob().upload_blob(b"1")
        return self


@pytest.fixture
def box(cloud: Served) -> Box:
    return Box(cloud, f"box-{uuid.uuid4().hex[:8]}").make()


def version(etag: str) -> dict[str, Any]:
    """How the client is told which version of a policy is meant."""
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def refused(call: Callable[[], Any]) -> str:
    """The code of the refusal, which has to be a conflict."""
    with pytest.raises(HttpResponseError) as error:
        call()
    assert error.value.status_code == 409, error.value
    code = getattr(error.value, "error_code", None)
    return str(code or error.value.error.code)  # type: ignore[union-attr]


def test_under_a_policy_blobs_are_made_and_read_but_not_changed(box: Box) -> None:
    policy = box.policy(days=3)
    assert (policy.state, policy.immutability_period_since_creation_in_days) == ("Unlocked", 3)
    blob = box.blob()
    forbidden: list[Callable[[], Any]] = [
        lambda: blob.upload_blob(b"2", overwrite=True),
        lambda: in_blocks(blob),
        lambda: blob.set_blob_metadata({"a": "b"}),
        blob.set_http_headers,
        blob.create_snapshot,
        blob.delete_blob,
        lambda: blob.start_copy_from_url(blob.url),
    ]
    assert [refused(call) for call in forbidden] == [POLICY] * len(forbidden)
    assert blob.download_blob().readall() == b"1"
    box.blob("two").upload_blob(b"new")
    box.blob("two").set_blob_tags({"a": "b"})
    lease = box.blob("two").acquire_lease(15)
    lease.release()
    assert refused(box.blob("two").delete_blob) == POLICY
    assert box.blob("two").download_blob().readall() == b"new"


def in_blocks(blob: BlobClient) -> None:
    blob.stage_block("MQ==", b"2")
    blob.commit_block_list([BlobBlock("MQ==")])


def test_an_unlocked_policy_can_be_changed_and_taken_away(box: Box) -> None:
    box.policy(days=3)
    policy = box.policy(days=2)
    with pytest.raises(HttpResponseError) as without:
        box.arm.delete_immutability_policy(*box.at, **version('"another"'))
    assert without.value.status_code == 412
    box.arm.delete_immutability_policy(*box.at, **version(policy.etag))
    box.blob().upload_blob(b"2", overwrite=True)
    box.blob().delete_blob()


def test_a_delete_of_a_policy_names_its_version(cloud: Served, box: Box) -> None:
    """As on Azure, where clients that send no ETag cannot delete a policy."""
    box.policy()
    path = (
        f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{GROUP}/providers/Microsoft.Storage/storageAccounts"
        f"/{ACCOUNT}/blobServices/default/containers/{box.name}/immutabilityPolicies/default"
    )
    token = credential(cloud).get_token("https://management.azure.test/.default").token
    context = ssl.create_default_context(cafile=str(Config(state=cloud.state).ca_bundle))
    answer = httpx.delete(
        f"https://management.azure.test{path}?api-version=2024-01-01",
        headers={"authorization": f"Bearer {token}"},
        verify=context,
    )
    assert answer.status_code == 412
    assert "If-Match" in answer.json()["error"]["message"]
    assert cloud.cloud.services.store.get(path) is not None


def test_a_locked_policy_is_only_ever_extended(box: Box) -> None:
    policy = box.policy(days=2)
    policy = box.arm.lock_immutability_policy(*box.at, **version(policy.etag))
    assert policy.state == "Locked"
    period = "immutabilityPeriodSinceCreationInDays"

    def extend(days: int, etag: str) -> Any:
        body = {"properties": {period: days}}
        return box.arm.extend_immutability_policy(*box.at, **version(etag), parameters=body)

    refusals: list[Callable[[], Any]] = [
        lambda: box.policy(days=1),
        lambda: box.arm.delete_immutability_policy(*box.at, **version(policy.etag)),
        lambda: box.arm.lock_immutability_policy(*box.at, **version(policy.etag)),
        lambda: extend(1, policy.etag),
    ]
    assert [refused(call) for call in refusals] == ["ContainerImmutabilityPolicyFailure"] * 4
    with pytest.raises(HttpResponseError, match="incorrect etag"):
        extend(3, '"another"')
    for days in range(3, 8):
        policy = extend(days, policy.etag)
    assert refused(lambda: extend(8, policy.etag)) == "ContainerImmutabilityPolicyFailure"
    shown = box.arm.get(*box.at)
    assert shown.has_immutability_policy
    assert [entry["update"] for entry in shown.immutability_policy.update_history] == [
        "put",
        "lock",
        *["extend"] * 5,
    ]


def test_an_ended_retention_allows_deletion_but_no_overwriting(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.policy(days=1)
    monkeypatch.setattr(worm, "_DAY", -1)
    blob = box.blob()
    assert refused(lambda: blob.upload_blob(b"2", overwrite=True)) == POLICY
    assert refused(lambda: blob.set_blob_metadata({"a": "b"})) == POLICY
    box.arm.set_legal_hold(*box.at, {"tags": ["case1"]})
    assert refused(blob.delete_blob) == HOLD
    box.arm.clear_legal_hold(*box.at, {"tags": ["case1"]})
    blob.delete_blob()


def test_append_blobs_grow_where_the_policy_lets_them(box: Box) -> None:
    box.policy(allowProtectedAppendWrites=True)
    log = box.blob("log")
    log.upload_blob(b"a", blob_type=BlobType.APPENDBLOB)
    log.append_block(b"b")
    assert log.download_blob().readall() == b"ab"
    assert refused(log.delete_blob) == POLICY
    assert refused(lambda: log.upload_blob(b"x", overwrite=True)) == POLICY
    box.policy(allowProtectedAppendWrites=False)
    assert refused(lambda: log.append_block(b"c")) == POLICY
    with pytest.raises(HttpResponseError, match="cannot both be set"):
        box.policy(allowProtectedAppendWrites=True, allowProtectedAppendWritesAll=True)


def test_legal_holds_last_until_every_tag_is_cleared(box: Box) -> None:
    hold = box.arm.set_legal_hold(*box.at, {"tags": ["Case1", "case2"]})
    assert (hold.has_legal_hold, sorted(hold.tags)) == (True, ["case1", "case2"])
    assert box.arm.get(*box.at).has_legal_hold
    assert refused(lambda: box.blob().upload_blob(b"2", overwrite=True)) == HOLD
    box.arm.clear_legal_hold(*box.at, {"tags": ["case1", "absent"]})
    assert refused(box.blob().delete_blob) == HOLD
    box.arm.update(*box.at, {"properties": {"metadata": {"a": "b"}}})
    assert box.arm.get(*box.at).has_legal_hold, "an update keeps the hold"
    box.arm.clear_legal_hold(*box.at, {"tags": ["case2"]})
    box.blob().delete_blob()
    for tags in ([], ["no"], ["with space"], [f"tag{number}" for number in range(11)]):
        with pytest.raises(HttpResponseError) as error:
            box.arm.set_legal_hold(*box.at, {"tags": tags})
        assert error.value.status_code == 400


def test_containers_go_only_when_nothing_in_them_is_protected(box: Box) -> None:
    box.policy()
    assert refused(lambda: box.arm.delete(*box.at)) == "ContainerOperationFailure"
    assert refused(box.data.delete_container) == "ContainerImmutabilityPolicyLocked"
    box.arm.set_legal_hold(*box.at, {"tags": ["case"]})
    assert refused(box.data.delete_container) == "ContainerHasLegalHold"
    box.arm.clear_legal_hold(*box.at, {"tags": ["case"]})
    etag = box.arm.get_immutability_policy(*box.at).etag
    box.arm.delete_immutability_policy(*box.at, **version(etag))
    box.blob().delete_blob()
    box.policy()
    box.arm.delete(*box.at)


def test_an_account_is_kept_by_a_locked_policy_but_not_by_an_unlocked_one(cloud: Served) -> None:
    groups = client(cloud, ResourceManagementClient).resource_groups
    groups.create_or_update("rg-locked", {"location": "westeurope"})
    make_account(cloud, "stlocked", "rg-locked")
    box = Box(cloud, "box", "stlocked", "rg-locked").make()
    policy = box.policy()
    box.arm.lock_immutability_policy(*box.at, **version(policy.etag))
    accounts = client(cloud, StorageManagementClient).storage_accounts
    assert refused(lambda: accounts.delete("rg-locked", "stlocked")) == "AccountProtectedFromDeletion"
    with pytest.raises(HttpResponseError, match="could not be deleted"):
        groups.begin_delete("rg-locked").result()
    assign_owner(cloud, str(accounts.get_properties("rg-locked", "stlocked").id))
    assert box.blob().download_blob().readall() == b"1"
    make_account(cloud, "stunlocked")
    other = Box(cloud, "box", "stunlocked").make()
    other.policy()
    accounts.delete(GROUP, "stunlocked")


def test_of_writers_of_one_new_blob_one_wins(box: Box) -> None:
    box.policy()

    def write(number: int) -> str | None:
        try:
            box.blob("raced").upload_blob(str(number).encode(), overwrite=True)
        except HttpResponseError as error:
            return str(error.error_code)  # type: ignore[attr-defined]
        return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(write, range(8)))
    assert results.count(None) == 1
    assert results.count(POLICY) == 7
    assert box.blob("raced").download_blob().readall() == str(results.index(None)).encode()


@pytest.mark.parametrize("days", [0, 146_001])
def test_periods_have_bounds(box: Box, days: int) -> None:
    with pytest.raises(HttpResponseError) as error:
        box.policy(days=days)
    assert error.value.status_code == 400
