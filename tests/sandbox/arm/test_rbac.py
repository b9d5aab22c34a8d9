"""Role assignments: who may do what where, on the control plane and (by `allows`) on data planes."""

from __future__ import annotations

import uuid

import pytest

from sandbox.arm.rbac import covers, grants
from sandbox.arm.roles import Role, built_in
from tests.sandbox.clouds import GROUP, SUBSCRIPTION, THING, Client

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
CLUSTERS = "Microsoft.ContainerService/managedClusters"
BODY = {"location": "westeurope"}
NAMES = {role.name: role.id for role in built_in().values()}


def role_id(name: str) -> str:
    return f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{NAMES.get(name, name)}"


async def assign(arm: Client, who: str, role: str, scope: str) -> str:
    """The assignment's id."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    properties = {"roleDefinitionId": role_id(role), "principalId": who, "principalType": "ServicePrincipal"}
    await arm.put(path, {"properties": properties})
    return path


@pytest.mark.parametrize(
    ("role", "action", "data", "allowed"),
    [
        ("Owner", "Microsoft.Anything/x/write", False, True),
        ("Owner", "Microsoft.KeyVault/vaults/secrets/getSecret/action", True, False),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False, False),
        ("Contributor", "microsoft.authorization/roleassignments/READ", False, True),
        ("Reader", "Microsoft.KeyVault/vaults/read", False, True),
        ("Reader", "Microsoft.KeyVault/vaults/write", False, False),
        ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets/getSecret/action", True, True),
        ("Key Vault Secrets User", "Microsoft.KeyVault/vaults/secrets/setSecret/action", True, False),
        ("Key Vault Secrets Officer", "Microsoft.KeyVault/vaults/secrets/setSecret/action", True, True),
        ("AcrPull", "Microsoft.ContainerRegistry/registries/pull/read", False, True),
        ("AcrPull", "Microsoft.ContainerRegistry/registries/push/write", False, False),
        (
            "Cognitive Services OpenAI User",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
            True,
            True,
        ),
        ("Managed Identity Operator", f"{IDENTITIES}/assign/action", False, True),
        ("Managed Identity Operator", f"{IDENTITIES}/write", False, False),
        ("Azure Kubernetes Service RBAC Admin", f"{CLUSTERS}/pods/write", True, True),
        ("Azure Kubernetes Service RBAC Admin", f"{CLUSTERS}/namespaces/write", True, False),
    ],
)
def test_built_in_roles(role: str, action: str, data: bool, allowed: bool) -> None:
    assert grants(built_in()[NAMES[role]], action, data=data) is allowed


def test_wildcards_are_literal_elsewhere() -> None:
    role = Role("id", "name", "", actions=("Microsoft.X/*/read", "Microsoft.Y/a.b/write"))
    assert grants(role, "Microsoft.X/a/b/read", data=False)
    assert grants(role, "Microsoft.X/read", data=False)
    assert not grants(role, "Microsoft.Xread", data=False)
    assert not grants(role, "Microsoft.Y/aXb/write", data=False)


def test_scopes() -> None:
    assert covers("", "/subscriptions/s")
    assert covers("/subscriptions/s", "/subscriptions/s/resourcegroups/g")
    assert not covers("/subscriptions/s/resourcegroups/g", "/subscriptions/s/resourcegroups/g2")
    assert not covers("/subscriptions/s/resourcegroups/g", "/subscriptions/s")


async def test_without_a_role_everything_is_forbidden(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    stranger = arm.other("stranger")
    asked = [
        ("GET", THING, None),
        ("HEAD", THING, None),
        ("PUT", THING, BODY),
        ("PATCH", THING, {}),
        ("DELETE", THING, None),
        ("POST", f"{THING}/listKeys", None),
        ("GET", f"{GROUP}/providers/Microsoft.Test/things", None),
        ("PUT", GROUP, BODY),
        ("DELETE", GROUP, None),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.Test/checkName", {}),
        ("GET", f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments", None),
        ("GET", SUBSCRIPTION, None),
    ]
    for method, path, body in asked:
        answer = await stranger.ask(method, path, body)
        assert answer.status_code == 403, (method, path)
        if method != "HEAD":
            error = answer.json()["error"]
            assert error["code"] == "AuthorizationFailed"
            assert stranger.object_id in error["message"]
    for path in ("/subscriptions", f"{SUBSCRIPTION}/resourceGroups", f"{SUBSCRIPTION}/resources"):
        assert (await stranger.get(path))["value"] == []
    assert (await arm.ask("HEAD", THING)).status_code == 204


async def test_a_reader_of_a_group_sees_it_and_nothing_else(arm: Client, group: str) -> None:
    await arm.put(THING, BODY)
    await arm.put(f"{SUBSCRIPTION}/resourceGroups/other", BODY)
    reader = arm.other("reader")
    path = await assign(arm, reader.object_id, "Reader", GROUP)
    assert len((await reader.get("/subscriptions"))["value"]) == 1
    assert [found["name"] for found in (await reader.get(f"{SUBSCRIPTION}/resourceGroups"))["value"]] == [
        "rg"
    ]
    assert [found["name"] for found in (await reader.get(f"{SUBSCRIPTION}/resources"))["value"]] == ["one"]
    assert (await reader.get(THING))["name"] == "one"
    assert await reader.refused("PUT", THING, BODY) == (403, "AuthorizationFailed")
    assert await reader.refused("POST", f"{THING}/listKeys") == (403, "AuthorizationFailed")
    assert (await arm.ask("DELETE", path)).status_code == 200
    assert await reader.refused("GET", THING) == (403, "AuthorizationFailed")


async def test_a_contributor_cannot_assign_roles(arm: Client, group: str) -> None:
    contributor = arm.other("contributor")
    await assign(arm, contributor.object_id, "Contributor", GROUP)
    await contributor.put(THING, BODY)
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    properties = {"roleDefinitionId": role_id("Owner"), "principalId": contributor.object_id}
    assert await contributor.refused("PUT", path, {"properties": properties}) == (403, "AuthorizationFailed")


async def test_assignments_that_are_refused(arm: Client, group: str) -> None:
    other = arm.other("other").object_id
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    good = {"roleDefinitionId": role_id("Reader"), "principalId": other}

    async def refused(at: str = path, **changes: str) -> tuple[int, str]:
        return await arm.refused("PUT", at, {"properties": {**good, **changes}})

    assert await refused(principalId=str(uuid.uuid4())) == (400, "PrincipalNotFound")
    assert await refused(roleDefinitionId=role_id(str(uuid.uuid4()))) == (404, "RoleDefinitionDoesNotExist")
    await arm.put(path, {"properties": good})
    await arm.put(path, {"properties": good})
    twin = path.rpartition("/")[0] + f"/{uuid.uuid4()}"
    assert await refused(twin) == (409, "RoleAssignmentExists")
    elsewhere = path.replace(GROUP, SUBSCRIPTION)
    assert await refused(elsewhere) == (400, "RoleAssignmentUpdateNotPermitted")
    changed = await refused(roleDefinitionId=role_id("Owner"))
    assert changed == (400, "RoleAssignmentUpdateNotPermitted")
    assert await arm.refused("GET", twin) == (404, "RoleAssignmentNotFound")
    nowhere = path.replace("/rg/", "/nowhere/")
    assert await refused(nowhere) == (404, "ResourceGroupNotFound")


async def test_custom_roles(arm: Client, group: str) -> None:
    name = str(uuid.uuid4())
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{name}"
    properties = {
        "roleName": "Thing keeper",
        "assignableScopes": [GROUP],
        "permissions": [
            {"actions": ["Microsoft.Test/things/*"], "notActions": ["Microsoft.Test/things/delete"]},
            {"dataActions": ["Microsoft.Test/things/parts/read"]},
        ],
    }
    await arm.put(path, {"properties": properties})
    keeper = arm.other("keeper")
    assignments = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    wide = {"properties": {"roleDefinitionId": path, "principalId": keeper.object_id}}
    refused = await arm.refused("PUT", assignments, wide)
    assert refused == (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")
    await assign(arm, keeper.object_id, name, GROUP)
    await keeper.put(THING, BODY)
    assert await keeper.refused("DELETE", THING) == (403, "AuthorizationFailed")
    rbac = arm.cloud.services.rbac
    assert rbac.allows(keeper.object_id, "Microsoft.Test/things/parts/read", THING, data=True)
    assert not rbac.allows(keeper.object_id, "Microsoft.Test/things/parts/read", SUBSCRIPTION, data=True)
    assert await arm.refused("DELETE", path) == (400, "RoleDefinitionHasAssignments")
    owner = role_id("Owner")
    assert await arm.refused("PUT", owner, {"properties": properties}) == (
        400,
        "RoleDefinitionCannotBeModified",
    )


async def test_identities_of_resources(arm: Client, group: str) -> None:
    identity = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    made = (await arm.put(identity, BODY)).json()["properties"]
    block = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {identity: {}}}
    thing = (await arm.put(THING, {**BODY, "identity": block})).json()["identity"]
    assert thing["userAssignedIdentities"][identity] == {
        "principalId": made["principalId"],
        "clientId": made["clientId"],
    }
    principals = arm.cloud.services.principals
    assert principals.kind(thing["principalId"]) == "ManagedIdentity"
    again = (await arm.put(THING, {**BODY, "identity": block})).json()["identity"]
    assert again["principalId"] == thing["principalId"]
    contributor = arm.other("contributor")
    await assign(arm, contributor.object_id, "Contributor", THING)
    assert (await contributor.ask("PUT", THING, {**BODY, "identity": block})).status_code == 200
    await arm.put(THING, {**BODY, "identity": {"type": "None"}})
    assert principals.kind(thing["principalId"]) is None
    refused = await contributor.refused("PUT", THING, {**BODY, "identity": block})
    assert refused == (403, "AuthorizationFailed")
    gone = {"type": "UserAssigned", "userAssignedIdentities": {identity + "x": {}}}
    assert await arm.refused("PUT", THING, {**BODY, "identity": gone}) == (400, "FailedIdentityOperation")
    await arm.put(THING, {**BODY, "identity": {"type": "SystemAssigned"}})
    object_id = (await arm.get(THING))["identity"]["principalId"]
    await arm.ask("DELETE", THING)
    assert principals.kind(object_id) is None


async def test_the_activity_log(arm: Client, group: str) -> None:
    await arm.put(THING, BODY, headers={"x-ms-correlation-request-id": "4711"})
    stranger = arm.other("stranger")
    await stranger.refused("DELETE", THING)
    await arm.ask("POST", f"{THING}/listKeys")
    url = f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
    since = "eventTimestamp ge '2020-01-01T00:00:00Z' and eventTimestamp le '2999-01-01T00:00:00Z'"
    events = (await arm.get(url, query={"$filter": f"{since} and resourceUri eq '{THING}'"}))["value"]
    assert [
        (event["operationName"]["value"], event["status"]["value"], event["subStatus"]["value"])
        for event in events
    ] == [
        ("Microsoft.Test/things/listKeys/action", "Succeeded", "OK"),
        ("Microsoft.Test/things/delete", "Failed", "Forbidden"),
        ("Microsoft.Test/things/write", "Succeeded", "Created"),
    ]
    assert events[2]["correlationId"] == "4711"
    assert events[1]["caller"] == stranger.credentials["client_id"]
    group_events = await arm.get(url, query={"$filter": f"{since} and resourceGroupName eq 'RG'"})
    assert len(group_events["value"]) == 4
    later = "eventTimestamp ge '2998-01-01T00:00:00Z'"
    assert (await arm.get(url, query={"$filter": later}))["value"] == []
    bad = {"$filter": "eventTimestamp ge 'yesterday'"}
    assert await arm.refused("GET", url, query=bad) == (400, "BadRequest")
