"""A restore outlives whatever is killed: the next start goes on with it, and nobody sees half of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.arm.errors import ArmError
from sandbox.azure.documentdb import naming, restorable, restore, throughput
from sandbox.azure.documentdb.accounts import AccountHandler
from sandbox.azure.documentdb.sql_resources import ContainerHandler
from sandbox.config import SUBSCRIPTION_ID, Config
from tests.sandbox.azure.documentdb.clouds import GROUP, folder
from tests.sandbox.azure.documentdb.conftest import Cosmos
from tests.sandbox.azure.documentdb.estate import Estate, contents, moment, until
from tests.sandbox.served import Served, _resolve_to

_CLOUD = """
import sys
from pathlib import Path
from tests.sandbox.azure.documentdb.clouds import on

with on(Path(sys.argv[1])) as cloud:
    print(cloud.port, flush=True)
    sys.stdin.read()
"""


@contextmanager
def killed_at_the_end(state: Path) -> Iterator[Estate]:
    """A cloud in processes of its own, all of which are killed when the block is left."""
    command = [sys.executable, "-c", _CLOUD, str(state)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with pytest.MonkeyPatch.context() as patch:
            for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
                patch.setenv(variable, str(Config(state=state).ca_bundle))
            _resolve_to(patch, port)
            yield Estate(Served(None, state, port, None))  # type: ignore[arg-type]  # it is in the other process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_killing_everything_in_the_middle_of_restores() -> None:
    count = 1000
    with folder() as state:
        with killed_at_the_end(state) as estate:
            events = estate.filled("cosmos-kill")
            for start in range(0, count, 100):
                events.execute_item_batch(
                    [("create", ({"id": str(start + n), "agent": "x"},)) for n in range(100)], "x"
                )
            before = contents(events)
            at = moment()
            events.create_item({"id": "later", "agent": "x"})
            source = estate.restorable("cosmos-kill")
            _begin_and_die(estate, "cosmos-kill-0", estate.request(source, at), 0.0)
        with killed_at_the_end(state) as estate:
            _whole(estate, "cosmos-kill-0", before)
            _begin_and_die(estate, "cosmos-kill-1", estate.request(source, at), 0.2)
        with killed_at_the_end(state) as estate:
            _whole(estate, "cosmos-kill-1", before)
            assert len(contents(estate.open("cosmos-kill"))) == count + 1


def _begin_and_die(estate: Estate, name: str, request: dict[str, Any], pause: float) -> None:
    """Leave while the restore may be anywhere: the caller kills everything then."""
    estate.cosmos.database_accounts.begin_create_or_update(GROUP, name, request, polling=False)
    time.sleep(pause)


def _whole(estate: Estate, name: str, expected: dict[str, Any]) -> None:
    def succeeded() -> bool:
        state = estate.cosmos.database_accounts.get(GROUP, name).provisioning_state
        assert state in ("Creating", "Succeeded")
        return str(state) == "Succeeded"

    until(succeeded, 60)
    assert contents(estate.events(name)) == expected


def _request(fresh: Cosmos, at: str) -> dict[str, Any]:
    account = next(iter(fresh.world.store.list(type=naming.ACCOUNT)))
    place = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.DocumentDB/locations/westeurope"
    source = f"{place}/restorableDatabaseAccounts/{account.properties['instanceId']}"
    fresh.world.rbac.grant("owner", f"{naming.RESTORABLE}/restore/action", data=False)
    return {
        "location": "westeurope",
        "properties": {
            "databaseAccountOfferType": "Standard",
            "locations": [{"locationName": "westeurope", "failoverPriority": 0}],
            "createMode": "Restore",
            "restoreParameters": {"restoreSource": source, "restoreTimestampInUtc": at},
        },
    }


def test_a_restore_that_failed_half_way_is_no_source_and_can_be_repeated(
    fresh: Cosmos, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.events().create_item({"id": "1", "agent": "x"})
    body, path = _request(fresh, moment()), f"{naming.ACCOUNT}/cosmos-half"

    def fail(*_: object) -> None:
        raise ArmError(500, "Broken", "no children")

    with monkeypatch.context() as patch:
        patch.setattr(restore, "_make_children", fail)
        with pytest.raises(ArmError, match="no children"):
            fresh.put(AccountHandler, path, body)

    def names() -> list[str]:
        found = restorable.restorables(fresh.world.services, SUBSCRIPTION_ID)
        return sorted(one.account.id.name for one in found)

    def databases() -> list[str]:
        found = fresh.world.store.list(type=naming.DATABASE)
        return [one.id.names[0] for one in found if one.id.names[0] == "cosmos-half"]

    assert (names(), databases()) == (["cosmos-agents-dev"], [])
    fresh.put(AccountHandler, path, body)
    assert (names(), databases()) == (["cosmos-agents-dev", "cosmos-half"], ["cosmos-half"])


def test_a_container_that_was_half_made_gets_its_throughput(
    fresh: Cosmos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found at the next start must not pass for what was restored."""
    body, path = _request(fresh, moment()), f"{naming.ACCOUNT}/cosmos-half"

    def fail(*_: object) -> None:
        raise ArmError(500, "Broken", "no throughput")

    with monkeypatch.context() as patch:
        patch.setattr(throughput, "store_settings", fail)
        with pytest.raises(ArmError, match="no throughput"):
            fresh.put(AccountHandler, path, body)
    store = fresh.world.store
    for found in store.list(type=naming.CONTAINER):
        fresh.server.call(ContainerHandler(fresh.world.services).resume(found))
    account = fresh.put(AccountHandler, path, body)
    assert throughput.units(store, f"{account.id}/sqlDatabases/AgentsDB/containers/Events") == 10_000


def test_files_go_when_nothing_can_be_restored_from_them(fresh: Cosmos) -> None:
    cosmos = fresh.world.services.config.state / "cosmos"
    orphan = cosmos / "11111111-2222-3333-4444-555555555555.db"
    orphan.write_bytes(b"")
    live = {file.name for file in cosmos.glob("*.db")} - {orphan.name}
    fresh.account()
    assert {file.name for file in cosmos.glob("*.db")} == live
