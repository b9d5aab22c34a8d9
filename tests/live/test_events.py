"""Event Grid and storage by az alone, in a resource group of the test's own: from publishing to dead letters.

Event Grid's clock runs a thousand times faster meanwhile: retries and dead letters take seconds.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from sandbox.azure.eventgrid.timing import PACE
from sandbox.config import Config
from tests.sandboxed import Sandbox
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

GROUP, TOPIC, NAME, QUEUE, CONTAINER = (
    "rg-events-test",
    "topic-events-test",
    "sub-test",
    "inbox",
    "deadletters",
)
QUEUE_SENDER, BLOB_CONTRIBUTOR = "Storage Queue Data Message Sender", "Storage Blob Data Contributor"


class CliCredential:
    """What `az` is signed in as."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        found = self._sandbox.az("account", "get-access-token", "--scope", scopes[0])
        return AccessToken(found["accessToken"], int(found["expires_on"]))


@dataclass
class Platform:
    sandbox: Sandbox
    account: str
    storage_id: str
    topic: dict[str, Any]

    @property
    def identity(self) -> str:
        return str(self.topic["identity"]["principalId"])

    def storage(self, *arguments: str) -> Any:
        return self.sandbox.az("storage", *arguments, "--account-name", self.account, "--auth-mode", "login")

    def assign(self, role: str, principal: str, scope: str) -> None:
        self.sandbox.az(
            *("role", "assignment", "create", "--role", role, "--scope", scope),
            *("--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal"),
        )

    def publish(self, *types: str) -> None:
        client = EventGridPublisherClient(
            self.topic["endpoint"],
            CliCredential(self.sandbox),
        )
        events = [CloudEvent(source="/tests", type=kind, data={"type": kind}) for kind in types]
        with client:
            # This client takes it with a request only.
            client.send(events, connection_verify=self.sandbox.env["REQUESTS_CA_BUNDLE"])

    def messages(self, count: int) -> list[str]:
        """Types of the events in the queue, once there are so many."""
        found: list[str] = []

        def look() -> bool:
            peeked = self.storage("message", "peek", "-q", QUEUE, "--num-messages", "32")
            found[:] = [json.loads(base64.b64decode(one["content"]))["type"] for one in peeked]
            return len(found) >= count

        until(look, bool, 120, f"{count} messages")
        return found

    def letters(self, count: int, folder: Path) -> list[dict[str, Any]]:
        names: list[str] = []

        def look() -> bool:
            listed = self.storage("blob", "list", "-c", CONTAINER, "--prefix", f"{NAME.upper()}/")
            names[:] = [blob["name"] for blob in listed]
            return len(names) >= count

        until(look, bool, 120, f"{count} dead-letter blobs")
        found = []
        for number, name in enumerate(names):
            file = folder / f"{number}.json"
            self.storage("blob", "download", "-c", CONTAINER, "-n", name, "-f", str(file), "--overwrite")
            found += json.loads(file.read_text())
        return found


@pytest.fixture(scope="module")
def platform(bare_sandbox: Sandbox) -> Iterator[Platform]:
    az, account = bare_sandbox.az, f"stevents{uuid.uuid4().hex[:8]}"
    pace = Config().state / PACE
    pace.parent.mkdir(parents=True, exist_ok=True)
    pace.write_text("1000")
    az("group", "create", "-n", GROUP, "-l", "westeurope")
    try:
        made = az(
            *("storage", "account", "create", "-g", GROUP, "-n", account, "-l", "westeurope"),
            *("--allow-shared-key-access", "false"),
        )
        topic = az(
            *("eventgrid", "topic", "create", "-g", GROUP, "-n", TOPIC, "-l", "westeurope"),
            *("--input-schema", "cloudeventschemav1_0", "--identity", "systemassigned"),
        )
        yield Platform(bare_sandbox, account, made["id"], topic)
    finally:
        pace.unlink()
        az("group", "delete", "-n", GROUP, "--yes")
    assert az("group", "exists", "-n", GROUP) is False
    left = az("resource", "list", "--query", f"[?contains(id, '{GROUP}')]")
    assert left == []


def test_queues_and_containers_are_made_with_roles_alone(platform: Platform) -> None:
    deployer = platform.sandbox.env["ARM_CLIENT_ID"]
    mine = platform.sandbox.az("ad", "sp", "show", "--id", deployer)["id"]
    platform.storage("queue", "create", "-n", QUEUE)
    platform.storage("container", "create", "-n", CONTAINER)
    sent = ["message", "put", "-q", QUEUE, "--content", "hello"]
    assert platform.sandbox.run(
        *("az", "storage", *sent, "--account-name", platform.account, "--auth-mode", "login"), check=False
    ).err.count("permissions needed to perform this operation")
    platform.assign("Storage Queue Data Contributor", mine, platform.storage_id)
    platform.assign(BLOB_CONTRIBUTOR, mine, platform.storage_id)
    platform.storage(*sent)
    (taken,) = platform.storage("message", "get", "-q", QUEUE)
    assert taken["content"] == "hello"
    receipt = ["--id", taken["id"], "--pop-receipt", taken["popReceipt"]]
    platform.storage("message", "delete", "-q", QUEUE, *receipt)
    assert platform.storage("message", "peek", "-q", QUEUE) == []


def test_a_subscription_by_az(platform: Platform) -> None:
    az, topic = platform.sandbox.az, platform.topic["id"]
    made = az(
        *("eventgrid", "event-subscription", "create", "-n", NAME, "--source-resource-id", topic),
        *("--event-delivery-schema", "cloudeventschemav1_0", "--delivery-identity", "systemassigned"),
        *("--delivery-identity-endpoint-type", "storagequeue", "--delivery-identity-endpoint"),
        f"{platform.storage_id}/queueServices/default/queues/{QUEUE}",
        *("--deadletter-identity", "systemassigned", "--deadletter-identity-endpoint"),
        f"{platform.storage_id}/blobServices/default/containers/{CONTAINER}",
        *("--advanced-filter", "data.type", "StringNotIn", "unwanted"),
    )
    assert made["provisioningState"] == "Succeeded"
    at = ["-n", NAME, "--source-resource-id", topic]
    shown = az("eventgrid", "event-subscription", "show", *at)
    assert shown["deadLetterWithResourceIdentity"]["deadLetterDestination"]["blobContainerName"] == CONTAINER
    assert shown["deadLetterDestination"] is None
    listed = az("eventgrid", "event-subscription", "list", "--source-resource-id", topic)
    assert [one["name"] for one in listed] == [NAME]
    labelled = az("eventgrid", "event-subscription", "update", *at, "--labels", "one", "two")
    assert labelled["labels"] == ["one", "two"]
    topic_shown = az("eventgrid", "topic", "show", "-g", GROUP, "-n", TOPIC)
    assert topic_shown["endpoint"].startswith(f"https://{TOPIC}.westeurope-1.eventgrid.")


def test_events_reach_the_queue_or_become_dead_letters(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(ClientAuthenticationError, match="does not have permission to send data"):
        platform.publish("refused")
    deployer = platform.sandbox.az("ad", "sp", "show", "--id", platform.sandbox.env["ARM_CLIENT_ID"])["id"]
    platform.assign("EventGrid Data Sender", deployer, platform.topic["id"])
    platform.assign(BLOB_CONTRIBUTOR, platform.identity, platform.storage_id)
    platform.publish("nobody may deliver this")
    (letter,) = platform.letters(1, tmp_path)
    assert letter["lastdeliveryoutcome"] == "Forbidden"
    assert letter["data"] == {"type": "nobody may deliver this"}
    queue = f"{platform.storage_id}/queueServices/default/queues/{QUEUE}"
    platform.assign(QUEUE_SENDER, platform.identity, queue)
    platform.publish("one", "unwanted", "two")
    assert sorted(platform.messages(2)) == ["one", "two"]


def test_dead_letters_are_kept_by_the_containers_policy(platform: Platform) -> None:
    place = ["--account-name", platform.account, "-c", CONTAINER, "-g", GROUP]
    policy = platform.sandbox.az(
        "storage", "container", "immutability-policy", "create", *place, "--period", "7"
    )
    (blob,) = platform.storage("blob", "list", "-c", CONTAINER)
    at = ["-c", CONTAINER, "-n", blob["name"], "--account-name", platform.account, "--auth-mode", "login"]
    for command in (["delete"], ["metadata", "update", "--metadata", "a=b"]):
        refused = platform.sandbox.run("az", "storage", "blob", *command, *at, check=False)
        assert refused.code != 0
        assert "BlobImmutableDueToPolicy" in refused.err
    platform.sandbox.az(
        *("storage", "container", "immutability-policy", "delete", *place, "--if-match", policy["etag"]),
    )
    platform.sandbox.run("az", "storage", "blob", "delete", *at)
