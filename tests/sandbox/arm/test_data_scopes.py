"""Scopes of role assignments that only a data plane knows: a namespace of a cluster, a secret of a vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.arm import preconditions
from sandbox.arm.catalogue import TypeInfo
from sandbox.arm.database import Database
from sandbox.arm.errors import ArmError
from sandbox.arm.ids import parse_id
from sandbox.arm.rbac import ASSIGNMENT_TYPE
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore
from tests.sandbox.clouds import GROUP, SUBSCRIPTION

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/one"
ASSIGNMENT = f"providers/{ASSIGNMENT_TYPE}/a"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(Database(tmp_path / "azure.db"))
    for text in (SUBSCRIPTION, GROUP, CLUSTER):
        made.save(Resource(parse_id(text), {}, 0, 0))
    return made


def test_an_assignment_on_a_namespace_needs_the_cluster_only(store: SqliteStore) -> None:
    id_ = parse_id(f"{CLUSTER}/namespaces/mine/{ASSIGNMENT}")
    preconditions.require_ancestors(store, id_, "write")
    named = preconditions.canonical(store, id_, TypeInfo(ASSIGNMENT_TYPE, ("2022-04-01",)))
    assert named == id_


@pytest.mark.parametrize(
    "scope", [CLUSTER.replace("/one", "/two") + "/namespaces/mine", f"{CLUSTER}/others/x"]
)
def test_other_scopes_must_exist(store: SqliteStore, scope: str) -> None:
    with pytest.raises(ArmError) as caught:
        preconditions.require_ancestors(store, parse_id(f"{scope}/{ASSIGNMENT}"), "write")
    assert caught.value.code == "ParentResourceNotFound"
