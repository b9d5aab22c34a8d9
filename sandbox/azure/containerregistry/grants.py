"""Who may do what in a registry: scopes as the token protocol writes them, granted by Entra role assignments.

A scope is `repository:NAME:pull,push` or `registry:catalog:*`. Sources: the distribution project's token
specification, and https://learn.microsoft.com/azure/container-registry/container-registry-roles
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.arm.resource import Resource
from sandbox.services import Rbac

_REGISTRY = "Microsoft.ContainerRegistry/registries"
#: Control-plane actions that the built-in roles AcrPull, AcrPush and AcrDelete carry.
_ACTIONS: Mapping[str, str] = {
    "pull": f"{_REGISTRY}/pull/read",
    "push": f"{_REGISTRY}/push/write",
    "delete": f"{_REGISTRY}/artifacts/delete",
    "metadata_read": f"{_REGISTRY}/pull/read",
    "metadata_write": f"{_REGISTRY}/push/write",
    "catalog": f"{_REGISTRY}/pull/read",
}
#: Data actions that count instead when the registry's role assignment mode is AbacRepositoryPermissions.
_DATA_ACTIONS: Mapping[str, str] = {
    "pull": f"{_REGISTRY}/repositories/content/read",
    "push": f"{_REGISTRY}/repositories/content/write",
    "delete": f"{_REGISTRY}/repositories/content/delete",
    "metadata_read": f"{_REGISTRY}/repositories/metadata/read",
    "metadata_write": f"{_REGISTRY}/repositories/metadata/write",
    "catalog": f"{_REGISTRY}/catalog/read",
}


@dataclass(frozen=True)
class Grant:
    """Permission to do `actions` on a repository, or (`registry`, `catalog`, `*`) to list them."""

    type: str
    name: str
    actions: frozenset[str]

    def covers(self, wanted: Grant) -> bool:
        return (self.type, self.name) == (wanted.type, wanted.name) and wanted.actions <= self.actions

    def claim(self) -> dict[str, object]:
        return {"type": self.type, "name": self.name, "actions": sorted(self.actions)}

    def scope(self) -> str:
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"


def parse(scopes: Iterable[str]) -> list[Grant]:
    """Read scopes, several of which may stand in one text with spaces between. Raises ValueError."""
    grants = []
    for scope in " ".join(scopes).split():
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind not in {"repository", "registry"} or not name or not actions:
            raise ValueError(f"the scope '{scope}' is not repository:NAME:ACTIONS or registry:catalog:*")
        grants.append(Grant(kind, name, frozenset(actions.split(","))))
    return grants


def _needed(grant: Grant, action: str) -> str | None:
    """What a role must allow for one action of a scope; None for what there is not."""
    if grant.type == "registry":
        return "catalog" if (grant.name, action) == ("catalog", "*") else None
    return action if action in _ACTIONS and action != "catalog" else None


def allowed(rbac: Rbac, registry: Resource, object_id: str, wanted: Iterable[Grant]) -> list[Grant]:
    """The part of `wanted` that the principal's roles give it, without scopes of which nothing is left."""
    abac = registry.properties.get("roleAssignmentMode") == "AbacRepositoryPermissions"
    names = _DATA_ACTIONS if abac else _ACTIONS
    given = []
    for grant in wanted:
        actions = {
            action
            for action in grant.actions
            if (needed := _needed(grant, action))
            and rbac.allows(object_id, names[needed], str(registry.id), data=abac)
        }
        if actions:
            given.append(Grant(grant.type, grant.name, frozenset(actions)))
    return given


def any_access(rbac: Rbac, registry: Resource, object_id: str) -> bool:
    """Whether the principal's roles let it do anything at all with images."""
    everything = Grant("repository", "*", frozenset(_ACTIONS) - {"catalog"})
    return bool(allowed(rbac, registry, object_id, [everything]))
