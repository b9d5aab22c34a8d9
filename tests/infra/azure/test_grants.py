"""Who may do what: the whole table of role assignments, so that a wider one is a diff here."""

from __future__ import annotations

from infra.azure.cosmos_roles import AGENT_ACTIONS
from infra.azure.roles import Role
from sandbox.arm.roles import built_in
from tests.infra.azure.declaring import Declarations

_ROLES = {role.value: role.name for role in Role}
_DATABASE = "/DatabaseAccount/cosmos/dbs/AgentsDB"


def _grants(found: Declarations) -> set[tuple[str, str, str]]:
    return {
        (
            one.inputs["principalId"].removeprefix("principal-of-"),
            _ROLES[one.inputs["roleDefinitionId"].rpartition("/")[2]],
            one.inputs["scope"],
        )
        for one in found.of("authorization:RoleAssignment")
    }


def _cosmos(found: Declarations) -> set[tuple[str, str, str]]:
    return {
        (
            one.inputs["principalId"].removeprefix("principal-of-"),
            one.inputs["roleDefinitionId"].rpartition("/")[2],
            one.inputs["scope"],
        )
        for one in found.of("cosmosdb:SqlResourceSqlRoleAssignment")
    }


def _expected(openai: list[str]) -> set[tuple[str, str, str]]:
    agents = ("notification", "devops")
    return {
        *((agent, "ACR_PULL", "/Registry/registry") for agent in agents),
        ("operator", "ACR_PUSH", "/Registry/registry"),
        *((agent, "KEY_VAULT_SECRETS_USER", "/Vault/vault") for agent in agents),
        ("operator", "KEY_VAULT_SECRETS_OFFICER", "/Vault/vault"),
        *(
            (user, "COGNITIVE_SERVICES_OPENAI_USER", f"/Account/{account}")
            for user in (*agents, "operator")
            for account in openai
        ),
        *((agent, "STORAGE_QUEUE_DATA_MESSAGE_PROCESSOR", f"/Queue/{agent}") for agent in agents),
        *((agent, "STORAGE_QUEUE_DATA_READER", f"/Queue/{agent}") for agent in agents),
        ("operator", "STORAGE_BLOB_DATA_READER", "/BlobContainer/dead-letters"),
        *((user, "EVENTGRID_DATA_SENDER", "/Topic/events") for user in (*agents, "operator")),
        *(("topic", "STORAGE_QUEUE_DATA_MESSAGE_SENDER", f"/Queue/{agent}") for agent in agents),
        ("topic", "STORAGE_BLOB_DATA_CONTRIBUTOR", "/BlobContainer/dead-letters"),
    }


def test_every_role_is_the_built_in_one_of_its_name() -> None:
    known = built_in()
    for role in Role:
        called = known[role.value].name.replace("Azure Kubernetes Service", "AKS").removesuffix(" Role")
        assert role.name.replace("_", "") == called.replace(" ", "").upper()


def test_these_are_all_the_roles_there_are(in_dev: Declarations, in_prod: Declarations) -> None:
    assert _grants(in_dev) == _expected(["openai"])
    assert _grants(in_prod) == _expected(["openai", "openai-backup"])


def test_an_agent_works_on_the_items_of_each_container(in_dev: Declarations) -> None:
    role = in_dev.one("cosmosdb:SqlResourceSqlRoleDefinition").inputs["roleDefinitionId"]
    contributor = "00000000-0000-0000-0000-000000000002"
    assert _cosmos(in_dev) == {
        *(
            (agent, role, f"{_DATABASE}/colls/{container}")
            for agent in ("notification", "devops")
            for container in ("Events", "Ledger")
        ),
        ("operator", contributor, _DATABASE),
    }


def test_an_agent_deletes_nothing_and_manages_nothing(in_dev: Declarations) -> None:
    definition = in_dev.one("cosmosdb:SqlResourceSqlRoleDefinition").inputs
    assert definition["assignableScopes"] == [_DATABASE]
    (permission,) = definition["permissions"]
    assert permission["dataActions"] == list(AGENT_ACTIONS)
    for action in permission["dataActions"]:
        assert "*" not in action
        assert "delete" not in action.lower()


def test_sql_is_administered_by_the_migration_alone(in_prod: Declarations) -> None:
    for server in in_prod.of("sql:Server"):
        administrators = server.inputs["administrators"]
        assert administrators["principalType"] == "Application"
        assert administrators["sid"] == "client-id"
        assert {"administratorLogin", "administratorLoginPassword"}.isdisjoint(server.inputs)
