"""A stamp's agents have the rights of their environment's, by other names, and not one more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from drills.rights import held, more
from drills.shell import ROOT
from drills.stack import Stack
from drills.timeline import Timeline
from tests.drills.scripted import Scripted

GROUPS = "/subscriptions/s/resourceGroups"
PROVIDERS = "providers/Microsoft.X"


def stack(name: str, folder: Path, *more_roles: dict[str, str]) -> Stack:
    """Every agent has the same principal: only notification's roles are told apart by its environment."""
    short = name.replace("-", "")
    group = f"{GROUPS}/rg-agents-{name}/{PROVIDERS}"
    assigned = [
        role("Key Vault Secrets User", f"{group}/vaults/kv-agents-{name}"),
        role("Storage Queue Data Message Processor", f"{group}/accounts/stagents{short}/queues/devops"),
        {**role("Owner", "/subscriptions/s"), "principalId": "somebody else"},
        *more_roles,
    ]
    account = f"{GROUPS}/rg-agents-dev/{PROVIDERS}/databaseAccounts/cosmos-agents-dev"
    documents = [
        {
            "principalId": "p",
            "roleDefinitionId": f"{account}/sqlRoleDefinitions/d-1",
            "scope": f"{account}/dbs/AgentsDB/colls/Events",
        }
    ]
    answers = {
        "identity show": json.dumps({"principalId": "p"}),
        "cosmosdb sql role assignment list -g rg-agents-dev -a cosmos-agents-dev": json.dumps(documents),
        "role assignment list --all": json.dumps(assigned),
    }
    return Stack(Scripted(folder=ROOT, answers=answers), Timeline(), folder, name, source="dev")


def role(name: str, scope: str) -> dict[str, Any]:
    return {"principalId": "p", "roleDefinitionName": name, "scope": scope}


def test_other_names_are_the_same_rights(tmp_path: Path) -> None:
    allowed = held(stack("dev", tmp_path))
    assert {one.partition(": ")[2] for one in allowed} == {
        "Key Vault Secrets User on vaults/kv-agents-dev",
        "Storage Queue Data Message Processor on queues/devops",
        "d-1 on colls/Events",
    }
    assert more(allowed, held(stack("dev-dr", tmp_path))) == []


def test_one_right_more_is_seen(tmp_path: Path) -> None:
    allowed = held(stack("dev", tmp_path))
    wide = role("Key Vault Administrator", f"{GROUPS}/rg-agents-dev-dr/{PROVIDERS}/vaults/kv-agents-dev-dr")
    (problem,) = more(allowed, held(stack("dev-dr", tmp_path, wide)))
    assert "Key Vault Administrator on vaults/kv-agents-dev: the environment's agents have no such" in problem
    over = role("Key Vault Secrets User", "/subscriptions/s/resourceGroups/rg-agents-dev-dr")
    (problem,) = more(allowed, held(stack("dev-dr", tmp_path, over)))
    assert "Key Vault Secrets User on resourceGroups/rg-agents-dev" in problem


def test_no_rights_at_all_are_no_success() -> None:
    assert more(frozenset({"a: b on c"}), frozenset()) == ["no agent holds any role: nothing was looked at"]
