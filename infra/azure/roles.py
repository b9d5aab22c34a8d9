"""Role assignments: built-in roles by name, and one way to grant them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pulumi
from pulumi_azure_native import authorization

from infra.naming import assignment


class Role(StrEnum):
    """Built-in roles in use. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""

    ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
    AKS_CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
    AKS_RBAC_CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    COGNITIVE_SERVICES_OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
    EVENTGRID_DATA_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
    GRAFANA_ADMIN = "22926164-76b3-42b3-bc55-97df8dab3e41"
    KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    KEY_VAULT_SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
    LOG_ANALYTICS_DATA_READER = "3b03c2da-16b3-4a49-8834-0f8130efdd3b"
    MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    MONITORING_DATA_READER = "b0d8363b-8ddd-447d-831f-62ca05bff136"
    MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
    MONITORING_READER = "43d0d8ad-25c7-4714-9337-8ba259a9fe05"
    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    STORAGE_ACCOUNT_BACKUP_CONTRIBUTOR = "e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1"
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    STORAGE_BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    STORAGE_QUEUE_DATA_MESSAGE_PROCESSOR = "8a0f0c08-91a1-4084-bc3d-661d67233fed"
    STORAGE_QUEUE_DATA_MESSAGE_SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
    STORAGE_QUEUE_DATA_READER = "19e7f393-937e-4f77-808e-94535e297925"


@dataclass(frozen=True)
class Grantee:
    """Who receives a role. `key` is its stable name in the program, used for logical names.

    `rights` are the assignments made so far: what acts as the grantee waits for them, and goes before them.
    """

    key: str
    principal_id: pulumi.Input[str]
    principal_type: authorization.PrincipalType | None = authorization.PrincipalType.SERVICE_PRINCIPAL
    rights: list[pulumi.Resource] = field(default_factory=list, compare=False)


def grant(
    name: str,
    role: Role,
    grantees: Sequence[Grantee],
    scope: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[authorization.RoleAssignment]:
    """Assign `role` on `scope` to each grantee. `name` prefixes the logical names."""
    subscription = authorization.get_client_config_output().subscription_id
    definition = pulumi.Output.concat(
        "/subscriptions/", subscription, "/providers/Microsoft.Authorization/roleDefinitions/", role.value
    )
    return assign(name, Definition(role.value, definition), grantees, scope, opts)


@dataclass(frozen=True)
class Definition:
    """A role, built in or not: its GUID and its resource id."""

    guid: str
    id: pulumi.Input[str]


def assign(
    name: str,
    role: Definition,
    grantees: Sequence[Grantee],
    scope: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[authorization.RoleAssignment]:
    """As `grant`, for any role."""
    assignments = []
    for grantee in grantees:
        made = authorization.RoleAssignment(
            f"{name}-{grantee.key}",
            role_assignment_name=pulumi.Output.all(grantee.principal_id, scope).apply(
                lambda known: assignment(known[0], role.guid, known[1])
            ),
            principal_id=grantee.principal_id,
            principal_type=grantee.principal_type,
            role_definition_id=role.id,
            scope=scope,
            opts=opts,
        )
        grantee.rights.append(made)
        assignments.append(made)
    return assignments
