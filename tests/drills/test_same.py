"""Resources are the same ones only when Azure says so, not when they have the same names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drills.same import differences, identities

PREFIX = "urn:pulumi:dev::agents::"
ACCOUNT = "azure-native:cosmosdb:DatabaseAccount"


def export(**changes: Any) -> str:
    """An account, a cluster, a component, an object on the cluster and a command."""
    account = {"urn": f"{PREFIX}{ACCOUNT}::cosmos", "type": ACCOUNT, "id": "/subs/1/accounts/a"}
    cluster = "azure-native:containerservice:ManagedCluster"
    resources = [
        {**account, "outputs": {"instanceId": "i-1", "etag": "1"}, **changes},
        {
            "urn": f"{PREFIX}{cluster}::cluster",
            "type": cluster,
            "id": "/subs/1/clusters/c",
            "outputs": {"identity": {"principalId": "p-1"}},
        },
        {"urn": f"{PREFIX}agents:azure:Cosmos::cosmos", "type": "agents:azure:Cosmos"},
        {"urn": f"{PREFIX}kubernetes:core:Pod::x", "type": "kubernetes:core:Pod", "id": "a/x"},
        {"urn": f"{PREFIX}command:local:Command::image", "type": "command:local:Command", "id": "random"},
    ]
    return json.dumps({"deployment": {"resources": resources}})


def test_another_spelling_of_an_id_is_no_difference() -> None:
    other = export(id="/SUBS/1/Accounts/A", outputs={"instanceId": "I-1", "etag": "2"})
    assert differences(identities(export()), identities(other)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "/subs/1/accounts/b"}, "is another: id was /subs/1/accounts/a and is /subs/1/accounts/b"),
        ({"outputs": {"instanceId": "i-2"}}, "is another: instanceId was i-1 and is i-2"),
        ({"outputs": {}}, "is another: instanceId was i-1 and is None"),
    ],
    ids=["id", "replaced under its name", "nothing is known"],
)
def test_another_resource_is_seen(changes: dict[str, Any], said: str) -> None:
    assert differences(identities(export()), identities(export(**changes))) == [f"{ACCOUNT}::cosmos {said}"]


def test_what_is_missing_or_new_is_seen() -> None:
    before, after = identities(export()), identities(export(urn=f"{PREFIX}{ACCOUNT}::documents"))
    assert differences(before, after) == [
        f"{ACCOUNT}::cosmos is not in the state",
        f"{ACCOUNT}::documents is new",
    ]


def test_another_cluster_identity_is_seen() -> None:
    after = json.loads(export())
    after["deployment"]["resources"][1]["outputs"]["identity"]["principalId"] = "p-2"
    (problem,) = differences(identities(export()), identities(json.dumps(after)))
    assert problem.endswith("identity.principalId was p-1 and is p-2")


def test_nothing_is_not_the_same_as_nothing() -> None:
    assert differences({}, {}) == ["the state had nothing in Azure: nothing was compared"]
    assert identities(json.dumps({"deployment": {}})) == {}
