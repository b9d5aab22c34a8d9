"""A stack as rules see it: what the program asks for, resource by resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# `azure-native:cosmosdb/v20241115:DatabaseAccount`, also from a local package (`azure-native_cosmosdb_v…`).
_AZURE = re.compile(r"^azure-native(?:_\w+)?:(\w+)(?:/v\w+)?:(\w+)$")
# `kubernetes:apps/v1:Deployment`, `kubernetes:networking.k8s.io/v1:Ingress`.
_KUBERNETES = re.compile(r"^kubernetes:([a-z0-9-]+)[^/]*/v\w+:(\w+)$")


class Unknown:
    """A value that is not known before the update, such as an id that Azure makes up.

    Something is there (it is true), nothing in it can be listed, and what is taken from it is unknown too.
    """

    def __repr__(self) -> str:
        return "unknown"

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def get(self, *_: Any) -> Unknown:
        return self

    def keys(self) -> tuple[()]:
        return ()

    values = items = keys


UNKNOWN: Final = Unknown()


def without_version(resource_type: str) -> str:
    """The type token without an API version, so that no version of a type escapes its rules."""
    if found := _AZURE.match(resource_type):
        return f"azure-native:{found[1]}:{found[2]}"
    if found := _KUBERNETES.match(resource_type):
        return f"kubernetes:{found[1]}:{found[2]}"
    return resource_type


@dataclass(frozen=True)
class Resource:
    """One resource. `inputs` are what the program asks for (SDK names), with UNKNOWN for what is not known.

    `references`: property -> URNs of the resources that its value is made from. They are known even while the
    value is not, but only to rules on whole stacks.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any]
    protect: bool = False
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    def get(self, path: str, default: Any = None) -> Any:
        """The input at a dotted path; UNKNOWN where it, or something on the way to it, is not known."""
        value: Any = self.inputs
        for part in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            if not isinstance(value, Mapping):
                return default
            value = value.get(part)
        return default if value is None else value

    def all(self, path: str) -> list[Any]:
        """The known items of the list at `path`; none where it is missing or not known."""
        return listed(self.get(path))

    def refers_to(self, target: Resource, path: str) -> bool:
        """Whether the input at `path` is made from `target`, or names it, alone or in a resource id.

        What is not known, and not known where it comes from, may refer to anything.
        """
        made_from = self.references.get(path.partition(".")[0])
        if made_from and target.urn in made_from:
            return True
        leaves, name = list(_leaves(self.get(path))), target.azure_name()
        if not made_from and (name is UNKNOWN or UNKNOWN in leaves):
            return True
        return isinstance(name, str) and any(_is_called(str(leaf), target.type, name) for leaf in leaves)

    def azure_name(self) -> Any:
        """What Azure calls it; UNKNOWN before it is known, None where the program does not say."""
        named = _NAMED.get(self.type)
        return self.get(named[0]) if named else None


@dataclass(frozen=True)
class Stack:
    """All resources of a stack, components and providers included."""

    resources: tuple[Resource, ...]

    @property
    def name(self) -> str:
        return self.resources[0].stack if self.resources else ""

    def of(self, *types: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type in types]


def may_be(value: Any, *expected: Any) -> bool:
    """Whether a value is one of those expected, or may turn out to be."""
    return value is UNKNOWN or value in expected


def may_hold(values: Any, item: Any) -> bool:
    """Whether a list holds an item, or may turn out to."""
    return values is UNKNOWN or (isinstance(values, list | tuple) and any(may_be(v, item) for v in values))


def listed(value: Any) -> list[Any]:
    """The known items of a list value; none where it is no list."""
    return [item for item in value if item is not UNKNOWN] if isinstance(value, list | tuple) else []


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value


def _is_called(text: str, kind: str, name: str) -> bool:
    """Whether a text is the name, or an id in which it is the name of something of this type."""
    segment = f"/{_NAMED[kind][1]}/{name}/".lower()
    return text.lower() == name.lower() or segment in f"{text.lower()}/"


#: Type -> the input that holds its name, and what comes before the name in resource ids.
_NAMED = {
    "azure-native:cognitiveservices:Account": ("accountName", "accounts"),
    "azure-native:containerregistry:Registry": ("registryName", "registries"),
    "azure-native:containerservice:ManagedCluster": ("resourceName", "managedClusters"),
    "azure-native:cosmosdb:DatabaseAccount": ("accountName", "databaseAccounts"),
    "azure-native:cosmosdb:SqlResourceSqlContainer": ("containerName", "containers"),
    "azure-native:cosmosdb:SqlResourceSqlDatabase": ("databaseName", "sqlDatabases"),
    "azure-native:eventgrid:Topic": ("topicName", "topics"),
    "azure-native:keyvault:Vault": ("vaultName", "vaults"),
    "azure-native:network:PrivateEndpoint": ("privateEndpointName", "privateEndpoints"),
    "azure-native:operationalinsights:Workspace": ("workspaceName", "workspaces"),
    "azure-native:resources:ResourceGroup": ("resourceGroupName", "resourceGroups"),
    "azure-native:sql:Database": ("databaseName", "databases"),
    "azure-native:sql:Server": ("serverName", "servers"),
    "azure-native:storage:BlobContainer": ("containerName", "containers"),
    "azure-native:storage:StorageAccount": ("accountName", "storageAccounts"),
}
