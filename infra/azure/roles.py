"""Role assignments: built-in roles by name, and one way to grant them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
from pulumi_azure_native import authorization

from infra.naming import assignment


class Role(StrEnum):
    """Built-in roles in use. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""

    ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    ACR_PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"
    AKS_RBAC_CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    COGNITIVE_SERVICES_OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
    KEY_VAULT_SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    KEY_VAULT_SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
    MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"


@dataclass(frozen=True)
class Grantee:
    """Who receives a role. `key` is its stable name in the program, used for logical names."""

    key: str
    principal_id: pulumi.Input[str]
    principal_type: authorization.PrincipalType | None = authorization.PrincipalType.SERVICE_PRINCIPAL


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
    return [
        authorization.RoleAssignment(
            f"{name}-{grantee.key}",
            role_assignment_name=pulumi.Output.all(grantee.principal_id, scope).apply(
                lambda known: assignment(known[0], role.value, known[1])
            ),
            principal_id=grantee.principal_id,
            principal_type=grantee.principal_type,
            role_definition_id=definition,
            scope=scope,
            opts=opts,
        )
        for grantee in grantees
    ]
