"""What holds data does not disappear by accident."""

from infra.policy.model import Resource, Stack, may_be
from infra.policy.rule import Faults, StackFaults, require, resource_rule, stack_rule
from infra.policy.stateful import PROTECTED, STATEFUL

_LEARN = "https://learn.microsoft.com/azure"
_LOCK = "azure-native:authorization:ManagementLockByScope"
_GROUP = "azure-native:resources:ResourceGroup"
_LEVELS = ("CanNotDelete", "ReadOnly")
#: What a lock must cover -> the input by which what lies inside names it. A lock inside is enough: Azure does
#: not delete what has something locked in it. Not asked for: vaults, which purge protection keeps, and
#: registries, whose images can be built again.
LOCKED = {
    "azure-native:cosmosdb:DatabaseAccount": "accountName",
    "azure-native:sql:Database": "databaseName",
    "azure-native:storage:StorageAccount": "accountName",
}


@resource_rule(
    *PROTECTED,
    remedy="Make it with the options of Place.stateful, and set agents:protect",
    source="https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    production=True,
)
def production_data_is_protected(resource: Resource) -> Faults:
    """In production Pulumi refuses to delete what holds data."""
    if not resource.protect:
        yield f"it is not protected, and holds {STATEFUL[resource.type].what}"


@stack_rule(
    remedy="Add a ManagementLockByScope with level CanNotDelete on it, or on what lies in it",
    source=f"{_LEARN}/azure-resource-manager/management/lock-resources",
    production=True,
)
def production_data_is_locked(stack: Stack) -> StackFaults:
    """In production nobody deletes what holds data, by whatever tool."""
    locks = [lock for lock in stack.of(_LOCK) if may_be(lock.get("level"), *_LEVELS)]
    locked = [group for group in stack.of(_GROUP) if any(_is_on_group(lock, group) for lock in locks)]
    for resource in stack.of(*LOCKED):
        parts = [resource, *_inside(resource, stack)]
        in_locked = any(resource.refers_to(group, "resourceGroupName") for group in locked)
        if not in_locked and not any(lock.refers_to(part, "scope") for lock in locks for part in parts):
            yield resource, "no management lock covers it"


def _inside(resource: Resource, stack: Stack) -> list[Resource]:
    """Resources of the same service that name it as the one they are in."""
    service, path = resource.type.rpartition(":")[0], LOCKED[resource.type]
    others = [one for one in stack.resources if one.type.startswith(f"{service}:") and one is not resource]
    return [one for one in others if one.get(path) is not None and one.refers_to(resource, path)]


def _is_on_group(lock: Resource, group: Resource) -> bool:
    """Whether it locks the group itself: a lock on something in it also has the group in its scope."""
    scope = lock.get("scope")
    if isinstance(scope, str):
        return scope.rstrip("/").lower().endswith(f"/resourcegroups/{group.azure_name()}".lower())
    return lock.references.get("scope", frozenset({group.urn})) == frozenset({group.urn})


@resource_rule(
    "azure-native:keyvault:Vault",
    remedy="Leave properties.enable_soft_delete on",
    source=f"{_LEARN}/key-vault/general/soft-delete-overview",
)
def vaults_keep_what_is_deleted(vault: Resource) -> Faults:
    """Deleted secrets and vaults can be had back."""
    yield from require(vault, "properties.enableSoftDelete", True, None)


@resource_rule(
    "azure-native:keyvault:Vault",
    remedy="Set properties.enable_purge_protection=True",
    source=f"{_LEARN}/key-vault/general/soft-delete-overview#purge-protection",
    production=True,
)
def production_vaults_cannot_be_purged(vault: Resource) -> Faults:
    """In production nobody can end a vault's soft deletion early."""
    yield from require(vault, "properties.enablePurgeProtection", True)
