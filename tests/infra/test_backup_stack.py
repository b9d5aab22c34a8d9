"""A backup stack: what its worker is told to look at, of the data that agents use now."""

from __future__ import annotations

from typing import Any

import pytest

from infra.naming import Names, restored_database
from infra.settings import Settings, read_source
from infra.settings.restores import Restore
from infra.stacks import backup
from tests.conformance.program import record

pytestmark = pytest.mark.slow

AS_OF = "2026-11-28T09:59:30Z"


def _watched(monkeypatch: pytest.MonkeyPatch, **restore: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """What prod-backup tells its worker, and role assignments' scopes by name, with prod restored so."""

    def restored(settings: Settings) -> Settings:
        wanted = (Restore.model_validate({"as_of": AS_OF, **restore}),) if restore else ()
        return read_source(settings).model_copy(update={"restores": wanted})

    monkeypatch.setattr(backup, "read_source", restored)
    registered = record("prod-backup").registered
    (pod,) = (
        inputs["spec"]["template"]["spec"]["containers"][0]
        for kind, _, inputs in registered
        if kind == "kubernetes:apps/v1:Deployment"
    )
    told = {one["name"]: one.get("value") for one in pod["env"]}
    scopes = {
        name: inputs["scope"]
        for kind, name, inputs in registered
        if kind == "azure-native:authorization:RoleAssignment"
    }
    return told, scopes


def test_it_asks_of_the_originals_while_agents_use_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told, scopes = _watched(monkeypatch)
    assert told["Source__SqlDatabase"] == "AgentsDB"
    assert told["Source__SqlId"].endswith("/servers/sql-agents-prod")
    assert told["Source__CosmosId"].endswith("/databaseAccounts/cosmos-agents-prod")
    assert told["Source__CosmosId"] in scopes.values()


def test_it_asks_of_the_copies_once_agents_follow_a_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    told, scopes = _watched(monkeypatch, adopted=True)
    as_of = Restore.model_validate({"as_of": AS_OF}).as_of
    assert told["Source__SqlDatabase"] == restored_database("AgentsDB", as_of) != "AgentsDB"
    account = Names("prod").restored_cosmos(as_of)
    assert told["Source__CosmosId"].endswith(f"/databaseAccounts/{account}")
    assert told["Source__CosmosId"] in scopes.values(), "its identity may not ask of the copy"


def test_a_copy_that_agents_do_not_use_is_not_asked_of(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _ = _watched(monkeypatch, adopted=False)
    assert told["Source__SqlDatabase"] == "AgentsDB"
    assert told["Source__CosmosId"].endswith("/databaseAccounts/cosmos-agents-prod")
