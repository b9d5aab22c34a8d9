"""Blobs and queues through the unmodified SDKs, tokens and roles checked in front of Azurite."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient
from azure.storage.queue.aio import QueueClient as AsyncQueueClient

from sandbox.arm.errors import ArmError
from sandbox.azure.storage.accounts import StorageAccountHandler
from sandbox.azure.storage.containers import ContainerHandler, QueueHandler
from tests.sandbox.azure.conftest import World
from tests.sandbox.azure.fakes import Credential
from tests.sandbox.azure.storage.conftest import (
    ACCOUNT,
    BASE,
    BLOB_URL,
    BLOBS,
    CONTAINER,
    QUEUE,
    QUEUE_URL,
    account_body,
)


def blobs(who: str, **options: Any) -> BlobServiceClient:
    return BlobServiceClient(BLOB_URL, Credential(who), retry_total=0, **options)


def queue(who: str, name: str = "notification") -> QueueClient:
    return QueueClient(QUEUE_URL, name, credential=Credential(who), retry_total=0)


def test_blobs_round_trip(plane: World) -> None:
    with blobs("blobs") as service:
        blob = service.get_blob_client("prompts", "a folder/ü + %41.md")
        blob.upload_blob(b"hello", metadata={"a_b": "1", "a1": "2", "aa": "3"}, tags=None)
        assert blob.download_blob().readall() == b"hello"
        assert blob.get_blob_properties().metadata == {"a_b": "1", "a1": "2", "aa": "3"}
        assert blob.download_blob(offset=1, length=3).readall() == b"ell"
        names = [
            b.name for b in service.get_container_client("prompts").list_blobs(name_starts_with="a folder/")
        ]
        assert names == ["a folder/ü + %41.md"]
        with pytest.raises(ResourceExistsError):
            blob.upload_blob(b"again")
        blob.delete_blob()
        assert not blob.exists()


def test_large_blobs_stream_in_blocks(plane: World) -> None:
    content = os.urandom(9 * 1024 * 1024)
    with blobs("blobs", max_single_put_size=1024 * 1024, max_block_size=2 * 1024 * 1024) as service:
        blob = service.get_blob_client("prompts", "large")
        blob.upload_blob(content)
        assert blob.download_blob().readall() == content


def test_conditional_writes_and_leases(plane: World) -> None:
    with blobs("blobs") as service:
        blob = service.get_blob_client("prompts", "leased")
        blob.upload_blob(b"1")
        lease = blob.acquire_lease(15)
        with pytest.raises(HttpResponseError):
            blob.upload_blob(b"2", overwrite=True)
        blob.upload_blob(b"2", overwrite=True, lease=lease)
        lease.release()


def test_copies_need_to_read_the_source(plane: World) -> None:
    with blobs("blobs") as service:
        source = service.get_blob_client("prompts", "source")
        source.upload_blob(b"copied", overwrite=True)
        target = service.get_blob_client("prompts", "target")
        target.start_copy_from_url(source.url)
        assert target.download_blob().readall() == b"copied"
    plane.rbac.grant("writer", f"{BLOBS}write")
    with (
        blobs("writer") as service,
        pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"),
    ):
        service.get_blob_client("prompts", "theft").start_copy_from_url(f"{BLOB_URL}/prompts/source")


def test_queues_round_trip(plane: World) -> None:
    with queue("queues") as client:
        client.clear_messages()
        sent = client.send_message("héllo <&>")
        assert [m.content for m in client.peek_messages()] == ["héllo <&>"]
        received = client.receive_message(visibility_timeout=30)
        assert received is not None
        assert received.id == sent.id
        updated = client.update_message(received, content="second", visibility_timeout=0)
        again = client.receive_message()
        assert again is not None
        assert (again.content, again.dequeue_count) == ("second", 2)
        assert updated.id == again.id
        client.delete_message(again)
        assert client.receive_message() is None


def named(key: str) -> AzureNamedKeyCredential:
    return AzureNamedKeyCredential("stagentsdev", key)


def box(service: BlobServiceClient) -> ContainerClient:
    return service.get_container_client("prompts")


def item(service: BlobServiceClient) -> BlobClient:
    return service.get_blob_client("prompts", "matrix")


def line(service: QueueServiceClient) -> QueueClient:
    return service.get_queue_client("matrix")


#: What each call needs, in the order in which they can be made.
Calls = dict[str, tuple[str, bool, Callable[[Any], Any]]]
_C, _B = "blobServices/containers/", "blobServices/containers/blobs/"
BLOB_CALLS: Calls = {
    "list containers": (f"{_C}read", False, lambda s: list(s.list_containers())),
    "create container": (f"{_C}write", False, lambda s: s.create_container("matrix")),
    "container properties": (f"{_C}read", False, lambda s: box(s).get_container_properties()),
    "get acl": (f"{_C}getAcl/action", False, lambda s: box(s).get_container_access_policy()),
    "delete container": (f"{_C}delete", False, lambda s: s.delete_container("matrix")),
    "service properties": ("blobServices/read", False, lambda s: s.get_service_properties()),
    "set service properties": ("blobServices/write", False, lambda s: s.set_service_properties(cors=[])),
    "list blobs": (f"{_B}read", True, lambda s: list(box(s).list_blobs())),
    "put blob": (f"{_B}write", True, lambda s: item(s).upload_blob(b"x", overwrite=True)),
    "get blob": (f"{_B}read", True, lambda s: item(s).download_blob()),
    "set tags": (f"{_B}tags/write", True, lambda s: item(s).set_blob_tags({"a": "b"})),
    "get tags": (f"{_B}tags/read", True, lambda s: item(s).get_blob_tags()),
    "delete blob": (f"{_B}delete", True, lambda s: item(s).delete_blob()),
}
_Q, _M = "queueServices/queues/", "queueServices/queues/messages/"
QUEUE_CALLS: Calls = {
    "list queues": (f"{_Q}read", False, lambda s: list(s.list_queues())),
    "create queue": (f"{_Q}write", False, lambda s: s.create_queue("matrix")),
    "queue properties": (f"{_Q}read", False, lambda s: line(s).get_queue_properties()),
    "put message": (f"{_M}add/action", True, lambda s: line(s).send_message("x")),
    "peek": (f"{_M}read", True, lambda s: line(s).peek_messages()),
    "get messages": (f"{_M}process/action", True, lambda s: list(line(s).receive_messages())),
    "clear": (f"{_M}delete", True, lambda s: line(s).clear_messages()),
    "delete queue": (f"{_Q}delete", False, lambda s: s.delete_queue("matrix")),
}


@pytest.mark.parametrize(
    ("client", "calls"), [(BlobServiceClient, BLOB_CALLS), (QueueServiceClient, QUEUE_CALLS)]
)
def test_every_operation_asks_for_its_own_action(plane: World, client: Any, calls: Any) -> None:
    url = BLOB_URL if client is BlobServiceClient else QUEUE_URL
    with client(url, Credential("nobody"), retry_total=0) as service:
        for name, (_, _, call) in calls.items():
            with pytest.raises(HttpResponseError) as refused:
                call(service)
            assert refused.value.status_code == 403, name
            assert refused.value.error_code == "AuthorizationPermissionMismatch", name
    for name, (action, data, call) in calls.items():
        who = f"only {name}"
        plane.rbac.grant(who, BASE + action, data=data)
        with client(url, Credential(who), retry_total=0) as service:
            call(service)


def test_a_grant_on_one_container_opens_no_other(plane: World) -> None:
    plane.put(ContainerHandler, f"{ACCOUNT}/blobServices/default/containers/other", {"properties": {}})
    account = next(iter(plane.store.list(type=StorageAccountHandler.type)))
    scope = f"{account.id}/blobServices/default/containers/prompts"
    plane.rbac.grant("narrow", f"{BLOBS}read", f"{BLOBS}write", scope=scope)
    with blobs("narrow") as service:
        service.get_blob_client("prompts", "mine").upload_blob(b"x", overwrite=True)
        for path in ("other", "other/%2e%2e"):
            with pytest.raises(HttpResponseError, match="not authorized"):
                service.get_blob_client(path, "mine").upload_blob(b"x")


def test_a_wrong_audience_is_challenged(plane: World) -> None:
    class Wrong(Credential):
        def get_token(self, *scopes: str, **_: Any) -> Any:
            return super().get_token("https://vault.azure.test")

    service = BlobServiceClient(BLOB_URL, Wrong("blobs"), retry_total=0)
    with service, pytest.raises(ClientAuthenticationError) as refused:
        list(service.get_container_client("prompts").list_blobs())
    assert refused.value.response is not None
    assert "authorization_uri=https://login.azure.test/" in refused.value.response.headers["www-authenticate"]


def test_keys_are_refused_until_they_are_allowed(plane: World) -> None:
    account = next(iter(plane.store.list(type=StorageAccountHandler.type)))
    keys = {k["keyName"]: k["value"] for k in plane.act(StorageAccountHandler, "listKeys", account)["keys"]}
    with BlobServiceClient(BLOB_URL, named(keys["key1"]), retry_total=0) as service:
        with pytest.raises(HttpResponseError) as refused:
            list(service.list_containers())
        assert refused.value.error_code == "KeyBasedAuthenticationNotPermitted"
        plane.put(StorageAccountHandler, ACCOUNT, account_body(allowSharedKeyAccess=True))
        assert "prompts" in [c.name for c in service.list_containers()]
    with QueueServiceClient(QUEUE_URL, named(keys["key2"]), retry_total=0) as queues:
        assert "notification" in [q.name for q in queues.list_queues()]
    account = next(iter(plane.store.list(type=StorageAccountHandler.type)))
    plane.act(StorageAccountHandler, "regenerateKey", account, {"keyName": "key1"})
    old = BlobServiceClient(BLOB_URL, named(keys["key1"]), retry_total=0)
    with old, pytest.raises(HttpResponseError, match="authenticate"):
        list(old.list_containers())
    with blobs("blobs") as service:
        list(service.get_container_client("prompts").list_blobs())
    plane.put(StorageAccountHandler, ACCOUNT, account_body())


def test_public_containers_answer_anyone_only_where_the_account_allows(plane: World) -> None:
    path = f"{ACCOUNT}/blobServices/default/containers/public"
    body = {"properties": {"publicAccess": "Blob"}}
    with pytest.raises(ArmError, match="Public access is not permitted"):
        plane.put(ContainerHandler, path, body)
    plane.put(StorageAccountHandler, ACCOUNT, account_body(allowBlobPublicAccess=True))
    plane.put(ContainerHandler, path, body)
    with blobs("blobs") as service:
        service.get_blob_client("public", "page").upload_blob(b"for all", overwrite=True)
    with BlobServiceClient(BLOB_URL, retry_total=0) as anyone:
        assert anyone.get_blob_client("public", "page").download_blob().readall() == b"for all"
        with pytest.raises(HttpResponseError):
            anyone.get_blob_client("prompts", "source").download_blob()
        plane.put(StorageAccountHandler, ACCOUNT, account_body())
        with pytest.raises(ClientAuthenticationError):
            anyone.get_blob_client("public", "page").download_blob()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?comp=list&comp=properties", 400),
        ("/prompts?restype=container&Comp=acl", 400),
        ("/", 400),
        ("/?comp=userdelegationkey&restype=service", 501),
    ],
)
def test_what_is_ambiguous_or_unknown_is_refused(plane: World, path: str, status: int) -> None:
    context = ssl.create_default_context(cafile=str(plane.services.config.state / "ca.pem"))
    token = Credential("blobs").get_token("https://storage.azure.com").token
    answer = httpx.get(BLOB_URL + path, headers={"authorization": f"Bearer {token}"}, verify=context)
    assert answer.status_code == status
    assert answer.headers["x-ms-error-code"] in answer.text


def test_containers_and_queues_end_with_their_resources(plane: World) -> None:
    handlers: Any = [ContainerHandler, QueueHandler]
    path = CONTAINER.replace("prompts", "brief")
    plane.delete(handlers, plane.put(ContainerHandler, path, {"properties": {}}))
    with blobs("blobs") as service, pytest.raises(ResourceNotFoundError):
        list(service.get_container_client("brief").list_blobs())
    plane.delete(
        handlers, plane.put(QueueHandler, QUEUE.replace("notification", "brief"), {"properties": {}})
    )
    with queue("queues", "brief") as client, pytest.raises(ResourceNotFoundError):
        client.peek_messages()


def test_arm_shows_what_the_data_plane_made(plane: World) -> None:
    def shown(handler: Any) -> set[str]:
        return {one.id.name for one in plane.store.list(type=handler.type)}

    writes = [f"{BASE}{kind}/{action}" for kind in (_C[:-1], _Q[:-1]) for action in ("write", "delete")]
    plane.rbac.grant("maker", *writes, data=False)
    with blobs("maker") as service:
        service.create_container("by-data-plane")
        assert "by-data-plane" in shown(ContainerHandler)
        service.delete_container("by-data-plane")
        assert "by-data-plane" not in shown(ContainerHandler)
    with QueueServiceClient(QUEUE_URL, Credential("maker"), retry_total=0) as queues:
        queues.create_queue("by-data-plane")
        assert "by-data-plane" in shown(QueueHandler)
        queues.delete_queue("by-data-plane")
        assert "by-data-plane" not in shown(QueueHandler)


async def test_the_async_clients(plane: World) -> None:
    class Async(Credential):
        async def get_token(self, *scopes: str, **options: Any) -> Any:  # type: ignore[override]
            return super().get_token(*scopes, **options)

        async def close(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    url, trust = f"{QUEUE_URL}:{plane.port}", str(plane.services.config.state / "ca.pem")
    async with AsyncQueueClient(
        url, "notification", credential=Async("queues"), connection_verify=trust
    ) as client:
        await client.clear_messages()
        await client.send_message("one")
        assert [m.content async for m in client.receive_messages()] == ["one"]
