"""Who may do what: narrow roles, at narrow scopes, for named identities."""

import re

from infra.policy.model import Resource
from infra.policy.rule import Faults, require, resource_rule

_LEARN = "https://learn.microsoft.com/azure"
_IN_GROUP = re.compile(r"^/subscriptions/[^/]+/resourceGroups/[^/]+", re.IGNORECASE)
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged
_PRIVILEGED = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
_SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+")
_AUDIENCE = "api://AzureADTokenExchange"


@resource_rule(
    "azure-native:authorization:RoleAssignment",
    remedy="Assign the role on the resource itself, at most on its resource group",
    source=f"{_LEARN}/role-based-access-control/best-practices",
)
def roles_stay_within_a_resource_group(assignment: Resource) -> Faults:
    """No role assignment is wider than a resource group."""
    scope = assignment.get("scope")
    if isinstance(scope, str) and not _IN_GROUP.match(scope):
        yield f"its scope is {scope}"


@resource_rule(
    "azure-native:authorization:RoleAssignment",
    remedy="Assign the role that covers just what is needed",
    source=f"{_LEARN}/role-based-access-control/best-practices",
)
def roles_are_not_privileged(assignment: Resource) -> Faults:
    """Nobody is made Owner, Contributor or an administrator of access."""
    definition = assignment.get("roleDefinitionId")
    role = _PRIVILEGED.get(definition.rpartition("/")[2].lower()) if isinstance(definition, str) else None
    if role:
        yield f"it assigns {role}"


@resource_rule(
    "azure-native:authorization:RoleDefinition",
    remedy="Name the actions, and resource groups as assignable scopes",
    source=f"{_LEARN}/role-based-access-control/custom-roles",
)
def custom_roles_are_narrow(role: Resource) -> Faults:
    """Roles of our own allow named actions, within a resource group."""
    for permission in role.all("permissions"):
        for kind in ("actions", "dataActions"):
            if any(str(action).startswith("*") for action in permission.get(kind) or []):
                yield f"{kind} holds a wildcard for everything"
    for scope in role.all("assignableScopes"):
        if not _IN_GROUP.match(scope):
            yield f"it can be assigned at {scope}"


@resource_rule(
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment",
    remedy="End the scope with /dbs/<database>, or with a container below it",
    source=f"{_LEARN}/cosmos-db/nosql/security/how-to-grant-data-plane-role-based-access",
)
def cosmos_roles_stay_within_a_database(assignment: Resource) -> Faults:
    """Data-plane roles of Cosmos DB are assigned on a database or container, not on the account."""
    scope = assignment.get("scope")
    if isinstance(scope, str) and "/dbs/" not in scope:
        yield f"its scope is {scope}"


@resource_rule(
    "azure-native:managedidentity:FederatedIdentityCredential",
    remedy="Set subject to system:serviceaccount:<namespace>:<name> and the one audience of Entra ID",
    source=f"{_LEARN}/aks/workload-identity-overview",
)
def federation_names_a_service_account(credential: Resource) -> Faults:
    """A federated credential trusts one named service account, for Entra ID only."""
    subject, issuer = credential.get("subject"), credential.get("issuer")
    if isinstance(subject, str | None) and not _SERVICE_ACCOUNT.fullmatch(subject or ""):
        yield f"its subject is {subject or 'not set'}"
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield f"its issuer is {issuer}"
    for audience in credential.all("audiences"):
        if audience != _AUDIENCE:
            yield f"it takes tokens for {audience}"


@resource_rule(
    "azure-native:keyvault:Vault",
    remedy="Set properties.enable_rbac_authorization=True and no access policies",
    source=f"{_LEARN}/key-vault/general/rbac-access-policy",
)
def vaults_use_roles_only(vault: Resource) -> Faults:
    """Who may read a vault is a matter of roles, not of access policies."""
    yield from require(vault, "properties.enableRbacAuthorization", True)
    if vault.all("properties.accessPolicies"):
        yield "it has access policies"
